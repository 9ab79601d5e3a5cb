package faults

import (
	"cmp"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"

	"golang.org/x/sys/unix"

	"github.com/foreshock/foreshock/internal/kind"
)

const (
	runNetns = "/run/netns"

	// shortID is how much of a container's id tools print.
	shortID = 12
)

// netnsPath finds the file of a network namespace by NAME under /run/netns, pid:N,
// container:ID or a path. It is opened once and then held: a container that starts
// anew, or a number that another process gets, changes nothing.
func netnsPath(word string) (string, error) {
	what, rest, _ := strings.Cut(word, ":")
	switch {
	case word == "" || filepath.IsAbs(word):
		return cmp.Or(word, threadNetns), nil
	case what == "pid":
		if n, err := strconv.ParseUint(rest, 10, 31); err != nil || n == 0 {
			return "", fmt.Errorf("got %q, want pid:N with the number of a process", word)
		}
		return "/proc/" + rest + "/ns/net", nil
	case what == "container":
		pid, err := containerPid(rest)
		return fmt.Sprintf("/proc/%d/ns/net", pid), err
	case strings.ContainsAny(word, "/:"):
		return "", fmt.Errorf("got %q, want NAME (under %s), pid:N, container:ID or an absolute path", word, runNetns)
	}
	return filepath.Join(runNetns, word), nil
}

// openNetns opens a namespace and says clearly why it cannot.
func openNetns(word string) (*os.File, error) {
	path, err := netnsPath(word)
	if err != nil {
		return nil, kind.At("netns", err)
	}
	file, err := os.Open(path) //nolint:gosec // the user names the namespace
	switch {
	case errors.Is(err, fs.ErrNotExist) && strings.HasPrefix(word, "pid:"):
		return nil, kind.At("netns", fmt.Errorf("got %q, and no such process runs: %w", word, err))
	case errors.Is(err, fs.ErrNotExist):
		return nil, kind.At("netns", fmt.Errorf("got %q, which is gone or never was; %s: %w", word, namesThere(), err))
	case errors.Is(err, fs.ErrPermission):
		return nil, kind.At("netns", fmt.Errorf("%s: %w (another user's process: needs CAP_SYS_PTRACE, or root)", word, err))
	case err != nil:
		return nil, kind.At("netns", err)
	}
	if t, err := unix.IoctlRetInt(int(file.Fd()), unix.NS_GET_NSTYPE); err != nil || t != unix.CLONE_NEWNET {
		_ = file.Close()
		return nil, kind.At("netns", fmt.Errorf("got %q, and %s is no network namespace", word, path))
	}
	return file, nil
}

func namesThere() string {
	found, _ := os.ReadDir(runNetns) // none is an answer
	var names []string
	for _, e := range found {
		names = append(names, e.Name())
	}
	if len(names) == 0 {
		return "there are none under " + runNetns
	}
	return "there are " + strings.Join(names, ", ")
}

// containerPid finds the first process of a container by the id in its cgroup's path,
// as every container runtime writes it there.
func containerPid(id string) (int, error) {
	if len(id) < shortID || strings.Trim(id, "0123456789abcdef") != "" {
		return 0, fmt.Errorf("got container id %q, want at least %d of its hexadecimal digits", id, shortID)
	}
	entries, err := os.ReadDir("/proc")
	if err != nil {
		return 0, err
	}
	type candidate struct {
		pid     int
		started uint64
	}
	var found []candidate
	for _, e := range entries {
		pid, err := strconv.Atoi(e.Name())
		if err != nil {
			continue
		}
		text, err := os.ReadFile("/proc/" + e.Name() + "/cgroup")
		if err != nil || !inContainer(string(text), id) {
			continue
		}
		found = append(found, candidate{pid, startTime(pid)})
	}
	if len(found) == 0 {
		return 0, fmt.Errorf("no process of a container %s runs here", id)
	}
	// The oldest is the container's first, and lives as long as it.
	oldest := slices.MinFunc(found, func(a, b candidate) int {
		return cmp.Or(cmp.Compare(a.started, b.started), cmp.Compare(a.pid, b.pid))
	})
	return oldest.pid, nil
}

// inContainer looks for an id in paths such as /docker/ID and
// /kubepods.slice/.../cri-containerd-ID.scope.
func inContainer(cgroup, id string) bool {
	for line := range strings.Lines(cgroup) {
		for part := range strings.SplitSeq(strings.TrimSpace(line), "/") {
			part = strings.TrimSuffix(part, ".scope")
			if at := strings.LastIndexByte(part, '-'); at >= 0 {
				part = part[at+1:]
			}
			if strings.HasPrefix(part, id) {
				return true
			}
		}
	}
	return false
}

// startTime is a process's, in ticks since the machine started.
func startTime(pid int) uint64 {
	const after = 19 // fields behind the name, which may hold spaces
	text, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	if err != nil {
		return ^uint64(0)
	}
	f := strings.Fields(string(text[strings.LastIndexByte(string(text), ')')+1:]))
	if len(f) <= after {
		return ^uint64(0)
	}
	n, err := strconv.ParseUint(f[after], 10, 64)
	if err != nil {
		return ^uint64(0)
	}
	return n
}
