package engine

import "golang.org/x/sys/unix"

const (
	maxPages   = 64       // per loop: each is a descriptor
	pagesBytes = 64 << 20 // per loop
	// pagesRetry is how long nothing is asked for, in ns, after the kernel refused: descriptors have run out, or it has no
	// memfd_create(2).
	pagesRetry = int64(10e9)
)

// Pages are immutable bytes in the kernel's page cache (memfd_create(2)) that any number of connections of one loop can
// send by sendfile(2), without copying. Counted: NewPages gives one reference, queued output holds others. Owner: the loop.
type Pages struct {
	loop *Loop
	fd   int
	size int
	refs int
	at   int // index in pageStore.all
}

// pageStore knows a loop's Pages. Owner: the loop.
type pageStore struct {
	all     []*Pages
	bytes   int
	retryAt int64 // loop ns; 0: the kernel did not refuse
	off     int64 // argument of sendfile(2)
}

// NewPages copies chunks, size bytes together, into pages. nil when it is not to be had: the system has no such thing, the
// loop has as many as it may have, or descriptors have run out. Whoever asks sends by Write then. Costs two system calls and
// the copying, so it is for what will be sent several times.
func (l *Loop) NewPages(chunks [][]byte, size int) *Pages {
	if !l.mayMakePages(size) {
		return nil
	}
	fd, no := sysPages(chunks)
	return l.adoptPages(fd, no, size)
}

// OffloadPages is NewPages for what would hold the loop up: a worker copies, and done gets the result on the loop, soon or
// at once. Nobody may change chunks from now on.
func (l *Loop) OffloadPages(chunks [][]byte, size int, done func(*Pages)) {
	if !l.mayMakePages(size) {
		done(nil)
		return
	}
	fd, no := -1, unix.EINVAL // stays so if the worker panics
	l.Offload(func() { fd, no = sysPages(chunks) }, func() { done(l.adoptPages(fd, no, size)) })
}

func (l *Loop) mayMakePages(size int) bool {
	retryAt := l.pages.retryAt
	return size > 0 && l.HasRoomForPages(size) && (retryAt == 0 || l.Now() >= retryAt)
}

// adoptPages takes what sysPages returned; nil when the kernel refused, or when the room has been used up since.
func (l *Loop) adoptPages(fd int, no unix.Errno, size int) *Pages {
	s := &l.pages
	if no != 0 {
		s.retryAt = l.Now() + pagesRetry
		return nil
	}
	s.retryAt = 0
	if !l.HasRoomForPages(size) {
		_ = unix.Close(fd)
		return nil
	}
	p := &Pages{loop: l, fd: fd, size: size, refs: 1, at: len(s.all)}
	s.all = append(s.all, p)
	s.bytes += size
	return p
}

// HasRoomForPages says whether the loop may have size bytes of pages more: else some are to be released first.
func (l *Loop) HasRoomForPages(size int) bool {
	return len(l.pages.all) < maxPages && l.pages.bytes+size <= pagesBytes
}

// Size is the number of bytes.
func (p *Pages) Size() int { return p.size }

// Release gives NewPages' reference back. What is queued is still sent.
func (p *Pages) Release() { p.release() }

// release implements held.
func (p *Pages) release() {
	p.refs--
	if p.refs > 0 {
		return
	}
	if p.refs < 0 {
		panic("engine: pages released twice")
	}
	s := &p.loop.pages
	last := len(s.all) - 1
	s.all[last].at = p.at
	s.all[p.at] = s.all[last]
	s.all[last] = nil
	s.all = s.all[:last]
	s.bytes -= p.size
	_ = unix.Close(p.fd)
}

// sendTo implements held.
func (p *Pages) sendTo(fd int, off int64, n int) (int, unix.Errno) {
	p.loop.pages.off = off
	return sysSendfile(fd, p.fd, &p.loop.pages.off, n)
}

// closeAll closes what is left at the end of the loop.
func (s *pageStore) closeAll() {
	for _, p := range s.all {
		_ = unix.Close(p.fd)
	}
	s.all = nil
}

// WritePages queues n bytes of p, from off on, without copying; p stays until they are sent.
func (c *Conn) WritePages(p *Pages, off, n int) {
	q := c.output()
	if q == nil || n == 0 {
		return
	}
	p.refs++
	q.push(segment{held: p, off: int64(off), left: n})
}
