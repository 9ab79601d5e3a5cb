package main

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/foreshock/foreshock/contracts"
)

func runContract(ctx context.Context, p *program, args []string) int {
	return p.pick(ctx, "contract command", []command{{"verify", "", contractVerify}}, args)
}

// texts is a flag that may be given several times.
type texts []string

// String implements flag.Value.
func (t *texts) String() string { return strings.Join(*t, ", ") }

// Set implements flag.Value.
func (t *texts) Set(s string) error {
	*t = append(*t, s)
	return nil
}

func contractVerify(ctx context.Context, p *program, args []string) int {
	formats := []string{"text", "json", "junit", "github"}
	f := p.newFlags("contract verify", "--provider NAME --provider-base-url URL FILE|DIR... [-o text|json|junit|github]", formats...)
	req := contracts.Request{Headers: map[string]string{}}
	var consumers, headers texts
	f.StringVar(&req.Provider, "provider", "", "`NAME` of the provider, as the pacts write it")
	f.StringVar(&req.URL, "provider-base-url", "", "`URL` of the running provider")
	f.StringVar(&req.StateURL, "provider-states-setup-url", "", "`URL` that sets up provider states")
	f.DurationVar(&req.Timeout, "request-timeout", contracts.DefaultTimeout, "patience with one answer of the provider")
	f.Var(&consumers, "filter-consumer", "verify the pacts of this consumer `NAME` only; may be repeated")
	f.Var(&headers, "header", "send this `NAME=VALUE` with every request; may be repeated")
	files, err := f.parse(args, formats...)
	if err == nil {
		err = addHeaders(req.Headers, headers)
	}
	if err != nil {
		return p.refused(err)
	}
	req.Files, req.Consumers = files, consumers
	if err := req.Validate(); err != nil {
		return p.wrong(flagNames(err))
	}
	ctx, cancel := context.WithTimeout(ctx, 10*time.Minute)
	defer cancel()
	r, err := (&contracts.Worker{}).Verify(ctx, req)
	if err != nil {
		return p.notVerified(ctx, err)
	}
	write := map[string]func() error{
		"text":   func() error { return contracts.WriteText(p.stdout, r) },
		"json":   func() error { return contracts.WriteJSON(p.stdout, r) },
		"junit":  func() error { return contracts.WriteJUnit(p.stdout, r) },
		"github": func() error { return contracts.WriteGitHub(p.stdout, r) },
	}
	if err := write[f.output](); err != nil {
		return p.wrong(err)
	}
	return r.ExitCode()
}

func addHeaders(to map[string]string, headers []string) error {
	for _, h := range headers {
		name, value, ok := strings.Cut(h, "=")
		if !ok || name == "" {
			return errors.New("--header: got no NAME=VALUE, want NAME=VALUE")
		}
		to[name] = value
	}
	return nil
}

// flagNames says in the words of the command line what is wrong with a request.
func flagNames(err error) error {
	words := strings.NewReplacer("provider:", "--provider:", "url:", "--provider-base-url:", "files:", "FILE:")
	return errors.New(words.Replace(err.Error()))
}

// notVerified says why there is no report.
func (p *program) notVerified(ctx context.Context, err error) int {
	fmt.Fprintln(p.stderr, "foreshock:", err)
	var file *contracts.FileError
	switch {
	case ctx.Err() != nil && errors.Is(ctx.Err(), context.Canceled):
		return exitStopped
	case errors.As(err, &file):
		return exitUsage
	}
	return exitUnsure
}
