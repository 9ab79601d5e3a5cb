package nfqueue

import (
	"encoding/binary"
	"hash/maphash"
	"net/netip"
	"time"

	"golang.org/x/sys/unix"
)

// A Packet is one that the kernel asked about. It is valid while Decide runs.
type Packet struct {
	// Data starts with the IP header and is as much as the chain's Need asks for. A
	// stage must not write to it: see Change.
	Data []byte
	// Length is the whole packet's, in bytes.
	Length int

	id      uint32
	mark    uint32 // the packet's own, without the queue's bit
	device  uint32 // index of the device it goes out of or came in by
	seq     uint64 // order of arrival at the heap
	due     time.Time
	stage   int // the next one
	changed bool
	plain   bool     // goes on untouched, whatever a stage did
	send    [][]byte // packets of our own that go with it
	hit     bool     // of the current stage
}

// Cut reports that Data lacks bytes of the packet, so that it cannot be changed.
func (p *Packet) Cut() bool { return len(p.Data) < p.Length }

// Change replaces the bytes of the packet, which must not be cut; its length stays.
func (p *Packet) Change(at int, value byte) {
	if p.Cut() || at < 0 || at >= len(p.Data) {
		return
	}
	p.Data[at] = value
	p.changed, p.hit = true, true
}

// Send sends a packet of our own, from its IP header on, when this one goes on or is
// dropped. It skips the queue. Only for a stage that Needs Whole.
func (p *Packet) Send(packet []byte) {
	p.send = append(p.send, packet)
	p.hit = true
}

func (p *Packet) reset() {
	data := p.Data[:0]
	if cap(data) > keepBuffer {
		data = nil
	}
	*p = Packet{Data: data}
}

// keepBuffer is the largest buffer that is kept for a later packet, in bytes.
const keepBuffer = 2048

// A layout says where things are in a packet.
type layout struct {
	version   byte
	protocol  byte // of the transport; 0 when it is not there, as in a later fragment
	transport int  // offset of the transport's header
	payload   int  // offset of the transport's payload
	end       int  // where the packet ends
}

// parse finds the headers; ok is false for what is no whole IP header.
func parse(b []byte) (l layout, ok bool) {
	if len(b) < 1 {
		return l, false
	}
	switch l.version = b[0] >> 4; l.version {
	case 4:
		ok = l.parse4(b)
	case 6:
		ok = l.parse6(b)
	}
	if !ok {
		return layout{}, false
	}
	l.payload = l.transport
	switch l.protocol {
	case unix.IPPROTO_UDP:
		l.payload += 8
	case unix.IPPROTO_TCP:
		if len(b) > l.transport+12 {
			l.payload += int(b[l.transport+12]>>4) * 4
		}
	}
	return l, true
}

func (l *layout) parse4(b []byte) bool {
	if len(b) < 20 {
		return false
	}
	l.transport = int(b[0]&0x0f) * 4
	l.end = int(binary.BigEndian.Uint16(b[2:]))
	if l.transport < 20 || l.end < l.transport {
		return false
	}
	if binary.BigEndian.Uint16(b[6:])&0x1fff == 0 { // the first fragment, or all of it
		l.protocol = b[9]
	}
	return true
}

func (l *layout) parse6(b []byte) bool {
	if len(b) < 40 {
		return false
	}
	next := b[6]
	l.transport = 40
	l.end = 40 + int(binary.BigEndian.Uint16(b[4:]))
	for {
		rest := b[min(l.transport, len(b)):]
		switch next {
		case unix.IPPROTO_HOPOPTS, unix.IPPROTO_ROUTING, unix.IPPROTO_DSTOPTS:
			if len(rest) < 8 {
				return true
			}
			next = rest[0]
			l.transport += int(rest[1])*8 + 8
		case unix.IPPROTO_FRAGMENT:
			if len(rest) < 8 || binary.BigEndian.Uint16(rest[2:])&0xfff8 != 0 {
				return true
			}
			next = rest[0]
			l.transport += 8
		default:
			l.protocol = next
			return true
		}
	}
}

func addresses(b []byte, version byte) (source, target netip.Addr) {
	if version == 4 {
		return netip.AddrFrom4([4]byte(b[12:16])), netip.AddrFrom4([4]byte(b[16:20]))
	}
	return netip.AddrFrom16([16]byte(b[8:24])), netip.AddrFrom16([16]byte(b[24:40]))
}

// flow is the same for all packets of one direction of one connection. Two
// connections may share one, which only keeps them in one order.
func (p *Packet) flow(seed maphash.Seed) uint64 {
	l, ok := parse(p.Data)
	if !ok {
		return 0
	}
	var key [37]byte
	if l.version == 4 {
		copy(key[:], p.Data[12:20])
	} else {
		copy(key[:], p.Data[8:40])
	}
	key[32] = l.protocol
	if (l.protocol == unix.IPPROTO_TCP || l.protocol == unix.IPPROTO_UDP) && len(p.Data) >= l.transport+4 {
		copy(key[33:], p.Data[l.transport:l.transport+4])
	}
	return maphash.Bytes(seed, key[:])
}
