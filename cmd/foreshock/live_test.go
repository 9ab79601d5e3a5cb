package main

import (
	"context"
	"errors"
	"fmt"
	"regexp"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/foreshock/foreshock/results"
)

// A screen shows what a terminal would: text, lines, and moves up that clear the rest.
type screen struct{ lines []string }

func (s *screen) Write(b []byte) (int, error) {
	text := string(b)
	for text != "" {
		if m := regexp.MustCompile(`^\x1b\[(\d+)A\x1b\[J`).FindStringSubmatch(text); m != nil {
			n, _ := strconv.Atoi(m[1])
			s.lines = s.lines[:len(s.lines)-n] // fails where it moves above the top
			text = text[len(m[0]):]
			continue
		}
		line, rest, _ := strings.Cut(text, "\n")
		s.lines, text = append(s.lines, line), rest
	}
	return len(b), nil
}

// walked records a run of three steps: well, slow and failed, with one not reached.
func walked(t *testing.T, l *live, check string) {
	t.Helper()
	rec := results.NewRecorder()
	l.watch(check, rec)
	rec.Add(results.Step{Name: "connect", Duration: 3 * time.Millisecond})
	_ = rec.Step(t.Context(), "look", func(ctx context.Context, s *results.Span) error {
		s.Limit(time.Nanosecond, 9*time.Second)
		return rec.Step(ctx, "open hunter2", func(context.Context, *results.Span) error { return nil })
	})
	_ = rec.Step(t.Context(), "buy", func(ctx context.Context, _ *results.Span) error {
		return rec.Step(ctx, "click #buy", func(context.Context, *results.Span) error {
			return results.Fault(results.CauseTimeout, errors.New("click #buy: no such element"+strings.Repeat(" as wanted", 12)+"\x1b[2J"))
		})
	})
	rec.Add(results.Step{Name: "pay", Status: results.Unknown, Cause: results.CauseStopped, Error: "not reached"})
}

func TestLiveInPlace(t *testing.T) {
	t.Parallel()
	s := &screen{}
	l := &live{out: s, terminal: true, mask: func(s string) string { return strings.ReplaceAll(s, "hunter2", "***") }}
	walked(t, l, "shop")
	fmt.Fprintln(l, "a line of the log")
	got := regexp.MustCompile(`\d[\d.]* ms`).ReplaceAllString(strings.Join(s.lines, "\n"), "N ms")
	got = regexp.MustCompile(`took \S+, want`).ReplaceAllString(got, "took N, want")
	got = regexp.MustCompile(` {2,}`).ReplaceAllString(got, "  ")
	const want = `✓ connect  N ms
! look  N ms  warning 1ns, critical 9s
  slow: took N, want at most 1ns
  ✓ open ***  N ms
✗ buy  N ms
  ✗ click #buy  N ms
  timeout: no such element as wanted as wanted as wanted as wanted as wanted
  as wanted as wanted as wanted as wanted as wanted as wanted as wanted [2J
· pay  not reached
a line of the log`
	if got != want {
		t.Errorf("got\n%s\nwant\n%s", got, want)
	}
	for _, line := range s.lines {
		if n := len([]rune(line)); n > 80 {
			t.Errorf("got %d columns, which the terminal would break: %q", n, line)
		}
	}
}

// What is under way is drawn with its time, and not more of it than there is room for.
func TestLiveUnderWay(t *testing.T) {
	t.Parallel()
	s := &screen{}
	l := &live{out: s, terminal: true, mask: func(s string) string { return s }}
	rec := results.NewRecorder()
	l.watch("shop", rec)
	_ = rec.Step(t.Context(), "long", func(ctx context.Context, _ *results.Span) error {
		for i := range 40 {
			_ = rec.Step(ctx, fmt.Sprint("action ", i), func(context.Context, *results.Span) error { return nil })
		}
		if len(s.lines) != 23 || !strings.Contains(s.lines[22], "✓ action 39") {
			t.Errorf("got %d lines that end with %q, want the last 23 of 41", len(s.lines), s.lines[len(s.lines)-1])
		}
		return rec.Step(ctx, "last", func(context.Context, *results.Span) error {
			if got := s.lines[22]; !strings.Contains(got, "▸ last") || !strings.HasSuffix(got, "ms") {
				t.Errorf("got %q, want what goes on and since when", got)
			}
			return nil
		})
	})
	if len(s.lines) != 42 {
		t.Errorf("got %d lines, want all 42 to stay", len(s.lines))
	}
}

// Without a terminal each step is a line as it ends, and whose it is if there are several.
func TestLivePlain(t *testing.T) {
	t.Parallel()
	s := &screen{}
	l := &live{out: s, several: true, mask: func(s string) string { return s }}
	walked(t, l, "shop")
	got := strings.Join(s.lines, "\n")
	for _, want := range []string{"shop              ✓ connect", "shop              ▸ look\nshop                ✓ open", "shop              ! look", "  ✗ click #buy"} {
		if !strings.Contains(got, want) {
			t.Errorf("got\n%s\nwant %q in it", got, want)
		}
	}
	if strings.Contains(got, "\x1b") {
		t.Errorf("got %q, want no control", got)
	}
}

func TestWrap(t *testing.T) {
	t.Parallel()
	got := wrap("one two "+strings.Repeat("x", 45)+" three four five six seven", 20)
	want := []string{"one two", strings.Repeat("x", 20), strings.Repeat("x", 20), "xxxxx three four", "five six seven"}
	if strings.Join(got, "|") != strings.Join(want, "|") {
		t.Errorf("got %q, want %q", got, want)
	}
}
