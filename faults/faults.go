// Package faults breaks the network on purpose, for a while, or makes processes stand
// still, and counts what it broke. The kernel ends every fault by itself: a fault acts
// only while its owner renews a lease of seconds (a pause, while its owner lives), and
// never beyond a hard end. No fault may outlive its owner, touch a rule or a process
// that is not its own, or need a clean-up step to be harmless. A kill alone cannot be
// taken back; it says so wherever it is named, and its settings have to.
//
// A kind of fault is one file and one line in [Kinds]: it says which packets to its
// target meet what, or which processes. An [Injector] does the rest.
package faults

import (
	"context"
	"errors"
	"net/netip"
	"time"

	"github.com/foreshock/foreshock/internal/kind"
)

// A Fault is one thing that can be broken: it turns packets to its target into
// rules. It holds no state, so that one value may be installed any number of times.
type Fault interface {
	// Kind is the name of the fault's kind, such as drop.
	Kind() string
	// Target is what is broken.
	Target() Target
	// Rules says what happens to packets to the target, in the kernel's order:
	// the first that matches decides. A fault of processes has none.
	Rules(family Family) []Rule
}

// A Rule is one fault rule in the words of iptables. The target's packets, its
// protocol (unless that is all), lease and hard end are added by the [Injector].
type Rule struct {
	Match []string // narrows the packets; empty means all to the target
	// Action is such as -j DROP. None sends packets to the queue of a [Queued] fault; of
	// any other they are counted as met, and go on.
	Action []string
	Spares bool // the packet goes on unbroken: it is not counted as met
}

// Family is a version of the internet protocol, with rules of its own.
type Family int

// The families.
const (
	IPv4 Family = 4
	IPv6 Family = 6
)

// Kinds lists every kind of fault, with the defaults of a fault made by hand: a
// dead host, on which pooled connections hang.
func Kinds() kind.Table[Fault] { return kinds(establishedDrop) }

// ScenarioKinds is [Kinds] with the defaults of a scenario: pooled connections are
// reset at once, so that each further call is an attempt that can be counted.
func ScenarioKinds() kind.Table[Fault] { return kinds(establishedReset) }

func kinds(established string) kind.Table[Fault] {
	return kind.Table[Fault]{
		dropKind(established), rejectKind(), resetKind(), lossKind(), blackholeKind(),
		partitionKind(), connectionsKind(), dnsKind(),
		latencyKind(), bandwidthKind(), corruptKind(), duplicateKind(), reorderKind(),
		pauseKind(), killKind(), watchKind(),
	}
}

// Options say for whom a fault is and how long it may last. They are plain data and
// can travel to another machine.
type Options struct {
	Run      string        // the run that asks for the fault
	Name     string        // the owner's word for this fault; may be empty
	Location string        // where it is injected; may be empty
	Why      string        // for the audit; may be empty
	Until    time.Time     // the hard end, to the whole second below; required
	Lease    time.Duration // whole seconds, at least 1s; 0 means DefaultLease
	// Without names what the fault may lack where this kernel does not have it: WithoutLease,
	// WithoutHardEnd. Where the kernel has it, the fault does.
	Without []string
}

// DefaultLease is how long a fault lives on without its owner.
const DefaultLease = 2 * time.Second

// An Injection is a fault in the kernel: disarmed at first, watching from the start.
// Its methods may be called from several goroutines.
type Injection interface {
	// Arm makes the fault act and renews its lease until Disarm, Close, the hard
	// end or the end of ctx, whichever comes first. An armed fault stays armed.
	Arm(ctx context.Context) error
	// Disarm ends the fault at once and keeps its rules, idle, and the watch.
	Disarm(ctx context.Context) error
	// Attempts returns the connection attempts since the installation without the
	// first skip, oldest first. The error is ErrLost if some could not be seen.
	Attempts(ctx context.Context, skip int) ([]Attempt, error)
	// Evidence reads what the fault did; after Close, what it had done by then.
	Evidence(ctx context.Context) (Evidence, error)
	// Close disarms, reads the evidence and removes every trace, even if ctx has
	// ended (then within 10 s). Once it succeeded, it does nothing.
	Close(ctx context.Context) error
}

// An Attempt is one try to open a TCP connection to the target. Retransmissions of
// its first packet belong to it.
type Attempt struct {
	// At is when the first packet was read, with a monotonic reading: on a busy machine
	// some milliseconds late, but never after the next call of the Injection returned.
	At     time.Time
	Source netip.AddrPort // who tried
	Target netip.AddrPort
}

// Evidence is what the kernel saw of a fault.
type Evidence struct {
	Kind     string    `json:"kind"`
	To       string    `json:"to"`       // host:port as asked for
	Resolved []string  `json:"resolved"` // the addresses that were pinned; * is any
	Chain    string    `json:"chain"`
	Rules    []string  `json:"rules"`             // what selects, the lease and fault rules, as the kernel lists them
	Packets  uint64    `json:"packets"`           // met by the fault rules while they acted; of a [Queued] fault, those it did something to; or what Unit says
	Unit     string    `json:"unit"`              // of Packets: packets, threads that were stopped, or processes that have ended
	Overrun  uint64    `json:"overrun,omitempty"` // went on unbroken since the queue was full or its owner too slow
	Gone     uint64    `json:"gone,omitempty"`    // were dropped by the kernel while they were held: with their device, or with the last user of a hook
	Attempts uint64    `json:"attempts"`          // distinct TCP connection attempts since the installation, armed or not
	Lost     bool      `json:"lost,omitempty"`    // attempts were lost: Attempts is a lower bound
	FirstHit time.Time `json:"first_hit,omitzero"`
	Spans    []Span    `json:"spans"`     // the times the fault acted
	HealedBy string    `json:"healed_by"` // of the last span: one of the Healed words; empty while armed
	// Irreversible says that nothing heals what was done.
	Irreversible bool `json:"irreversible,omitempty"`
	// Tampered says who touched our rules, or how; empty means nobody did. It stays.
	Tampered string `json:"tampered,omitempty"`
	// Foreign are rules that now come before ours and might take packets from them.
	Foreign []string `json:"foreign,omitempty"`
	// Warnings are what was found at the installation that may keep the fault from acting
	// or from ending as faults do here.
	Warnings []string `json:"warnings,omitempty"`
	// Unaudited says why the audit lacks a line; empty means it does not.
	Unaudited string `json:"unaudited,omitempty"`
	// Lapses counts renewals later than the lease, or so near that the fault may have
	// healed meanwhile.
	Lapses     int           `json:"lapses,omitempty"`
	LongestGap time.Duration `json:"longest_gap_ns,omitempty"` // between two renewals
}

// A Span is one time in which a fault acted.
type Span struct {
	From time.Time `json:"from"`
	To   time.Time `json:"to,omitzero"`  // To is zero while it lasts
	By   string    `json:"by,omitempty"` // what ended it: one of the Healed words
}

// What evidence counts.
const (
	unitPackets   = "packets"
	unitThreads   = "threads"
	unitProcesses = "processes"
)

// What ended a fault.
const (
	HealedByOwner = "owner" // Disarm, Close, or the end of the context given to Arm
	HealedByLease = "lease" // the renewal came too late
	HealedByLimit = "limit" // the hard end
	HealedByOther = "other" // somebody removed the rules
)

// ErrLost marks attempts that could not all be seen, so that a count is a lower bound.
var ErrLost = errors.New("attempts were lost: the kernel's log overflowed")
