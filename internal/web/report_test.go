package web_test

import "time"

// demoReport is a scenario report as DESIGN.md fixes its fields.
func demoReport(start time.Time) map[string]any {
	type m = map[string]any
	timeline := []m{}
	call := func(from, to, step, ms int, outcome string) {
		for at := from; at < to; at += step {
			jitter := float64((at*7919)%97)/97*0.8 + 0.6
			timeline = append(timeline, m{"at_ms": at, "type": "call", "duration_ms": float64(ms) * jitter, "outcome": outcome})
		}
	}
	call(2000, 12000, 250, 18, "success")
	call(12000, 14000, 330, 300, "failed")
	call(14000, 38000, 300, 2, "rejected")
	call(38000, 38400, 300, 22, "success")
	call(38400, 45000, 250, 19, "success")
	for at := 2000; at < 12000; at += 250 {
		timeline = append(timeline, m{"at_ms": at, "type": "attempt"})
	}
	for _, at := range []int{12000, 12330, 12660, 12990, 13320, 13650, 18200, 24200, 30200, 36200, 38000} {
		timeline = append(timeline, m{"at_ms": at, "type": "attempt"})
	}
	for at := 38400; at < 45000; at += 250 {
		timeline = append(timeline, m{"at_ms": at, "type": "attempt"})
	}
	phase := func(name string, from, to, calls, attempts int, p50, p99, most float64) m {
		return m{"name": name, "from_ms": from, "to_ms": to, "calls": calls, "attempts": attempts, "p50_ms": p50, "p99_ms": p99, "max_ms": most}
	}
	prop := func(id, verdict, expected, observed, detail string) m {
		return m{"id": id, "verdict": verdict, "expected": expected, "observed": observed, "detail": detail}
	}
	return m{
		"schema": "foreshock.scenario/1", "scenario": "payments-outage", "run": demoRun, "verdict": "fail", "exit_code": 1,
		"reason":  "While the breaker was open, 4 connection attempts reached payments.",
		"started": start.Format(time.RFC3339), "duration_ms": 45000,
		"properties": []m{
			prop("trips-at-threshold", "pass", "open after 5 failures", "open after 5 failures, 1.65 s after the fault", ""),
			prop("not-before-threshold", "pass", "closed up to 4 failures", "closed up to 4 failures", ""),
			prop("quiet-while-open", "fail", "0 attempts while open", "4 attempts in 24 s", "The first came 4.2 s after it opened, then one every 6 s: a health check beside the breaker would look like this. Declare background: 0.17/s if it is meant."),
			prop("fails-fast", "pass", "at most 50 ms", "slowest of 80 answers: 2.8 ms", ""),
			prop("half-open-limit", "pass", "at most 1 at a time", "1", ""),
			prop("closes-on-success", "pass", "within 5 s of healing", "closed 2.9 s after healing", ""),
			prop("isolated", "inconclusive", "storefront stays well", "unknown once", "The check could not look once, so nobody knows."),
			prop("slow-calls-count", "skipped", "", "", "No slow_call is declared."),
		},
		"faults": []m{{"kind": "drop", "to": "127.0.0.1:9002", "packets": 61, "attempts": 10, "armed_ms": 12000, "first_hit_ms": 12003, "healed_ms": 36000, "healed_by": "owner"}},
		"phases": []m{
			phase("idle", 0, 2000, 0, 0, 0, 0, 0), phase("baseline", 2000, 12000, 40, 40, 18, 24, 25),
			phase("closed", 12000, 14000, 6, 6, 301, 412, 414), phase("open", 14000, 38000, 80, 4, 2, 3, 3),
			phase("half-open", 38000, 38400, 2, 1, 22, 24, 24), phase("recovered", 38400, 45000, 27, 27, 19, 25, 26),
		},
		"timeline": timeline,
	}
}
