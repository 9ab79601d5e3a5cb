package faults

import (
	"errors"
	"fmt"
	"time"

	"github.com/foreshock/foreshock/internal/kind"
	"github.com/foreshock/foreshock/internal/nfqueue"
)

func latencyKind() kind.Kind[Fault] {
	type settings struct {
		Selector
		Latency      time.Duration `yaml:"latency"`
		Jitter       time.Duration `yaml:"jitter"`
		Distribution string        `yaml:"distribution"`
	}
	return kind.Of("latency", "packets to the target take longer; those of one connection keep their order", `
to: 127.0.0.1:9002
latency: 100ms
jitter: 20ms
distribution: normal
`, settings{Selector: selectTCP(), Distribution: "uniform"}, func(s settings) (Fault, error) {
		target, err := s.target()
		if err != nil {
			return nil, err
		}
		if target, err = delayed(target); err != nil {
			return nil, err
		}
		words := []string{"uniform", "normal"}
		d := nfqueue.Delay{Latency: s.Latency, Jitter: s.Jitter}
		switch {
		case s.Latency == 0:
			return nil, kind.At("latency", errors.New("got none, want a duration such as 100ms, at most a minute"))
		case s.Distribution == words[1]:
			d.Distribution = nfqueue.Normal
		case s.Distribution != words[0]:
			return nil, kind.At("distribution", fmt.Errorf("%s", kind.UnknownWord("distribution", s.Distribution, words)))
		}
		return newQueued("latency", target, func() nfqueue.Stage {
			one := d
			return &one
		})
	})
}

// Slow makes packets to a target take longer by latency, up to a minute.
func Slow(t Target, latency time.Duration) (Fault, error) {
	t, err := delayed(t)
	if err != nil {
		return nil, err
	}
	return newQueued("latency", t, func() nfqueue.Stage { return &nfqueue.Delay{Latency: latency} })
}

// Lingers is for how long a packet that the fault met may be held before it goes on.
func Lingers(f Fault) (held time.Duration) {
	q, ok := f.(Queued)
	if !ok {
		return 0
	}
	for _, s := range q.Stages() {
		if d, ok := s.(*nfqueue.Delay); ok {
			held += d.Latency + d.Jitter
		}
	}
	return held
}

// delayed says where packets are held. One that is held on its way out of this host
// counts as not sent yet, and TCP lets a socket have few of those: a delay there slows a
// stream far beyond its latency. So what this host sends elsewhere over TCP goes at
// once, and what comes back is late by as much: every round trip takes the same.
//
// A user's or a cgroup's packets can only be told on their way out, and are held there.
func delayed(t Target) (Target, error) {
	if t.sentOnly() || t.Protocol != tcp && t.Protocol != allProtocols {
		return t, nil
	}
	if t.Direction == dirBoth {
		return t, kind.At("direction", fmt.Errorf("got both with protocol %s, want out or in: a round trip takes the latency once, whichever way; give the sum", t.Protocol))
	}
	t.Arriving = true
	return t, nil
}
