package nfqueue

import (
	"encoding/binary"

	"golang.org/x/sys/unix"
)

const (
	hops      = 64
	udpHeader = 8
)

// reply is the UDP packet that answers another, with another payload.
func reply(packet []byte, l layout, payload []byte) []byte {
	source, target := addresses(packet, l.version)
	length := udpHeader + len(payload)
	var b []byte
	if l.version == 4 {
		b = append(b, 0x45, 0)
		b = binary.BigEndian.AppendUint16(b, uint16(20+length)) //nolint:gosec // some hundred bytes
		b = append(b, 0, 0, 0x40, 0, hops, unix.IPPROTO_UDP, 0, 0)
	} else {
		b = append(b, 0x60, 0, 0, 0)
		b = binary.BigEndian.AppendUint16(b, uint16(length)) //nolint:gosec // as above
		b = append(b, unix.IPPROTO_UDP, hops)
	}
	b = append(b, target.AsSlice()...)
	b = append(b, source.AsSlice()...)
	addrs := b[len(b)-2*source.BitLen()/8:]
	if l.version == 4 {
		binary.BigEndian.PutUint16(b[10:], ^sum(0, b))
	}
	from := len(b)
	b = append(b, packet[l.transport+2:l.transport+4]...) // ports, swapped
	b = append(b, packet[l.transport:l.transport+2]...)
	b = binary.BigEndian.AppendUint16(b, uint16(length)) //nolint:gosec // as above
	b = append(b, 0, 0)
	b = append(b, payload...)
	check := ^sum(uint32(sum(uint32(unix.IPPROTO_UDP+length), addrs)), b[from:]) //nolint:gosec // as above
	if check == 0 {
		check = 0xffff // 0 would say that there is no checksum
	}
	binary.BigEndian.PutUint16(b[from+6:], check)
	return b
}

// sum is the internet's sum of 16 bit words, begun with start.
func sum(start uint32, b []byte) uint16 {
	s := start
	for ; len(b) >= 2; b = b[2:] {
		s += uint32(binary.BigEndian.Uint16(b))
	}
	if len(b) > 0 {
		s += uint32(b[0]) << 8
	}
	for s > 0xffff {
		s = s>>16 + s&0xffff
	}
	return uint16(s)
}
