package engine

import (
	"sync"
	"sync/atomic"
)

const fdPageSize = 1024

// fdTable finds a connection by its descriptor. One table for all loops, because descriptor numbers are the process's:
// a table per loop would cost every connection a slot in each. A slot is written by the loop that owns the descriptor,
// before registering and before closing it; a loop that finds a connection of another loop there has a stale event.
type fdTable struct {
	mu    sync.Mutex // growing only
	pages atomic.Pointer[[]*fdPage]
}

type fdPage [fdPageSize]atomic.Pointer[Conn]

func (t *fdTable) get(fd int) *Conn {
	pages := *t.pages.Load()
	if uint(fd)/fdPageSize >= uint(len(pages)) {
		return nil
	}
	return pages[uint(fd)/fdPageSize][uint(fd)%fdPageSize].Load()
}

func (t *fdTable) set(fd int, c *Conn) {
	pages := *t.pages.Load()
	if fd/fdPageSize >= len(pages) {
		pages = t.grow(fd)
	}
	pages[fd/fdPageSize][fd%fdPageSize].Store(c)
}

func (t *fdTable) grow(fd int) []*fdPage {
	t.mu.Lock()
	defer t.mu.Unlock()
	pages := *t.pages.Load()
	if fd/fdPageSize < len(pages) {
		return pages
	}
	grown := append(make([]*fdPage, 0, fd/fdPageSize+1), pages...)
	for fd/fdPageSize >= len(grown) {
		grown = append(grown, new(fdPage))
	}
	t.pages.Store(&grown)
	return grown
}

// each calls f for every connection that belongs to l; on l's goroutine only. f may close the connection.
func (t *fdTable) each(l *Loop, f func(c *Conn)) {
	for _, page := range *t.pages.Load() {
		for i := range page {
			if c := page[i].Load(); c != nil && c.loop == l {
				f(c)
			}
		}
	}
}
