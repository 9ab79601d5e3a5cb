package nfqueue_test

import (
	"net"
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
