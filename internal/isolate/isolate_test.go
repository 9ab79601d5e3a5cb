//go:build linux

package isolate_test

import (
	"context"
	"fmt"
	"io"
	"net"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"go.uber.org/goleak"

	"github.com/foreshock/foreshock/internal/isolate"
)

// inside is the argument that makes this program the one that Run starts.
const inside = "--inside"

func TestMain(m *testing.M) {
	if i := slices.Index(os.Args, inside); i > 0 { //nolint:forbidigo // this program is also the one inside
		os.Exit(within(os.Args[i+1])) //nolint:forbidigo // as above
	}
	goleak.VerifyTestMain(m)
}

// within says what is seen inside. Its exit code is 7, or 1 if it cannot be told.
func within(what string) int {
	handed := isolate.File(0)
	ctx, dir, err := isolate.Enter(context.Background())
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	switch what {
	case "look":
		processes, _ := filepath.Glob("/proc/[0-9]*")
		files, _ := os.ReadDir(dir)
		ln, err := net.Listen("tcp", "127.0.0.1:9")
		fmt.Fprintln(handed, len(processes), len(files), err)
		if err == nil {
			_ = ln.Close()
		}
	case "wait":
		fmt.Fprintln(handed, "waiting")
		<-ctx.Done()
		fmt.Fprintln(handed, "asked to end")
	case "hang":
		fmt.Fprintln(handed, "hanging")
		select {}
	}
	return 7
}

// run starts this program inside and returns what it wrote to the file handed over.
func run(t *testing.T, ctx context.Context, what string, word func(string)) (code int, err error) {
	t.Helper()
	r, w, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	read := make(chan struct{})
	go func() {
		defer close(read)
		b := make([]byte, 1024)
		for {
			n, err := r.Read(b)
			if err != nil {
				return
			}
			word(string(b[:n]))
		}
	}()
	var said strings.Builder
	code, err = isolate.Run(ctx, isolate.Command{Args: []string{inside, what}, Files: []*os.File{w}, Stdout: io.Discard, Stderr: &said, Grace: 300 * time.Millisecond})
	<-read // ends when nobody holds the file: Run gave ours away
	if code == 1 {
		t.Fatalf("inside: %s", said.String())
	}
	return code, err
}

func TestInsideIsApart(t *testing.T) {
	t.Parallel()
	var got string
	code, err := run(t, t.Context(), "look", func(s string) { got += s })
	if err != nil || code != 7 {
		t.Errorf("got exit code %d, %v, want 7", code, err)
	}
	// One process, an empty directory, and a loopback whose low ports are its own.
	if got != "1 0 <nil>\n" {
		t.Errorf("got %q, want one process, no file and port 9 free", got)
	}
}

// The context inside ends with the one outside, and the program has its time to end.
func TestEndIsPassedOn(t *testing.T) {
	t.Parallel()
	ctx, cancel := context.WithCancel(t.Context())
	var got string
	code, err := run(t, ctx, "wait", func(s string) { got += s; cancel() })
	if err != nil || code != 7 || got != "waiting\nasked to end\n" {
		t.Errorf("got exit code %d, %v, and %q", code, err, got)
	}
}

// A program that does not end is killed.
func TestHangIsKilled(t *testing.T) {
	t.Parallel()
	ctx, cancel := context.WithCancel(t.Context())
	_, err := run(t, ctx, "hang", func(string) { cancel() })
	if err == nil || !strings.Contains(err.Error(), "did not end within 300ms and was killed") {
		t.Errorf("got %v, want word that it was killed", err)
	}
}
