package engine

import (
	"unsafe"

	"golang.org/x/sys/unix"
)

const (
	maxVector   = 64        // segments per writev(2)
	gatherSize  = 4 << 10   // least capacity of a gathering buffer: a response head and a small body
	queuesKept  = 256       // free output queues kept per loop
	inlineSegs  = 4         // segments an output queue has room for by itself
	segsKept    = 64        // a queue that grew beyond this is not kept
	ioLimit     = 256 << 10 // bytes per read or write of memory: bounds how long one call holds the loop's thread in the kernel
	sendAtOnce  = 2 << 20   // bytes taken by the kernel before other connections have their turn (sendfile_max_chunk of nginx)
	copyAtOnce  = 1 << maxBufShift
	queuesToGC  = 16 // per trim
	queueMinGap = gatherSize / 8
)

// segment is a piece of queued output: bytes in memory, or (held is set) bytes that stay in the kernel.
type segment struct {
	data []byte // not yet sent; nil when held is set
	buf  *Buf   // goes back to the pool when data is sent; nil: data is shared, or a later segment holds the buffer
	held held   // where the bytes are, released when they are sent or dropped
	off  int64  // held: where the next byte stands
	left int    // held: bytes not yet sent
}

// held are bytes in the kernel that it can send without their coming through our memory.
type held interface {
	// sendTo sends up to n bytes from off on to fd, in one system call. It may take fewer though there is room for more.
	sendTo(fd int, off int64, n int) (int, unix.Errno)
	// release says that one segment needs them no more.
	release()
}

func (s *segment) size() int {
	if s.held != nil {
		return s.left
	}
	return len(s.data)
}

// outQueue is what a connection has queued and the kernel has not taken. It hangs on the connection only while there is
// something, and is pooled.
type outQueue struct {
	segs    []segment // segs[head:] are queued
	head    int
	pending int  // bytes in segs[head:]
	gather  *Buf // the buffer that small writes gather in, held by one of segs[head:] or (empty) by nobody
	inline  [inlineSegs]segment
	next    *outQueue // free list
}

// outQueuePool keeps free queues. Owner: the loop.
type outQueuePool struct {
	free *outQueue
	n    int
}

func (p *outQueuePool) get() *outQueue {
	q := p.free
	if q == nil {
		q = new(outQueue)
		q.segs = q.inline[:0]
		return q
	}
	p.free, q.next = q.next, nil
	p.n--
	return q
}

func (p *outQueuePool) put(q *outQueue) {
	if p.n >= queuesKept || cap(q.segs) > segsKept {
		return
	}
	q.segs, q.head, q.pending, q.gather = q.segs[:0], 0, 0, nil
	q.next, p.free = p.free, q
	p.n++
}

func (p *outQueuePool) trim() {
	for range queuesToGC {
		if p.free == nil {
			return
		}
		p.free = p.free.next
		p.n--
	}
}

// output gives the connection's queue; nil when output goes nowhere any more.
func (c *Conn) output() *outQueue {
	if c.state&(closed|writeFailed|finSent|finQueued|finishing) != 0 {
		return nil
	}
	if c.out == nil {
		c.out = c.loop.queues.get()
	}
	return c.out
}

// push appends a segment, first moving the queue to the front of its slice when that is free.
func (q *outQueue) push(s segment) {
	if len(q.segs) == cap(q.segs) && q.head > 0 && q.head >= len(q.segs)/2 {
		n := copy(q.segs, q.segs[q.head:])
		clear(q.segs[n:])
		q.segs, q.head = q.segs[:n], 0
	}
	q.segs = append(q.segs, s)
	q.pending += s.size()
}

// appendGathered queues the n bytes that follow the gathered ones in the gathering buffer.
func (q *outQueue) appendGathered(n int) {
	b := q.gather
	from := len(b.B)
	b.B = b.B[:from+n]
	if last := len(q.segs) - 1; last >= q.head && q.segs[last].buf == b {
		s := &q.segs[last]
		s.data = b.B[from-len(s.data):] // what is left of the segment ends where the new bytes begin
		q.pending += n
		return
	}
	for i := len(q.segs) - 1; i >= q.head; i-- { // the last segment in a buffer holds it
		if q.segs[i].buf == b {
			q.segs[i].buf = nil
			break
		}
	}
	q.push(segment{data: b.B[from:], buf: b})
}

// room makes sure that the gathering buffer has room for n bytes.
func (c *Conn) room(q *outQueue, n int) *Buf {
	b := q.gather
	if b == nil || cap(b.B)-len(b.B) < n {
		if b != nil && len(b.B) == 0 { // nobody holds it
			c.loop.PutBuf(b)
		}
		b = c.loop.GetBuf(max(n, gatherSize))
		q.gather = b
	}
	return b
}

// Reserve gives the tail of the output buffer: length 0, capacity at least n. Append to it and Commit the result before
// any other call on this connection.
func (c *Conn) Reserve(n int) []byte {
	q := c.output()
	if q == nil {
		return make([]byte, 0, n)
	}
	b := c.room(q, n)
	return b.B[len(b.B):len(b.B):cap(b.B)]
}

// Commit queues what was appended to the slice from Reserve; when it outgrew that, by copying.
func (c *Conn) Commit(p []byte) {
	q := c.out
	if q == nil {
		return
	}
	if len(p) > 0 {
		b := q.gather
		if b != nil && len(p) <= cap(b.B)-len(b.B) && unsafe.SliceData(p) == unsafe.SliceData(b.B[len(b.B):cap(b.B)]) {
			q.appendGathered(len(p))
			return
		}
		c.Write(p)
		return
	}
	if q.pending == 0 {
		c.dropOutput()
	}
}

// Write copies p into the output queue. Nothing is sent before Flush.
func (c *Conn) Write(p []byte) {
	q := c.output()
	for q != nil && len(p) > 0 {
		b := q.gather
		if b == nil || cap(b.B)-len(b.B) < min(len(p), queueMinGap) {
			b = c.room(q, min(len(p), copyAtOnce))
		}
		n := copy(b.B[len(b.B):cap(b.B)], p)
		q.appendGathered(n)
		p = p[n:]
	}
}

// WriteShared queues p without copying: nobody may change its bytes from now on.
func (c *Conn) WriteShared(p []byte) {
	q := c.output()
	if q == nil || len(p) == 0 || q.joins(p) {
		return
	}
	q.push(segment{data: p})
}

// WriteBuf queues b.B and takes ownership of b, which goes back to the pool when sent.
func (c *Conn) WriteBuf(b *Buf) {
	q := c.output()
	if q == nil || len(b.B) == 0 || q.joins(b.B) {
		c.loop.PutBuf(b)
		return
	}
	q.push(segment{data: b.B, buf: b})
}

// joins copies p behind gathered bytes if they stand last and it fits: for a body of 1 KB behind its head, one copy and
// one send(2) cost 0.2 us less than no copy and two segments.
func (q *outQueue) joins(p []byte) bool {
	b := q.gather
	if b == nil || len(p) > cap(b.B)-len(b.B) || len(p) > gatherSize {
		return false
	}
	last := len(q.segs) - 1
	if last < q.head || q.segs[last].buf != b {
		return false
	}
	copy(b.B[len(b.B):cap(b.B)], p)
	q.appendGathered(len(p))
	return true
}

// Pending is the number of bytes queued that the kernel has not taken.
func (c *Conn) Pending() int {
	if c.out == nil {
		return 0
	}
	return c.out.pending
}

// dropOutput gives the queue and its buffers back.
func (c *Conn) dropOutput() {
	q := c.out
	if q == nil {
		return
	}
	c.out = nil
	gathered := false
	for i := q.head; i < len(q.segs); i++ {
		s := &q.segs[i]
		if s.held != nil {
			s.held.release()
			continue
		}
		gathered = gathered || s.buf == q.gather
		c.loop.PutBuf(s.buf)
	}
	if !gathered {
		c.loop.PutBuf(q.gather)
	}
	clear(q.segs)
	c.loop.queues.put(q)
}

// took removes n sent bytes from the front.
func (c *Conn) took(q *outQueue, n int) {
	q.pending -= n
	for n > 0 {
		s := &q.segs[q.head]
		if s.held != nil {
			if n < s.left {
				s.off += int64(n)
				s.left -= n
				return
			}
			n -= s.left
			s.held.release()
			*s = segment{}
			q.head++
			continue
		}
		if n < len(s.data) {
			s.data = s.data[n:]
			return
		}
		n -= len(s.data)
		if s.buf != nil {
			if s.buf == q.gather {
				q.gather = nil
			}
			c.loop.PutBuf(s.buf)
		}
		*s = segment{}
		q.head++
	}
}

// transmit hands queued output to the kernel until it takes less than offered, all is sent or it is others' turn. Returns
// the number of bytes taken. After a short write the kernel announces room by a new edge: it is not asked again to see
// EAGAIN. Bytes in memory before held ones go with MSG_MORE, so that a head leaves in one segment with its body.
func (c *Conn) transmit() (int, unix.Errno) {
	q := c.out
	if q.pending == 0 {
		c.dropOutput()
		return 0, 0
	}
	total := 0
	for {
		n, want, inKernel, no := c.offer(q)
		if n > 0 {
			c.took(q, n)
			c.bytesSent += int64(n)
			total += n
			if q.pending == 0 {
				c.dropOutput()
				return total, 0
			}
		}
		switch {
		case no == unix.EINTR:
		case no != 0 && no != unix.EAGAIN:
			return total, no
		case n < want && (no != 0 || !inKernel):
			c.state &^= writable
			return total, 0
		case total >= sendAtOnce: // a peer as fast as we are
			c.loop.nextRound(c, sendAsked)
			return total, 0
		}
	}
}

// offer does one system call for what stands first: send(2) or sendmsg(2) of bytes in memory, sendfile(2) or splice(2) of
// bytes that are not. want is what was offered. Of bytes in the kernel fewer may be taken though there is room (inKernel):
// only EAGAIN says that there is none.
func (c *Conn) offer(q *outQueue) (n, want int, inKernel bool, no unix.Errno) {
	segs := q.segs[q.head:]
	first := &segs[0]
	if first.held != nil {
		want = min(first.left, sendAtOnce)
		n, no = first.held.sendTo(int(c.fd), first.off, want)
		if n == 0 && no == 0 {
			no = unix.EIO // fewer bytes than were put there
		}
		return max(n, 0), want, true, no
	}
	if len(segs) == 1 || segs[1].held != nil || len(first.data) >= ioLimit {
		p := first.data
		if len(p) > ioLimit {
			p = p[:ioLimit]
		}
		more := len(segs) > 1 && segs[1].held != nil && len(p) == len(first.data)
		n, no = sysWrite(int(c.fd), p, more)
		return max(n, 0), len(p), false, no
	}
	v := &c.loop.vector
	count := 0
	for ; count < len(segs) && segs[count].held == nil && count < maxVector && want < ioLimit; count++ {
		p := segs[count].data
		if len(p) > ioLimit-want {
			p = p[:ioLimit-want]
		}
		v.set(count, p)
		want += len(p)
	}
	more := count < len(segs) && segs[count].held != nil // want is less than ioLimit, or what is held is next all the same
	n, no = v.write(int(c.fd), count, more)
	if no != 0 {
		n = 0
	}
	return n, want, false, no
}
