package breaker

import (
	"cmp"
	"context"
	"fmt"
	"maps"
	"slices"
	"sync"
	"sync/atomic"
)

// DefaultGroupLimit is how many breakers a Group holds at most unless told otherwise.
const DefaultGroupLimit = 1000

// A Group holds one breaker for each dependency, made when it is first asked for, so
// that the outage of one does not cut off another. It holds a limited number: when one
// more is asked for, it forgets the one that was used least lately, a closed one with
// no call under way if there is one. Its methods may be called from several goroutines.
type Group struct {
	template Settings
	limit    int
	tick     atomic.Uint64 // counts the uses

	mu  sync.RWMutex
	all map[string]*member
}

type member struct {
	*Breaker
	own  bool // was added with settings of its own, and stays
	used atomic.Uint64
}

// NewGroup makes a Group whose breakers have the settings of the template, which has no
// name. limit is how many it makes at most: 1 to 1,000,000; 0 is DefaultGroupLimit.
func NewGroup(template Settings, limit int) (*Group, error) {
	if template.Name != "" {
		return nil, fmt.Errorf("breaker group: name: got %s, want none: its breakers are named by their dependencies", template.Name)
	}
	if limit == 0 {
		limit = DefaultGroupLimit
	}
	if limit < 1 || limit > most {
		return nil, fmt.Errorf("breaker group: limit: got %d, want 1 to %d", limit, most)
	}
	template = template.withDefaults()
	named := template
	named.Name = "group"
	if err := named.validate(); err != nil {
		return nil, err
	}
	return &Group{template: template, limit: limit, all: map[string]*member{}}, nil
}

// Add puts in a breaker with settings of its own, which is then found under its name
// and never forgotten. It fails if there is one of that name.
func (g *Group) Add(b *Breaker) error {
	g.mu.Lock()
	defer g.mu.Unlock()
	if _, ok := g.all[b.Name()]; ok {
		return fmt.Errorf("breaker group: add %s: got a second one, want each name once", b.Name())
	}
	g.all[b.Name()] = &member{Breaker: b, own: true}
	return nil
}

// Get returns the breaker of that name, which is made if there is none.
func (g *Group) Get(name string) *Breaker {
	g.mu.RLock()
	m := g.all[name]
	g.mu.RUnlock()
	if m == nil {
		m = g.add(name)
	}
	m.used.Store(g.tick.Add(1))
	return m.Breaker
}

func (g *Group) add(name string) *member {
	g.mu.Lock()
	defer g.mu.Unlock()
	if m := g.all[name]; m != nil { // another was faster
		return m
	}
	g.makeRoom()
	s := g.template
	s.Name = name
	m := &member{Breaker: build(s)}
	m.used.Store(g.tick.Add(1)) // or the next to come might forget it
	g.all[name] = m
	return m
}

// makeRoom forgets a breaker if there are as many as there may be.
func (g *Group) makeRoom() {
	made := 0
	var oldest *member
	for _, m := range g.all {
		if m.own {
			continue
		}
		made++
		if oldest == nil || m.before(oldest) {
			oldest = m
		}
	}
	if made >= g.limit {
		delete(g.all, oldest.Name())
	}
}

// before reports whether m is forgotten rather than o.
func (m *member) before(o *member) bool {
	if a, b := m.idle(), o.idle(); a != b {
		return a
	}
	return m.used.Load() < o.used.Load()
}

// idle reports whether forgetting it loses no more than a few counts.
func (m *member) idle() bool { return m.State() == Closed && m.inFlight.taken() == 0 }

// Do is Get(name).Do(ctx, fn).
func (g *Group) Do(ctx context.Context, name string, fn func(context.Context) error) error {
	return g.Get(name).Do(ctx, fn)
}

// Snapshots returns the snapshots of all breakers it holds, by name: it is a [Source].
func (g *Group) Snapshots() []Snapshot {
	g.mu.RLock()
	all := slices.Collect(maps.Values(g.all))
	g.mu.RUnlock()
	slices.SortFunc(all, func(a, b *member) int { return cmp.Compare(a.Name(), b.Name()) })
	list := make([]Snapshot, len(all))
	for i, m := range all {
		list[i] = m.Snapshot()
	}
	return list
}
