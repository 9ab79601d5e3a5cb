package lab

import "slices"

// The languages of services.
const (
	golang = "Go"
	node   = "Node"
	python = "Python"
	nginx  = "nginx"

	haproxy = "haproxy"
)

// Cases lists every case: the right ones first.
func Cases() []Case {
	return slices.Concat(ours(), ourHardships(), libraries(), rightElsewhere(), borrowed(), wrongInGo(), wrongElsewhere(), borrowedWrongly())
}

// byRate is what owners declare whose breaker counts in windows of calls.
func byRate(window string) []Line {
	return []Line{{"failures", ""}, {"failure_rate", "50%"}, {"min_calls", "20"}, {"window", window}}
}

// ours is our own breaker.
func ours() []Case {
	return []Case{
		{
			Name: "foreshock", Language: golang, Summary: "our own",
			Service: Service{Breaker: "foreshock"},
		}, {
			Name: "foreshock-fresh", Language: golang, Summary: "our own, a new connection for each call",
			Service: Service{Breaker: "foreshock", Fresh: true},
		}, {
			Name: "foreshock-http2", Language: golang, Summary: "our own, all calls on one HTTP/2 connection",
			Service: Service{Breaker: "foreshock", HTTP2: true},
		}, {
			Name: "foreshock-grpc", Language: golang, Summary: "our own, before the calls of a gRPC connection that reconnects by itself",
			Service: Service{Breaker: overGRPC, GRPC: true}, Declares: []Line{{"background", "4/s"}},
		}, {
			Name: "foreshock-grpc-refused", Language: golang, Summary: "our own, before a gRPC connection as it comes, where the dependency refuses connections",
			Service: Service{Breaker: overGRPC, GRPC: true, AsItComes: true}, Declares: reconnects, Fault: refused, More: "recovers_in: 10s",
		}, {
			Name: "foreshock-grpc-as-it-comes", Language: golang, Summary: "our own, before a gRPC connection as it comes, which is long in coming back",
			Service: Service{Breaker: overGRPC, GRPC: true, AsItComes: true}, Declares: reconnects, More: "recovers_in: 30s",
		}, {
			Name: "foreshock-health-check", Language: golang, Summary: "our own, and a TCP health check of the dependency every second",
			Service: Service{Breaker: "foreshock", HealthCheck: 1000}, Declares: []Line{{"background", "1/s"}},
		}, {
			Name: "foreshock-pool-refill", Language: golang, Summary: "our own, and a pool that refills itself",
			Service: Service{Breaker: "foreshock", Spare: true}, Declares: []Line{{"background", "1/s"}},
		}, {
			Name: "foreshock-fallback", Language: golang, Summary: "our own, and callers get a fallback",
			Service:  Service{Breaker: "foreshock", Answer: 200, Body: `{"note": "we charge you later"}`},
			Declares: []Line{{"rejected", ""}, {"fallback", "{status: [200], body: charge you later}"}},
		}, {
			Name: "foreshock-half-open-two", Language: golang, Summary: "our own, two probes",
			Service: Service{Breaker: "foreshock", HalfOpenCalls: 2}, Declares: []Line{{"half_open_calls", "2"}},
		}, {
			Name: "foreshock-retries", Language: golang, Summary: "our own, and a failed call is tried once more, as declared",
			Service: Service{Breaker: "foreshock", Failures: 6, Retries: 1}, Declares: []Line{{"failures", "6"}, {"retries", "1"}},
		}, {
			Name: "foreshock-refused", Language: golang, Summary: "our own, and the dependency refuses connections",
			Service: Service{Breaker: "foreshock"}, Fault: `reject: {to: "ADDRESS"}`,
		}, {
			Name: "foreshock-two", Language: golang, Summary: "our own, one for each of two dependencies",
			Service: Service{Breaker: "foreshock"}, More: catalog,
		}, {
			Name: "foreshock-gauge", Language: golang, Summary: "our own, and its gauge is read",
			Service: Service{Breaker: "foreshock"}, Declares: []Line{{"reader", gauge}},
		},
	}
}

// ourHardships is our own breaker where it is hard to see.
func ourHardships() []Case {
	return []Case{
		{
			Name: "foreshock-established-drop", Language: golang, Summary: "our own, and pooled connections hang",
			Service: Service{Breaker: "foreshock"}, Fault: `drop: {to: "ADDRESS", established: drop}`,
		}, {
			Name: "foreshock-latency", Language: golang, Summary: "our own, and the dependency is slower than the call timeout",
			Service: Service{Breaker: "foreshock"}, Fault: `latency: {to: "ADDRESS", latency: 1s}`,
		}, {
			Name: "foreshock-patient", Language: golang, Summary: "our own, and its call timeout is longer than its open time",
			Service: Service{Breaker: "foreshock", Failures: 3, CallTimeoutMS: 2500}, Patience: "4s",
			Declares: []Line{{"failures", "3"}, {"call_timeout", "2500ms"}},
		}, {
			Name: "foreshock-neighbour", Language: golang, Summary: "our own, and another client calls the dependency",
			Service: Service{Breaker: "foreshock", Neighbour: true},
		}, {
			Name: "foreshock-ipv6", Language: golang, Summary: "our own, over IPv6",
			Service: Service{Breaker: "foreshock"}, Host: "::1",
		}, {
			Name: "foreshock-by-name", Language: golang, Summary: "our own, and the dependency is known by a name with two addresses",
			Service: Service{Breaker: "foreshock"}, Host: byName,
		}, {
			Name: "foreshock-by-name-refused", Language: golang, Summary: "our own, and a dependency with a name of two addresses refuses connections",
			Service: Service{Breaker: "foreshock"}, Host: byName, Fault: refused,
		},
	}
}

// libraries are the breakers of others, and the model.
func libraries() []Case {
	return []Case{
		{
			Name: "gobreaker-v1", Language: golang, Summary: "github.com/sony/gobreaker",
			Service: Service{Breaker: "gobreaker-v1"},
		}, {
			Name: "gobreaker-v2", Language: golang, Summary: "github.com/sony/gobreaker/v2",
			Service: Service{Breaker: "gobreaker-v2"},
		}, {
			Name: "failsafe-go", Language: golang, Summary: "github.com/failsafe-go/failsafe-go",
			Service: Service{Breaker: "failsafe"},
		}, {
			Name: "eapache", Language: golang, Summary: "github.com/eapache/go-resiliency, any number of probes",
			Service: Service{Breaker: "eapache", HalfOpenSuccesses: 1}, Declares: []Line{{"half_open_calls", "1000"}, {"half_open_successes", "1"}},
		}, {
			Name: "hystrix-go", Language: golang, Summary: "github.com/afex/hystrix-go, by rate",
			Service: Service{Breaker: "hystrix", Rate: 0.5, MinCalls: 20}, Declares: byRate("10s"),
		}, {
			Name: "plain", Language: golang, Summary: "the model that the wrong ones are made of",
			Service: Service{Breaker: "plain"},
		}, {
			Name: "plain-backs-off", Language: golang, Summary: "the model, open for twice as long after a failed probe, as declared",
			Service: Service{Breaker: "doubles"}, Declares: []Line{{"open_for", "{first: 2s, factor: 2, max: 1m}"}},
		}, {
			Name: "plain-jitter", Language: golang, Summary: "the model, and its open time varies by a quarter, as declared",
			Service: Service{Breaker: "varies"}, Declares: []Line{{"open_for", "{first: 2s, jitter: 25%}"}},
		}, {
			Name: "plain-window", Language: golang, Summary: "the model, by rate in a window of time",
			Service: Service{Breaker: "plain", Rate: 0.5, MinCalls: 10, WindowMS: 4000}, Declares: rolling,
		}, {
			Name: "plain-recent", Language: golang, Summary: "the model, by failures in a window of time",
			Service: Service{Breaker: "plain", WindowMS: 4000}, Declares: recent,
		}, {
			Name: "plain-slow-calls", Language: golang, Summary: "the model, counting slow calls",
			Service: slowly("plain"), Declares: slowCalls, Fault: slow,
		}, {
			Name: "plain-slow-aside", Language: golang, Summary: "the model, counting failures and slow calls",
			Service: slowly("plain"), Declares: slowCalls,
		}, {
			Name: "plain-slow-row", Language: golang, Summary: "the model, counting failures and slow calls in a row",
			Service: slowInRow("plain"), Declares: slowRow,
		}, {
			Name: "plain-two-successes", Language: golang, Summary: "the model, one probe at a time and two successes to close",
			Service: Service{Breaker: "plain", HalfOpenSuccesses: 2}, Declares: []Line{{"half_open_successes", "2"}},
		},
	}
}

func rightElsewhere() []Case {
	return []Case{
		{
			Name: "opossum", Language: node, Summary: "opossum, by rate",
			Service: Service{Breaker: "opossum", Rate: 0.5, MinCalls: 20}, Declares: byRate("10s"),
		}, {
			Name: "cockatiel", Language: node, Summary: "cockatiel, failures in a row",
			Service: Service{Breaker: "cockatiel"},
		}, {
			Name: "node-plain", Language: node, Summary: "a breaker of thirty lines",
			Service: Service{Breaker: "plain"},
		}, {
			Name: "python-plain", Language: python, Summary: "a breaker of thirty lines, in a server of threads",
			Service: Service{Breaker: "plain"},
		}, {
			// It counts in whole seconds: more than two are up to three.
			Name: "nginx", Language: nginx, Summary: "max_fails and fail_timeout, and a backup that answers 503",
			Service: Service{Breaker: "passive"}, Declares: []Line{{"open_for", "{first: 2500ms, jitter: 20%}"}},
		},
	}
}
