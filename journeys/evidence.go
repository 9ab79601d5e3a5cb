package journeys

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/foreshock/foreshock/internal/kind"
	"github.com/foreshock/foreshock/results"
)

// evidenceKept bounds what one run keeps, in bytes.
const evidenceKept = 4 << 20

// Evidence says when a run keeps what it saw beside its timings: a picture, the film
// strip, the requests, the console and the page.
type Evidence string

// When evidence is kept.
const (
	EvidenceOnFailure Evidence = "on-failure"
	EvidenceAlways    Evidence = "always"
	EvidenceNever     Evidence = "never"
)

func (e Evidence) check() error {
	switch e {
	case EvidenceOnFailure, EvidenceAlways, EvidenceNever:
		return nil
	}
	return kind.At("evidence", errors.New(kind.UnknownWord("time to keep evidence", string(e),
		[]string{string(EvidenceOnFailure), string(EvidenceAlways), string(EvidenceNever)})))
}

// A locker takes evidence until it is full. What matters most is put in first.
type locker struct {
	span  *results.Span // of the step that the evidence is about
	left  int           // bytes
	notes []string      // what is missing, and why
}

func (l *locker) put(span *results.Span, name, mediaType string, data []byte) {
	if len(data) > l.left {
		l.note("%s: %d KiB are more than the %d KiB that are left of %d", name, len(data)>>10, l.left>>10, evidenceKept>>10)
		return
	}
	l.left -= len(data)
	span.Attach(name, mediaType, data)
}

func (l *locker) note(format string, args ...any) {
	l.notes = append(l.notes, fmt.Sprintf(format, args...))
}

// keep puts what the run saw beside the step of span: the picture first, then the
// requests, the console, the page, and of the film the newest frames. A browser that
// is gone leaves what was told before.
func (p *Page) keep(ctx context.Context, span *results.Span, picture string) {
	l := &locker{span: span, left: evidenceKept}
	r := p.redactor()
	ctx, cancel := context.WithDeadline(ctx, evidenceEnd(ctx))
	defer cancel()
	var html []byte
	if p.lost() == nil {
		p.keepPicture(ctx, l, picture)
		var err error
		if html, err = p.dom(ctx, r); err != nil {
			l.note("page.html: the page did not answer: %v", p.mask(err.Error()))
		}
	} else {
		l.note("%s, page.html: the page is gone", picture)
	}
	p.keepRequests(l, r)
	p.keepConsole(l, r)
	if html != nil {
		l.put(span, "page.html", "text/html", html)
	}
	p.keepFilm(l)
	if len(l.notes) > 0 {
		span.Attach("left-out.txt", "text/plain", []byte(strings.Join(l.notes, "\n")+"\n"))
	}
}

// evidenceEnd leaves a run that is near its deadline the time to end well before it.
func evidenceEnd(ctx context.Context) time.Time {
	end := time.Now().Add(evidenceLimit)
	if deadline, ok := ctx.Deadline(); ok && deadline.Add(-100*time.Millisecond).Before(end) {
		return deadline.Add(-100 * time.Millisecond)
	}
	return end
}

func (p *Page) keepPicture(ctx context.Context, l *locker, name string) {
	png, err := p.capture(ctx)
	if err != nil {
		l.note("%s: no picture: %v", name, err)
		return
	}
	l.put(l.span, name, "image/png", png)
}

// keepRequests leaves out the oldest that are too many.
func (p *Page) keepRequests(l *locker, r redactor) {
	log := p.watch.requests.har(r)
	dropped := p.watch.requests.dropped
	data, err := indented(log)
	for err == nil && len(data) > l.left/2 && len(log.Log.Entries) > 1 {
		half := len(log.Log.Entries) / 2
		dropped += half
		log.Log.Entries = log.Log.Entries[half:]
		data, err = indented(log)
	}
	if dropped > 0 {
		l.note("network.har: the first %d requests", dropped)
	}
	if err != nil {
		l.note("network.har: %v", err)
		return
	}
	l.put(l.span, "network.har", "application/json", data)
}

func (p *Page) keepConsole(l *locker, r redactor) {
	lines, dropped := p.watch.console.transcript(r)
	if dropped > 0 {
		l.note("console.json: the first %d lines", dropped)
	}
	var out bytes.Buffer
	out.WriteString("[")
	for i, line := range lines {
		data, err := json.Marshal(line)
		if err != nil {
			l.note("console.json: %v", err)
			return
		}
		out.WriteString(map[bool]string{true: "\n", false: ",\n"}[i == 0])
		out.Write(data)
	}
	out.WriteString("\n]\n")
	l.put(l.span, "console.json", "application/json", out.Bytes())
}

// keepFilm puts the newest frames first, since the oldest are the least of use.
func (p *Page) keepFilm(l *locker) {
	dropped := p.film.dropped
	for i, f := range slices.Backward(p.film.frames) {
		if len(f.data) > l.left {
			dropped += i + 1
			break
		}
		l.put(f.span, "film", "image/jpeg", f.data)
	}
	if dropped > 0 {
		l.note("film: the first %d frames", dropped)
	}
}

func indented(v any) ([]byte, error) {
	var out bytes.Buffer
	e := json.NewEncoder(&out)
	e.SetEscapeHTML(false) // or a secret would look other than it is
	e.SetIndent("", " ")
	err := e.Encode(v)
	return out.Bytes(), err
}

// condition says in a line what beside the page was wrong: requests, the console, and
// what had not come yet. It is empty if all was well.
func (p *Page) condition() string {
	var out []string
	if n, first := p.watch.requests.failed(); n == 1 {
		out = append(out, "1 request failed: "+first)
	} else if n > 1 {
		out = append(out, fmt.Sprintf("%d requests failed, first: %s", n, first))
	}
	if text := p.watch.traffic.wrong(notLoaded); text != "" {
		out = append(out, text)
	}
	if n, one := p.watch.traffic.pending(p.watch.document()); n == 1 {
		out = append(out, "1 request was under way: "+redact(one))
	} else if n > 1 {
		out = append(out, fmt.Sprintf("%d requests were under way, such as %s", n, redact(one)))
	}
	return cut(p.mask(strings.Join(out, "; ")), 300)
}

// filming reports whether frames are shot at all: not if they are never kept.
func (c *Check) filming() bool { return c.evidence != EvidenceNever }

// wants reports whether the evidence of a run is kept that failed or not: not of one
// that was stopped, which says nothing.
func (c *Check) wants(ctx context.Context, failed bool) bool {
	if errors.Is(ctx.Err(), context.Canceled) {
		return false
	}
	return c.evidence == EvidenceAlways || c.evidence == EvidenceOnFailure && failed
}

// elapsed is how long the run of rec has taken.
func elapsed(rec *results.Recorder) time.Duration { return time.Since(rec.Start()) }
