package contracts

import (
	"cmp"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/foreshock/foreshock/contracts/worker"
)

// maxText is how much of one value of a verdict is kept, in bytes.
const maxText = 4 << 10

// verdict is what libpact_ffi 0.4.28 says of one pact. Its results have no more than
// a description, in the order of the file; its errors are those of the results that
// failed, in the same order.
type verdict struct {
	Errors             []*failure
	PendingErrors      []*failure
	InteractionResults []struct{ Description, Duration, Result string }
}

type failure struct {
	Interaction string // a sentence that ends with the description
	Mismatch    struct {
		Type       string // mismatches or error
		Message    string // of an error
		Mismatches []struct {
			Type, Path, Key, Parameter, Mismatch string
			Expected, Actual                     json.RawMessage
		}
	}
}

// join tells what came of each interaction of p. Whatever does not fit together is an
// error: an interaction is never taken for verified because nothing was said of it.
func join(p pact, w worker.Pact) ([]Interaction, error) {
	var v verdict
	if w.Code < 0 || w.Code > 1 || w.Verdict == nil {
		return nil, fmt.Errorf("%s: the verifier failed with code %d", p.file, w.Code)
	}
	if err := json.Unmarshal(w.Verdict, &v); err != nil {
		return nil, fmt.Errorf("%s: the verifier's answer: %w", p.file, err)
	}
	if got, want := len(v.InteractionResults), len(p.interactions); got != want {
		return nil, fmt.Errorf("%s: got results of %d interactions, want %d%s", p.file, got, want, v.firstMessage())
	}
	out := slices.Clone(p.interactions)
	done := make([]bool, len(out))
	failed := false
	for _, r := range v.InteractionResults {
		i := slices.IndexFunc(out, func(in Interaction) bool { return in.Description == r.Description })
		for i >= 0 && i < len(out) && (done[i] || out[i].Description != r.Description) {
			i++
		}
		if i < 0 || i == len(out) {
			return nil, fmt.Errorf("%s: got a result of %q, which the pact does not have so often", p.file, r.Description)
		}
		done[i] = true
		in := &out[i]
		in.Duration, _ = time.ParseDuration(r.Duration) // a duration that cannot be read is worth no more than none
		in.Outcome = OK
		if r.Result != "OK" {
			failed = failed || !in.own
			in.explain(v.take(in))
		}
	}
	if failed != (w.Code == 1) {
		return nil, fmt.Errorf("%s: the verifier's code %d and its results disagree%s", p.file, w.Code, v.firstMessage())
	}
	return out, nil
}

// take removes the first failure that is about in and returns it, or nil.
func (v *verdict) take(in *Interaction) *failure {
	from := &v.Errors
	if in.own {
		from = &v.PendingErrors
	}
	for i, f := range *from {
		if strings.HasSuffix(f.Interaction, in.Description) {
			*from = slices.Delete(*from, i, i+1)
			return f
		}
	}
	return nil
}

func (v *verdict) firstMessage() string {
	for _, f := range v.Errors {
		if f.Mismatch.Message != "" {
			return ": " + f.Mismatch.Message
		}
	}
	return ""
}

// stateFailed begins what the verifier says when a provider state could not be set.
const stateFailed = "One or more of the "

// explain gives a failed interaction its outcome. Of an unreachable one the cause is
// yet to be looked for: the verifier says the same of a refusal and of a timeout.
func (in *Interaction) explain(f *failure) {
	switch {
	case f == nil:
		in.Outcome, in.Message = Broken, "the verifier gave no reason"
	case f.Mismatch.Type == "error" && strings.HasPrefix(f.Mismatch.Message, stateFailed):
		in.Outcome, in.Message = NotApplicable, f.Mismatch.Message
	case f.Mismatch.Type == "error":
		in.Outcome, in.Message = Unreachable, clip(f.Mismatch.Message)
	default:
		in.Outcome = Broken
		for _, m := range f.Mismatch.Mismatches {
			in.Mismatches = append(in.Mismatches, Mismatch{
				Type: m.Type, Path: m.Path + m.Key + m.Parameter, Text: clip(m.Mismatch),
				Expected: textOf(m.Expected), Actual: textOf(m.Actual),
			})
		}
		slices.SortStableFunc(in.Mismatches, func(a, b Mismatch) int {
			return cmp.Or(rank(a)-rank(b), cmp.Compare(a.Path, b.Path))
		})
	}
}

// rank puts what explains the rest first: the request, the status, then the body.
func rank(m Mismatch) int {
	return slices.Index([]string{"StatusMismatch", "HeaderMismatch", "BodyTypeMismatch", "BodyMismatch"}, m.Type)
}

// textOf writes a JSON value as a reader wants it: a string without its quotes.
func textOf(raw json.RawMessage) string {
	var s string
	if json.Unmarshal(raw, &s) != nil {
		s = string(raw)
	}
	return clip(s)
}

func clip(s string) string {
	if len(s) > maxText {
		return strings.ToValidUTF8(s[:maxText], "") + "…"
	}
	return s
}
