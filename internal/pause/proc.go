package pause

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"strconv"
	"strings"
)

// Only files that need no lock of the process's memory are read: a stopped or broken
// process must not stop its pauser.

// kernelThread is PF_KTHREAD of the kernel.
const kernelThread = 0x00200000

// A stat is one line of /proc/PID/stat, of a process or a thread.
type stat struct {
	pid, parent int
	name        string
	state       byte
	flags       uint64
	start       uint64 // ticks since boot: with the pid, an identity
}

func (s stat) dead() bool { return s.state == 'Z' || s.state == 'X' || s.state == 'x' }

func (s stat) String() string { return fmt.Sprintf("process %d (%s)", s.pid, s.name) }

func procDir(pid int) string      { return "/proc/" + strconv.Itoa(pid) }
func taskDir(pid, tid int) string { return procDir(pid) + "/task/" + strconv.Itoa(tid) }

func readStat(dir string) (stat, error) {
	text, err := os.ReadFile(dir + "/stat") //nolint:gosec // of a number
	if err != nil {
		return stat{}, err
	}
	// The name may hold anything, even parentheses.
	from, to := bytes.IndexByte(text, '('), bytes.LastIndexByte(text, ')')
	if from < 1 || to < from {
		return stat{}, fmt.Errorf("%s/stat: got %q, want a pid and a (name)", dir, text)
	}
	f := strings.Fields(string(text[to+1:]))
	if len(f) < 20 {
		return stat{}, fmt.Errorf("%s/stat: got %d fields, want 20 or more", dir, len(f))
	}
	s := stat{name: string(text[from+1 : to]), state: f[0][0]}
	var errs [4]error
	s.pid, errs[0] = strconv.Atoi(strings.TrimSpace(string(text[:from])))
	s.parent, errs[1] = strconv.Atoi(f[1])
	s.flags, errs[2] = strconv.ParseUint(f[6], 10, 64)
	s.start, errs[3] = strconv.ParseUint(f[19], 10, 64)
	return s, errors.Join(errs[:]...)
}

// A status is what /proc/PID/status tells beside the stat.
type status struct {
	process int // the process of the thread
	tracer  int // the thread that traces it, or 0
	threads int // of the process
	uid     int // real
}

func readStatus(dir string) (status, error) {
	text, err := os.ReadFile(dir + "/status") //nolint:gosec // of a number
	if err != nil {
		return status{}, err
	}
	var s status
	for line := range strings.Lines(string(text)) {
		key, rest, _ := strings.Cut(line, ":")
		f := strings.Fields(rest)
		if len(f) == 0 {
			continue
		}
		n, _ := strconv.Atoi(f[0]) // other lines have words
		switch key {
		case "Tgid":
			s.process = n
		case "TracerPid":
			s.tracer = n
		case "Threads":
			s.threads = n
		case "Uid":
			s.uid = n
		}
	}
	return s, nil
}

// numbers lists the entries of a directory that are numbers: processes or threads.
func numbers(dir string) ([]int, error) {
	d, err := os.Open(dir) //nolint:gosec // /proc or a task directory
	if err != nil {
		return nil, err
	}
	defer d.Close()
	names, err := d.Readdirnames(-1)
	var found []int
	for _, name := range names {
		if n, err := strconv.Atoi(name); err == nil {
			found = append(found, n)
		}
	}
	return found, err
}

// processes reads the stat of every process.
func processes() (map[int]stat, error) {
	pids, err := numbers("/proc")
	if err != nil {
		return nil, err
	}
	all := make(map[int]stat, len(pids))
	for _, pid := range pids {
		if s, err := readStat(procDir(pid)); err == nil { // else it has just ended
			all[pid] = s
		}
	}
	return all, nil
}
