package journeys

import "strconv"

// sayOfAct says what was wrong for the actions beyond clicking and typing; "" is not known.
func (e *notReady) sayOfAct() string {
	detail := e.last.Detail
	switch e.last.State {
	case "other address":
		return "is at " + redact(detail)
	case "other title":
		return "is titled " + strconv.Quote(detail)
	case "no value":
		if e.query.Attribute != "" {
			return detail + " has no attribute " + e.query.Attribute
		}
	case "other value":
		return "has " + strconv.Quote(cut(detail, 120))
	case "other dialog":
		if detail == "" {
			return "no dialog opened"
		}
		return "the last one says " + strconv.Quote(cut(detail, 120))
	case "no match":
		return "has nothing that matches, it is " + strconv.Quote(cut(detail, 120))
	case "other elements", "thrown":
		detail = cut(detail, 160)
	}
	if text, ok := plainStates()[e.last.State]; ok {
		return text
	}
	if text, ok := detailedStates()[e.last.State]; ok {
		return text[0] + detail + text[1]
	}
	return ""
}

// plainStates are what to say of states that need no more words.
func plainStates() map[string]string {
	return map[string]string{
		"still checked":   "is still checked, though it was clicked",
		"still unchecked": "is still unchecked, though it was clicked",
		"still there":     "still there",
		"replaced":        "the page replaced it each time that it was pressed",
		"no tab":          "no page has opened a tab",
		"loading":         "the new tab has not loaded",
		"not scrolled":    "did not scroll, though the wheel was turned over it",
		"still so":        "that still holds",
		"false":           "it is still false",
		"not moved":       "no other page was loaded",
	}
}

// detailedStates are what to say before and after the detail of a state.
func detailedStates() map[string][2]string {
	return map[string][2]string{
		"no box":         {"is ", ", want a checkbox, a radio button or a switch"},
		"no file field":  {"is ", ", want an input of type file"},
		"one file":       {"takes one file, got "},
		"other count":    {"there are "},
		"no value":       {"", " has no value"},
		"one option":     {"takes one option, got "},
		"no response":    {},
		"busy":           {},
		"other elements": {},
		"thrown":         {"it "},
		"no box value":   {"is ", ", which takes true, false or its own value"},
		"no frame":       {"there is no "},
		"empty frame":    {"", " has not loaded"},
		"other tabs":     {"there is no such tab, only "},
	}
}
