package main

import (
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"time"
)

// A tree is what a process and all below it use.
type tree struct {
	cpu       time.Duration // of those that live, and of their children that ended
	pss       int64         // bytes of memory, what is shared counted in part
	processes int
}

// look adds up the tree of a process. memory is asked for only where it is needed:
// reading it stops the process for a moment.
func look(root int, memory bool) tree {
	stats, _ := filepath.Glob("/proc/[0-9]*/stat")
	parent, cpu := map[int]int{}, map[int]time.Duration{}
	for _, file := range stats {
		text, err := os.ReadFile(filepath.Clean(file))
		if err != nil {
			continue // it has ended meanwhile
		}
		pid, _ := strconv.Atoi(filepath.Base(filepath.Dir(file)))
		_, rest, _ := strings.Cut(string(text), ") ") // the name before may hold spaces
		f := strings.Fields(rest)
		if len(f) < 15 {
			continue
		}
		parent[pid], _ = strconv.Atoi(f[1])
		for _, ticks := range f[11:15] { // its own and its children's, in user and in kernel mode
			n, _ := strconv.Atoi(ticks)
			cpu[pid] += time.Duration(n) * time.Second / 100
		}
	}
	var t tree
	for pid := range parent {
		up := pid
		for up > 1 && up != root {
			up = parent[up]
		}
		if up != root {
			continue
		}
		t.processes++
		t.cpu += cpu[pid]
		if memory {
			t.pss += pss(pid)
		}
	}
	return t
}

func pss(pid int) int64 {
	text, err := os.ReadFile(filepath.Join("/proc", strconv.Itoa(pid), "smaps_rollup"))
	if err != nil {
		return 0
	}
	for line := range strings.Lines(string(text)) {
		if rest, ok := strings.CutPrefix(line, "Pss:"); ok {
			n, _ := strconv.ParseInt(strings.Fields(rest)[0], 10, 64)
			return n << 10
		}
	}
	return 0
}
