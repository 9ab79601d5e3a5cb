package nfqueue_test

import (
	"net/netip"
	"slices"
	"testing"
	"time"

	"github.com/foreshock/foreshock/internal/nfqueue"
)

// Whatever a packet holds, no stage panics, nor writes beyond it.
func FuzzStages(f *testing.F) {
	f.Add([]byte{0x45, 0, 0, 28, 0, 0, 0, 0, 64, 17, 0, 0, 127, 0, 0, 1, 127, 0, 0, 1, 0, 53, 0, 53, 0, 8, 0, 0}, 28)
	f.Add([]byte{0x45, 0, 0, 40, 0, 0, 0, 0, 64, 6, 0, 0, 127, 0, 0, 1, 127, 0, 0, 1, 0, 53, 0, 53, 0, 0, 0, 0, 0, 0, 0, 0, 0x50, 2, 0, 0, 0, 0, 0, 0}, 40)
	f.Add(append([]byte{0x60, 0, 0, 0, 0, 8, 0, 64}, make([]byte, 40)...), 48)
	query := []byte{
		0x45, 0, 0, 45, 0, 0, 0, 0, 64, 17, 0, 0, 127, 0, 0, 1, 127, 0, 0, 1, 0x80, 53, 0, 53, 0, 25, 0, 0,
		0, 7, 1, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0, 0, 1, 0, 1,
	}
	f.Add(query, 45)
	f.Fuzz(func(_ *testing.T, data []byte, length int) {
		if len(data) == 0 {
			return
		}
		p := &nfqueue.Packet{Data: slices.Clip(data), Length: max(length, len(data))}
		for _, s := range []nfqueue.Stage{
			&nfqueue.Delay{Latency: time.Second, Jitter: time.Second},
			&nfqueue.Duplicate{Percent: 100},
			&nfqueue.DNS{Answers: map[string]nfqueue.DNSAnswer{"*": {Addresses: []netip.Addr{netip.IPv6Loopback()}}}},
			&nfqueue.Bandwidth{Rate: 1},
			&nfqueue.Corrupt{Percent: 100},
		} {
			s.Decide(p, time.Now())
		}
	})
}
