package junit_test

import (
	"encoding/xml"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/foreshock/foreshock/internal/junit"
)

// What is written parses back, with the counts that CI systems show.
func TestRoundTrip(t *testing.T) {
	t.Parallel()
	s := &junit.Suite{Name: `a "suite" <&>`}
	s.Add("http", "one", time.Second, junit.Passed, "", "")
	s.Add("http", "two", 1234567*time.Nanosecond, junit.Failed, "refused", "got <b>\n]]> & \"x\"\x00\x1b[31m")
	s.Add("tcp", "three", 12*time.Microsecond, junit.Errored, "resolver", "could not look")
	s.Add("tcp", "four", 0, junit.Skipped, "", "does not apply")
	s.Add("tcp", "five", 20*time.Minute, junit.Failed, "", "")
	s.Time = 0.1 + 0.2
	var b strings.Builder
	if err := s.Write(&b); err != nil {
		t.Fatal(err)
	}
	if strings.ContainsAny(b.String(), "\x00\x1b") || !strings.HasPrefix(b.String(), "<?xml version") || !strings.HasSuffix(b.String(), "</testsuite>\n") {
		t.Errorf("got %q, want clean XML that ends its last line", b.String())
	}
	var got junit.Suite
	if err := xml.Unmarshal([]byte(b.String()), &got); err != nil {
		t.Fatal(err)
	}
	got.XMLName = xml.Name{}
	want := junit.Suite{
		Name: `a "suite" <&>`, Tests: 5, Failures: 2, Errors: 1, Skipped: 1, Time: 0.3,
		Cases: []junit.Case{
			{Class: "http", Name: "one", Time: 1},
			{Class: "http", Name: "two", Time: 0.0012, Failure: &junit.Note{Message: "refused", Text: "got <b>\n]]> & \"x\"\uFFFD\uFFFD[31m"}},
			{Class: "tcp", Name: "three", Error: &junit.Note{Message: "resolver", Text: "could not look"}},
			{Class: "tcp", Name: "four", Skipped: &junit.Note{Text: "does not apply"}},
			{Class: "tcp", Name: "five", Time: 1200, Failure: &junit.Note{}}, // a failure without words is still one
		},
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
}

// Times are plain decimals: readers that follow the schema take no exponent.
func TestTimesHaveNoExponent(t *testing.T) {
	t.Parallel()
	for took, want := range map[time.Duration]string{
		0: `time="0"`, time.Nanosecond: `time="0"`, 99 * time.Microsecond: `time="0.0001"`, 1500 * time.Microsecond: `time="0.0015"`, 24 * time.Hour: `time="86400"`,
	} {
		s := &junit.Suite{}
		s.Add("c", "n", took, junit.Passed, "", "")
		var b strings.Builder
		if err := s.Write(&b); err != nil {
			t.Fatal(err)
		}
		if _, line, _ := strings.Cut(b.String(), "<testcase"); !strings.Contains(line, want) {
			t.Errorf("%v: got %s, want %s", took, line, want)
		}
	}
}

func TestWriteFails(t *testing.T) {
	t.Parallel()
	for n := range 3 {
		if err := (&junit.Suite{Name: "s"}).Write(&full{after: n}); !errors.Is(err, errFull) {
			t.Errorf("after %d writes: got %v, want the writer's error", n, err)
		}
	}
}

var errFull = errors.New("disk full")

// full takes some writes and no more.
type full struct{ after int }

func (f *full) Write(b []byte) (int, error) {
	if f.after--; f.after < 0 {
		return 0, errFull
	}
	return len(b), nil
}
