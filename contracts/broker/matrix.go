package broker

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strconv"
	"time"

	"github.com/foreshock/foreshock/results"
)

// A Query asks the broker's matrix whether versions may be deployed together.
type Query struct {
	Asked       []Asked
	Environment string // where to; or
	ToMain      bool   // together with the latest of the main branches; or
	ToTag       string // together with the latest of the tag
	Ignore      []Asked
}

// Asked is one participant, and which version of it.
type Asked struct {
	Pacticipant string
	Version     string // or
	Branch      string // the latest of the branch; or
	MainBranch  bool   // the latest of its main branch; or
	Latest      bool   // the latest, of the tag if there is one
	Tag         string
}

// Check says what is wrong with the query.
func (q Query) Check() error {
	if len(q.Asked) == 0 {
		return errors.New("pacticipant: got none, want the name of what is to be deployed")
	}
	for _, a := range q.Asked {
		n := 0
		for _, given := range []bool{a.Version != "", a.Branch != "", a.MainBranch, a.Latest} {
			if given {
				n++
			}
		}
		switch {
		case a.Pacticipant == "":
			return errors.New("pacticipant: got an empty name, want the name of what is to be deployed")
		case n > 1, n == 0 && len(q.Asked) == 1:
			return fmt.Errorf("pacticipant %s: got %d of version, branch, main-branch and latest, want one", a.Pacticipant, n)
		}
	}
	n := 0
	for _, given := range []bool{q.Environment != "", q.ToMain, q.ToTag != ""} {
		if given {
			n++
		}
	}
	if n > 1 {
		return fmt.Errorf("got %d of to-environment, with-main-branches and to, want one", n)
	}
	return nil
}

// An Answer is whether something may be deployed: yes, no or unknown.
type Answer string

// The answers.
const (
	Yes     Answer = "yes"
	No      Answer = "no"
	Unknown Answer = "unknown"
)

// A Matrix is the broker's answer, and the rows that it rests on.
type Matrix struct {
	Answer  Answer
	Reason  string
	Notices []Notice // of type and text
	Rows    []Row
}

// A Row is one pair of versions.
type Row struct {
	Consumer, ConsumerVersion string
	Provider, ProviderVersion string // the version is empty if none was verified
	Result                    Answer // unknown: never verified
	Verified                  time.Time
	Ignored                   bool
	URL                       string // of the result, for people
}

// CanIDeploy asks the matrix.
func (c *Client) CanIDeploy(ctx context.Context, q Query) (Matrix, error) {
	if err := q.Check(); err != nil {
		return Matrix{}, err
	}
	to := c.base.JoinPath("matrix")
	to.RawQuery = q.encode()
	r, err := c.get(ctx, to.String())
	if err != nil {
		return Matrix{}, err
	}
	return matrixOf(r)
}

// encode writes the query as the broker reads it: its parameters repeat, and their
// order says what belongs together.
func (q Query) encode() string {
	var out []byte
	add := func(key, value string) {
		if len(out) > 0 {
			out = append(out, '&')
		}
		out = append(append(append(out, url.QueryEscape(key)...), '='), url.QueryEscape(value)...)
	}
	asked := func(list string, a Asked) {
		add(list+"[][pacticipant]", a.Pacticipant)
		switch {
		case a.Version != "":
			add(list+"[][version]", a.Version)
		case a.Branch != "":
			add(list+"[][branch]", a.Branch)
			add(list+"[][latest]", "true")
		case a.MainBranch:
			add(list+"[][mainBranch]", "true")
			add(list+"[][latest]", "true")
		case a.Latest:
			add(list+"[][latest]", "true")
			if a.Tag != "" {
				add(list+"[][tag]", a.Tag)
			}
		}
	}
	for _, a := range q.Asked {
		asked("q", a)
	}
	add("latestby", map[bool]string{true: "cvpv", false: "cvp"}[len(q.Asked) == 1 || q.Environment != ""])
	switch {
	case q.Environment != "":
		add("environment", q.Environment)
	case q.ToTag != "":
		add("latest", "true")
		add("tag", q.ToTag)
	case q.ToMain:
		add("mainBranch", "true")
		add("latest", "true")
	case len(q.Asked) == 1:
		add("latest", "true")
	}
	for _, a := range q.Ignore {
		asked("ignore", a)
	}
	return string(out)
}

type matrixDoc struct {
	Summary *struct {
		Deployable *bool // null: unknown
		Reason     string
	}
	Notices []struct{ Type, Text string }
	Matrix  []struct {
		Consumer, Provider struct {
			Name    string
			Version *struct{ Number string }
		}
		Result *struct {
			Success    bool
			VerifiedAt string
			Links      map[string]links `json:"_links"`
		} `json:"verificationResult"`
		Ignored bool
	}
}

func matrixOf(r resource) (Matrix, error) {
	var doc matrixDoc
	if err := r.decode(&doc); err != nil {
		return Matrix{}, err
	}
	if doc.Summary == nil {
		return Matrix{}, &Error{
			http.MethodGet, r.at, http.StatusOK, results.CauseNetwork,
			errors.New("a document without summary, want the broker's matrix"),
		}
	}
	m := Matrix{Answer: answer(doc.Summary.Deployable), Reason: doc.Summary.Reason}
	for _, n := range doc.Notices {
		m.Notices = append(m.Notices, Notice{n.Type, n.Text})
	}
	for _, in := range doc.Matrix {
		row := Row{Consumer: in.Consumer.Name, Provider: in.Provider.Name, Ignored: in.Ignored, Result: Unknown}
		if v := in.Consumer.Version; v != nil {
			row.ConsumerVersion = v.Number
		}
		if v := in.Provider.Version; v != nil {
			row.ProviderVersion = v.Number
		}
		if in.Result != nil {
			row.Result = answer(&in.Result.Success)
			row.Verified, _ = time.Parse(time.RFC3339, in.Result.VerifiedAt) // an unreadable time is no time
			if l := in.Result.Links["self"]; len(l) > 0 {
				row.URL = l[0].Href
			}
		}
		m.Rows = append(m.Rows, row)
	}
	return m, nil
}

func answer(yes *bool) Answer {
	switch {
	case yes == nil:
		return Unknown
	case *yes:
		return Yes
	}
	return No
}

// Count returns how many rows have the result; ignored ones do not count.
func (m Matrix) Count(a Answer) int {
	n := 0
	for _, r := range m.Rows {
		if r.Result == a && !r.Ignored {
			n++
		}
	}
	return n
}

// String is the answer in one line.
func (m Matrix) String() string {
	text := string(m.Answer)
	if m.Reason != "" {
		text += ": " + m.Reason
	}
	return text + " (" + strconv.Itoa(m.Count(Yes)) + " verified, " + strconv.Itoa(m.Count(No)) + " failed, " +
		strconv.Itoa(m.Count(Unknown)) + " unknown)"
}
