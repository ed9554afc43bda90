package server

import (
	"seawall/cache"
	"seawall/engine"
)

const (
	// pagesFrom is the least body that is kept in pages: below, sendfile(2)
	// after the head saves no more than the second system call costs.
	pagesFrom = 16 << 10
	// pagesUpTo is the largest.
	pagesUpTo = 16 << 20
	// pagesAfter is after how many hits. Making pages costs what 12 answers of
	// 16 KB, 6 of 32 KB or 4 of 100 KB and more save (docs/decisions/0016):
	// whatever becomes of the entry, little more than that is lost.
	pagesAfter = 8
)

// hotPages is the body of an entry of the hot table as pages of the kernel,
// from which it is sent without copying, if it is asked for often. Owner: the loop.
type hotPages struct {
	pages        *engine.Pages
	hits         uint32
	making       bool // a worker is at it
	gone         bool // the entry has left the hot table
	loop         *loopState
	older, newer *hotPages // in loop.paged, while pages is set
}

// pagedBodies knows the bodies in pages of a loop, so that the oldest make
// room. Those lie together, in the same slabs, which are memory again when all in
// them are gone. Which of them are still asked for does not matter: they
// soon get pages again, beside others of their time. Owner: the loop.
type pagedBodies struct {
	oldest, newest *hotPages
}

// pagesOf gives the body as pages; nil when it is to be sent from memory.
func (s *loopState) pagesOf(b *hotPages, body *cache.Body) *engine.Pages {
	if b.pages != nil {
		return b.pages
	}
	size := body.Len()
	if size < pagesFrom || size > pagesUpTo || b.gone || b.making {
		return nil
	}
	if b.hits++; b.hits%pagesAfter != 0 {
		return nil
	}
	if !s.l.HasRoomForPages(int(size)) && !s.paged.makeRoom(s.l, int(size)) {
		return nil
	}
	b.making = true
	s.l.MakePages(body.Chunks(), int(size), func(p *engine.Pages) {
		b.making = false
		s.keepPages(b, p)
	})
	return b.pages
}

// keepPages gives b its pages; p may be nil.
func (s *loopState) keepPages(b *hotPages, p *engine.Pages) {
	switch {
	case p == nil:
	case b.gone: // the entry was replaced while they were made
		p.Release()
	default:
		b.pages, b.loop = p, s
		s.paged.add(b)
	}
}

// makeRoom drops the oldest until there is room for size bytes. When much more
// has been dropped, slow clients hold the memory: the others are left alone.
func (d *pagedBodies) makeRoom(l *engine.Loop, size int) bool {
	for dropped := 0; d.oldest != nil && dropped < 2*max(size, pagesUpTo/4); {
		dropped += d.oldest.pages.Size()
		d.oldest.drop()
		if l.HasRoomForPages(size) {
			return true
		}
	}
	return false
}

// add appends b as the newest.
func (d *pagedBodies) add(b *hotPages) {
	b.older = d.newest
	if b.older == nil {
		d.oldest = b
	} else {
		b.older.newer = b
	}
	d.newest = b
}

// remove takes b out.
func (d *pagedBodies) remove(b *hotPages) {
	if b.older == nil {
		d.oldest = b.newer
	} else {
		b.older.newer = b.newer
	}
	if b.newer == nil {
		d.newest = b.older
	} else {
		b.newer.older = b.older
	}
	b.older, b.newer = nil, nil
}

// drop releases the pages; what is on its way to clients is still sent.
func (b *hotPages) drop() {
	b.loop.paged.remove(b)
	b.pages.Release()
	b.pages, b.hits = nil, 0
}

// Release implements cache.Releaser.
func (h *renderedHead) Release() {
	h.body.gone = true
	if h.body.pages != nil {
		h.body.drop()
	}
}

var _ cache.Releaser = (*renderedHead)(nil)
