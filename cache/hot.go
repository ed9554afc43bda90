package cache

import "sync/atomic"

// HotTable is level (a): complete objects of any zones, for one event loop, in a
// set-associative table. Owner: the loop; not safe for concurrent use. A hit
// allocates nothing and takes no lock.
type HotTable struct {
	sets  []hotSet
	mask  uint64
	bytes int64
	max   int64
	count int
	hand  int // where the search for room for bytes goes on
	last  *HotEntry
	id    uint32 // picks the zone counters this loop adds to
}

const hotWays = 8

// hotSet is where the entries of some hashes are. The tags lie together so that
// a look-up that finds nothing reads one cache line.
type hotSet struct {
	tags    [hotWays]uint32 // upper half of the entry's hash; 0: none there
	entries [hotWays]*HotEntry
}

// HotEntry is an object in a HotTable with what the loop keeps beside it.
type HotEntry struct {
	Object *Object
	// Rendered is the consumer's ready form of Object (say a head to be written
	// as it stands). Owner: the loop. It is dropped with the entry, and told so
	// if it is a Releaser.
	Rendered any

	zone       *Zone
	hash       uint64 // of the key, mixed with the variant unless it is the main entry
	used       int64  // ns: the last hit
	touchAt    int64  // ns: when to tell the shared store that it is in use
	size       int64
	generation uint32 // of the zone's hot objects
	version    uint32 // of the zone's stores for such hashes
	recent     bool   // hit since the hand came by
}

// Releaser is a HotEntry's Rendered that holds more than memory.
type Releaser interface {
	// Release is called once, when the entry leaves its table.
	Release()
}

var hotTables atomic.Uint32

// NewHotTable makes a table of at most about this many entries, and this many
// bytes of heads and bodies. Loops that hold the same Object share its memory,
// but each counts it.
func NewHotTable(entries int, bytes int64) *HotTable {
	sets := 1
	for sets*hotWays < entries {
		sets *= 2
	}
	return &HotTable{
		sets: make([]hotSet, sets), mask: uint64(sets - 1),
		max: bytes, id: hotTables.Add(1),
	}
}

// Entry is the slot of the object that the last Lookup returned, or the last
// Store or Finish put in, through this table; nil when it was not admitted. It
// stays usable until the loop returns to its events, though the table may have
// dropped it.
func (h *HotTable) Entry() *HotEntry { return h.last }

// Len is the number of objects held.
func (h *HotTable) Len() int { return h.count }

// Bytes is about the memory they take.
func (h *HotTable) Bytes() int64 { return h.bytes }

// Clear drops everything.
func (h *HotTable) Clear() {
	for i := range h.sets {
		for _, e := range h.sets[i].entries {
			e.release()
		}
	}
	clear(h.sets)
	h.bytes, h.count, h.last = 0, 0, nil
}

func hotTag(hash uint64) uint32 { return uint32(hash>>32) | 1 }

// find returns the entry for this hash and key; nil: none.
func (h *HotTable) find(z *Zone, hash uint64, text []byte) *HotEntry {
	set := &h.sets[hash&h.mask]
	tag := hotTag(hash)
	for i := range set.tags {
		if set.tags[i] != tag {
			continue
		}
		if e := set.entries[i]; e.hash == hash && e.zone == z && string(e.Object.Key) == string(text) {
			return e
		}
	}
	return nil
}

// insert puts obj in, in the place of an older object of the same hash and key
// if there is one; nil when obj is too large for the table.
func (h *HotTable) insert(z *Zone, hash uint64, obj *Object, generation, version uint32, now int64) *HotEntry {
	size := obj.memory()
	if old := h.find(z, hash, obj.Key); old != nil {
		h.remove(old)
	}
	if size > h.max/4 {
		h.last = nil
		return nil
	}
	h.makeRoom(size)
	e := &HotEntry{
		Object: obj, zone: z, hash: hash, used: now, touchAt: now + z.touchEvery,
		size: size, generation: generation, version: version, recent: true,
	}
	set := &h.sets[hash&h.mask]
	at := 0
	for i := range set.entries {
		if set.entries[i] == nil {
			at = i
			break
		}
		if set.entries[i].used < set.entries[at].used {
			at = i
		}
	}
	if set.entries[at] != nil {
		h.drop(set, at)
	}
	set.tags[at], set.entries[at] = hotTag(hash), e
	h.bytes += size
	h.count++
	h.last = e
	return e
}

func (h *HotTable) remove(e *HotEntry) {
	set := &h.sets[e.hash&h.mask]
	for i := range set.entries {
		if set.entries[i] == e {
			h.drop(set, i)
			return
		}
	}
}

func (h *HotTable) drop(set *hotSet, i int) {
	e := set.entries[i]
	h.bytes -= e.size
	h.count--
	set.tags[i], set.entries[i] = 0, nil
	e.release()
}

// release tells the rendered form that its entry is gone. nil is allowed.
func (e *HotEntry) release() {
	if e == nil {
		return
	}
	if r, ok := e.Rendered.(Releaser); ok {
		e.Rendered = nil
		r.Release()
	}
}

// makeRoom lets a hand go round the table and drops what was not hit since it
// came by last, until size bytes are free.
func (h *HotTable) makeRoom(size int64) {
	for steps := 0; h.bytes+size > h.max && steps < 2*len(h.sets)*hotWays; steps++ {
		set, i := &h.sets[h.hand/hotWays], h.hand%hotWays
		if h.hand++; h.hand == len(h.sets)*hotWays {
			h.hand = 0
		}
		switch e := set.entries[i]; {
		case e == nil:
		case e.recent:
			e.recent = false
		default:
			h.drop(set, i)
		}
	}
}
