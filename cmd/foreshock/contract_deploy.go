package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strings"
	"time"

	"github.com/foreshock/foreshock/contracts/broker"
	"github.com/foreshock/foreshock/internal/junit"
)

// deployment is what `can-i-deploy` is asked.
type deployment struct {
	query    broker.Query
	tries    int // more, while the answer is unknown
	interval int // seconds between them
}

// ask changes the last of the participants: their flags follow their name.
func (d *deployment) ask(what string, change func(*broker.Asked, string)) func(string) error {
	return func(s string) error {
		if len(d.query.Asked) == 0 {
			return fmt.Errorf("got --%s before any --pacticipant, want it after the one that it is of", what)
		}
		change(&d.query.Asked[len(d.query.Asked)-1], s)
		return nil
	}
}

func (p *program) deployFlags(formats []string) (*flags, *deployment, *broker.Options) {
	f := p.newFlags("contract can-i-deploy", "--pacticipant NAME --version VERSION --to-environment ENVIRONMENT [-o text|json|junit|github]", formats...)
	d := &deployment{}
	f.Func("pacticipant", "`NAME` of what is to be deployed; may be repeated, each with its version", func(s string) error {
		d.query.Asked = append(d.query.Asked, broker.Asked{Pacticipant: s})
		return nil
	})
	f.Func("version", "`VERSION` of that", d.ask("version", func(a *broker.Asked, s string) { a.Version = s }))
	f.Func("branch", "the latest version of this `BRANCH` of that", d.ask("branch", func(a *broker.Asked, s string) { a.Branch = s }))
	f.BoolFunc("main-branch", "the latest version of its main branch", d.ask("main-branch", func(a *broker.Asked, _ string) { a.MainBranch = true }))
	f.BoolFunc("latest", "its latest version; --latest=TAG is the latest of the tag", d.ask("latest", func(a *broker.Asked, s string) {
		a.Latest = true
		if s != "true" {
			a.Tag = s
		}
	}))
	f.StringVar(&d.query.Environment, "to-environment", "", "`ENVIRONMENT` that it is to be deployed to")
	f.BoolVar(&d.query.ToMain, "with-main-branches", false, "together with the latest of the main branches")
	f.StringVar(&d.query.ToTag, "to", "", "together with the latest versions of this `TAG`")
	f.Func("ignore", "leave out the participant of this `NAME`; may be repeated", func(s string) error {
		d.query.Ignore = append(d.query.Ignore, broker.Asked{Pacticipant: s})
		return nil
	})
	f.IntVar(&d.tries, "retry-while-unknown", 0, "ask again so many `TIMES` while results are missing")
	f.IntVar(&d.interval, "retry-interval", 10, "`SECONDS` between these")
	o := f.brokerFlags(p.env)
	f.also("pacticipant", "a")
	f.also("version", "e")
	f.also("latest", "l")
	f.also("broker-base-url", "b")
	f.also("broker-token", "k")
	f.also("broker-username", "u")
	f.also("broker-password", "p")
	return f, d, o
}

// contractCanIDeploy ends with 0 for yes, 1 for no and 3 for unknown, whatever the format.
func contractCanIDeploy(ctx context.Context, p *program, args []string) int {
	formats := []string{"text", "json", "junit", "github"}
	f, d, o := p.deployFlags(formats)
	rest, err := f.parse(args, formats...)
	if err != nil {
		return p.refused(err)
	}
	var c *broker.Client
	switch {
	case len(rest) > 0:
		err = fmt.Errorf("got %q, want flags only; is it of --latest? write --latest=%s", rest[0], rest[0])
	case d.tries < 0 || d.interval < 1:
		err = fmt.Errorf("--retry-while-unknown: got %d times every %d seconds, want 0 or more times and at least a second", d.tries, d.interval)
	default:
		if c, err = newBroker(o); err == nil {
			err = d.query.Check()
		}
	}
	if err != nil {
		return p.wrong(err)
	}
	m, err := d.answer(ctx, c, func(m broker.Matrix) { fmt.Fprintln(p.stderr, "foreshock:", m) })
	if err != nil {
		return p.noAnswer(ctx, err)
	}
	if err := writeMatrix(p.stdout, f.output, d.query, m); err != nil {
		return p.wrong(err)
	}
	return map[broker.Answer]int{broker.Yes: exitYes, broker.No: exitNo, broker.Unknown: exitUnsure}[m.Answer]
}

// answer asks, and again while it is unknown and that was asked for.
func (d *deployment) answer(ctx context.Context, c *broker.Client, again func(broker.Matrix)) (broker.Matrix, error) {
	for try := 0; ; try++ {
		m, err := c.CanIDeploy(ctx, d.query)
		if err != nil || m.Answer != broker.Unknown || try >= d.tries {
			return m, err
		}
		again(m)
		t := time.NewTimer(time.Duration(d.interval) * time.Second)
		select {
		case <-ctx.Done():
			t.Stop()
			return m, ctx.Err()
		case <-t.C:
		}
	}
}

func writeMatrix(w io.Writer, format string, q broker.Query, m broker.Matrix) error {
	switch format {
	case "json":
		return matrixJSON(w, m)
	case "junit":
		return matrixJUnit(w, q, m)
	case "github":
		level := map[broker.Answer]string{broker.Yes: "notice", broker.No: "error", broker.Unknown: "warning"}[m.Answer]
		_, err := fmt.Fprintf(w, "::%s title=can i deploy%%3A %s::%s\n", level, m.Answer,
			strings.NewReplacer("%", "%25", "\r", "%0D", "\n", "%0A").Replace(m.String()))
		return err
	}
	var errs []error
	say := func(format string, args ...any) {
		_, err := fmt.Fprintf(w, format, args...)
		errs = append(errs, err)
	}
	say("can i deploy: %s\n", m)
	for _, r := range m.Rows {
		say("  %-8s  %s\n", word(r), pair(r))
	}
	for _, n := range m.Notices {
		say("  %s: %s\n", n.When, n.Text)
	}
	return errors.Join(errs...)
}

// word is the row's result, and whether it counts.
func word(r broker.Row) string {
	if r.Ignored {
		return "ignored"
	}
	return map[broker.Answer]string{broker.Yes: "verified", broker.No: "failed", broker.Unknown: "unknown"}[r.Result]
}

func pair(r broker.Row) string {
	version := func(v string) string {
		if v == "" {
			return "(no version)"
		}
		return v
	}
	text := fmt.Sprintf("%s %s -> %s %s", r.Consumer, version(r.ConsumerVersion), r.Provider, version(r.ProviderVersion))
	if !r.Verified.IsZero() {
		text += ", " + r.Verified.UTC().Format(time.RFC3339)
	}
	return text
}

func matrixJSON(w io.Writer, m broker.Matrix) error {
	type row struct {
		Consumer        string `json:"consumer"`
		ConsumerVersion string `json:"consumer_version,omitempty"`
		Provider        string `json:"provider"`
		ProviderVersion string `json:"provider_version,omitempty"`
		Result          string `json:"result"`
		Verified        string `json:"verified,omitempty"`
	}
	out := struct {
		Schema     string        `json:"schema"`
		Answer     broker.Answer `json:"answer"` // yes, no or unknown
		Deployable *bool         `json:"deployable"`
		Reason     string        `json:"reason"`
		Rows       []row         `json:"rows"`
	}{"foreshock.can-i-deploy/1", m.Answer, nil, m.Reason, []row{}}
	if m.Answer != broker.Unknown {
		yes := m.Answer == broker.Yes
		out.Deployable = &yes
	}
	for _, r := range m.Rows {
		x := row{r.Consumer, r.ConsumerVersion, r.Provider, r.ProviderVersion, word(r), ""}
		if !r.Verified.IsZero() {
			x.Verified = r.Verified.UTC().Format(time.RFC3339)
		}
		out.Rows = append(out.Rows, x)
	}
	return json.NewEncoder(w).Encode(out)
}

func matrixJUnit(w io.Writer, q broker.Query, m broker.Matrix) error {
	outcome := func(a broker.Answer) junit.Outcome {
		return map[broker.Answer]junit.Outcome{broker.Yes: junit.Passed, broker.No: junit.Failed, broker.Unknown: junit.Errored}[a]
	}
	name := q.Asked[0].Pacticipant
	s := &junit.Suite{Name: "can " + name + " be deployed"}
	message := ""
	if m.Answer != broker.Yes {
		message = m.String()
	}
	s.Add(name, "can be deployed", 0, outcome(m.Answer), message, "")
	for _, r := range m.Rows {
		o, text := outcome(r.Result), word(r)
		switch {
		case r.Ignored:
			o = junit.Skipped
		case o == junit.Passed:
			text = ""
		}
		s.Add(r.Consumer+" -> "+r.Provider, pair(r), 0, o, text, "")
	}
	return s.Write(w)
}

func contractRecordDeployment(ctx context.Context, p *program, args []string) int {
	f := p.newFlags("contract record-deployment", "--pacticipant NAME --version VERSION --environment ENVIRONMENT [--application-instance NAME]")
	var pacticipant, version, environment, instance string
	f.StringVar(&pacticipant, "pacticipant", "", "`NAME` of what was deployed")
	f.StringVar(&version, "version", "", "`VERSION` of it")
	f.StringVar(&environment, "environment", "", "`ENVIRONMENT` that it was deployed to")
	f.StringVar(&instance, "application-instance", "", "`NAME` of the instance, where there are several")
	o := f.brokerFlags(p.env)
	f.also("pacticipant", "a")
	f.also("version", "e")
	rest, err := f.parse(args)
	if err != nil {
		return p.refused(err)
	}
	var c *broker.Client
	switch {
	case len(rest) > 0:
		err = fmt.Errorf("got %q, want flags only", rest[0])
	case pacticipant == "" || version == "" || environment == "":
		err = errors.New("want --pacticipant, --version and --environment, all three")
	default:
		c, err = newBroker(o)
	}
	if err != nil {
		return p.wrong(err)
	}
	if err := c.RecordDeployment(ctx, pacticipant, version, environment, instance); err != nil {
		return p.noAnswer(ctx, err)
	}
	fmt.Fprintf(p.stdout, "version %s of %s is recorded as deployed to %s\n", version, pacticipant, environment)
	return exitYes
}
