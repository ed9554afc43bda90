package cache

import (
	"slices"
	"sync"
)

// pieceSlots hands out the names under which the pieces of large bodies are stored, and takes them back when a body is
// replaced. freecache's rings only give memory back when they come round: a page of 100 KB made anew each second under new
// names would fill the whole store with dead copies of itself. Under a name that has been used before, a value of the same size
// is written over the old one.
//
// Whoever still reads the old body finds the serial of another one in its pieces, and has missed.
type pieceSlots struct {
	mu    sync.Mutex
	made  uint64
	free  map[int][]uint64 // by the number of pieces: another number would leave pieces over
	kept  int              // pieces in free
	limit int              // of kept
}

// take returns a slot for so many pieces.
func (p *pieceSlots) take(pieces int) uint64 {
	p.mu.Lock()
	defer p.mu.Unlock()
	if list := p.free[pieces]; len(list) > 0 {
		p.kept -= pieces
		p.free[pieces] = list[:len(list)-1]
		if len(list) == 1 {
			delete(p.free, pieces)
		}
		return list[len(list)-1]
	}
	p.made++
	return p.made | 1<<63 // never 0
}

// giveBack keeps a slot, with its pieces, for the next body of that size; false: there are enough, and the pieces should be
// deleted.
func (p *pieceSlots) giveBack(slot uint64, pieces int) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	if slices.Contains(p.free[pieces], slot) { // by a concurrent put that replaced the same body
		return true
	}
	if p.kept+pieces > p.limit {
		return false
	}
	if p.free == nil {
		p.free = make(map[int][]uint64)
	}
	p.free[pieces] = append(p.free[pieces], slot)
	p.kept += pieces
	return true
}
