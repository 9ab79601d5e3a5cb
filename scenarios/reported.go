package scenarios

import (
	"context"
	"fmt"
	"time"

	"github.com/foreshock/foreshock/breaker/reader"
	"github.com/foreshock/foreshock/breaker/verdict"
	"github.com/foreshock/foreshock/internal/kind"
)

const (
	readEvery = 200 * time.Millisecond // what the breaker says of itself is asked for
	readLimit = 2 * time.Second        // for one answer
)

// reader makes the second witness that the file declares; nil if it declares none.
func (s *Spec) reader() (reader.Reader, error) { //nolint:ireturn // which one is up to the file
	n := s.Breaker.Reader
	if n.Shape != kind.Mapping {
		return nil, nil //nolint:nilnil // most scenarios have none
	}
	_, r, err := reader.Kinds().Build("reader", n)
	return r, err
}

// tryReader makes the reader once, so that what is wrong with it is told at load.
func (s *Spec) tryReader() error {
	r, err := s.reader()
	if err != nil || r == nil {
		return err
	}
	return r.Close()
}

// listen asks the breaker what it says of itself until ctx ends.
func (x *experiment) listen(ctx context.Context) error {
	r, err := x.spec.reader()
	if err != nil || r == nil {
		return err
	}
	defer func() { _ = r.Close() }() // it was only read
	for {
		begin := x.now()
		said := x.ask(ctx, r)
		if ctx.Err() != nil {
			return nil
		}
		x.mu.Lock()
		x.obs.Reports = append(x.obs.Reports, said)
		x.mu.Unlock()
		if x.sleepUntil(ctx, begin+readEvery) != nil {
			return nil
		}
	}
}

func (x *experiment) ask(ctx context.Context, r reader.Reader) verdict.Report {
	ctx, cancel := context.WithTimeout(ctx, readLimit)
	defer cancel()
	at := x.now()
	sample, err := r.Read(ctx)
	switch {
	case err != nil:
		return verdict.Report{At: at, Error: x.spec.secrets.Mask(err.Error())}
	case sample.State == reader.Unknown:
		return verdict.Report{At: at, Error: fmt.Sprintf("its state is unknown: %s", x.spec.secrets.Mask(sample.Note))}
	}
	return verdict.Report{At: at, State: sample.State.String()}
}

// said is what the breaker said of itself, each time that it changed.
func said(rs []verdict.Report) (out []Entry) {
	for i, r := range rs {
		if i > 0 && r.State == rs[i-1].State && (r.Error == "") == (rs[i-1].Error == "") {
			continue
		}
		out = append(out, Entry{AtMS: ms(r.At), Type: "reported", To: r.State, Error: r.Error})
	}
	return out
}
