package sakuli

import (
	"time"

	"github.com/grafana/sobek"
)

// args are what a word was called with.
type args struct {
	m    *machine
	list []sobek.Value
}

// at is argument i; one that is not there is undefined.
func (a args) at(i int) sobek.Value { //nolint:ireturn // what JavaScript has is of many types
	if i < len(a.list) {
		return a.list[i]
	}
	return sobek.Undefined()
}

func (a args) has(i int) bool { return !sobek.IsUndefined(a.at(i)) && !sobek.IsNull(a.at(i)) }

func (a args) query(i int) query { return a.m.query(a.at(i)) }

// text is argument i as a text; one that is not there is empty.
func (a args) text(i int) string {
	if !a.has(i) {
		return ""
	}
	return a.at(i).String()
}

func (a args) number(i int) float64 {
	if !a.has(i) {
		return 0
	}
	return a.at(i).ToFloat()
}

func (a args) yes(i int) bool { return a.has(i) && a.at(i).ToBoolean() }

// milliseconds is argument i as a duration, or else if it is not there.
func (a args) milliseconds(i int, or time.Duration) time.Duration {
	if !a.has(i) {
		return or
	}
	return time.Duration(max(a.number(i), 0) * float64(time.Millisecond))
}

// seconds is argument i as a threshold; 0 is none.
func (a args) seconds(i int) time.Duration {
	x := a.number(i)
	if !(x > 0 && x < 1e9) { // not a number is none, too
		return 0
	}
	return time.Duration(x * float64(time.Second))
}
