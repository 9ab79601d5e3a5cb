package faults

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"github.com/foreshock/foreshock/results"
)

// findCgroup looks that a cgroup is there: the kernel refuses a rule that names none
// with "invalid argument" alone.
func findCgroup(path string) error {
	mounts, err := os.ReadFile("/proc/self/mounts")
	if err != nil {
		return results.Blind(results.CauseTool, fmt.Errorf("look for cgroup v2: %w", err))
	}
	root, err := cgroupRoot(string(mounts))
	if err != nil {
		return results.Blind(results.CauseTool, err)
	}
	if st, err := os.Stat(filepath.Join(root, path)); err != nil || !st.IsDir() {
		return fmt.Errorf("got %q, want a cgroup below %s, such as system.slice/shop.service", path, root)
	}
	return nil
}

// cgroupRoot finds where the second version is mounted.
func cgroupRoot(mounts string) (string, error) {
	v1 := false
	for line := range strings.Lines(mounts) {
		f := strings.Fields(line)
		if len(f) < 3 {
			continue
		}
		switch f[2] {
		case "cgroup2":
			return f[1], nil
		case "cgroup":
			v1 = true
		}
	}
	if v1 {
		return "", errors.New("only cgroup v1 is mounted here, and rules tell senders by cgroup v2: mount -t cgroup2 none /sys/fs/cgroup/unified, or select by user")
	}
	return "", errors.New("no cgroup v2 is mounted here: mount -t cgroup2 none /sys/fs/cgroup, or select by user")
}
