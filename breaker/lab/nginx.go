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
	"strconv"
	"strings"
	"syscall"
	"time"
)

// nginxConf is nginx with its passive health check: after so many failures the peer is
// taken out for a while, and its backup answers. nginx counts that while in whole
// seconds, so it lasts up to one longer.
const nginxConf = `
daemon off;
user root root;
master_process off;
pid DIR/nginx.pid;
error_log stderr crit;
events {}
http {
  access_log off;
  client_body_temp_path DIR; proxy_temp_path DIR; fastcgi_temp_path DIR; uwsgi_temp_path DIR; scgi_temp_path DIR;
  default_type application/json;
  upstream payments {
    server ADDRESS max_fails=FAILURES fail_timeout=OPENs;
    server unix:DIR/rejects.sock backup;
  }
  server {
    listen 127.0.0.1:PORT;
    location / {
      proxy_pass http://payments;
      proxy_next_upstream off;
      proxy_connect_timeout TIMEOUTms;
      proxy_read_timeout TIMEOUTms;
    }
  }
  server { listen unix:DIR/rejects.sock; location / { return ANSWER 'BODY'; } }
}
`

// nginxPort is free in a bench's own network namespace.
const nginxPort = "8080"

// A passive is what the part that runs nginx is given.
type passive struct {
	Service Service `json:"service"`
	Program string  `json:"program"`
	Dir     string  `json:"dir"`
}

// nginx is the command line of a part that runs nginx.
func (b *Bench) nginx(s Service) (line []string, err error) {
	bin, err := exec.LookPath("nginx")
	for _, place := range []string{filepath.Join(b.Tools, "nginx", "usr", "sbin", "nginx"), "/usr/sbin/nginx"} {
		if err != nil {
			bin, err = exec.LookPath(place)
		}
	}
	if err != nil {
		return nil, fmt.Errorf("nginx is missing; %s", setUp)
	}
	settings, err := json.Marshal(passive{s, bin, b.Dir})
	return append(append([]string{}, b.Self...), "nginx", string(settings)), err
}

// run runs nginx until ctx ends, and says on out where it listens once it does.
func (p passive) run(ctx context.Context, out io.Writer) error {
	s := p.Service
	conf := strings.NewReplacer(
		"DIR", p.Dir, "ADDRESS", s.Dependencies[0], "FAILURES", strconv.Itoa(s.Failures), "OPEN", strconv.Itoa(s.OpenMS/1000),
		"PORT", nginxPort, "TIMEOUT", strconv.Itoa(s.CallTimeoutMS), "ANSWER", strconv.Itoa(s.Answer), "BODY", s.Body,
	).Replace(nginxConf)
	file := filepath.Join(p.Dir, "nginx.conf")
	if err := os.WriteFile(file, []byte(conf), 0o600); err != nil {
		return err
	}
	cmd := exec.CommandContext(ctx, p.Program, "-e", "stderr", "-p", p.Dir, "-c", file) //nolint:gosec // found by the bench
	cmd.Stderr = os.Stderr
	cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
	if err := cmd.Start(); err != nil {
		return err
	}
	address := net.JoinHostPort("127.0.0.1", nginxPort)
	answers(ctx, address)
	fmt.Fprintf(out, "listening on http://%s\n", address)
	if err := cmd.Wait(); ctx.Err() == nil {
		return errors.Join(errors.New("nginx ended by itself"), err)
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
