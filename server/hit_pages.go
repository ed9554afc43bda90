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
	// pagesAtOnce is up to which size the loop makes them itself: copying that
	// takes less than 0.1 ms. Larger ones are made by a worker meanwhile.
	pagesAtOnce = 256 << 10
	// pagesAfter is after how many hits. Making pages costs what 12 answers of
	// 16 KB, 6 of 32 KB or 4 of 100 KB and more save (docs/decisions/0016):
	// whatever becomes of the entry, little more than that is lost.
	pagesAfter = 8
)

// hotPages is the body of an entry of the hot table as pages of the kernel,
// from which it is sent without copying, if it is asked for often. Owner: the loop.
type hotPages struct {
	pages  *engine.Pages
	hits   uint32
	used   bool // since the hand came by
	making bool // a worker is at it
	gone   bool // the entry has left the hot table
	at     int  // index in pagedBodies.all, while pages is set
	loop   *loopState
}

// pagedBodies knows the bodies in pages of a loop, so that those that are not
// asked for any more make room. Owner: the loop.
type pagedBodies struct {
	all  []*hotPages
	hand int
}

// pagesOf gives the body as pages; nil when it is to be sent from memory.
func (s *loopState) pagesOf(b *hotPages, body *cache.Body) *engine.Pages {
	if b.pages != nil {
		b.used = true
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
	if size <= pagesAtOnce {
		s.keepPages(b, s.l.NewPages(body.Chunks(), int(size)))
		return b.pages
	}
	b.making = true
	s.l.OffloadPages(body.Chunks(), int(size), func(p *engine.Pages) {
		b.making = false
		s.keepPages(b, p)
	})
	return nil
}

// keepPages gives b its pages; p may be nil.
func (s *loopState) keepPages(b *hotPages, p *engine.Pages) {
	switch {
	case p == nil:
	case b.gone: // the entry was replaced while they were made
		p.Release()
	default:
		b.pages, b.loop, b.used, b.at = p, s, true, len(s.paged.all)
		s.paged.all = append(s.paged.all, b)
	}
}

// makeRoom lets a hand go round, once, and releases what was not sent since it
// came by last, until there is room for size bytes.
func (d *pagedBodies) makeRoom(l *engine.Loop, size int) bool {
	for steps := len(d.all); steps > 0 && len(d.all) > 0; steps-- {
		if d.hand >= len(d.all) {
			d.hand = 0
		}
		b := d.all[d.hand]
		if b.used {
			b.used = false
			d.hand++
			continue
		}
		b.drop()
		if l.HasRoomForPages(size) {
			return true
		}
	}
	return false
}

// drop releases the pages; what is on its way to clients is still sent.
func (b *hotPages) drop() {
	d := &b.loop.paged
	last := len(d.all) - 1
	d.all[b.at] = d.all[last]
	d.all[b.at].at = b.at
	d.all[last] = nil
	d.all = d.all[:last]
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
