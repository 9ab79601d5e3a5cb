package contracts

import (
	"context"

	"github.com/foreshock/foreshock/contracts/worker"
)

// A Probe is what this machine has to verify contracts with.
type Probe struct {
	Worker  string // path of the worker program; empty if none was found
	Library worker.Library
	Want    string // version of libpact_ffi
}

// Probe starts the worker to see whether it finds its library. A nil error means that
// contracts can be verified here; any other says what is missing and how to get it.
func (w *Worker) Probe(ctx context.Context) (Probe, error) {
	p := Probe{Want: worker.LibraryVersion}
	path, err := w.find()
	if err != nil {
		return p, err
	}
	p.Worker = path
	ctx, cancel := context.WithTimeout(ctx, DefaultTimeout)
	defer cancel()
	args := []string{"--version"}
	if w.Library != "" {
		args = append(args, "--lib", w.Library)
	}
	res, err := w.ask(ctx, nil, nil, args...)
	if res.Error != nil {
		p.Library.Version = res.Error.Found
	}
	if res.Library.Path != "" {
		p.Library = res.Library
	}
	return p, err
}
