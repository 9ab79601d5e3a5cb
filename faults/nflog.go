package faults

import (
	"encoding/binary"
	"errors"
	"fmt"
	"strings"
	"syscall"
	"time"

	"golang.org/x/sys/unix"
)

// From linux/netfilter/nfnetlink_log.h; golang.org/x/sys does not have them.
const (
	nflogPacket = unix.NFNL_SUBSYS_ULOG << 8
	nflogConfig = unix.NFNL_SUBSYS_ULOG<<8 + 1

	cfgCommand   = 1
	cfgMode      = 2
	cfgTimeout   = 4 // hundredths of a second
	cfgThreshold = 5
	cfgFlags     = 6

	commandBind  = 1
	copyPacket   = 2
	flagSequence = 1

	attrPayload  = 9
	attrPrefix   = 10
	attrSequence = 12

	// headers is how much of a packet is wanted: IP with options, and TCP.
	headers = 120

	nlHeader   = 16
	nfHeader   = 4
	attrHeader = 4
	attrMask   = 0x3fff

	bindWait = time.Second
)

// bindNflog makes fd the listener of a group: headers only, each report sent at
// once and numbered.
func bindNflog(fd int, group uint16) error {
	const timeout = uint32(batchLimit / (10 * time.Millisecond))
	var attrs []byte
	attrs = appendAttr(attrs, cfgCommand, []byte{commandBind})
	attrs = appendAttr(attrs, cfgMode, append(binary.BigEndian.AppendUint32(nil, headers), copyPacket, 0))
	attrs = appendAttr(attrs, cfgThreshold, binary.BigEndian.AppendUint32(nil, 1))
	attrs = appendAttr(attrs, cfgTimeout, binary.BigEndian.AppendUint32(nil, timeout))
	attrs = appendAttr(attrs, cfgFlags, binary.BigEndian.AppendUint16(nil, flagSequence))
	if err := configure(fd, group, unix.NLM_F_ACK, attrs); err != nil {
		return err
	}
	return readAck(fd)
}

// setThreshold says how many reports the kernel collects before it sends them. There
// is no answer to it: that would come between the reports.
func setThreshold(fd int, group uint16, reports uint32) error {
	return configure(fd, group, 0, appendAttr(nil, cfgThreshold, binary.BigEndian.AppendUint32(nil, reports)))
}

func configure(fd int, group, flags uint16, attrs []byte) error {
	order := binary.NativeEndian
	msg := order.AppendUint32(nil, uint32(nlHeader+nfHeader+len(attrs))) //nolint:gosec // some dozen bytes
	msg = order.AppendUint16(msg, nflogConfig)
	msg = order.AppendUint16(msg, unix.NLM_F_REQUEST|flags)
	msg = append(msg, make([]byte, 8)...) // sequence number and port
	msg = append(msg, unix.AF_UNSPEC, 0)
	msg = binary.BigEndian.AppendUint16(msg, group)
	msg = append(msg, attrs...)
	return unix.Sendto(fd, msg, 0, &unix.SockaddrNetlink{Family: unix.AF_NETLINK})
}

// readAck waits for the kernel's answer, which it gives at once.
func readAck(fd int) error {
	ready := []unix.PollFd{{Fd: int32(fd), Events: unix.POLLIN}} //nolint:gosec // a file descriptor
	if n, err := unix.Poll(ready, int(bindWait.Milliseconds())); n == 0 && err == nil {
		return errors.New("no answer")
	}
	buf := make([]byte, 4096)
	n, _, err := unix.Recvfrom(fd, buf, 0)
	if err != nil {
		return err
	}
	msgs, err := syscall.ParseNetlinkMessage(buf[:n])
	if err != nil {
		return err
	}
	for _, m := range msgs {
		if m.Header.Type == unix.NLMSG_ERROR && len(m.Data) >= 4 {
			if code := int32(binary.NativeEndian.Uint32(m.Data)); code != 0 { //nolint:gosec // it is a negative errno
				return syscall.Errno(-code) //nolint:gosec // as above
			}
			return nil
		}
	}
	return errors.New("no acknowledgement")
}

func appendAttr(b []byte, kind uint16, value []byte) []byte {
	b = binary.NativeEndian.AppendUint16(b, uint16(attrHeader+len(value))) //nolint:gosec // some bytes
	b = binary.NativeEndian.AppendUint16(b, kind)
	b = append(b, value...)
	return append(b, make([]byte, align(len(value))-len(value))...)
}

func align(n int) int { return (n + 3) &^ 3 }

// A report is one packet that a rule logged.
type report struct {
	seq     uint32
	prefix  string
	payload []byte // shares the buffer it was parsed from
}

func parseReports(b []byte) ([]report, error) {
	msgs, err := syscall.ParseNetlinkMessage(b)
	if err != nil {
		return nil, fmt.Errorf("nflog: %w", err)
	}
	var out []report
	for _, m := range msgs {
		if m.Header.Type != nflogPacket || len(m.Data) < nfHeader {
			continue
		}
		r, err := parseReport(m.Data[nfHeader:])
		if err != nil {
			return nil, err
		}
		out = append(out, r)
	}
	return out, nil
}

func parseReport(b []byte) (r report, err error) {
	for len(b) >= attrHeader {
		length := int(binary.NativeEndian.Uint16(b))
		if length < attrHeader || length > len(b) {
			return r, fmt.Errorf("nflog: got an attribute of %d bytes, want %d to %d", length, attrHeader, len(b))
		}
		value := b[attrHeader:length]
		switch binary.NativeEndian.Uint16(b[2:]) & attrMask {
		case attrPayload:
			r.payload = value
		case attrPrefix:
			r.prefix = strings.TrimRight(string(value), "\x00")
		case attrSequence:
			if len(value) == 4 {
				r.seq = binary.BigEndian.Uint32(value)
			}
		}
		b = b[min(align(length), len(b)):]
	}
	return r, nil
}
