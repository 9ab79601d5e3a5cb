package faults

import (
	"fmt"
	"net/url"
	"strconv"
	"strings"
	"time"
)

const (
	labelPrefix = "foreshock/1 "
	labelMax    = 255 // bytes of a comment that the kernel keeps
)

// A label is the comment of a rule. It tells any process whose rule it is: the
// kernel itself is the journal of the faults.
type label struct {
	role  string // of the rule: one of the roles
	run   string
	name  string
	where string
	kind  string
	proto string
	to    string
	since time.Time
	until time.Time
	lease time.Duration
}

// The roles of rules.
const (
	roleJump    = "jump"    // leads from a chain of the kernel's to ours
	roleSkip    = "skip"    // lets pass what a queue is done with
	roleLead    = "lead"    // leads the lease's datagrams to their chain
	roleWatch   = "watch"   // reports attempts
	roleControl = "control" // sets or takes the lease, or asks for reports
	roleLease   = "lease"   // lets everything pass while there is no lease
	roleHit     = "hit"     // reports the first packet of a fault
	roleSelect  = "select"  // says that a packet is the target's
	roleSpare   = "spare"   // lets a packet of the target go on
	roleFault   = "fault"
)

func (l label) as(role string) label {
	l.role = role
	return l
}

func (l label) String() string {
	if l.role == roleSelect { // there may be thousands
		return labelPrefix + l.role + " " + url.Values{"run": {l.run}}.Encode()
	}
	v := url.Values{
		"run": {l.run}, "kind": {l.kind}, "to": {l.to},
		"since": {strconv.FormatInt(l.since.Unix(), 10)},
		"until": {strconv.FormatInt(l.until.Unix(), 10)},
		"lease": {strconv.Itoa(int(l.lease / time.Second))},
	}
	for key, text := range map[string]string{"name": l.name, "at": l.where, "proto": strings.TrimPrefix(l.proto, tcp)} {
		if text != "" {
			v.Set(key, text)
		}
	}
	return labelPrefix + l.role + " " + v.Encode()
}

// check refuses a label that does not fit.
func (l label) check() error {
	if n := len(l.as(roleControl).String()); n > labelMax {
		return fmt.Errorf("label of the fault: got %d bytes, want at most %d; shorten the run, the name or the location", n, labelMax)
	}
	return nil
}

func parseLabel(comment string) (label, bool) {
	rest, ours := strings.CutPrefix(comment, labelPrefix)
	role, query, ok := strings.Cut(rest, " ")
	v, err := url.ParseQuery(query)
	if !ours || !ok || err != nil {
		return label{}, false
	}
	seconds := func(key string) int64 {
		if !v.Has(key) {
			return 0
		}
		n, perr := strconv.ParseInt(v.Get(key), 10, 64)
		if perr != nil {
			err = perr
		}
		return n
	}
	l := label{
		role: role, run: v.Get("run"), name: v.Get("name"), where: v.Get("at"), kind: v.Get("kind"),
		proto: v.Get("proto"), to: v.Get("to"),
		since: time.Unix(seconds("since"), 0).UTC(), until: time.Unix(seconds("until"), 0).UTC(),
		lease: time.Duration(seconds("lease")) * time.Second,
	}
	if l.proto == "" {
		l.proto = tcp
	}
	return l, err == nil
}
