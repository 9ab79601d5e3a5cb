package faults

import (
	"os"
	"path/filepath"
	"strconv"

	"golang.org/x/sys/unix"
)

// Namespaces lists the network namespaces of this host that there is a way to, as
// words for [Injector.Netns]: "" for the caller's own, which comes first, the names
// under /run/netns, and pid:N for what only processes hold. Those of other users are
// left out.
func Namespaces() []string {
	words := []string{""}
	known := map[uint64]bool{}
	add := func(word, path string) {
		var st unix.Stat_t
		if unix.Stat(path, &st) != nil || known[st.Ino] {
			return
		}
		known[st.Ino] = true
		if word != "" {
			words = append(words, word)
		}
	}
	add("", threadNetns)
	named, _ := os.ReadDir(runNetns) // there may be none
	for _, e := range named {
		add(e.Name(), filepath.Join(runNetns, e.Name()))
	}
	processes, _ := os.ReadDir("/proc") // without it, there are only the above
	for _, e := range processes {
		if _, err := strconv.Atoi(e.Name()); err == nil {
			add("pid:"+e.Name(), "/proc/"+e.Name()+"/ns/net")
		}
	}
	return words
}
