package nfqueue

import (
	"net/netip"
	"slices"
	"strings"
	"time"

	"golang.org/x/net/dns/dnsmessage"
	"golang.org/x/sys/unix"
)

// A DNS answers queries over UDP in the server's name, and the server never sees
// them. Answers have a TTL of 0 and failures no SOA, so that no cache keeps them
// beyond the fault. Queries over TCP do not come here.
type DNS struct {
	// Answers are looked up by name, without a final dot and in any case:
	// "db.example.com", "*.example.com" for all below it, or "*" for every name. The
	// longest that fits counts; queries for other names go on.
	Answers map[string]DNSAnswer

	names map[string]DNSAnswer // lower case
}

// A DNSAnswer is what a name's queries get: addresses or a failure.
type DNSAnswer struct {
	// Addresses of the version that is asked for; if it has none of that version, or
	// another type is asked for, the answer is empty.
	Addresses []netip.Addr
	Failure   DNSFailure
}

// DNSFailure is an answer without addresses.
type DNSFailure int

// The failures.
const (
	NoFailure DNSFailure = iota
	NXDomain             // the name does not exist
	ServFail             // the server has failed
	Refused              // the server does not want to
)

const (
	maxAddresses = 8 // fit into 512 bytes, of IPv6 and with the longest name
	maxName      = 253
)

// Name implements [Stage].
func (*DNS) Name() string { return "dns" }

// Need implements [Stage].
func (*DNS) Need() Need { return Whole }

// Check implements [Stage].
func (d *DNS) Check() error {
	if len(d.Answers) == 0 {
		return wrong("answers", "got none, want at least one name")
	}
	for name, a := range d.Answers {
		rest := strings.TrimPrefix(strings.TrimPrefix(name, "*"), ".")
		switch {
		case name == "" || len(name) > maxName || strings.HasSuffix(name, ".") || strings.Contains(rest, "*"):
			return wrong("answers", "got name %q, want one such as db.example.com, *.example.com or *", name)
		case len(a.Addresses) == 0 && a.Failure == NoFailure:
			return wrong("answers", "got nothing for %s, want addresses or a failure", name)
		case len(a.Addresses) > 0 && a.Failure != NoFailure:
			return wrong("answers", "got addresses and a failure for %s, want one of them", name)
		case len(a.Addresses) > maxAddresses:
			return wrong("answers", "got %d addresses for %s, want at most %d", len(a.Addresses), name, maxAddresses)
		case a.Failure < NoFailure || a.Failure > Refused:
			return wrong("answers", "got failure %d for %s, want NXDomain, ServFail or Refused", a.Failure, name)
		}
		if i := slices.IndexFunc(a.Addresses, func(x netip.Addr) bool { return !x.IsValid() || x.Zone() != "" }); i >= 0 {
			return wrong("answers", "got address %q for %s, want one without a zone", a.Addresses[i], name)
		}
	}
	return nil
}

// Decide implements [Stage].
func (d *DNS) Decide(p *Packet, _ time.Time) Decision {
	l, ok := parse(p.Data)
	if !ok || l.protocol != unix.IPPROTO_UDP || p.Cut() || l.end > len(p.Data) || l.payload > l.end {
		return Decision{}
	}
	var parser dnsmessage.Parser
	h, err := parser.Start(p.Data[l.payload:l.end])
	if err != nil || h.Response || h.OpCode != 0 {
		return Decision{}
	}
	questions, err := parser.AllQuestions()
	if err != nil || len(questions) != 1 || questions[0].Class != dnsmessage.ClassINET {
		return Decision{}
	}
	a, ok := d.find(questions[0].Name.String())
	if !ok {
		return Decision{}
	}
	payload, err := a.message(h, questions[0])
	if err != nil {
		return Decision{}
	}
	return Decision{Answer: reply(p.Data, l, payload)}
}

func (d *DNS) find(name string) (DNSAnswer, bool) {
	if d.names == nil {
		d.names = make(map[string]DNSAnswer, len(d.Answers))
		for n, a := range d.Answers {
			d.names[strings.ToLower(n)] = a
		}
	}
	name = strings.ToLower(strings.TrimSuffix(name, "."))
	a, ok := d.names[name]
	for !ok {
		_, parent, more := strings.Cut(name, ".")
		if !more {
			a, ok = d.names["*"]
			break
		}
		a, ok = d.names["*."+parent]
		name = parent
	}
	return a, ok
}

// message is the answer's DNS message.
func (a DNSAnswer) message(query dnsmessage.Header, question dnsmessage.Question) ([]byte, error) {
	h := dnsmessage.Header{
		ID: query.ID, Response: true, RecursionDesired: query.RecursionDesired, RecursionAvailable: true,
		RCode: a.code(),
	}
	b := dnsmessage.NewBuilder(nil, h)
	b.EnableCompression()
	if err := b.StartQuestions(); err != nil {
		return nil, err
	}
	if err := b.Question(question); err != nil {
		return nil, err
	}
	if err := b.StartAnswers(); err != nil {
		return nil, err
	}
	record := dnsmessage.ResourceHeader{Name: question.Name, Class: dnsmessage.ClassINET}
	for _, addr := range a.Addresses {
		var err error
		addr = addr.Unmap()
		switch {
		case question.Type == dnsmessage.TypeA && addr.Is4():
			err = b.AResource(record, dnsmessage.AResource{A: addr.As4()})
		case question.Type == dnsmessage.TypeAAAA && addr.Is6():
			err = b.AAAAResource(record, dnsmessage.AAAAResource{AAAA: addr.As16()})
		}
		if err != nil {
			return nil, err
		}
	}
	return b.Finish()
}

func (a DNSAnswer) code() dnsmessage.RCode {
	switch a.Failure {
	case NXDomain:
		return dnsmessage.RCodeNameError
	case ServFail:
		return dnsmessage.RCodeServerFailure
	case Refused:
		return dnsmessage.RCodeRefused
	case NoFailure:
	}
	return dnsmessage.RCodeSuccess
}
