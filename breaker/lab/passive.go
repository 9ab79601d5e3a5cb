package lab

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"time"
)

// passivePort is free in a bench's own network namespace.
const passivePort = "8080"

// A passive is what the part is given that runs a proxy whose own health checks, by the
// calls that pass, are the breaker.
type passive struct {
	Service   Service `json:"service"`
	Name      string  `json:"name"`
	Program   string  `json:"program"`
	Libraries string  `json:"libraries"` // where those lie that the program needs; empty: in their place
	Dir       string  `json:"dir"`
}

// passive is the command line of a part that runs the proxy of that name.
func (b *Bench) passive(name string, s Service) (line []string, err error) {
	p, err := b.findPassive(name, s)
	if err != nil {
		return nil, err
	}
	settings, err := json.Marshal(p)
	return slices.Concat(b.Self, []string{"passive", string(settings)}), err
}

// findPassive finds the proxy: an installed one first, then what setup-lab.sh unpacked.
func (b *Bench) findPassive(name string, s Service) (p passive, err error) {
	p = passive{Service: s, Name: name, Dir: b.Dir}
	own := filepath.Join(b.Tools, name, "usr")
	for _, place := range []string{name, filepath.Join("/usr/sbin", name), filepath.Join(own, "sbin", name)} {
		if p.Program, err = exec.LookPath(place); err == nil {
			break
		}
	}
	if err != nil {
		return p, fmt.Errorf("%s is missing; %s", name, setUp)
	}
	if strings.HasPrefix(p.Program, own) {
		found, _ := filepath.Glob(filepath.Join(own, "lib", "*-linux-*")) // the pattern is ours
		p.Libraries = strings.Join(found, ":")
	}
	return p, nil
}

// command writes the proxy's file and is the command that reads it.
func (p passive) command(ctx context.Context) (*exec.Cmd, error) {
	s := p.Service
	text, line := nginxConf, nginxLine
	if p.Name == haproxy {
		text, line = haproxyConf, haproxyLine
	}
	conf := strings.NewReplacer(
		"DIR", p.Dir, "ADDRESS", s.Dependencies[0], "FAILURES", strconv.Itoa(s.Failures), "OPENms", strconv.Itoa(s.OpenMS)+"ms", "OPENs", strconv.Itoa(s.OpenMS/1000)+"s",
		"PORT", passivePort, "TIMEOUT", strconv.Itoa(s.CallTimeoutMS), "ANSWER", strconv.Itoa(s.Answer), "BODY", s.Body,
	).Replace(text)
	file := filepath.Join(p.Dir, p.Name+".conf")
	if err := os.WriteFile(file, []byte(conf), 0o600); err != nil {
		return nil, err
	}
	args := line(p.Program, p.Dir, file)
	cmd := exec.CommandContext(ctx, args[0], args[1:]...) //nolint:gosec // found by the bench
	if p.Libraries != "" {
		cmd.Env = []string{"LD_LIBRARY_PATH=" + p.Libraries}
	}
	return cmd, nil
}

// run runs the proxy until ctx ends, and says on out where it listens once it does.
func (p passive) run(ctx context.Context, out io.Writer) error {
	cmd, err := p.command(ctx)
	if err != nil {
		return err
	}
	cmd.Stderr = os.Stderr
	cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
	if err := cmd.Start(); err != nil {
		return err
	}
	address := net.JoinHostPort("127.0.0.1", passivePort)
	ready, cancel := context.WithCancel(ctx)
	ended := make(chan error, 1)
	go func() { ended <- cmd.Wait(); cancel() }()
	answers(ready, address)
	if ready.Err() == nil {
		fmt.Fprintf(out, "listening on http://%s\n", address)
	}
	if err := <-ended; ctx.Err() == nil {
		return errors.Join(fmt.Errorf("%s ended by itself", p.Name), err)
	}
	return nil // we ended it
}

// answers waits until somebody listens at the address, or until ctx ends.
func answers(ctx context.Context, address string) {
	d := net.Dialer{Timeout: time.Second}
	for ctx.Err() == nil {
		if conn, err := d.DialContext(ctx, "tcp", address); err == nil {
			_ = conn.Close()
			return
		}
		pause(ctx, 20*time.Millisecond)
	}
}
