package engine

import (
	"errors"

	"golang.org/x/sys/unix"
)

const (
	pipeSize   = 256 << 10 // bytes: ioLimit
	pipeLeast  = 64 << 10  // smaller ones, when the user has used up his share, are not worth it
	maxPipes   = 128       // per loop, in use or not: each is two descriptors
	pipesKept  = 32        // free ones kept per loop
	pipesRetry = int64(10e9)
	// behind is how much output may wait for moved bytes still to be of use: a peer that is slow keeps what it is sent
	// waiting, and in memory that takes fewer descriptors.
	behind = 32 << 10
)

// ErrCopy is WriteFrom's answer when the bytes are to be copied, by Read and Write.
var ErrCopy = errors.New("engine: bytes cannot be moved, only copied")

// pipe carries bytes from one socket to another inside the kernel (splice(2)). Owner: the loop; in use, one segment of an
// output queue.
type pipe struct {
	loop *Loop
	r, w int
	left int   // bytes in it
	next *pipe // free list
}

// pipePool keeps empty pipes. Owner: the loop.
type pipePool struct {
	free    *pipe
	idle    int // in free
	least   int // fewest idle since the last trim
	open    int
	retryAt int64 // loop ns; 0: the kernel did not refuse
}

// WriteFrom moves up to n bytes that src can read into the output queue, without their coming through our memory; call
// Flush after it. Errors are Read's of src, and ErrCopy: there is no pipe to be had, or c does not take output as fast.
// Fewer bytes than asked do not say that src has no more.
func (c *Conn) WriteFrom(src *Conn, n int) (int, error) {
	if src.state&readable == 0 {
		return 0, src.notReadable()
	}
	if n <= 0 || c.state&(writable|closed|writeFailed|finSent|finQueued|finishing) != writable || c.Pending() > behind {
		return 0, ErrCopy
	}
	p := c.loop.getPipe()
	if p == nil {
		return 0, ErrCopy
	}
	for {
		// Into an empty pipe: EAGAIN means that src is dry.
		got, no := sysSplice(int(src.fd), p.w, min(n, pipeSize))
		switch {
		case no == 0 && got > 0:
			p.left = got
			src.bytesRead += int64(got)
			c.output().push(segment{held: p, left: got})
			return got, nil
		case no == unix.EINTR:
			continue
		}
		p.release()
		if no == unix.EINVAL || no == unix.ENOSYS || no == unix.EPERM {
			c.loop.pipes.retryAt = c.loop.Now() + pipesRetry
			return 0, ErrCopy
		}
		return 0, src.readEnd(n, no)
	}
}

// MovesBytes says whether WriteFrom may work: false where the system has no such thing, or refused of late.
func (l *Loop) MovesBytes() bool { return l.pipes.retryAt == 0 || l.Now() >= l.pipes.retryAt }

// getPipe gives an empty pipe; nil: none is to be had.
func (l *Loop) getPipe() *pipe {
	s := &l.pipes
	if !l.MovesBytes() {
		return nil
	}
	if p := s.free; p != nil {
		s.free, p.next = p.next, nil
		s.idle--
		s.least = min(s.least, s.idle)
		return p
	}
	if s.open >= maxPipes {
		return nil
	}
	r, w, no := sysPipe(pipeSize, pipeLeast)
	if no != 0 {
		s.retryAt = l.Now() + pipesRetry
		return nil
	}
	s.retryAt = 0
	s.open++
	return &pipe{loop: l, r: r, w: w}
}

// sendTo implements held.
func (p *pipe) sendTo(fd int, _ int64, n int) (int, unix.Errno) {
	n, no := sysSplice(p.r, fd, n)
	if no != 0 {
		return 0, no
	}
	p.left -= n
	return n, 0
}

// release implements held. A pipe with bytes that will not be sent is closed.
func (p *pipe) release() {
	l := p.loop
	s := &l.pipes
	if p.left > 0 || s.idle >= pipesKept {
		p.close()
		return
	}
	p.next, s.free = s.free, p
	s.idle++
	l.trimLater()
}

func (p *pipe) close() {
	p.loop.pipes.open--
	_ = unix.Close(p.r)
	_ = unix.Close(p.w)
}

// trim closes half of the pipes that nobody needed since the last time.
func (s *pipePool) trim() {
	for drop := (s.least + 1) / 2; drop > 0; drop-- {
		p := s.free
		s.free = p.next
		s.idle--
		p.close()
	}
	s.least = s.idle
}

// closeAll closes the free pipes at the end of the loop.
func (s *pipePool) closeAll() {
	for ; s.free != nil; s.free = s.free.next {
		s.free.close()
	}
	s.idle, s.least = 0, 0
}
