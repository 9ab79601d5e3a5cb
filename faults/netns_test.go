package faults

import (
	"strings"
	"testing"
)

func TestContainerIsToldByItsCgroup(t *testing.T) {
	t.Parallel()
	const id = "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"
	for cgroup, want := range map[string]bool{
		"12:pids:/docker/" + id + "\n0::/docker/" + id:                           true,
		"0::/system.slice/docker-" + id + ".scope\n":                             true,
		"0::/kubepods.slice/kubepods-pod1.slice/cri-containerd-" + id + ".scope": true,
		"0::/machine.slice/libpod-" + id + ".scope/container":                    true,
		"0::/user.slice/user-1000.slice":                                         false,
		"0::/docker/" + strings.Repeat("f", 64):                                  false,
	} {
		if got := inContainer(cgroup, id[:shortID]); got != want {
			t.Errorf("%q: got %v", cgroup, got)
		}
	}
}

func TestWhereCgroupsAreMounted(t *testing.T) {
	t.Parallel()
	if root, err := cgroupRoot("tmpfs /sys tmpfs rw\ncgroup2 /sys/fs/cgroup cgroup2 rw\n"); err != nil || root != "/sys/fs/cgroup" {
		t.Errorf("got %q, %v", root, err)
	}
	for mounts, want := range map[string]string{"cgroup /c cgroup rw\n": "only cgroup v1 is mounted here", "": "no cgroup v2 is mounted here"} {
		if _, err := cgroupRoot(mounts); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%q: got %v", mounts, err)
		}
	}
}
