package engine

import "golang.org/x/sys/unix"

const (
	// slabBytes is what memory for pages is asked for by: a huge page of amd64 and arm64, of which sending takes a
	// sixth (100 KB) to a third (2 MB) less than of pages of 4 KB.
	slabBytes  = 2 << 20
	slabAlign  = 4 << 10  // of each body in a slab
	pagesBytes = 64 << 20 // per loop, in whole slabs, each of which is a descriptor
	// pagesAtOnce is up to which size the loop itself writes: that takes less than 0.1 ms.
	pagesAtOnce = 256 << 10
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
	refs int // Pages in it, and one while it is pageStore.open
	at   int // index in pageStore.slabs
}

// pageStore knows a loop's slabs. Owner: the loop.
type pageStore struct {
	slabs   []*slab
	open    *slab // the next Pages come from it; nil: there is none yet
	bytes   int   // of all slabs, and of one that is being made
	making  bool  // a worker makes a slab
	retryAt int64 // loop ns; 0: the kernel did not refuse
	off     int64 // argument of sendfile(2)
}

// MakePages copies chunks, size bytes together, into pages and gives them to done, on the loop: at once when that is
// quick, else when a worker has done it. Nobody may change chunks from now on. done gets nil when pages are not to be had:
// the system has no such thing, the loop has as many as it may have or waits for memory for others, or descriptors have
// run out. Whoever asks sends by Write then. Costs a system call and the copying, so it is for what will be sent several times.
func (l *Loop) MakePages(chunks [][]byte, size int, done func(*Pages)) {
	s := &l.pages
	switch {
	case size <= 0 || s.retryAt != 0 && l.Now() < s.retryAt || !l.HasRoomForPages(size):
		done(nil)
	case !s.open.has(size):
		l.makeSlab(chunks, size, done)
	case size <= pagesAtOnce:
		p := s.open.take(l, size)
		done(p.written(sysWriteAt(p.slab.fd, p.off, chunks)))
	default:
		p, no := s.open.take(l, size), unix.EINVAL // stays so if the worker panics
		l.Offload(func() { no = sysWriteAt(p.slab.fd, p.off, chunks) }, func() { done(p.written(no)) })
	}
}

// makeSlab is MakePages when the open slab has no room: clearing the memory of another takes too long for the loop.
func (l *Loop) makeSlab(chunks [][]byte, size int, done func(*Pages)) {
	s := &l.pages
	if s.making {
		done(nil)
		return
	}
	all := wholeSlabs(size)
	s.making = true
	s.bytes += all
	fd, no := -1, unix.EINVAL
	l.Offload(func() {
		if fd, no = sysSlab(all); no == 0 {
			no = sysWriteAt(fd, 0, chunks)
		}
	}, func() {
		s.making = false
		if fd < 0 {
			s.bytes -= all
			s.retryAt = l.Now() + pagesRetry
			done(nil)
			return
		}
		b := &slab{fd: fd, size: all, at: len(s.slabs)}
		s.slabs = append(s.slabs, b)
		p := b.take(l, size)
		s.openUp(b)
		done(p.written(no))
	})
}

// openUp takes the next Pages from b if it has more room than the slab that they are taken from now.
func (s *pageStore) openUp(b *slab) {
	was := s.open
	if was != nil && was.size-was.used >= b.size-b.used {
		return
	}
	b.refs++
	s.open = b
	if was != nil {
		s.unref(was)
	}
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

// closeAll closes what is left at the end of the loop.
func (s *pageStore) closeAll() {
	for _, b := range s.slabs {
		_ = unix.Close(b.fd)
	}
	s.slabs, s.open = nil, nil
}

// HasRoomForPages says whether the loop may have size bytes of pages more: else some are to be released first.
func (l *Loop) HasRoomForPages(size int) bool {
	return l.pages.open.has(size) || l.pages.bytes+wholeSlabs(size) <= pagesBytes
}

func wholeSlabs(size int) int { return (size + slabBytes - 1) / slabBytes * slabBytes }

// has says whether size bytes can be given out. nil has none.
func (b *slab) has(size int) bool { return b != nil && b.size-b.used >= size }

// take gives size bytes out, yet to be written.
func (b *slab) take(l *Loop, size int) *Pages {
	p := &Pages{loop: l, slab: b, off: int64(b.used), size: size, refs: 1}
	b.used = min(b.size, (b.used+size+slabAlign-1)&^(slabAlign-1))
	b.refs++
	return p
}

// written gives p if writing it succeeded; else nil, and there are no more pages for a while.
func (p *Pages) written(no unix.Errno) *Pages {
	s := &p.loop.pages
	if no != 0 {
		s.retryAt = p.loop.Now() + pagesRetry
		p.release()
		return nil
	}
	s.retryAt = 0
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
	p.loop.pages.unref(p.slab)
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
