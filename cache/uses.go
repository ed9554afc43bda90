package cache

import "sync/atomic"

// useTable counts requests per key for proxy_cache_min_uses, in a fixed table of
// words without locks. A key whose word was taken by another starts anew, which
// only delays its being stored.
type useTable struct {
	words []atomic.Uint64 // 32 bits of the hash, 16 of the count, 16 of the time
	mask  uint64
}

const (
	useWays    = 4
	useMinimum = 1 << 10
	useMaximum = 1 << 17 // 1 MB
	useUnit    = int64(second)
)

func (t *useTable) init(memory int64) {
	n := uint64(useMinimum)
	for n < useMaximum && int64(n)*2048 < memory {
		n *= 2
	}
	t.words = make([]atomic.Uint64, n)
	t.mask = n - useWays
}

// count adds one use and returns their number, at most 65535. Uses are forgotten
// after inactive ns without one.
func (t *useTable) count(hash uint64, inactive, now int64) int {
	stamp := uint16(now / useUnit)
	limit := uint16(min(inactive/useUnit, 1<<15))
	tag := uint32(hash >> 32)
	at := hash & t.mask
	victim, oldest := at, -1
	for i := at; i < at+useWays; i++ {
		for {
			w := t.words[i].Load()
			uses, age := uint16(w>>16), stamp-uint16(w)
			if uses == 0 || age > limit {
				if oldest < 1<<16 {
					victim, oldest = i, 1<<16
				}
				break
			}
			if uint32(w>>32) != tag {
				if int(age) > oldest {
					victim, oldest = i, int(age)
				}
				break
			}
			if uses < 1<<16-1 {
				uses++
			}
			if t.words[i].CompareAndSwap(w, useWord(tag, uses, stamp)) {
				return int(uses)
			}
		}
	}
	t.words[victim].Store(useWord(tag, 1, stamp))
	return 1
}

func useWord(tag uint32, uses, stamp uint16) uint64 {
	return uint64(tag)<<32 | uint64(uses)<<16 | uint64(stamp)
}

// Uses counts a request for the key and returns how often it was asked for,
// this one included (proxy_cache_min_uses). Memory is bounded: rarely used keys
// are forgotten first, and so are those not asked for within `inactive`.
func (z *Zone) Uses(k Key, now int64) int { return z.uses.count(k.Hash, z.inactive, now) }

// passTable marks keys whose last response was not to be shared: their requests
// do not wait for each other for passFor (varnish's hit-for-miss). Lossy.
type passTable struct {
	words [1024]atomic.Uint64 // 32 bits of the hash, 32 of the end in units of passUnit
}

const (
	passFor  = 5 * int64(second)
	passUnit = int64(second) / 16
)

func (t *passTable) word(hash uint64) *atomic.Uint64 {
	return &t.words[hash%uint64(len(t.words))]
}

func (t *passTable) mark(hash uint64, now int64) {
	t.word(hash).Store(hash>>32<<32 | uint64(uint32((now+passFor)/passUnit)))
}

func (t *passTable) marked(hash uint64, now int64) bool {
	w := t.word(hash).Load()
	return w != 0 && w>>32 == hash>>32 && int64(uint32(w)) > now/passUnit
}

func (t *passTable) clear(hash uint64) {
	word := t.word(hash)
	if w := word.Load(); w != 0 && w>>32 == hash>>32 {
		word.CompareAndSwap(w, 0)
	}
}
