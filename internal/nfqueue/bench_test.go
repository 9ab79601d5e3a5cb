package nfqueue_test

import (
	"net"
	"net/netip"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"github.com/foreshock/foreshock/internal/nfqueue"
)

// BenchmarkThroughput is how many packets a second one core takes through a queue,
// from the kernel's question to the packet's delivery. A flood comes from another
// process on another core; what this one cannot take goes by unasked, as missed.
func BenchmarkThroughput(b *testing.B) {
	for _, c := range []struct {
		name  string
		stage func() nfqueue.Stage
	}{
		{"headers", func() nfqueue.Stage { return &nfqueue.Delay{} }},
		{"segments", func() nfqueue.Stage { return &nfqueue.Drop{Percent: 1e-9} }},
		{"whole", func() nfqueue.Stage { return &nfqueue.Duplicate{Percent: 1e-9} }},
		{"changed", func() nfqueue.Stage { return &nfqueue.Corrupt{Percent: 100} }},
		{"held", func() nfqueue.Stage { return &nfqueue.Delay{Latency: 100 * time.Millisecond} }},
		{"jitter", func() nfqueue.Stage {
			return &nfqueue.Delay{Latency: 100 * time.Millisecond, Jitter: 20 * time.Millisecond}
		}},
	} {
		b.Run(c.name, func(b *testing.B) {
			q := open(b, c.stage())
			sink, err := net.ListenUDP("udp", &net.UDPAddr{IP: net.IPv4(127, 0, 0, 1)}) // nobody reads: the queue alone is measured
			must(b, err)
			defer sink.Close()
			to := sink.LocalAddr().(*net.UDPAddr).AddrPort()
			lead(b, q, "udp", to)
			pin(0)
			child(b, "-nfqueue.flood", to.String())
			eventually(b, 5*time.Second, "flooded", func() bool { return q.Counters().Received > 100_000 })
			before, cpu := q.Counters(), cpuTime(b)
			b.ResetTimer()
			eventually(b, time.Minute, "through", func() bool { return q.Counters().Received-before.Received >= uint64(b.N) })
			b.StopTimer()
			after := q.Counters()
			n := float64(after.Received - before.Received)
			b.ReportMetric(n/b.Elapsed().Seconds(), "packets/s")
			b.ReportMetric(float64((cpuTime(b)-cpu).Nanoseconds())/n, "cpu-ns/packet")
			b.ReportMetric(float64(after.Missed-before.Missed)/b.Elapsed().Seconds(), "missed/s")
			b.ReportMetric(float64(after.Overflow-before.Overflow)/b.Elapsed().Seconds(), "overflow/s")
		})
	}
}

func cpuTime(tb testing.TB) time.Duration {
	tb.Helper()
	var u unix.Rusage
	must(tb, unix.Getrusage(unix.RUSAGE_SELF, &u))
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}

// BenchmarkRoundTrip is what a packet pays for being asked about.
func BenchmarkRoundTrip(b *testing.B) {
	for _, c := range []struct {
		name  string
		stage nfqueue.Stage
	}{
		{"without", nil},
		{"headers", &nfqueue.Delay{}},
		{"whole", &nfqueue.Duplicate{Percent: 1e-9}},
	} {
		b.Run(c.name, func(b *testing.B) {
			to := echoUDP(b, netip.MustParseAddr("127.0.0.1"))
			if c.stage != nil {
				lead(b, open(b, c.stage), "udp", to)
			}
			conn := dial(b, "udp", to)
			var all []time.Duration
			for b.Loop() {
				all = append(all, ping(b, conn))
			}
			b.ReportMetric(float64(quantile(all, 0.5).Nanoseconds())/1e3, "p50-us")
			b.ReportMetric(float64(quantile(all, 0.99).Nanoseconds())/1e3, "p99-us")
		})
	}
}

// BenchmarkLatency is how exact a delay is, one way at 1,000 packets a second, in
// percent of what was set.
func BenchmarkLatency(b *testing.B) {
	for _, latency := range []time.Duration{5 * time.Millisecond, 20 * time.Millisecond, 100 * time.Millisecond, 500 * time.Millisecond} {
		b.Run(latency.String(), func(b *testing.B) {
			q := open(b, &nfqueue.Delay{Latency: latency})
			all, late := oneWay(b, q, netip.MustParseAddr("127.0.0.1"), max(b.N, 2000), time.Millisecond)
			percent := func(q float64) float64 { return (float64(quantile(all, q))/float64(latency) - 1) * 100 }
			b.ReportMetric(percent(0.5), "p50-%")
			b.ReportMetric(percent(0.95), "p95-%")
			b.ReportMetric(percent(0.99), "p99-%")
			b.ReportMetric(late.Seconds()*1e3, "sender-p99-ms")
		})
	}
}
