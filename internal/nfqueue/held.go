package nfqueue

import "container/heap"

// held are the packets that wait, the next one that is due at index 0. Of those due at
// one time the one that came first is first.
type held struct {
	packets []*Packet
	next    uint64
	bytes   int
}

func (h *held) add(p *Packet) {
	p.seq = h.next
	h.next++
	h.bytes += p.Length
	heap.Push((*byDue)(&h.packets), p)
}

func (h *held) take() *Packet {
	p, _ := heap.Pop((*byDue)(&h.packets)).(*Packet)
	h.bytes -= p.Length
	return p
}

// byDue is for package heap.
type byDue []*Packet

func (b byDue) Len() int { return len(b) }
func (b byDue) Less(i, j int) bool {
	if b[i].due.Equal(b[j].due) {
		return b[i].seq < b[j].seq
	}
	return b[i].due.Before(b[j].due)
}
func (b byDue) Swap(i, j int) { b[i], b[j] = b[j], b[i] }

// Push is for package heap.
func (b *byDue) Push(x any) {
	if p, ok := x.(*Packet); ok {
		*b = append(*b, p)
	}
}

// Pop is for package heap.
func (b *byDue) Pop() any {
	last := len(*b) - 1
	p := (*b)[last]
	(*b)[last] = nil
	*b = (*b)[:last]
	return p
}
