package journeys

import (
	"log/slog"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
)

// tie makes the kernel kill the browser when we die, whatever kills us. chromedp
// starts it from a thread that lives as long as the browser, which this needs. The
// group of its own keeps the terminal's Ctrl-C for us, and lets its children, and a
// script around it, be ended with it.
//
// Chromium refuses its sandbox to root. So a browser of root's gets a user namespace
// of its own in which root is an ordinary user: the same files, and no privilege.
func tie(sandbox bool) func(*exec.Cmd) {
	return func(cmd *exec.Cmd) {
		cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true, Pdeathsig: syscall.SIGKILL}
		if sandbox && os.Geteuid() == 0 {
			const ordinary = 1000
			cmd.SysProcAttr.Cloneflags = syscall.CLONE_NEWUSER
			cmd.SysProcAttr.UidMappings = []syscall.SysProcIDMap{{ContainerID: ordinary, HostID: 0, Size: 1}}
			cmd.SysProcAttr.GidMappings = []syscall.SysProcIDMap{{ContainerID: ordinary, HostID: os.Getegid(), Size: 1}}
		}
		cmd.Cancel = func() error {
			if err := syscall.Kill(-cmd.Process.Pid, syscall.SIGKILL); err != nil {
				return os.ErrProcessDone
			}
			return nil
		}
	}
}

// endGroup ends what a browser left of its process group, after it was waited for
// itself, and takes the orphans that came to us because we are the first process of a
// container: nobody else of ours waits for anyone in that group.
func endGroup(pid int) {
	if pid == 0 || syscall.Kill(-pid, syscall.SIGKILL) != nil {
		return
	}
	for {
		if _, err := syscall.Wait4(-pid, nil, 0, nil); err != nil && err != syscall.EINTR {
			return // ECHILD: none is left, or they are not ours
		}
	}
}

// yieldTo lowers the priority of a browser's processes and threads, and of those that
// they will start: probes, which take a thousandth of the time, must not wait for pages.
func yieldTo(pid int, log *slog.Logger) {
	const nice = 5
	if err := syscall.Setpriority(syscall.PRIO_PGRP, pid, nice); err != nil {
		log.Warn("browser keeps its priority: probes may be late while it works", "error", err)
	}
}

// smallShm reports whether the shared memory is too small for a browser, as it is in
// a container by default (64 MiB).
func smallShm() bool {
	const want = 256 << 20
	var st syscall.Statfs_t
	if err := syscall.Statfs("/dev/shm", &st); err != nil {
		return true
	}
	return st.Bavail*uint64(st.Bsize) < want //nolint:gosec // a block size is positive
}

// groupMemory is what the processes of a group hold for themselves alone, in bytes.
func groupMemory(group int) int64 {
	stats, _ := filepath.Glob("/proc/[0-9]*/stat")
	var sum int64
	for _, file := range stats {
		text, err := os.ReadFile(filepath.Clean(file))
		if err != nil {
			continue // it has ended meanwhile
		}
		_, rest, _ := strings.Cut(string(text), ") ") // the name before may hold spaces
		if f := strings.Fields(rest); len(f) < 3 || f[2] != strconv.Itoa(group) {
			continue
		}
		for _, line := range fields(filepath.Join(filepath.Dir(file), "status"), "RssAnon:", "RssShmem:") {
			sum += line << 10
		}
	}
	return sum
}

// freeMemory is what this machine, or the container that we are in, has left, in bytes.
// ok is false where that cannot be told.
func freeMemory() (room int64, ok bool) {
	for _, kib := range fields("/proc/meminfo", "MemAvailable:") {
		room, ok = kib<<10, true
	}
	text, err := os.ReadFile("/proc/self/cgroup")
	if err != nil {
		return room, ok
	}
	for line := range strings.Lines(string(text)) {
		part := strings.SplitN(strings.TrimSpace(line), ":", 3)
		if len(part) < 3 {
			continue
		}
		root, limit, used, cache := "/sys/fs/cgroup", "memory.max", "memory.current", "inactive_file"
		switch part[1] {
		case "":
		case "memory": // the first version of control groups
			root, limit, used, cache = "/sys/fs/cgroup/memory", "memory.limit_in_bytes", "memory.usage_in_bytes", "total_inactive_file"
		default:
			continue
		}
		// A limit may stand at any group above, and a container sees its own as the root.
		for dir := filepath.Join(root, part[2]); strings.HasPrefix(dir, root); dir = filepath.Dir(dir) {
			if left, limited := below(dir, limit, used, cache); limited && (!ok || left < room) {
				room, ok = left, true
			}
		}
	}
	return max(room, 0), ok
}

// below is what the processes of a control group may still take, if it has a limit.
func below(dir, limit, used, cache string) (room int64, limited bool) {
	most, err := number(filepath.Join(dir, limit))
	if err != nil {
		return 0, false // no such group, or "max"
	}
	now, err := number(filepath.Join(dir, used))
	if err != nil {
		return 0, false
	}
	for _, n := range fields(filepath.Join(dir, "memory.stat"), cache) {
		now -= n
	}
	return most - now, true
}

// number reads a file that holds one.
func number(file string) (int64, error) {
	text, err := os.ReadFile(filepath.Clean(file))
	if err != nil {
		return 0, err
	}
	return strconv.ParseInt(strings.TrimSpace(string(text)), 10, 64)
}

// fields returns the numbers of the lines of a file that begin with one of the words.
func fields(file string, words ...string) []int64 {
	text, err := os.ReadFile(filepath.Clean(file))
	if err != nil {
		return nil
	}
	var out []int64
	for line := range strings.Lines(string(text)) {
		f := strings.Fields(line)
		for _, w := range words {
			if len(f) >= 2 && f[0] == w {
				if n, err := strconv.ParseInt(f[1], 10, 64); err == nil {
					out = append(out, n)
				}
			}
		}
	}
	return out
}
