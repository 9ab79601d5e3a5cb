package lab

import "slices"

// What a case adds to its scenario.
const (
	// The catalog does not need the dependency that is cut off.
	catalog = `
checks:
  - name: catalog
    timeout: 1s
    http: {url: "URL/catalog", expect: {status: [200]}}
isolated: [catalog]
`
	gauge = `{resilience4j: {url: "URL/metrics", name: payments}}`
	slow  = `latency: {to: "ADDRESS", latency: 200ms}`

	refused = `reject: {to: "ADDRESS"}`
)

// reconnects is what owners declare whose gRPC connection comes back by itself.
var reconnects = []Line{{"background", "1/s"}} //nolint:gochecknoglobals // a constant, if lists could be

// recent is what owners declare who count the failures of a window.
var recent = []Line{{"window", "4s"}} //nolint:gochecknoglobals // as above

// slowRow is what owners declare who count failures and slow calls in a row.
var slowRow = []Line{{"slow_call", "200ms"}, {"call_timeout", "1s"}} //nolint:gochecknoglobals // as above

func slowInRow(breaker string) Service {
	return Service{Breaker: breaker, SlowCallMS: 200, CallTimeoutMS: 1000}
}

// rolling is what owners declare whose window rolls.
var rolling = []Line{{"failures", ""}, {"failure_rate", "50%"}, {"min_calls", "10"}, {"window", "4s"}} //nolint:gochecknoglobals // a constant, if lists could be

// slowCalls is what owners declare who count slow calls.
var slowCalls = []Line{{"failures", ""}, {"failure_rate", "50%"}, {"slow_call", "100ms"}, {"slow_rate", "50%"}, {"min_calls", "20"}, {"window", `"20 calls"`}} //nolint:gochecknoglobals // as above

func slowly(breaker string) Service {
	return Service{Breaker: breaker, Rate: 0.5, MinCalls: 20, WindowCalls: 20, SlowCallMS: 100, CallTimeoutMS: 300}
}

// wrong is a case in Go whose service differs from the common one by its breaker alone.
func wrong(breaker, summary string, names ...string) Case {
	return Case{Name: "wrong-" + breaker, Language: golang, Summary: summary, Names: names, Service: Service{Breaker: breaker}}
}

func wrongInGo() []Case {
	cases := []Case{
		wrong("never-opens", "never opens", "trips-at-threshold"),
		wrong("opens-early", "opens at the fourth failure", "trips-at-threshold", "not-before-threshold"),
		wrong("opens-at-once", "opens at the first failure", "trips-at-threshold", "not-before-threshold"),
		wrong("opens-late", "opens at the sixth failure", "trips-at-threshold"),
		wrong("opens-at-twice", "opens at the tenth failure", "trips-at-threshold"),
		wrong("warms-up", "does not open before it has seen 60 calls", "trips-at-threshold"),
		wrong("counts-sums", "a success does not end a row of failures", "not-before-threshold"),
		wrong("per-thread", "four threads with a breaker each", "trips-at-threshold"),
		wrong("deaf-to-timeouts", "does not count timeouts", "trips-at-threshold"),
		wrong("short-open", "stays open for half of its time", "quiet-while-open"),
		wrong("jittery-open", "stays open for a quarter to three quarters of its time", "quiet-while-open"),
		wrong("long-open", "stays open for 30 s", "closes-on-success"),
		wrong("backs-off", "stays open nine times as long after a failed probe", "closes-on-success", "reopens-on-failed-probe", "not-stuck"),
		wrong("never-closes", "never closes", "closes-on-success"),
		wrong("half-open-herd", "admits everybody while half open", "half-open-limit"),
		wrong("half-open-extra", "admits three calls while half open", "half-open-limit"),
		wrong("closes-by-timer", "closes when its time is over, without a probe", "half-open-limit", "reopens-on-failed-probe"),
		wrong("forgets-to-reopen", "closes when a probe fails", "reopens-on-failed-probe"),
		wrong("loses-probe", "half open for ever when a probe fails", "not-stuck"),
		wrong("leaks-tenth", "lets one call in ten through while open", "quiet-while-open"),
		wrong("leaks-thirtieth", "lets one call in thirty through while open", "quiet-while-open"),
		wrong("slow-rejection", "rejects after 200 ms", "fails-fast"),
		wrong("waits-to-reject", "rejects after the call timeout", "fails-fast"),
		wrong("slow-tenth", "rejects one call in ten after 150 ms", "fails-fast"),
		wrong("knocks-while-open", "a health check knocks at the dependency while it is open", "quiet-while-open"),
		wrong("retries-behind", "one rejected call in ten is tried again behind the caller's back", "quiet-while-open"),
		wrong("releases-the-queue", "rejected calls are made all at once when it closes", "no-herd-on-recovery"),
	}
	return slices.Concat(cases, wrongOtherwise(), wrongUnseen())
}

// with changes a case.
func (c Case) with(change func(*Case)) Case {
	change(&c)
	return c
}

func wrongOtherwise() []Case {
	return []Case{
		wrong("deaf-to-refusals", "counts timeouts alone, and connections are refused", "trips-at-threshold").
			with(func(c *Case) { c.Fault = refused }),
		wrong("shared", "one breaker for two dependencies", "isolated").
			with(func(c *Case) {
				// Quicker than the catalog's next success, which would end the row of failures.
				c.Service.Failures, c.Declares = 3, []Line{{"failures", "3"}}
				c.More, c.Fault = catalog, refused
			}),
		wrong("closes-early", "closes at the first success of two", "closes-on-success", "half-open-limit").
			with(func(c *Case) {
				c.Service.HalfOpenSuccesses, c.Declares = 2, []Line{{"half_open_successes", "2"}}
			}),
		wrong("gauge-says-closed", "its gauge always says closed", "self-report-agrees").
			with(func(c *Case) { c.Declares = []Line{{"reader", gauge}} }),
		wrong("gauge-says-open", "its gauge always says open", "self-report-agrees").
			with(func(c *Case) { c.Declares = []Line{{"reader", gauge}} }),
		wrong("tumbling-window", "forgets at the edge of a fixed window", "sliding-window").
			with(func(c *Case) {
				c.Service.Rate, c.Service.MinCalls, c.Service.WindowMS, c.Declares = 0.5, 10, 4000, rolling
			}),
		wrong("blind-to-slow", "counts failures, and slow calls are as good as any", "slow-calls-count").
			with(func(c *Case) {
				c.Name, c.Service, c.Declares = "wrong-blind-to-slow-aside", slowly("blind-to-slow"), slowCalls
			}),
		wrong("blind-to-slow", "slow calls are as good as any", "slow-calls-count").
			with(func(c *Case) { c.Service, c.Declares, c.Fault = slowly("blind-to-slow"), slowCalls, slow }),
		wrong("leaks-tenth", "lets one call in ten through while open, on the connection that it has", "quiet-while-open", "fails-fast").
			with(func(c *Case) {
				c.Name, c.Service.HTTP2, c.Fault = "wrong-leaks-latency", true, `latency: {to: "ADDRESS", latency: 1s}`
			}),
		wrong("never-opens", "never opens, over gRPC", "trips-at-threshold").
			with(func(c *Case) {
				c.Name, c.Service.GRPC, c.Declares = "wrong-never-opens-grpc", true, []Line{{"background", "4/s"}}
			}),
		wrong("leaks-tenth", "lets one call in ten through while open, over IPv6", "quiet-while-open").
			with(func(c *Case) { c.Name, c.Host = "wrong-leaks-ipv6", "::1" }),
		wrong("leaks-tenth", "lets one call in ten through while open, and connections are refused at once", "quiet-while-open").
			with(func(c *Case) { c.Name, c.Fault = "wrong-leaks-refused", refused }),
		wrong("opens-late", "opens at the sixth failure, and pooled connections hang", "trips-at-threshold").
			with(func(c *Case) {
				c.Name, c.Fault = "wrong-opens-late-hanging", `drop: {to: "ADDRESS", established: drop}`
			}),
		{
			Name: "wrong-retry-storm", Language: golang, Summary: "tries each call three times and does not say so",
			Names: []string{"retry-discipline"}, Service: Service{Breaker: "plain", Retries: 2},
		},
		{
			Name: "wrong-lies", Language: golang, Summary: "answers as if all were well while open",
			Names:   []string{"answer-while-open", "trips-at-threshold", "fails-fast"},
			Service: Service{Breaker: "plain", Answer: 200, Body: `{"paid": true}`},
		},
		{
			Name: "wrong-answer", Language: golang, Summary: "answers 500 while open, where 503 is declared",
			Names: []string{"answer-while-open"}, Service: Service{Breaker: "plain", Answer: 500},
		},
		{
			Name: "wrong-no-fallback", Language: golang, Summary: "rejects, where a fallback is declared",
			Names: []string{"answer-while-open"}, Service: Service{Breaker: "plain"},
			Declares: []Line{{"rejected", ""}, {"fallback", "{status: [200], body: charge you later}"}},
		},
	}
}

// wrongUnseen are wrong where it is hard to see.
func wrongUnseen() []Case {
	return []Case{
		wrong("never-opens", "never opens, over gRPC as it comes", "trips-at-threshold").
			with(func(c *Case) {
				c.Name, c.Service.GRPC, c.Service.AsItComes, c.Declares, c.Fault = "wrong-never-opens-grpc-refused", true, true, reconnects, refused
			}),
		wrong("opens-late", "opens at the sixth failure, over gRPC as it comes", "trips-at-threshold").
			with(func(c *Case) {
				c.Name, c.Service.GRPC, c.Service.AsItComes, c.Declares, c.Fault = "wrong-opens-late-grpc-refused", true, true, reconnects, refused
			}),
		wrong("opens-early", "opens at the fourth failure, over gRPC as it comes", "trips-at-threshold", "not-before-threshold").
			with(func(c *Case) {
				c.Name, c.Service.GRPC, c.Service.AsItComes, c.Declares, c.Fault = "wrong-opens-early-grpc-refused", true, true, reconnects, refused
			}),
		wrong("half-open-herd", "admits everybody while half open, and connections are refused at once", "half-open-limit").
			with(func(c *Case) { c.Name, c.Fault = "wrong-herd-refused", refused }),
		wrong("half-open-herd", "admits everybody while half open, over connections that it has", "half-open-limit").
			with(func(c *Case) { c.Name, c.Fault = "wrong-herd-pooled-latency", `latency: {to: "ADDRESS", latency: 1s}` }),
		wrong("half-open-herd", "admits everybody while half open, on the connection that it has", "half-open-limit").
			with(func(c *Case) {
				c.Name, c.Service.HTTP2, c.Fault = "wrong-herd-http2-latency", true, `latency: {to: "ADDRESS", latency: 1s}`
			}),
		wrong("half-open-herd", "admits everybody while half open, on the one connection that it has", "half-open-limit").
			with(func(c *Case) { c.Name, c.Service.HTTP2 = "wrong-herd-http2", true }),
		wrong("half-open-herd", "admits everybody while half open, over gRPC as it comes", "half-open-limit").
			with(func(c *Case) {
				c.Name, c.Service.GRPC, c.Service.AsItComes, c.Declares, c.Fault = "wrong-herd-grpc-refused", true, true, reconnects, refused
			}),
		wrong("slow-from-twice", "takes calls for slow from twice the declared time", "slow-calls-count").
			with(func(c *Case) { c.Service, c.Declares = slowInRow("slow-from-twice"), slowRow }),
		wrong("slow-from-half", "takes calls for slow from half of the declared time", "slow-calls-count").
			with(func(c *Case) { c.Service, c.Declares = slowInRow("slow-from-half"), slowRow }),
		wrong("never-forgets", "counts failures for ever, where a window is declared", "sliding-window").
			with(func(c *Case) { c.Service.WindowMS, c.Declares = 4000, recent }),
	}
}

func wrongElsewhere() []Case {
	var cases []Case
	for _, language := range []string{node, python} {
		for _, f := range []struct {
			flaw, summary string
			names         []string
		}{
			{"never-opens", "never opens", []string{"trips-at-threshold"}},
			{"opens-late", "opens at the sixth failure", []string{"trips-at-threshold"}},
			{"leaks", "lets one call in ten through while open", []string{"quiet-while-open"}},
			{"slow-rejection", "rejects after 200 ms", []string{"fails-fast"}},
			{"never-closes", "never closes", []string{"closes-on-success"}},
			{"herd", "admits everybody while half open", []string{"half-open-limit"}},
			{"loses-probe", "half open for ever when a probe fails", []string{"not-stuck"}},
		} {
			cases = append(cases, Case{
				Name: "wrong-" + map[string]string{node: "node-", python: "python-"}[language] + f.flaw, Language: language, Summary: f.summary,
				Names: f.names, Service: Service{Breaker: "plain", Flaw: f.flaw},
			})
		}
	}
	return cases
}
