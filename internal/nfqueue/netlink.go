package nfqueue

import (
	"encoding/binary"
	"errors"
	"fmt"
	"syscall"
	"time"

	"golang.org/x/sys/unix"
)

// From linux/netfilter/nfnetlink_queue.h and linux/netfilter.h; golang.org/x/sys does
// not have them.
const (
	msgPacket       = unix.NFNL_SUBSYS_QUEUE<<8 + 0
	msgVerdict      = unix.NFNL_SUBSYS_QUEUE<<8 + 1
	msgConfig       = unix.NFNL_SUBSYS_QUEUE<<8 + 2
	msgVerdictBatch = unix.NFNL_SUBSYS_QUEUE<<8 + 3

	cfgCommand = 1
	cfgParams  = 2
	cfgLength  = 3
	cfgMask    = 4
	cfgFlags   = 5

	commandBind = 1
	copyPacket  = 2

	flagFailOpen = 1 << 0 // what does not fit goes on
	flagGSO      = 1 << 2 // packets as large as the host has them

	attrHeader   = 1
	attrVerdict  = 2
	attrMark     = 3
	attrInDev    = 5
	attrOutDev   = 6
	attrPayload  = 10
	attrLength   = 13
	attrKindMask = 0x3fff

	verdictDrop   = 0
	verdictRepeat = 4

	nlHeader   = 16
	nfHeader   = 4
	nlaHeader  = 4
	headers    = 128
	wholeLimit = 0xffff - nlaHeader // what the kernel can hand over

	bindWait = time.Second
)

// header begins a message to the kernel about a queue; finish sets its length.
func header(b []byte, kind, flags, num uint16) []byte {
	order := binary.NativeEndian
	b = append(b, 0, 0, 0, 0)
	b = order.AppendUint16(b, kind)
	b = order.AppendUint16(b, unix.NLM_F_REQUEST|flags)
	b = append(b, 0, 0, 0, 0, 0, 0, 0, 0) // sequence number and port
	b = append(b, unix.AF_UNSPEC, 0)
	return binary.BigEndian.AppendUint16(b, num)
}

func finish(b []byte, from int) {
	binary.NativeEndian.PutUint32(b[from:], uint32(len(b)-from)) //nolint:gosec // less than 70,000
}

func appendAttr(b []byte, kind uint16, value []byte) []byte {
	b = binary.NativeEndian.AppendUint16(b, uint16(nlaHeader+len(value))) //nolint:gosec // at most wholeLimit
	b = binary.NativeEndian.AppendUint16(b, kind)
	b = append(b, value...)
	for range align(len(value)) - len(value) {
		b = append(b, 0)
	}
	return b
}

func appendAttr32(b []byte, kind uint16, value uint32) []byte {
	b = binary.NativeEndian.AppendUint16(b, nlaHeader+4)
	b = binary.NativeEndian.AppendUint16(b, kind)
	return binary.BigEndian.AppendUint32(b, value)
}

func align(n int) int { return (n + 3) &^ 3 }

// bindMessage makes a socket the reader of a queue, all in one step, so that it never
// is a queue that drops.
func bindMessage(num uint16, need Need, length int) []byte {
	flags, size := uint32(flagFailOpen), uint32(headers)
	switch need {
	case Headers:
		flags |= flagGSO
	case Whole:
		size = wholeLimit
	case Segments:
	}
	b := header(nil, msgConfig, unix.NLM_F_ACK, num)
	b = appendAttr(b, cfgCommand, []byte{commandBind, 0, 0, unix.AF_UNSPEC})
	b = appendAttr(b, cfgParams, append(binary.BigEndian.AppendUint32(nil, size), copyPacket))
	b = appendAttr32(b, cfgLength, uint32(length)) //nolint:gosec // some million
	b = appendAttr32(b, cfgFlags, flags)
	b = appendAttr32(b, cfgMask, flagFailOpen|flagGSO)
	finish(b, 0)
	return b
}

// lengthMessage changes how many packets the kernel may hold for a queue; with 0 all
// that come from then on go on at once.
func lengthMessage(num uint16, length uint32) []byte {
	b := header(nil, msgConfig, 0, num)
	b = appendAttr32(b, cfgLength, length)
	finish(b, 0)
	return b
}

// readAck waits for the kernel's answer, which it gives at once.
func readAck(fd int) error {
	ready := []unix.PollFd{{Fd: int32(fd), Events: unix.POLLIN}} //nolint:gosec // a file descriptor
	if n, err := unix.Poll(ready, int(bindWait.Milliseconds())); n == 0 && err == nil {
		return errors.New("no answer")
	}
	buf := make([]byte, 4096)
	n, err := unix.Read(fd, buf)
	if err != nil {
		return err
	}
	msgs, err := syscall.ParseNetlinkMessage(buf[:n])
	if err != nil {
		return err
	}
	for _, m := range msgs {
		if m.Header.Type == unix.NLMSG_ERROR {
			return refusal(m.Data)
		}
	}
	return errors.New("no acknowledgement")
}

func refusal(data []byte) error {
	if len(data) < 4 {
		return errors.New("a short error")
	}
	if code := int32(binary.NativeEndian.Uint32(data)); code != 0 { //nolint:gosec // it is a negative errno
		return syscall.Errno(-code) //nolint:gosec // as above
	}
	return nil
}

// parsePacket fills p from a message's attributes; its Data becomes a copy.
func parsePacket(b []byte, p *Packet) error {
	known := false
	for len(b) >= nlaHeader {
		length := int(binary.NativeEndian.Uint16(b))
		if length < nlaHeader || length > len(b) {
			return fmt.Errorf("nfqueue: got an attribute of %d bytes, want %d to %d", length, nlaHeader, len(b))
		}
		value := b[nlaHeader:length]
		switch kind := binary.NativeEndian.Uint16(b[2:]) & attrKindMask; {
		case kind == attrPayload:
			p.Data = append(p.Data[:0], value...)
			p.Length = max(p.Length, len(value))
		case len(value) < 4:
		case kind == attrHeader:
			p.id, known = binary.BigEndian.Uint32(value), true
		case kind == attrMark:
			p.mark = binary.BigEndian.Uint32(value)
		case kind == attrOutDev, kind == attrInDev && p.device == 0:
			p.device = binary.BigEndian.Uint32(value)
		case kind == attrLength: // of a packet that was cut
			p.Length = max(p.Length, int(binary.BigEndian.Uint32(value)))
		}
		b = b[min(align(length), len(b)):]
	}
	if !known {
		return errors.New("nfqueue: got a packet without an id")
	}
	return nil
}
