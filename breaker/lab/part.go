package lab

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"runtime"
	"time"
)

// Part is the body of a process that the lab starts: a service, a dependency, a
// guard of another program, or one that only burns CPU. args are what the lab gave it. It says on out where it listens,
// and ends with ctx or when in ends: so that it ends with the lab.
func Part(ctx context.Context, args []string, in io.Reader, out io.Writer) error {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	go func() {
		_, _ = io.Copy(io.Discard, in)
		cancel()
	}()
	if len(args) != 2 {
		return fmt.Errorf("part: got %d arguments, want a role and its settings", len(args))
	}
	switch role, settings := args[0], []byte(args[1]); role {
	case "service":
		var s Service
		if err := json.Unmarshal(settings, &s); err != nil {
			return fmt.Errorf("service: %w", err)
		}
		h, err := s.handler(ctx)
		if err != nil {
			return err
		}
		return listen(ctx, "127.0.0.1", h, out)
	case "dependency":
		var host string
		if err := json.Unmarshal(settings, &host); err != nil {
			return fmt.Errorf("dependency: %w", err)
		}
		return listen(ctx, host, eitherWay(http.HandlerFunc(paid)), out)
	case "passive":
		var p passive
		if err := json.Unmarshal(settings, &p); err != nil {
			return fmt.Errorf("passive: %w", err)
		}
		return p.run(ctx, out)
	case "hog":
		var share float64
		if err := json.Unmarshal(settings, &share); err != nil {
			return fmt.Errorf("hog: %w", err)
		}
		hog(ctx, share)
		return nil
	default:
		return fmt.Errorf("part: got role %q, want service, dependency, passive or hog", role)
	}
}

func paid(w http.ResponseWriter, r *http.Request) {
	_, _ = io.Copy(io.Discard, r.Body)
	fmt.Fprintln(w, `{"paid": true}`)
}

// listen serves on a free port of the host, an address of loopback, until ctx ends.
func listen(ctx context.Context, host string, h http.Handler, out io.Writer) error {
	var lc net.ListenConfig
	ln, err := lc.Listen(ctx, "tcp", net.JoinHostPort(host, "0"))
	if err != nil {
		return err
	}
	srv := &http.Server{Handler: h, ReadHeaderTimeout: 10 * time.Second, Protocols: new(http.Protocols)}
	srv.Protocols.SetHTTP1(true)
	srv.Protocols.SetUnencryptedHTTP2(true)
	stop := context.AfterFunc(ctx, func() { _ = srv.Close() })
	defer stop()
	fmt.Fprintf(out, "listening on http://%s\n", ln.Addr())
	if err := srv.Serve(ln); !errors.Is(err, http.ErrServerClosed) {
		return err
	}
	return nil
}

// hog burns a share, 0 to 1, of one core until ctx ends.
func hog(ctx context.Context, share float64) {
	const turn = 10 * time.Millisecond
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	work := time.Duration(share * float64(turn))
	for ctx.Err() == nil {
		begin := time.Now()
		for time.Since(begin) < work {
		}
		if work < turn {
			pause(ctx, turn-work)
		}
	}
}

// address reads where a part listens.
func address(out *bufio.Reader) (url string, err error) {
	line, err := out.ReadString('\n')
	if _, serr := fmt.Sscanf(line, "listening on %s", &url); serr != nil {
		return "", errors.Join(fmt.Errorf("got %q, want word of where it listens", line), err)
	}
	return url, nil
}
