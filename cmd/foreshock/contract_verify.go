package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"regexp"
	"strconv"
	"strings"
	"time"

	"github.com/foreshock/foreshock/contracts"
	"github.com/foreshock/foreshock/contracts/broker"
	runner "github.com/foreshock/foreshock/internal/run"
	"github.com/foreshock/foreshock/results"
)

// verifyLimit is how long one verification may take by hand.
const verifyLimit = 10 * time.Minute

// verification is what the command line asks for.
type verification struct {
	req       contracts.Request
	publish   bool
	version   broker.Version
	broker    *broker.Options
	selectors texts
	consumers texts
	headers   texts
	fresh     texts
	tags      texts
	state     string // a program with its arguments
	files     texts  // beside the arguments
	filter    struct{ description, state string }
	to        struct{ json, junit, markdown string }
}

// verifyFlags names the flags as the Pact CLI does; what it spells in two ways is
// understood in both.
func (p *program) verifyFlags(formats []string) (*flags, *verification) {
	f := p.newFlags("contract verify", "--provider NAME --provider-base-url URL [FILE|DIR|URL...] [--broker-base-url URL] [-o text|json|junit|github]", formats...)
	v := &verification{req: contracts.Request{Headers: map[string]string{}, Fresh: map[string][]string{}}}
	r := &v.req
	f.StringVar(&r.Provider, "provider", "", "`NAME` of the provider, as the pacts write it")
	f.StringVar(&r.URL, "provider-base-url", "", "`URL` of the running provider")
	f.StringVar(&r.StateURL, "provider-states-setup-url", "", "`URL` that sets up provider states")
	f.StringVar(&v.state, "provider-states-command", "", "`PROGRAM` that sets up provider states: it reads {action, state, params} as JSON")
	r.Timeout = contracts.DefaultTimeout
	f.Var((*patience)(&r.Timeout), "request-timeout", "patience with one answer of the provider, such as 5s; a bare number is of milliseconds")
	f.BoolVar(&r.InsecureTLS, "disable-ssl-verification", false, "do not check the provider's certificate")
	f.StringVar((*string)(&r.TLS.Cert), "client-cert", "", "`FILE` of the certificate that the provider asks for, as PEM")
	f.StringVar((*string)(&r.TLS.Key), "client-key", "", "`FILE` of its key")
	f.StringVar((*string)(&r.TLS.CA), "ca-cert", "", "`FILE` of the authorities that are trusted instead of the system's")
	f.Var(&v.fresh, "header-command", "send a header whose value a program prints, as `NAME=PROGRAM`; may be repeated")
	f.Var(&v.headers, "header", "send this `NAME=VALUE` with every request; may be repeated")
	f.Var(&v.consumers, "filter-consumer", "verify the pacts of this consumer `NAME` only; may be repeated")
	f.StringVar(&v.filter.description, "filter-description", "", "verify interactions whose description matches this `REGEXP`")
	f.StringVar(&v.filter.state, "filter-state", "", "verify interactions with a provider state that matches this `REGEXP`")
	f.BoolVar(&r.Filter.NoState, "filter-no-state", false, "verify interactions without a provider state")
	f.BoolVar(&r.Filter.Safe, "safe", false, "verify only what changes nothing: GET, HEAD and what the pact marks as safe")
	v.broker = f.brokerFlags(p.env)
	f.Var(&v.selectors, "consumer-version-selectors", "which pacts of the broker count, as `JSON` such as {\"mainBranch\":true}; may be repeated")
	f.BoolVar(&r.Selection.Pending, "enable-pending", false, "pacts that the provider's branch never kept yet do not fail")
	f.StringVar(&r.Selection.WIPSince, "include-wip-pacts-since", "", "verify work in progress since this `DATE` too; it does not fail")
	f.BoolVar(&v.publish, "publish", false, "tell the broker what came of its pacts")
	f.StringVar(&v.version.Number, "provider-app-version", "", "`VERSION` of the provider, for --publish")
	f.StringVar(&v.version.Branch, "provider-branch", "", "`BRANCH` of that version")
	f.Var(&v.tags, "provider-version-tag", "`TAG` of that version; may be repeated")
	f.StringVar(&v.version.BuildURL, "build-url", "", "`URL` of the build, for --publish")
	f.StringVar(&v.to.json, "json", "", "write the report as JSON to `FILE` as well")
	f.StringVar(&v.to.junit, "junit", "", "write the report as JUnit to `FILE` as well")
	f.StringVar(&v.to.markdown, "markdown", "", "add the report as Markdown to the end of `FILE`, such as $GITHUB_STEP_SUMMARY")
	f.alsoAsPact(v)
	return f, v
}

// alsoAsPact takes the flags in the words of `pact verifier`, too, so that a pipeline
// that has them needs no other.
func (f *flags) alsoAsPact(v *verification) {
	f.Var(&v.files, "file", "")
	f.also("file", "f", "dir", "d", "url", "u")
	f.also("provider", "provider-name", "n")
	f.also("provider-states-setup-url", "state-change-url", "s")
	f.also("header", "H", "custom-provider-header")
	f.also("broker-base-url", "broker-url", "b")
	f.also("broker-token", "token", "t")
	f.also("broker-username", "user")
	f.also("broker-password", "password")
	f.also("provider-app-version", "provider-version", "a")
	f.also("provider-version-tag", "provider-tags")
}

// patience is a duration; a bare number is of milliseconds, as the Pact CLI has it.
type patience time.Duration

// String implements flag.Value.
func (d *patience) String() string { return time.Duration(*d).String() }

// Set implements flag.Value.
func (d *patience) Set(s string) error {
	if ms, err := strconv.ParseUint(s, 10, 31); err == nil {
		s = strconv.FormatUint(ms, 10) + "ms"
	}
	got, err := time.ParseDuration(s)
	if err != nil || got <= 0 {
		return errors.New("want a time such as 5s")
	}
	*d = patience(got)
	return nil
}

// finish checks the flags that are more than texts.
func (v *verification) finish(files []string) (err error) {
	r := &v.req
	r.Files, r.Filter.Consumers = append(files, v.files...), v.consumers
	v.tags = strings.FieldsFunc(strings.Join(v.tags, ","), func(r rune) bool { return r == ',' })
	if v.state != "" {
		r.StateCommand = strings.Fields(v.state)
	}
	if err := addHeaders(r.Headers, v.headers); err != nil {
		return err
	}
	for _, text := range v.fresh {
		name, command, _ := strings.Cut(text, "=")
		if name == "" || strings.TrimSpace(command) == "" {
			return errors.New("--header-command: got no NAME=PROGRAM, want NAME=PROGRAM")
		}
		r.Fresh[name] = strings.Fields(command)
	}
	for _, x := range []struct {
		to         **regexp.Regexp
		name, text string
	}{
		{&r.Filter.Description, "filter-description", v.filter.description},
		{&r.Filter.State, "filter-state", v.filter.state},
	} {
		if x.text == "" {
			continue
		}
		if *x.to, err = regexp.Compile(x.text); err != nil {
			return fmt.Errorf("--%s: %w", x.name, err)
		}
	}
	v.version.Provider, v.version.Tags = r.Provider, v.tags
	r.Selection.Branch, r.Selection.Tags = v.version.Branch, v.tags
	for _, text := range v.selectors {
		more, err := broker.ParseSelectors(text)
		if err != nil {
			return fmt.Errorf("--consumer-version-selectors: %w", err)
		}
		r.Selection.Selectors = append(r.Selection.Selectors, more...)
	}
	return v.finishBroker()
}

func (v *verification) finishBroker() (err error) {
	// The environment may name a broker for other commands: files that are given count.
	if v.broker.URL != "" && (len(v.req.Files) == 0 || v.publish || len(v.selectors) > 0) {
		if v.req.Broker, err = newBroker(v.broker); err != nil {
			return err
		}
		if err := v.req.Selection.Check(); err != nil {
			return fmt.Errorf("--%w", err)
		}
	}
	switch {
	case v.publish && v.req.Broker == nil:
		return errors.New("--publish: got no broker, want --broker-base-url: results of files have nowhere to go")
	case v.publish && v.version.Number == "":
		return errors.New("--publish: got no version, want --provider-app-version")
	}
	return nil
}

func contractVerify(ctx context.Context, p *program, args []string) int {
	formats := []string{"text", "json", "junit", "github"}
	f, v := p.verifyFlags(formats)
	files, err := f.parse(args, formats...)
	if err != nil {
		return p.refused(err)
	}
	err = v.finish(files)
	if err == nil {
		err = errors.Join(emptyFile(v.to.json), emptyFile(v.to.junit))
	}
	if err != nil {
		return p.wrong(err)
	}
	if err := v.req.Validate(); err != nil {
		return p.wrong(flagNames(err))
	}
	ctx, cancel := context.WithTimeout(ctx, verifyLimit)
	defer cancel()
	r, err := p.verifyContract(ctx, f.config, v.req)
	if err != nil {
		return p.notVerified(ctx, err)
	}
	code := r.ExitCode()
	if v.publish {
		code = worst([]int{code, p.publishResults(ctx, v, r)})
	}
	if err := errors.Join(p.writeContract(f.output, r), v.writeFiles(r)); err != nil {
		return p.wrong(err)
	}
	return code
}

// verifyContract verifies, and with a configuration stores the result as that of a
// check: it takes the one road to its sinks.
func (p *program) verifyContract(ctx context.Context, configFile string, req contracts.Request) (contracts.Report, error) {
	if configFile == "" {
		return (&contracts.Worker{}).Verify(ctx, req)
	}
	a, err := p.newApp(ctx, configFile, false)
	if err != nil {
		return contracts.Report{}, &badConfig{err}
	}
	c := &verified{req: req}
	err = a.runner.Add(runner.Entry{Name: "contract of " + req.Provider, Kind: "contract", Timeout: verifyLimit, Check: c})
	if err == nil {
		_, err = a.runner.Run(ctx, a.runner.Now("contract of "+req.Provider, ""))
	}
	if err = errors.Join(err, a.close(ctx)); err != nil {
		p.log.ErrorContext(ctx, "not everything was stored", "error", err)
	}
	return c.report, c.err
}

// badConfig is a configuration that cannot be used.
type badConfig struct{ error }

// verified is a verification as a check that keeps its report.
type verified struct {
	req    contracts.Request
	report contracts.Report
	err    error
}

// Run implements results.Check.
func (c *verified) Run(ctx context.Context, rec *results.Recorder) error {
	if c.report, c.err = (&contracts.Worker{}).Verify(ctx, c.req); c.err != nil {
		return c.err
	}
	return c.report.Record(rec)
}

// publishResults tells the broker; that it could not be told must not pass for success:
// a deploy would wait for these results.
func (p *program) publishResults(ctx context.Context, v *verification, r contracts.Report) int {
	n, held, err := r.Publish(ctx, v.req.Broker, v.version)
	for _, h := range held {
		fmt.Fprintln(p.stderr, "foreshock:", h)
	}
	if err != nil {
		return p.noAnswer(ctx, err)
	}
	if n > 0 {
		fmt.Fprintf(p.stderr, "foreshock: results of %d pacts published for version %s of %s\n", n, v.version.Number, v.version.Provider)
	}
	return exitYes
}

func (p *program) writeContract(format string, r contracts.Report) error {
	return map[string]func(io.Writer, contracts.Report) error{
		"text": contracts.WriteText, "json": contracts.WriteJSON,
		"junit": contracts.WriteJUnit, "github": contracts.WriteGitHub,
	}[format](p.stdout, r)
}

// writeFiles writes the reports that were asked for beside standard output.
func (v *verification) writeFiles(r contracts.Report) error {
	err := errors.Join(
		toFile(v.to.json, func(w io.Writer) error { return contracts.WriteJSON(w, r) }),
		toFile(v.to.junit, func(w io.Writer) error { return contracts.WriteJUnit(w, r) }),
	)
	if v.to.markdown == "" {
		return err
	}
	var b bytes.Buffer
	if writeErr := contracts.WriteMarkdown(&b, r); writeErr != nil {
		return errors.Join(err, writeErr)
	}
	return errors.Join(err, addToFile(v.to.markdown, b.Bytes()))
}

// addToFile writes b at the end of the file: others write their summaries there too.
func addToFile(path string, b []byte) error {
	f, err := os.OpenFile(path, os.O_APPEND|os.O_CREATE|os.O_WRONLY, 0o600) //nolint:gosec // the user names the file
	if err != nil {
		return err
	}
	_, err = f.Write(b)
	return errors.Join(err, f.Close())
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
	words := strings.NewReplacer(
		"provider:", "--provider:", "url:", "--provider-base-url:", "files:", "FILE:",
		"tls:", "--client-cert and --client-key:", "state_command:", "--provider-states-command:", "state_change_url", "--provider-states-setup-url",
	)
	return errors.New(words.Replace(err.Error()))
}

// notVerified says why there is no report.
func (p *program) notVerified(ctx context.Context, err error) int {
	fmt.Fprintln(p.stderr, "foreshock:", err)
	if errors.Is(ctx.Err(), context.Canceled) {
		return exitStopped
	}
	_, file := errors.AsType[*contracts.FileError](err)
	_, config := errors.AsType[*badConfig](err)
	if file || config {
		return exitUsage
	}
	return exitUnsure
}
