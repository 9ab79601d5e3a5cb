package pause

import "testing"

func TestContainerNames(t *testing.T) {
	t.Parallel()
	const id = "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"
	for name, want := range map[string]string{
		id:                                         id,
		"docker-" + id + ".scope":                  id,
		"cri-containerd-" + id + ".scope":          id,
		"crio-" + id + ".scope":                    id,
		"libpod-" + id + ".scope":                  id,
		id[:32] + "-1234567890":                    id[:32], // ECS
		"libpod-conmon-" + id + ".scope":           id,
		"user-1000.slice":                          "",
		"session-1.scope":                          "",
		"kubepods-burstable-pod0123_4567_89.slice": "",
		"abcdef.service":                           "",
	} {
		got := ""
		if m := containerID.FindStringSubmatch(name); m != nil {
			got = m[1]
		}
		if got != want {
			t.Errorf("%s: got %q, want %q", name, got, want)
		}
	}
}
