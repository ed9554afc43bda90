package cache

import (
	"encoding/binary"
	"errors"
	"sync"
	"sync/atomic"
	"time"

	"github.com/cespare/xxhash/v2"
	"github.com/coocood/freecache"
)

// ramStore is level (b): encoded responses in freecache.
//
// What freecache (v1.2.7) does, and what follows from it:
//   - 256 segments, each a ring buffer under its own mutex. An entry is at most a
//     quarter of a segment, hence the pieces (piecekey.go).
//   - The ring buffers are plain slices, so memory that was never written costs nothing.
//   - A value that grows gets its capacity doubled; one that fits is overwritten in place.
//   - Eviction goes round the ring: an entry used less recently than the
//     segment's average goes, others are moved ahead, but every sixth goes in any
//     case. So a piece of a body that is being written can be evicted by its own
//     later pieces when the zone is full of entries in use: put looks and writes it again.
//   - Its expiry is in whole units of its timer: ours gives ticks of `tick`, read
//     from the `now` of the calls, so that it reads no clock.
type ramStore struct {
	fc    *freecache.Cache
	clock *tickClock

	entryMax int   // largest value under a 16-byte key
	piece    int   // bytes in a piece
	bodyMax  int64 // largest body
	ttl      int   // ticks
	serials  atomic.Uint64
	slots    pieceSlots
	live     atomic.Int64 // entries set and not deleted by us; what freecache lacks of these it evicted
}

const (
	tick          = 100 * time.Millisecond
	entryOverhead = freecache.ENTRY_HDR_SIZE + pieceKeyN
	maxPiece      = 64<<10 - entryOverhead
	minMemory     = 512 << 10 // freecache's own
	putRounds     = 4         // how often put writes again what was evicted meanwhile
	deadShare     = 16        // one part in so many of the store may be pieces kept to be written over
)

var errStop = errors.New("cache: stop")

// tickClock is freecache's timer: the latest `now` that any call brought.
type tickClock struct{ ticks atomic.Uint32 }

// Now is in ticks; never 0, which freecache takes for "no time".
func (c *tickClock) Now() uint32 { return c.ticks.Load() }

func (c *tickClock) advance(now int64) {
	t := uint32(max(now, 0)/int64(tick)) + 1
	for {
		old := c.ticks.Load()
		if t <= old || c.ticks.CompareAndSwap(old, t) {
			return
		}
	}
}

func newRAMStore(memory int64, inactive time.Duration, seed uint64) *ramStore {
	memory = max(memory, minMemory)
	s := &ramStore{clock: &tickClock{}}
	s.clock.ticks.Store(1)
	s.fc = freecache.NewCacheCustomTimer(int(memory), s.clock)
	segment := int(memory / segments)
	s.entryMax = segment/4 - entryOverhead
	// Sixteen pieces to a segment: of a body as large as may be, the last
	// sixteenth is left for its root and for the ends of what it displaces.
	s.piece = min(segment/16, maxPiece+entryOverhead) - entryOverhead - pieceHead
	perSegment := segment/(s.piece+pieceHead+entryOverhead) - 1
	s.bodyMax = int64(perSegment) * segments * int64(s.piece)
	s.ttl = int(max(inactive, time.Second) / tick)
	s.serials.Store(seed)
	s.slots.made = seed &^ (1 << 63)
	s.slots.limit = int(memory) / (s.piece + pieceHead + entryOverhead) / deadShare
	return s
}

// entryKey names a root: the main one for variant 0.
type entryKey [16]byte

func entryKeyOf(hash, variant uint64) (k entryKey) {
	binary.LittleEndian.PutUint64(k[:8], hash)
	binary.LittleEndian.PutUint64(k[8:], variant)
	return k
}

func rootCheck(b []byte) uint64 { return xxhash.Sum64(b) }

var scratchPool = sync.Pool{New: func() any { return new([]byte) }}

// layout says what of obj goes into its root.
func (s *ramStore) layout(obj *Object) (flags uint8) {
	meta := rootFixed + int64(len(obj.Key)+len(obj.Vary)+len(obj.Head))
	switch {
	case meta+obj.Body.size <= int64(s.entryMax):
		return flagMetaInline | flagBodyInline
	case meta <= int64(s.piece):
		return flagMetaInline
	}
	return 0
}

// prepare gives obj a serial and a slot when it needs pieces. It must come before
// obj is shared, and before put. A refreshed object keeps those of its body's
// pieces, unless they hold its meta as well, which changed.
func (s *ramStore) prepare(obj *Object) {
	switch flags := s.layout(obj); {
	case flags&flagBodyInline != 0:
		obj.serial, obj.slot = 0, 0
	case flags&flagMetaInline == 0 || obj.serial == 0:
		r := rootOf(obj, 0, s.piece)
		r.flags = flags
		r.countPieces()
		obj.serial, obj.slot = s.serials.Add(1)|1<<63, s.slots.take(r.pieces()) // never 0
	}
}

// put stores a prepared object under k. Concurrent puts under one key are safe:
// the last root wins, and each root has pieces of its own.
func (s *ramStore) put(k entryKey, obj *Object, generation uint32, now int64) NoStoreReason {
	s.clock.advance(now)
	r := rootOf(obj, generation, s.piece)
	r.flags = s.layout(obj)
	r.serial, r.slot = obj.serial, obj.slot
	r.countPieces()
	if int64(r.metaPieces)*int64(s.piece) > s.bodyMax/2 {
		return NoStoreHeadTooLarge
	}
	if r.bodyLen > s.bodyMax-int64(r.metaPieces)*int64(s.piece) {
		return NoStoreTooLarge
	}
	scratch := scratchPool.Get().(*[]byte)
	defer scratchPool.Put(scratch)

	old, hadOld := s.peekRoot(k)
	// After a 304 the body's pieces are there already, under the same serial.
	sameBody := hadOld && old.serial != 0 && old.serial == r.serial && old.bodyLen == r.bodyLen
	if r.pieces() > 0 && !sameBody && !s.putPieces(&r, obj, scratch) {
		s.dropPieces(&r)
		return NoStoreEvicted
	}
	value := appendRoot((*scratch)[:0], &r)
	if r.flags&flagMetaInline != 0 {
		value = appendMeta(value, obj)
	}
	if r.flags&flagBodyInline != 0 {
		for _, c := range obj.Body.chunks {
			value = append(value, c...)
		}
	}
	*scratch = value[:0]
	if s.fc.Set(k[:], value, s.ttl) != nil {
		return NoStoreHeadTooLarge
	}
	if !hadOld {
		s.live.Add(1)
	} else if old.serial != r.serial && s.owns(&old) && !s.slots.giveBack(old.slot, old.pieces()) {
		s.dropPieces(&old)
	}
	return Storable
}

// owns reports whether a root's slot has its own pieces: in a slot that was given
// back meanwhile another body may lie, which is nothing to give back or to drop.
func (s *ramStore) owns(r *root) bool {
	return r.pieces() > 0 && s.fc.PeekFn(pieceKeyOf(r.slot, 0), func(v []byte) error {
		if len(v) < pieceHead || binary.LittleEndian.Uint64(v) != r.serial {
			return errStop
		}
		return nil
	}) == nil
}

func pieceKeyOf(slot uint64, i int) []byte {
	var key [pieceKeyN]byte
	pieceKey(&key, slot, i)
	return key[:]
}

// putPieces writes the meta's and the body's pieces, and again those that were
// evicted by later ones; false when that does not help.
func (s *ramStore) putPieces(r *root, obj *Object, scratch *[]byte) bool {
	for round := range putRounds {
		wrote := s.writeMissing(r, obj, scratch, round == 0)
		if round > 0 && !wrote {
			return true
		}
	}
	return false
}

// writeMissing writes the pieces that are not there (all: those of another body
// that are, too) and tells whether there were any.
func (s *ramStore) writeMissing(r *root, obj *Object, scratch *[]byte, all bool) (wrote bool) {
	buf := scratchPool.Get().(*[]byte)
	defer scratchPool.Put(buf)
	var key [pieceKeyN]byte
	set := func(i int, p []byte) {
		pieceKey(&key, r.slot, i)
		_, err := s.fc.TTL(key[:])
		there := err == nil
		if there && !all {
			return
		}
		wrote = true
		*buf = append(binary.LittleEndian.AppendUint64((*buf)[:0], r.serial), p...)
		if s.fc.Set(key[:], *buf, s.ttl) == nil && !there {
			s.live.Add(1)
		}
	}
	if r.metaPieces > 0 {
		meta := appendMeta((*scratch)[:0], obj)
		*scratch = meta[:0]
		for i := range r.metaPieces {
			set(i, meta[i*s.piece:min((i+1)*s.piece, len(meta))])
		}
	}
	if r.bodyPieces == 0 {
		return wrote
	}
	cut := cutter{chunks: obj.Body.chunks, buf: (*scratch)[:0]}
	for i := range r.bodyPieces {
		set(r.metaPieces+i, cut.next(s.piece))
	}
	*scratch = cut.buf[:0]
	return wrote
}

// cutter hands out a body in pieces of equal size, copying only those that lie
// across two chunks.
type cutter struct {
	chunks [][]byte
	at     int
	buf    []byte
}

// next returns the next n bytes, fewer at the end; valid until the next call.
func (c *cutter) next(n int) []byte {
	c.buf = c.buf[:0]
	for len(c.chunks) > 0 {
		rest := c.chunks[0][c.at:]
		if len(c.buf) == 0 && len(rest) >= n {
			c.at += n
			return rest[:n]
		}
		take := min(n-len(c.buf), len(rest))
		c.buf = append(c.buf, rest[:take]...)
		if c.at += take; c.at == len(c.chunks[0]) {
			c.chunks, c.at = c.chunks[1:], 0
		}
		if len(c.buf) == n {
			break
		}
	}
	return c.buf
}

func (s *ramStore) dropPieces(r *root) {
	var key [pieceKeyN]byte
	for i := range r.pieces() {
		pieceKey(&key, r.slot, i)
		if s.fc.Del(key[:]) {
			s.live.Add(-1)
		}
	}
}

// peekRoot reads the fixed part of a root, if there is one, without touching it.
func (s *ramStore) peekRoot(k entryKey) (r root, ok bool) {
	_ = s.fc.PeekFn(k[:], func(v []byte) error {
		r, ok = decodeRoot(v, s.piece, s.bodyMax)
		return nil
	})
	return r, ok
}

// get reads what is stored under k for the key text. have, if not nil, is an
// object that the caller holds already: it is returned when it is what is stored.
// Bodies in pieces that are in memory already are shared through big.
func (s *ramStore) get(k entryKey, text []byte, have *Object, generation uint32, now int64, big *sharedObjects) *Object {
	s.clock.advance(now)
	for range 2 { // a second time when the pieces were replaced between root and pieces
		var r root
		var value []byte
		same := false
		err := s.fc.GetFn(k[:], func(v []byte) error {
			var ok bool
			if r, ok = decodeRoot(v, s.piece, s.bodyMax); !ok || r.generation != generation {
				return errStop
			}
			if have != nil && r.stored == have.StoredAt && r.fresh == have.FreshUntil &&
				r.variant == have.Variant && r.bodyLen == have.Body.size {
				same = true
				return nil
			}
			value = append(make([]byte, 0, len(v)), v...) // the only copy: the object is made of views of it
			return nil
		})
		switch {
		case err != nil:
			return nil
		case same:
			s.keepAlive(k, &r)
			return have
		}
		meta, inline, whole := s.readMeta(&r, value[rootFixed:])
		if whole && string(meta[:r.keyLen]) != string(text) {
			return nil // another key with the same hash
		}
		var body Body
		if whole {
			body, whole = s.readBody(&r, inline, big)
		}
		if !whole {
			if again, ok := s.peekRoot(k); ok && again.serial != r.serial {
				continue
			}
			return nil
		}
		obj, ok := r.object(meta, body)
		if !ok {
			return nil
		}
		if r.serial != 0 {
			big.put(obj)
		}
		s.keepAlive(k, &r)
		return obj
	}
	return nil
}

// readMeta collects the meta and says what of the root follows it; whole is
// false when a piece is missing.
func (s *ramStore) readMeta(r *root, inline []byte) (meta, rest []byte, whole bool) {
	n := r.metaLen()
	if r.flags&flagMetaInline != 0 {
		return inline[:n:n], inline[n:], true
	}
	meta = make([]byte, n)
	return meta, inline, s.readPieces(r, 0, meta)
}

// readBody collects the body.
func (s *ramStore) readBody(r *root, inline []byte, big *sharedObjects) (body Body, whole bool) {
	if r.flags&flagBodyInline != 0 {
		return BodyOf(inline), true
	}
	if o := big.get(r.serial); o != nil && o.Body.size == r.bodyLen {
		return o.Body, true
	}
	// Slabs of whole pieces: one allocation for many, and none too large for the allocator's liking.
	slab := int64(max(slabSize/s.piece, 1) * s.piece)
	first := r.metaPieces
	for left := r.bodyLen; left > 0; {
		p := make([]byte, min(left, slab))
		if !s.readPieces(r, first, p) {
			return body, false
		}
		body.chunks = append(body.chunks, p)
		body.size += int64(len(p))
		left -= int64(len(p))
		first += int(slab) / s.piece
	}
	return body, true
}

// peekVary reads the Vary and the variant of what is stored under k for the key
// text, without counting as a use. vary is nil when it has none.
func (s *ramStore) peekVary(k entryKey, text []byte, generation uint32) (vary []byte, variant uint64, ok bool) {
	var r root
	var inline []byte
	err := s.fc.PeekFn(k[:], func(v []byte) error {
		if r, ok = decodeRoot(v, s.piece, s.bodyMax); !ok || r.generation != generation {
			return errStop
		}
		if r.flags&flagMetaInline != 0 {
			inline = append([]byte(nil), v[rootFixed:rootFixed+r.keyLen+r.varyLen]...)
		}
		return nil
	})
	if err != nil {
		return nil, 0, false
	}
	meta := inline
	if inline == nil {
		if meta, _, ok = s.readMeta(&r, nil); !ok {
			return nil, 0, false
		}
	}
	if string(meta[:r.keyLen]) != string(text) {
		return nil, 0, false
	}
	if r.varyLen > 0 {
		vary = meta[r.keyLen : r.keyLen+r.varyLen]
	}
	return vary, r.variant, true
}

const slabSize = 256 << 10

// readPieces fills dst from piece `first` on; false when one is missing or
// another body's.
func (s *ramStore) readPieces(r *root, first int, dst []byte) bool {
	var key [pieceKeyN]byte
	for i := first; len(dst) > 0; i++ {
		n := min(s.piece, len(dst))
		pieceKey(&key, r.slot, i)
		err := s.fc.GetFn(key[:], func(v []byte) error {
			if len(v) != pieceHead+n || binary.LittleEndian.Uint64(v) != r.serial {
				return errStop
			}
			copy(dst, v[pieceHead:])
			return nil
		})
		if err != nil {
			return false
		}
		dst = dst[n:]
	}
	return true
}

// keepAlive moves the expiry of an entry in use, when a quarter of its time is over.
func (s *ramStore) keepAlive(k entryKey, r *root) {
	left, err := s.fc.TTL(k[:])
	if err != nil || int(left) > s.ttl*3/4 {
		return
	}
	s.touch(k, r)
}

// use is what a hit in a hot table means for the entry here.
func (s *ramStore) use(k entryKey, now int64) {
	s.clock.advance(now)
	if r, ok := s.peekRoot(k); ok {
		s.touch(k, &r)
	}
}

func (s *ramStore) touch(k entryKey, r *root) {
	_ = s.fc.Touch(k[:], s.ttl)
	var key [pieceKeyN]byte
	for i := range r.pieces() {
		pieceKey(&key, r.slot, i)
		_ = s.fc.Touch(key[:], s.ttl)
	}
}

// evictions is how many entries freecache dropped by itself.
func (s *ramStore) evictions() int64 { return max(s.live.Load()-s.fc.EntryCount(), 0) }
