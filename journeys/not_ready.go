package journeys

import (
	"fmt"
	"strconv"
)

// sayOfAct says what was wrong for the actions beyond clicking and typing; "" is not known.
func (e *notReady) sayOfAct() string {
	switch e.last.State {
	case "no box":
		return "is " + e.last.Detail + ", want a checkbox, a radio button or a switch"
	case "still checked", "still unchecked":
		return "is " + e.last.State + ", though it was clicked"
	case "no file field":
		return "is " + e.last.Detail + ", want an input of type file"
	case "one file":
		return "takes one file, got " + e.last.Detail
	case "other address":
		return "is at " + redact(e.last.Detail)
	case "other title":
		return "is titled " + strconv.Quote(e.last.Detail)
	case "other count":
		return "there are " + e.last.Detail
	case "still there":
		return "still there"
	case "no value":
		what := "value"
		if e.query.Attribute != "" {
			what = "attribute " + e.query.Attribute
		}
		return fmt.Sprintf("%s has no %s", e.last.Detail, what)
	case "other value":
		return "has " + strconv.Quote(cut(e.last.Detail, 120))
	case "other dialog":
		if e.last.Detail == "" {
			return "no dialog opened"
		}
		return "the last one says " + strconv.Quote(cut(e.last.Detail, 120))
	case "no match":
		return "has nothing that matches, it is " + strconv.Quote(cut(e.last.Detail, 120))
	case "one option":
		return "takes one option, got " + e.last.Detail
	case "no tab":
		return "no page has opened a tab"
	case "loading":
		return "the new tab has not loaded"
	case "not scrolled":
		return "did not scroll, though the wheel was turned over it"
	case "no response", "busy":
		return e.last.Detail
	}
	return e.sayOfWait()
}

// sayOfWait says what was wrong for the actions that only wait, and for frames.
func (e *notReady) sayOfWait() string {
	switch e.last.State {
	case "other elements":
		return cut(e.last.Detail, 160)
	case "still so":
		return "that still holds"
	case "false":
		return "it is still false"
	case "thrown":
		return "it " + cut(e.last.Detail, 160)
	case "not moved":
		return "no other page was loaded"
	case "no box value":
		return "is " + e.last.Detail + ", which takes true, false or its own value"
	case "no frame":
		return "there is no " + e.last.Detail
	case "empty frame":
		return e.last.Detail + " has not loaded"
	case "other tabs":
		return "there is no such tab, only " + e.last.Detail
	}
	return ""
}
