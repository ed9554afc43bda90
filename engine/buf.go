package engine

import (
	"math/bits"
	"time"
)

const (
	minBufShift = 10 // 1 KB
	maxBufShift = 18 // 256 KB
	bufClasses  = maxBufShift - minBufShift + 1

	// poolBytes bounds what one class of one loop keeps.
	poolBytes = 512 << 10
	// trimEvery is how often what lay unused since the last time is given to the garbage collector.
	trimEvery = int64(2 * time.Second)
)

// Buf is a pooled buffer. B has length 0 and at least the asked capacity when it comes from GetBuf; the owner may slice
// and grow B as it likes.
type Buf struct {
	B      []byte
	mem    []byte // the whole buffer, whatever became of B
	class  int8   // -1: not pooled
	pooled bool   // lies in the pool: a second PutBuf is a bug that must not stay hidden
}

// pools keeps free buffers by class, last in first out: the last one used is the warmest.
type pools struct {
	free  [bufClasses][]*Buf
	least [bufClasses]int // fewest free since the last trim
	trim  Timer
}

// GetBuf gives a buffer with at least size bytes of capacity: of a power-of-two class from 1 KB to 256 KB, pooled per
// loop; larger ones are plain allocations.
func (l *Loop) GetBuf(size int) *Buf {
	if size > 1<<maxBufShift {
		return &Buf{B: make([]byte, 0, size), class: -1}
	}
	class := 0
	if size > 1<<minBufShift {
		class = bits.Len(uint(size-1)) - minBufShift
	}
	free := l.pools.free[class]
	if n := len(free) - 1; n >= 0 {
		b := free[n]
		l.pools.free[class] = free[:n]
		if n < l.pools.least[class] {
			l.pools.least[class] = n
		}
		b.pooled = false
		b.B = b.mem
		return b
	}
	mem := make([]byte, 0, 1<<(class+minBufShift))
	return &Buf{B: mem, mem: mem, class: int8(class)}
}

// PutBuf gives b back; nobody may use it or its bytes afterwards. nil is allowed.
func (l *Loop) PutBuf(b *Buf) {
	if b == nil {
		return
	}
	if b.pooled {
		panic("engine: buffer put back twice")
	}
	if b.class < 0 {
		b.B = nil
		return
	}
	free := l.pools.free[b.class]
	if len(free) >= max(4, min(256, poolBytes>>(int(b.class)+minBufShift))) {
		b.B, b.mem, b.class = nil, nil, -1
		return
	}
	b.pooled = true
	b.B = nil
	l.pools.free[b.class] = append(free, b)
	l.trimLater()
}

// trimLater makes sure that the pools are trimmed.
func (l *Loop) trimLater() {
	if !l.pools.trim.Armed() && !l.stopping {
		l.SetTimer(&l.pools.trim, l.Now()+trimEvery, (*trimmer)(l))
	}
}

// trimmer is the loop as the Expirer of its pools.
type trimmer Loop

// Expired gives half of what nobody needed since the last time to the garbage collector, so that an idle loop ends with
// empty pools.
func (tr *trimmer) Expired(t *Timer) {
	l := (*Loop)(tr)
	left := 0
	for class, free := range l.pools.free {
		drop := (l.pools.least[class] + 1) / 2
		keep := len(free) - drop
		clear(free[keep:])
		l.pools.free[class] = free[:keep]
		l.pools.least[class] = keep
		left += keep
	}
	l.queues.trim()
	l.pipes.trim()
	l.pages.trim()
	if left > 0 || l.queues.free != nil || l.pipes.free != nil || l.pages.trims() {
		l.SetTimer(t, l.Now()+trimEvery, tr)
	}
}
