package contracts

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/foreshock/foreshock/contracts/broker"
	"github.com/foreshock/foreshock/contracts/worker"
	"github.com/foreshock/foreshock/internal/kind"
	"github.com/foreshock/foreshock/results"
)

// shortest is the least that a request may be given to be answered.
const shortest = 100 * time.Millisecond

// Validate says what is wrong with the request itself, without looking at its files.
// Its errors name the keys of the configuration.
func (r Request) Validate() error {
	_, err := r.base()
	switch {
	case r.Provider == "":
		return kind.At("provider", errors.New("got none, want the name that the pacts give it"))
	case err != nil:
		return kind.At("url", err)
	case len(r.Files) == 0 && r.Broker == nil:
		return kind.At("files", errors.New("got none and no broker, want pact files, directories of them, addresses or a broker"))
	case r.StateURL != "" && len(r.StateCommand) > 0:
		return kind.At("state_command", errors.New("got state_change_url too, want one of them"))
	case (r.TLS.Cert == "") != (r.TLS.Key == ""):
		return kind.At("tls", errors.New("got one of cert and key, want both"))
	case r.Timeout < 0:
		return kind.At("request_timeout", fmt.Errorf("got %v, want 0 or more", r.Timeout))
	}
	for name, command := range r.Fresh {
		if len(command) == 0 {
			return kind.At("fresh_headers."+name, errors.New("got no program, want one that prints the value"))
		}
	}
	if r.StateURL != "" {
		if u, err := url.Parse(r.StateURL); err != nil || u.Scheme != "http" && u.Scheme != "https" || u.Host == "" {
			return kind.At("state_change_url", errors.New("got no URL of http or https"))
		}
	}
	return nil
}

// base parses the provider's URL; the port is always there, and so is a path. Its text is kept out of errors: it may hold a password.
func (r Request) base() (*url.URL, error) {
	u, err := url.Parse(r.URL)
	switch {
	case err != nil || u.Scheme != "http" && u.Scheme != "https" || u.Hostname() == "":
		return nil, errors.New("got no URL of http or https, want such as http://127.0.0.1:8081")
	case u.User != nil:
		return nil, errors.New("got credentials, want them as a header: Authorization")
	case u.RawQuery != "" || u.Fragment != "":
		return nil, errors.New("got a query or a fragment, want a base URL such as http://127.0.0.1:8081/api")
	}
	port := cmp.Or(u.Port(), map[string]string{"http": "80", "https": "443"}[u.Scheme])
	if n, err := strconv.ParseUint(port, 10, 16); err != nil || n == 0 {
		return nil, fmt.Errorf("got port %s, want 1 to 65535", port)
	}
	host := u.Hostname()
	if strings.Contains(host, ":") {
		host = "[" + host + "]"
	}
	u.Host = host + ":" + port
	u.Path = cmp.Or(u.Path, "/")
	return u, nil
}

// Verify asks the provider for every interaction of the pacts, and says what came of
// each. A Report with broken interactions comes with a nil error; an error means that
// nothing can be said. It is [results.ErrUnknown], and wraps a [*FileError] if a pact
// file cannot be used. Verify ends with ctx, and takes at most a time that is
// in proportion to the number of interactions.
func (w *Worker) Verify(ctx context.Context, req Request) (Report, error) {
	rep := Report{Provider: req.Provider, URL: req.URL, Start: time.Now()}
	if err := req.Validate(); err != nil {
		return rep, results.Blind(results.CauseInternal, err)
	}
	read, err := req.pacts(ctx)
	switch {
	case errors.Is(err, broker.ErrNoProvider): // what else was read still counts
		rep.PassedOver = append(rep.PassedOver, err.Error())
		err = nil
	case err != nil:
		return rep, err
	}
	pacts, passedOver := choose(read, req)
	rep.PassedOver = append(rep.PassedOver, passedOver...)
	if len(pacts) > 0 {
		err = w.verify(ctx, req, pacts, &rep)
	}
	rep.Duration = time.Since(rep.Start)
	return rep, err
}

// verify has the pacts verified, and puts what came of it into the report.
func (w *Worker) verify(ctx context.Context, req Request, pacts []pact, rep *Report) error {
	n := 0
	for _, p := range pacts {
		n += len(p.interactions)
		if p.broker != nil {
			rep.Notices = append(rep.Notices, p.broker.Say("before_verification")...)
		}
	}
	ctx, cancel, timeout := limit(ctx, req, n)
	defer cancel()
	files, inherited, err := written(pacts)
	defer closeAll(inherited)
	if err != nil {
		return err
	}
	states, stop, err := req.states(ctx)
	if err != nil {
		return err
	}
	defer stop()
	req.StateURL = states.url
	if req.Headers, err = req.freshHeaders(ctx); err != nil {
		return err
	}
	base, err := req.base()
	if err != nil {
		return results.Blind(results.CauseInternal, err)
	}
	way, err := openPassage(ctx, req, base, timeout)
	if err != nil {
		return err
	}
	defer way.close()
	stdin, err := wire(req, files, way.port(), base.Path, timeout, w.Library)
	if err != nil {
		return err
	}
	res, err := w.ask(ctx, stdin, inherited)
	if err != nil {
		return err
	}
	rep.Library, rep.pacts = res.Library, pacts
	if rep.Interactions, err = joinAll(pacts, res.Pacts); err != nil {
		return results.Blind(results.CauseInternal, err)
	}
	states.explain(rep.Interactions)
	rep.place(time.Since(rep.Start))
	way.explain(rep.Interactions)
	for i, name := range stepNames(rep.Interactions) {
		rep.Interactions[i].step = name
	}
	return nil
}

// joinAll joins each pact with its verdict.
func joinAll(pacts []pact, verdicts []worker.Pact) ([]Interaction, error) {
	if len(verdicts) != len(pacts) {
		return nil, fmt.Errorf("%s: got verdicts of %d pacts, want %d", workerName, len(verdicts), len(pacts))
	}
	var all []Interaction
	for i, p := range pacts {
		ins, err := join(p, verdicts[i])
		if err != nil {
			return nil, err
		}
		all = append(all, ins...)
	}
	return all, nil
}

// limit gives each of n interactions a timeout such that all of them could use it up
// before the context ends: a provider that hangs is then seen to hang, instead of the
// worker being killed over it. A third of the time is kept for all the rest.
func limit(ctx context.Context, req Request, n int) (context.Context, context.CancelFunc, time.Duration) {
	timeout := req.Timeout
	if timeout == 0 {
		timeout = DefaultTimeout
	}
	requests := n
	if req.StateURL != "" || len(req.StateCommand) > 0 {
		requests *= 3 // setup and teardown
	}
	if end, ok := ctx.Deadline(); ok {
		timeout = min(timeout, time.Until(end)*2/3/time.Duration(requests))
	}
	timeout = max(timeout, shortest)
	ctx, cancel := context.WithTimeout(ctx, time.Duration(requests)*timeout+DefaultTimeout)
	return ctx, cancel, timeout
}

// written returns the pacts as files that the verifier can read. Those that are in no
// file, or not as they are to be verified, are in open files without a name, which the
// worker inherits: whatever becomes of us, nothing of them is left behind.
func written(pacts []pact) (names []string, inherited []*os.File, err error) {
	for _, p := range pacts {
		if p.local {
			file, err := filepath.Abs(p.file)
			if err != nil {
				return nil, inherited, ourTrouble(fmt.Errorf("pacts for the verifier: %w", err))
			}
			names = append(names, file)
			continue
		}
		f, err := p.unnamed()
		if err != nil {
			return nil, inherited, ourTrouble(fmt.Errorf("pacts for the verifier: %w", err))
		}
		names = append(names, fmt.Sprintf("/proc/self/fd/%d", firstInherited+len(inherited)))
		inherited = append(inherited, f)
	}
	return names, inherited, nil
}

// firstInherited is the number of the first file that a process inherits beside its
// standard ones.
const firstInherited = 3

// unnamed is the pact in a temporary file that has no name any more.
func (p pact) unnamed() (*os.File, error) {
	text, err := p.reduced()
	if err != nil {
		return nil, err
	}
	f, err := os.CreateTemp("", "foreshock-pact-*")
	if err != nil {
		return nil, err
	}
	err = os.Remove(f.Name())
	if err == nil {
		_, err = f.Write(text)
	}
	if err != nil {
		return nil, errors.Join(err, f.Close())
	}
	return f, nil
}

func closeAll(files []*os.File) {
	for _, f := range files {
		_ = f.Close() // it was written, and is read by others
	}
}

// ourTrouble is an error of this machine, such as a full disk.
func ourTrouble(err error) error {
	if s, cause := results.Judge(err); s == results.Unknown {
		return results.Blind(cause, err)
	}
	return results.Blind(results.CauseInternal, err)
}

// slack is how much longer than the provider the verifier waits: the passage tells it
// what came of a request.
const slack = time.Second

// wire writes the request as the worker reads it: the provider is behind the port.
func wire(req Request, files []string, port uint16, path string, timeout time.Duration, library string) ([]byte, error) {
	out := worker.Request{
		Library: library, Provider: req.Provider, Scheme: "http", Host: "127.0.0.1", Port: port,
		Path: path, TimeoutMS: (timeout + slack).Milliseconds(), StateURL: req.StateURL, Files: files,
	}
	for _, name := range slices.Sorted(maps.Keys(req.Headers)) {
		out.Headers = append(out.Headers, worker.Header{Name: name, Value: req.Headers[name]})
	}
	return json.Marshal(out)
}

// place gives each interaction the time at which it began: they ran one after the
// other, and the last of them ended with the worker.
func (r *Report) place(took time.Duration) {
	for i := range slices.Backward(r.Interactions) {
		in := &r.Interactions[i]
		took = max(0, took-in.Duration)
		in.Offset = took
	}
}
