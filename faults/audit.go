package faults

import (
	"encoding/json"
	"fmt"
	"io"
	"os"
	"sync"
	"time"
)

// An Audit writes down who broke and healed what: one line of JSON each, in one write,
// so that several processes may append to one file. A nil Audit writes nothing.
type Audit struct {
	who Who
	mu  sync.Mutex
	w   io.Writer
}

// Who asks for faults.
type Who struct {
	UID  int    `json:"uid"`
	User string `json:"user,omitempty"` // the login, if it is known
	From string `json:"from,omitempty"` // where the user came from, such as an ssh client
	Host string `json:"host,omitempty"`
}

// NewAudit returns an Audit that appends to w.
func NewAudit(w io.Writer, who Who) *Audit { return &Audit{who: who, w: w} }

// What an Audit tells of.
const (
	auditInstall = "install" // the rules are there, disarmed
	auditArm     = "arm"
	auditHeal    = "heal"  // and by what
	auditClose   = "close" // every trace is removed
	auditSweep   = "sweep" // the same of a fault whose owner died
)

// An auditEntry is one line.
type auditEntry struct {
	At     time.Time `json:"at"`
	Action string    `json:"action"`
	Who
	PID      int       `json:"pid"`
	Run      string    `json:"run"`
	Name     string    `json:"name,omitempty"`
	Kind     string    `json:"kind"`
	To       string    `json:"to"`
	Resolved []string  `json:"resolved,omitempty"`
	Chain    string    `json:"chain,omitempty"`
	Until    time.Time `json:"until"`
	Why      string    `json:"why,omitempty"`
	Lacks    []string  `json:"lacks,omitempty"` // what the user did without on this kernel
	By       string    `json:"by,omitempty"`    // what healed it
	Error    string    `json:"error,omitempty"`
}

func (a *Audit) write(e auditEntry) error {
	if a == nil {
		return nil
	}
	e.At, e.Who, e.PID = time.Now().UTC(), a.who, os.Getpid()
	line, err := json.Marshal(e)
	if err != nil {
		return fmt.Errorf("audit: %w", err)
	}
	a.mu.Lock()
	defer a.mu.Unlock()
	if _, err := a.w.Write(append(line, '\n')); err != nil {
		return fmt.Errorf("audit: %w", err)
	}
	return nil
}

func (i *injection) entry(action string, err error) auditEntry {
	l := i.label
	e := auditEntry{
		Action: action, Run: l.run, Name: l.name, Kind: l.kind, To: l.to,
		Resolved: i.target.resolved(), Chain: i.chain, Until: l.until, Why: i.why, Lacks: i.lacks,
	}
	if err != nil {
		e.Error = err.Error()
	}
	return e
}

// tell writes down what happened under the lock, once it is let go. What cannot be
// written must not keep a fault from being healed: that shows in the evidence.
func (i *injection) tell() {
	i.mu.Lock()
	told := i.untold
	i.untold = nil
	i.mu.Unlock()
	for _, e := range told {
		if err := i.audit.write(e); err != nil {
			i.mu.Lock()
			i.evidence.Unaudited = err.Error()
			i.mu.Unlock()
		}
	}
}

func (a Active) entry(action string, err error) auditEntry {
	e := auditEntry{Action: action, Run: a.Run, Name: a.Name, Kind: a.Kind, To: a.To, Chain: a.Chain, Until: a.Until}
	if err != nil {
		e.Error = err.Error()
	}
	return e
}
