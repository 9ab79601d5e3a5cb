package pause

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"os"
	"regexp"
	"slices"
	"strings"
)

const containerMin = 6

// String says what is selected, in the words of a message.
func (s Selector) String() string {
	switch {
	case s.Container != "":
		return "container " + s.Container
	case s.Tree:
		return fmt.Sprintf("pid %d and its descendants", s.PID)
	}
	return fmt.Sprintf("pid %d", s.PID)
}

var hexadecimal = regexp.MustCompile(`^[0-9a-f]+$`)

// Check refuses a selector that cannot mean anything.
func (s Selector) Check() error {
	switch {
	case s.Container == "" && s.PID == 0:
		return errors.New("got neither a pid nor a container, want one of them")
	case s.Container != "" && (s.PID != 0 || s.Tree):
		return errors.New("got a container and a pid or tree, want one of them; a container is all its processes")
	case s.Container == "" && s.PID < 0:
		return fmt.Errorf("got pid %d, want a number from 2", s.PID)
	case s.Container != "" && (len(s.Container) < containerMin || !hexadecimal.MatchString(s.Container)):
		return fmt.Errorf("got container %q, want the first %d or more hexadecimal digits of its id, as docker ps shows it", s.Container, containerMin)
	}
	return nil
}

// A target is a selection that was pinned: the process, or the container's full id,
// under which the processes of a restarted container are found again.
type target struct {
	Selector
	root  *pin
	id    string
	guard guard
}

// aim pins the target and refuses it if one of its processes must not be touched.
func aim(ctx context.Context, s Selector, ownChildren bool) (_ *target, err error) {
	if err := s.Check(); err != nil {
		return nil, err
	}
	t := &target{Selector: s, guard: guard{ownChildren: ownChildren}}
	defer func() {
		if err != nil {
			t.close()
		}
	}()
	if s.Container != "" {
		if t.id, err = findContainer(s.Container); err != nil {
			return nil, err
		}
	} else if t.root, err = pinPID(s.PID); err != nil {
		return nil, err
	}
	pids, err := t.members()
	if err != nil {
		return nil, err
	}
	for _, pid := range pids {
		if err := errors.Join(ctx.Err(), t.look(pid)); err != nil {
			return nil, err
		}
	}
	return t, nil
}

// look claims a process for a moment.
func (t *target) look(pid int) error {
	p, err := t.claim(pid)
	if p != nil {
		p.close()
	}
	return err
}

// mayHold says whether the kernel would let us pause every process of the target.
func (t *target) mayHold() error {
	pids, err := t.members()
	if err != nil {
		return err
	}
	for _, pid := range pids {
		if s, serr := readStat(procDir(pid)); serr == nil && !s.dead() {
			err = errors.Join(err, mayTrace(s))
		}
	}
	return err
}

func (t *target) close() {
	if t.root != nil {
		t.root.close()
	}
}

func (t *target) String() string {
	if t.root != nil {
		return t.Selector.String() + " (" + t.root.name + ")"
	}
	return "container " + t.id[:min(len(t.id), 12)]
}

// many says whether the target may be several processes.
func (t *target) many() bool { return t.Tree || t.id != "" }

// members lists the processes that belong to the target now.
func (t *target) members() ([]int, error) {
	if t.root != nil && t.root.ended() {
		return nil, fmt.Errorf("%w: process %d (%s)", ErrEnded, t.root.pid, t.root.name)
	}
	if t.root != nil && !t.Tree {
		return []int{t.root.pid}, nil
	}
	all, err := processes()
	if err != nil {
		return nil, err
	}
	parent := func(pid int) int { return all[pid].parent }
	var found []int
	for pid := range all {
		if t.has(pid, parent) {
			found = append(found, pid)
		}
	}
	slices.Sort(found)
	return found, nil
}

// has says whether a process belongs to the target.
func (t *target) has(pid int, parent func(int) int) bool {
	switch {
	case t.id != "":
		return containerOf(pid) == t.id
	case t.Tree:
		return descends(pid, t.root.pid, parent)
	}
	return pid == t.root.pid
}

// claim pins a process that was found in the target, or returns nil if it ended or
// left meanwhile, or an error if it must not be touched.
func (t *target) claim(pid int) (*pin, error) {
	p, err := pinPID(pid)
	switch {
	case errors.Is(err, ErrEnded) && t.many():
		return nil, nil
	case err != nil:
		return nil, err
	case t.root != nil && pid == t.root.pid && p.start != t.root.start:
		err = fmt.Errorf("%w: process %d (%s)", ErrEnded, t.root.pid, t.root.name)
	case !t.has(pid, parentOf):
		p.close()
		return nil, nil
	default:
		err = t.guard.check(p.stat)
	}
	if err != nil {
		p.close()
		return nil, err
	}
	return p, nil
}

func parentOf(pid int) int {
	s, err := readStat(procDir(pid))
	if err != nil {
		return 0
	}
	return s.parent
}

// descends says whether a process is another or descends from it.
func descends(pid, from int, parent func(int) int) bool {
	const deep = 1 << 12 // a number that was given anew may make a ring
	for range deep {
		if pid == from {
			return true
		}
		if pid <= 1 {
			return false
		}
		pid = parent(pid)
	}
	return false
}

// containerID is the id in a cgroup's name, such as docker-ID.scope, cri-containerd-ID.scope or ID.
var containerID = regexp.MustCompile(`^(?:[a-z][a-z-]*-)?([0-9a-f]{32,64})(?:-[0-9]+)?(?:\.scope)?$`)

// containerOf reads from its cgroups which container a process is in; of nested ones
// it is the innermost.
func containerOf(pid int) string {
	text, err := os.ReadFile(procDir(pid) + "/cgroup")
	if err != nil {
		return ""
	}
	id := ""
	for line := range strings.Lines(string(text)) {
		_, path, _ := strings.Cut(strings.TrimSpace(line), ":/")
		for name := range strings.SplitSeq(path, "/") {
			if m := containerID.FindStringSubmatch(name); m != nil {
				id = m[1]
			}
		}
	}
	return id
}

// findContainer gives the one id that begins so.
func findContainer(prefix string) (string, error) {
	pids, err := numbers("/proc")
	if err != nil {
		return "", err
	}
	found := map[string]bool{}
	for _, pid := range pids {
		if id := containerOf(pid); strings.HasPrefix(id, prefix) {
			found[id] = true
		}
	}
	switch ids := slices.Sorted(maps.Keys(found)); len(ids) {
	case 0:
		return "", fmt.Errorf("%w: no process is in the cgroup of a container with such an id", ErrEnded)
	case 1:
		return ids[0], nil
	default:
		return "", fmt.Errorf("got %d containers whose id begins so, want one: %s", len(ids), strings.Join(ids, ", "))
	}
}
