package scenarios

import (
	"slices"

	"github.com/foreshock/foreshock/breaker/verdict"
)

// fix is what the one who has to mend a breaker with that failed property does first.
func fix(id string) string {
	return map[string]string{
		"trips-at-threshold":      "Let it open at the declared threshold: count timeouts, resets and refusals alike, in one breaker for all threads; or declare the threshold that it has.",
		"not-before-threshold":    "Compare with the declared threshold, and let a success end a row of failures; or declare the lower threshold.",
		"quiet-while-open":        "Find what calls the dependency past the breaker (a retry, a health check, a second client, an open time that is too short) and put it behind the breaker; or declare it as background.",
		"fails-fast":              "Reject before anything waits: the breaker belongs before retries, pools and queues, and not behind them.",
		"half-open-limit":         "Admit no more than the declared number of calls while half open and reject the others; or declare the number that it admits.",
		"reopens-on-failed-probe": "Let one failed probe open it again, for its whole open time.",
		"closes-on-success":       "Let the declared number of good probes close it; look for an open time or a back-off that is longer than declared.",
		"sliding-window":          "Count in a window that slides, so that failures on both sides of an edge add up.",
		"slow-calls-count":        "Count answers that are slower than slow_call as failures, or give calls a timeout below it.",
		"no-herd-on-recovery":     "Do not queue rejected calls to make them later, and do not fill the pool all at once.",
		"isolated":                "Give each dependency a breaker, a pool and threads of its own, so that one outage takes nothing else with it.",
		"answer-while-open":       "Give callers the declared answer whenever it is open; or declare the answer that they get.",
		"self-report-agrees":      "Report the state of the breaker that guards this path, at the moment when it changes.",
		"not-stuck":               "Give each half-open probe a deadline, and count one whose caller has left as failed, so that the next call may try.",
		"retry-discipline":        "Take out the undeclared retries, or declare them as breaker.retries.",
	}[id]
}

// propertyLines are the properties with what to mend of those that failed. What follows
// from a breaker that never opened has no cause of its own.
func propertyLines(ps []verdict.Property, opened bool) (lines []PropertyLine) {
	never := !opened && slices.ContainsFunc(ps, func(p verdict.Property) bool { return p.ID == "trips-at-threshold" && p.Verdict == verdict.Fail })
	follows := []string{"quiet-while-open", "fails-fast", "answer-while-open"}
	for _, p := range ps {
		l := PropertyLine{ID: p.ID, Verdict: p.Verdict, Expected: singular(p.Expected), Observed: singular(p.Observed), Detail: singular(p.Detail), FromMS: ms(p.Start), ToMS: ms(p.End)}
		switch {
		case p.Verdict != verdict.Fail:
		case never && slices.Contains(follows, p.ID):
			l.Fix = "It never opened: mend trips-at-threshold first."
		default:
			l.Fix = fix(p.ID)
		}
		lines = append(lines, l)
	}
	return lines
}
