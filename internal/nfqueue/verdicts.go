package nfqueue

import (
	"encoding/binary"
	"errors"

	"golang.org/x/sys/unix"
)

// verdicts collects what the kernel is to do with packets, in order, and tells it in
// few messages: packing many verdicts into one write costs a third of many writes.
type verdicts struct {
	fd   int
	num  uint16
	mark uint32
	buf  []byte
}

// writeSize is when the buffer is written, in bytes, and about how much of it at once:
// with one large packet more it stays below the 200 KB that the kernel takes.
const writeSize = 64 << 10

// drop makes a packet vanish.
func (v *verdicts) drop(id uint32) {
	from := len(v.buf)
	v.message(msgVerdict, verdictDrop, id)
	finish(v.buf, from)
}

// pass lets a packet go on, to the rules behind ours. That takes REPEAT: with ACCEPT
// it would skip the rest of its table, and with that the host's own firewall.
func (v *verdicts) pass(id, mark uint32, changed []byte) {
	from := len(v.buf)
	v.message(msgVerdict, verdictRepeat, id)
	v.buf = appendAttr32(v.buf, attrMark, mark|v.mark)
	if changed != nil {
		v.buf = appendAttr(v.buf, attrPayload, changed)
	}
	finish(v.buf, from)
}

func (v *verdicts) message(kind uint16, verdict, id uint32) {
	v.buf = header(v.buf, kind, 0, v.num)
	v.buf = binary.NativeEndian.AppendUint16(v.buf, nlaHeader+8)
	v.buf = binary.NativeEndian.AppendUint16(v.buf, attrVerdict)
	v.buf = binary.BigEndian.AppendUint32(v.buf, verdict)
	v.buf = binary.BigEndian.AppendUint32(v.buf, id)
}

// flush tells the kernel. If it is short of memory, the rest is kept for the next time,
// and waiting is true.
func (v *verdicts) flush() (waiting bool, err error) {
	rest := v.buf
	for len(rest) > 0 && err == nil {
		n := messagesIn(rest)
		if _, err = unix.Write(v.fd, rest[:n]); err == nil {
			rest = rest[n:]
		}
	}
	v.buf = v.buf[:copy(v.buf, rest)]
	switch {
	case err == nil:
		return false, nil
	case errors.Is(err, unix.EINTR), errors.Is(err, unix.EAGAIN), errors.Is(err, unix.ENOBUFS), errors.Is(err, unix.ENOMEM):
		return true, nil
	}
	return false, err
}

// messagesIn is the length of the whole messages that make one write.
func messagesIn(b []byte) int {
	n := 0
	for n < len(b) && n < writeSize {
		n += align(int(binary.NativeEndian.Uint32(b[n:])))
	}
	return min(n, len(b))
}
