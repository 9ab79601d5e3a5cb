package main

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/foreshock/foreshock/internal/proof"
	"github.com/foreshock/foreshock/journeys"
	"github.com/foreshock/foreshock/scenarios"
)

// nobody is an ordinary user.
const nobody = 65534

// A demoRun is the shipped program, running its demo.
type demoRun struct {
	t    *testing.T
	cmd  *exec.Cmd
	dir  string // of its programs, and of nothing else
	tmp  string // its TMPDIR
	json string // its report
	out  output
	end  func() int // waits; returns the exit code, -1 after a signal
}

// startDemo starts the demo with a report, as root or as an ordinary user. A test that
// is not run by root starts it as whoever runs it.
func startDemo(t *testing.T, ordinary bool, args ...string) *demoRun {
	t.Helper()
	needDemo(t)
	if ordinary && os.Getuid() == 0 {
		return startDemoUnder(t, asNobody(), args...)
	}
	return startDemoUnder(t, nil, args...)
}

func asNobody() []string {
	return []string{"setpriv", fmt.Sprint("--reuid=", nobody), fmt.Sprint("--regid=", nobody), "--clear-groups"}
}

// startDemoUnder starts the demo by way of another program.
func startDemoUnder(t *testing.T, under []string, args ...string) *demoRun {
	t.Helper()
	d := &demoRun{t: t, dir: binaries(t)}
	d.tmp, d.json = d.place("tmp"), filepath.Join(d.place("work"), "report.json")
	line := slices.Concat(under, []string{filepath.Join(d.dir, "foreshock"), "demo", "--json", d.json}, args)
	d.cmd = exec.Command(line[0], line[1:]...)
	d.cmd.Dir = filepath.Dir(d.json)
	d.cmd.Env = environ("TMPDIR="+d.tmp, "FORESHOCK_PACT_LIB="+pactLibrary(t))
	d.cmd.Stdout, d.cmd.Stderr = &d.out, &d.out
	d.cmd.WaitDelay = 10 * time.Second
	if err := d.cmd.Start(); err != nil {
		t.Fatal(err)
	}
	d.end = sync.OnceValue(func() int {
		// All that inherited its output must have ended, too: Wait tells if not.
		if err := d.cmd.Wait(); errors.Is(err, exec.ErrWaitDelay) {
			t.Errorf("somebody holds the output of the demo that has ended: %v", err)
		}
		return d.cmd.ProcessState.ExitCode()
	})
	t.Cleanup(func() {
		_ = d.cmd.Process.Kill()
		d.end()
		if t.Failed() {
			t.Logf("the demo said:\n%s", d.out.String())
		}
	})
	return d
}

func needDemo(t *testing.T) {
	t.Helper()
	need(t, "iptables", "apt-get install iptables")
	if _, err := journeys.FindBrowser(exec.LookPath); err != nil {
		proof.Lacks(t, err.Error())
	}
	need(t, "setpriv", "apt-get install util-linux")
}

// without is the beginning of a command line that runs the rest where the files at
// paths cannot be run.
func without(t *testing.T, paths ...string) []string {
	t.Helper()
	need(t, "unshare", "apt-get install util-linux")
	line := []string{"unshare", "--mount"}
	if os.Getuid() != 0 {
		line = append(line, "--user", "--map-root-user")
	}
	mask := "while [ $# -gt 0 ]; do f=$1; shift; [ \"$f\" = -- ] && break; mount --bind /dev/null \"$f\"; done; exec \"$@\""
	line = append(line, "sh", "-euc", mask, "sh")
	for _, p := range paths {
		if real, err := filepath.EvalSymlinks(p); err == nil {
			line = append(line, real)
		}
	}
	return append(line, "--")
}

func iptablesFiles() []string { return []string{"/usr/sbin/iptables", "/usr/sbin/ip6tables"} }

// browserFiles are all files that the program would take for a browser.
func browserFiles() (paths []string) {
	_, _ = journeys.FindBrowser(func(name string) (string, error) {
		if filepath.IsAbs(name) {
			paths = append(paths, name)
			return "", exec.ErrNotFound
		}
		for _, dir := range filepath.SplitList(os.Getenv("PATH")) {
			paths = append(paths, filepath.Join(dir, name))
		}
		return "", exec.ErrNotFound
	})
	return paths
}

// place makes a directory that any user can write to.
func (d *demoRun) place(name string) string {
	d.t.Helper()
	dir := filepath.Join(d.dir, name)
	if err := errors.Join(os.Mkdir(dir, 0o777), os.Chmod(dir, 0o777)); err != nil {
		d.t.Fatal(err)
	}
	return dir
}

// until waits until the demo has said what the pattern matches, and returns the match.
func (d *demoRun) until(pattern string) string {
	d.t.Helper()
	re := regexp.MustCompile(pattern)
	var m string
	d.within(90*time.Second, "no word of "+pattern, func() bool { m = re.FindString(d.out.String()); return m != "" })
	return m
}

// within waits for a condition.
func (d *demoRun) within(limit time.Duration, otherwise string, ok func() bool) {
	d.t.Helper()
	for end := time.Now().Add(limit); !ok(); time.Sleep(10 * time.Millisecond) {
		if time.Now().After(end) {
			d.t.Fatalf("%s within %v", otherwise, limit)
		}
	}
}

// report reads the report, which must be whole.
func (d *demoRun) report() *scenarios.Report {
	d.t.Helper()
	b, err := os.ReadFile(d.json)
	if err != nil {
		d.t.Fatal(err)
	}
	var r scenarios.Report
	if err := json.Unmarshal(b, &r); err != nil {
		d.t.Fatalf("report of %d bytes: %v", len(b), err)
	}
	return &r
}

// get asks the dashboard, from outside the demo's namespaces.
func (d *demoRun) get(path string) string {
	d.t.Helper()
	base := strings.TrimPrefix(d.until(`http://[0-9.:]+`), "Dashboard: ")
	client := http.Client{Timeout: 15 * time.Second, Transport: &http.Transport{DisableKeepAlives: true}}
	resp, err := client.Get(base + path)
	if err != nil {
		d.t.Fatal(err)
	}
	defer resp.Body.Close()
	var b bytes.Buffer
	if _, err := b.ReadFrom(resp.Body); err != nil || resp.StatusCode != http.StatusOK {
		d.t.Fatalf("%s: status %d, error %v", path, resp.StatusCode, err)
	}
	return b.String()
}

// inside names the process namespace of the demo, or is empty before there is one.
func (d *demoRun) inside() string {
	children, _ := filepath.Glob(fmt.Sprintf("/proc/%d/task/*/children", d.cmd.Process.Pid))
	for _, file := range children {
		b, _ := os.ReadFile(file)
		for pid := range strings.FieldsSeq(string(b)) {
			if ns, err := os.Readlink("/proc/" + pid + "/ns/pid"); err == nil && ns != ownNamespace() {
				return ns
			}
		}
	}
	return ""
}

func ownNamespace() string {
	ns, _ := os.Readlink("/proc/self/ns/pid")
	return ns
}

// gone holds the demo, which has ended, to having left nothing: no process, neither in
// its namespace nor of its programs, and no temporary file.
func (d *demoRun) gone(namespace string) {
	d.t.Helper()
	var left []string
	d.within(5*time.Second, "processes left behind", func() bool { left = processes(namespace, d.dir); return len(left) == 0 })
	entries, err := os.ReadDir(d.tmp)
	if err != nil || len(entries) > 0 {
		d.t.Errorf("left in its TMPDIR: %v %v", entries, err)
	}
	if b, err := os.ReadFile(d.json); err == nil && len(b) > 0 && !json.Valid(b) {
		d.t.Errorf("the report is neither empty nor whole: %d bytes", len(b))
	} else if err != nil && !errors.Is(err, fs.ErrNotExist) {
		d.t.Error(err)
	}
	files, err := os.ReadDir(filepath.Dir(d.json))
	if err != nil || len(files) > 1 {
		d.t.Errorf("left beside its report: %v %v", files, err)
	}
}

// processes lists those in a process namespace, and those of the programs in dir.
func processes(namespace, dir string) (found []string) {
	all, _ := filepath.Glob("/proc/[0-9]*")
	for _, p := range all {
		ns, _ := os.Readlink(p + "/ns/pid")
		exe, _ := os.Readlink(p + "/exe")
		line, _ := os.ReadFile(p + "/cmdline")
		if namespace != "" && ns == namespace || strings.HasPrefix(exe, dir+"/") || bytes.Contains(line, []byte(dir+"/")) {
			found = append(found, fmt.Sprintf("%s %s %q", p, exe, line))
		}
	}
	return found
}

// firewall is the host's table, without what counts and dates it; empty for those who
// may not read it.
func firewall(t *testing.T) string {
	t.Helper()
	if os.Getuid() != 0 {
		return ""
	}
	var rules []string
	for _, command := range []string{"iptables-save", "ip6tables-save"} {
		out, err := exec.Command(command).Output()
		if err != nil {
			t.Fatalf("%s: %v", command, err)
		}
		for line := range strings.Lines(string(out)) {
			if !strings.HasPrefix(line, "#") {
				rules = append(rules, regexp.MustCompile(`\[\d+:\d+\]`).ReplaceAllString(line, ""))
			}
		}
	}
	return strings.Join(rules, "")
}

// signal sends one to the demo's first process alone, as kill does.
func (d *demoRun) signal(sig syscall.Signal) {
	d.t.Helper()
	if err := d.cmd.Process.Signal(sig); err != nil {
		d.t.Fatal(err)
	}
}

// output keeps what is written to it.
type output struct {
	mu sync.Mutex
	b  bytes.Buffer
}

// Write implements io.Writer.
func (o *output) Write(b []byte) (int, error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.b.Write(b)
}

// String is all that was written until now.
func (o *output) String() string {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.b.String()
}
