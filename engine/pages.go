package engine

import (
	"sync/atomic"

	"golang.org/x/sys/unix"
)

const (
	// slabBytes is what memory for pages is asked for by: a huge page of amd64 and arm64, of which sending takes a
	// tenth (100 KB) to a sixth (2 MB) less than of pages of 4 KB.
	slabBytes  = 2 << 20
	slabAlign  = 4 << 10  // of each body in a slab
	pagesBytes = 64 << 20 // per loop, in whole slabs, each of which is a descriptor
	// pagesRetry is how long nothing is asked for, in ns, after the kernel refused: descriptors have run out, or it has no
	// memfd_create(2).
	pagesRetry = int64(10e9)
)

// Pages are immutable bytes in the kernel's page cache (memfd_create(2)) that any number of connections of one loop can
// send by sendfile(2), without copying. Counted: MakePages gives one reference, queued output holds others. Owner: the loop.
type Pages struct {
	loop *Loop
	slab *slab
	off  int64 // in the slab
	size int
	refs int
}

// slab is a file in memory that holds the bytes of several Pages, one after the other. What was given out is never
// written again, released or not: the kernel may still be sending it. The memory goes back when the last of them does.
type slab struct {
	fd   int
	size int
	used int // bytes given out
	refs int // Pages in it, and one while it is pageStore.open or pageStore.next
	at   int // index in pageStore.slabs
}

// pageStore knows a loop's slabs. Owner: the loop.
type pageStore struct {
	slabs   []*slab
	open    *slab        // Pages come from it; nil: from next
	next    *slab        // an empty one, made ahead; nil: there is none
	bytes   int          // of all slabs, and of one that is being made
	making  bool         // a worker makes a slab
	made    atomic.Int32 // its descriptor and one, from when it exists until the loop has it; 0: none
	taken   bool         // something was asked for since the last trim
	retryAt int64        // loop ns; 0: the kernel did not refuse
	off     int64        // argument of sendfile(2)
}

// MakePages copies chunks, size bytes together, into pages and gives them to done, on the loop. Up to the size of a slab
// that happens at once, for it takes no longer than sending them from memory; more is left to a worker. Nobody may change
// chunks from now on. done gets nil when pages are not to be had: the system has no such thing, memory for them is just
// being made or used up, or descriptors have run out. Whoever asks sends by Write then, and asks again later. Costs
// a system call and the copying, so it is for what will be sent several times.
func (l *Loop) MakePages(chunks [][]byte, size int, done func(*Pages)) {
	s := &l.pages
	switch {
	case size <= 0 || s.refused(l.Now()) || !l.HasRoomForPages(size):
		done(nil)
	case size > slabBytes:
		l.makeSlab(wholeSlabs(size), chunks, func(b *slab) {
			if b == nil {
				done(nil)
				return
			}
			p := b.take(l, size)
			s.unref(b)
			done(p)
		})
	default:
		p := l.takePages(size)
		if p == nil {
			done(nil)
			return
		}
		if no := sysWriteAt(p.slab.fd, p.off, chunks); no != 0 {
			s.retryAt = l.Now() + pagesRetry
			p.release()
			p = nil
		}
		done(p)
	}
}

// takePages gives size bytes of a slab out, a slab's at most, and sees to it that there will be room for others; nil when
// there is none yet.
func (l *Loop) takePages(size int) (p *Pages) {
	s := &l.pages
	s.taken = true
	switch {
	case s.open.has(size):
		p = s.open.take(l, size)
	case s.next != nil:
		b := s.next
		s.next = nil
		p = b.take(l, size)
		if was := s.open; was == nil || was.left() < b.left() { // who has more room is open from now on
			s.open, b = b, was
		}
		if b != nil {
			s.unref(b)
		}
	}
	if s.next == nil && (p == nil || s.open.left() < s.open.size/2) {
		l.makeAhead()
	}
	return p
}

// makeAhead has the next slab made, if there is room for one.
func (l *Loop) makeAhead() {
	s := &l.pages
	if s.bytes+slabBytes <= pagesBytes {
		l.makeSlab(slabBytes, nil, func(b *slab) { s.next = b })
	}
}

// makeSlab has a worker make a slab of size bytes, whole slabs, that begins with chunks: clearing the memory takes too
// long for the loop. done, on the loop, has a reference to it; nil: the kernel refused, now or lately, or
// another is being made.
func (l *Loop) makeSlab(size int, chunks [][]byte, done func(*slab)) {
	s := &l.pages
	if s.making || s.refused(l.Now()) {
		done(nil)
		return
	}
	s.making = true
	s.bytes += size
	fd, no := -1, unix.EINVAL // stays so if the worker panics
	l.Offload(func() {
		if fd, no = sysSlab(size); no == 0 {
			s.made.Store(int32(fd) + 1)
			no = sysWriteAt(fd, 0, chunks)
		}
	}, func() {
		s.making = false
		s.made.Store(0)
		if no != 0 {
			s.bytes -= size
			s.retryAt = l.Now() + pagesRetry
			if fd >= 0 {
				_ = unix.Close(fd)
			}
			done(nil)
			return
		}
		s.retryAt = 0
		b := &slab{fd: fd, size: size, refs: 1, at: len(s.slabs)}
		s.slabs = append(s.slabs, b)
		done(b)
		l.trimLater()
	})
}

// refused says whether the kernel gave nothing lately.
func (s *pageStore) refused(now int64) bool { return s.retryAt != 0 && now < s.retryAt }

// trim gives up the room for more when nothing was asked for since the last time. Pages stay.
func (s *pageStore) trim() {
	if s.taken {
		s.taken = false
		return
	}
	if s.next != nil {
		s.unref(s.next)
		s.next = nil
	}
	if s.open != nil && s.open.refs == 1 {
		s.unref(s.open)
		s.open = nil
	}
}

// trims says whether a later trim may find something.
func (s *pageStore) trims() bool {
	return s.taken || s.next != nil || s.open != nil && s.open.refs == 1
}

// unref gives a reference back, and the slab's memory with the last.
func (s *pageStore) unref(b *slab) {
	if b.refs--; b.refs > 0 {
		return
	}
	last := len(s.slabs) - 1
	s.slabs[last].at = b.at
	s.slabs[b.at] = s.slabs[last]
	s.slabs[last] = nil
	s.slabs = s.slabs[:last]
	s.bytes -= b.size
	_ = unix.Close(b.fd)
}

// closeAll closes what is left when loop and workers have ended.
func (s *pageStore) closeAll() {
	if fd := s.made.Swap(0); fd > 0 {
		_ = unix.Close(int(fd - 1))
	}
	for _, b := range s.slabs {
		_ = unix.Close(b.fd)
	}
	s.slabs, s.open, s.next = nil, nil, nil
}

// HasRoomForPages says whether the loop may have size bytes of pages more: else some are to be released first.
func (l *Loop) HasRoomForPages(size int) bool {
	s := &l.pages
	return s.open.has(size) || s.next.has(size) || s.bytes+wholeSlabs(size) <= pagesBytes
}

func wholeSlabs(size int) int { return (size + slabBytes - 1) / slabBytes * slabBytes }

// has says whether size bytes can be given out. nil has none.
func (b *slab) has(size int) bool { return b != nil && b.left() >= size }

func (b *slab) left() int { return b.size - b.used }

// take gives size bytes out, yet to be written.
func (b *slab) take(l *Loop, size int) *Pages {
	p := &Pages{loop: l, slab: b, off: int64(b.used), size: size, refs: 1}
	b.used = min(b.size, (b.used+size+slabAlign-1)&^(slabAlign-1))
	b.refs++
	return p
}

// Size is the number of bytes.
func (p *Pages) Size() int { return p.size }

// Release gives MakePages' reference back. What is queued is still sent.
func (p *Pages) Release() { p.release() }

// release implements held.
func (p *Pages) release() {
	if p.refs--; p.refs > 0 {
		return
	}
	if p.refs < 0 {
		panic("engine: pages released twice")
	}
	s := &p.loop.pages
	s.unref(p.slab)
	if p.slab == s.open && p.slab.refs == 1 {
		p.loop.trimLater()
	}
}

// sendTo implements held.
func (p *Pages) sendTo(fd int, off int64, n int) (int, unix.Errno) {
	p.loop.pages.off = p.off + off
	return sysSendfile(fd, p.slab.fd, &p.loop.pages.off, n)
}

// WritePages queues n bytes of p, from off on, without copying; p stays until they are sent.
func (c *Conn) WritePages(p *Pages, off, n int) {
	if off < 0 || n < 0 || n > p.size-off {
		panic("engine: bytes outside the pages") // those would be another response's
	}
	q := c.output()
	if q == nil || n == 0 {
		return
	}
	p.refs++
	q.push(segment{held: p, off: int64(off), left: n})
}
