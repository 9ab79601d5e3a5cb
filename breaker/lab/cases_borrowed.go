package lab

// borrowed are proxies and libraries of other languages that their packages bring, with
// what applies to them declared.
func borrowed() []Case {
	return []Case{
		{
			// It tries by itself, with a connection and not with a call.
			Name: "haproxy", Language: haproxy, Summary: "observe layer7, error-limit and on-error mark-down, and 503 while its server is down",
			Service: Service{Breaker: "passive"},
		}, {
			Name: "circuitbreaker", Language: python, Summary: "circuitbreaker, any number of probes",
			Service: Service{Breaker: "circuitbreaker"}, Declares: []Line{{"half_open_calls", "1000"}, {"half_open_successes", "1"}},
		},
	}
}

// borrowedWrongly are right libraries that are used as they should not be.
func borrowedWrongly() []Case {
	return []Case{
		{
			Name: "wrong-circuitbreaker-deaf", Language: python, Summary: "circuitbreaker, told to count refused connections and no timeouts",
			Names: []string{"trips-at-threshold"}, Service: Service{Breaker: "circuitbreaker", Flaw: "deaf-to-timeouts"},
			Declares: []Line{{"half_open_calls", "1000"}, {"half_open_successes", "1"}},
		}, {
			Name: "wrong-cockatiel-deaf", Language: node, Summary: "cockatiel, told to count refused connections and no timeouts",
			Names: []string{"trips-at-threshold"}, Service: Service{Breaker: "cockatiel", Flaw: "deaf-to-timeouts"},
		}, {
			Name: "wrong-circuitbreaker-each", Language: python, Summary: "circuitbreaker, made anew for each call",
			Names: []string{"trips-at-threshold"}, Service: Service{Breaker: "circuitbreaker", Flaw: "each-call"},
			Declares: []Line{{"half_open_calls", "1000"}, {"half_open_successes", "1"}},
		}, {
			Name: "wrong-cockatiel-each", Language: node, Summary: "cockatiel, four workers with a breaker each",
			Names: []string{"trips-at-threshold"}, Service: Service{Breaker: "cockatiel", Flaw: "each-worker"},
		},
	}
}
