package faults

import (
	"context"
	"errors"

	"github.com/foreshock/foreshock/internal/kind"
	"github.com/foreshock/foreshock/internal/nfqueue"
)

// A Queued fault decides about its packets one by one, in this process. While the
// process lives the kernel asks it; from then on packets pass.
type Queued interface {
	Fault
	// Stages are what its packets meet, in this order; new ones for each installation.
	Stages() []nfqueue.Stage
}

// queued is a fault whose packets meet one stage in a queue.
type queued struct {
	kind   string
	target Target
	stage  func() nfqueue.Stage
}

// newQueued tries the stage once, so that what it refuses is told at load.
func newQueued(name string, target Target, stage func() nfqueue.Stage) (Fault, error) {
	err := stage().Check()
	if wrong, ok := errors.AsType[*nfqueue.SettingError](err); ok {
		return nil, kind.At(wrong.Setting, wrong.Err)
	}
	if err != nil {
		return nil, err
	}
	return queued{name, target, stage}, nil
}

// shareKind is a kind whose one setting is the share of packets that meet its stage.
func shareKind(name, summary string, stage func(percent float64) nfqueue.Stage) kind.Kind[Fault] {
	type settings struct {
		Selector
		Packets percentage `yaml:"packets"`
	}
	return kind.Of(name, summary, `
to: 127.0.0.1:9002
packets: 10
`, settings{Selector: selectTCP()}, func(s settings) (Fault, error) {
		target, err := s.target()
		if err != nil {
			return nil, err
		}
		if err := checkPackets(s.Packets, name); err != nil {
			return nil, err
		}
		return newQueued(name, target, func() nfqueue.Stage { return stage(float64(s.Packets)) })
	})
}

func (q queued) Kind() string            { return q.kind }
func (q queued) Target() Target          { return q.target }
func (q queued) Stages() []nfqueue.Stage { return []nfqueue.Stage{q.stage()} }

// Rules implements [Fault].
func (q queued) Rules(Family) []Rule {
	rules := []Rule{{Match: q.target.Once()}}
	if !q.target.Arriving {
		return rules
	}
	sent := []string{"!", "-i", "lo", "-m", "addrtype", "--src-type", "LOCAL"}
	if q.target.Protocol == allProtocols {
		sent = append([]string{"-p", tcp}, sent...)
	}
	return append([]Rule{{Match: sent, Action: []string{"-j", "RETURN"}, Spares: true}}, rules...)
}

// openQueue opens the queue of a fault that has one; call it in the namespace of the rules.
func (i *injection) openQueue() (err error) {
	f, ok := i.fault.(Queued)
	if !ok {
		return nil
	}
	i.queue, err = nfqueue.Open(nfqueue.Options{Stages: f.Stages()})
	if err != nil {
		return err
	}
	i.divert = i.queue.Action()
	return nil
}

// probeQueue tries to open a queue, and gives it back.
func probeQueue(ctx context.Context, sp *space) Capability {
	c := Capability{Name: "packet queue", OK: true, For: "latency, bandwidth, corrupt, duplicate, reorder, and the wrong answers of dns"}
	err := sp.do(ctx, func() error {
		q, err := nfqueue.Open(nfqueue.Options{Stages: []nfqueue.Stage{&nfqueue.Delay{}}})
		if err != nil {
			return err
		}
		return q.Close()
	})
	if err != nil {
		c.OK, c.Detail = false, err.Error()
	}
	return c
}

// queueEnded says that the queue stopped by itself: packets pass it then.
func (i *injection) queueEnded() error {
	if i.queue == nil {
		return nil
	}
	select {
	case <-i.queue.Done():
		return errors.Join(errors.New("the queue of packets has stopped, which lets them pass"), i.queue.Close())
	default:
		return nil
	}
}

// observeQueue puts what was done to packets in place of what the rules counted: they
// count also those that were led to the queue and left as they were.
func (i *injection) observeQueue() {
	if i.queue == nil {
		return
	}
	if err := i.queueEnded(); err != nil {
		i.tampered(err.Error())
	}
	c := i.queue.Counters()
	e := &i.evidence
	e.Packets, e.FirstHit, e.Overrun, e.Gone = 0, c.FirstHit, c.Overflow+c.Missed, c.Gone
	for _, s := range c.Stages {
		e.Packets = max(e.Packets, s.Hit)
	}
}
