package results

import (
	"context"
	"errors"
	"iter"
	"time"
)

// A Store keeps records. It is the log and the outbox: sinks read its feed. Every
// implementation runs the suite of package storetest.
type Store interface {
	// Append stores the batch in one transaction and returns, in commit order and
	// with Seq and Received set, those that it did not know yet: of a result the
	// first of its Key, of an event the first and the one that closes it. When it
	// returns nil, they survive a crash.
	Append(ctx context.Context, batch []Record) (fresh []Record, err error)
	// Feed yields what was appended after the given Seq, in commit order, and ends
	// with the last one there is.
	Feed(ctx context.Context, after uint64) iter.Seq2[Record, error]
	// Select yields results, newest start first.
	Select(ctx context.Context, q Query) iter.Seq2[Result, error]
	// Events yields events, newest start first. Of q it heeds Run, Since, Until and Limit:
	// an event is within a range that it overlaps.
	Events(ctx context.Context, q Query) iter.Seq2[Event, error]
	// Summarize cuts the query's range into buckets of the given width, each of one
	// check, oldest first; a width of 0 gives one bucket for each check.
	Summarize(ctx context.Context, q Query, width time.Duration) ([]Bucket, error)
	// Artifact returns the data kept under an Artifact's ID, or ErrNotFound.
	Artifact(ctx context.Context, id string) (Artifact, error)
}

// ErrNotFound is the error of a look-up that found nothing.
var ErrNotFound = errors.New("not found")

// A Query narrows what a Store gives; zero fields do not narrow.
type Query struct {
	Check string
	Run   string
	Since time.Time // starts at or after
	Until time.Time // starts before
	Limit int
}

// A Bucket summarises the results of one check in [Start, End).
type Bucket struct {
	Check         string
	Start, End    time.Time
	Counts        Counts        // without what ran inside a planned fault
	Planned       Counts        // what ran inside a planned fault, or for a scenario
	P50, P95, P99 time.Duration // of the runs in Counts that were ok or a warning; 0 if there were none
}

// Counts holds how many results had each status.
type Counts struct {
	OK, Warning, Critical, Unknown int
}

// Add counts n results of status s.
func (c *Counts) Add(s Status, n int) {
	switch s {
	case OK:
		c.OK += n
	case Warning:
		c.Warning += n
	case Critical:
		c.Critical += n
	case Unknown:
		c.Unknown += n
	}
}

// Availability is the part of the looks that found the service well, from 0 to 1:
// (ok + warning) / (ok + warning + critical). Unknown counts neither way; ok is
// false if there was no look at all.
func (c Counts) Availability() (a float64, ok bool) {
	good := c.OK + c.Warning
	if good+c.Critical == 0 {
		return 0, false
	}
	return float64(good) / float64(good+c.Critical), true
}

// Total is how many results were counted.
func (c Counts) Total() int { return c.OK + c.Warning + c.Critical + c.Unknown }

// A Sink takes stored records to another system, in order, from one goroutine.
type Sink interface {
	Send(ctx context.Context, batch []Record) error
	Close() error
}
