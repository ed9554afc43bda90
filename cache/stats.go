package cache

import "sync/atomic"

// Stats are a zone's counters since its start and its present size.
type Stats struct {
	Hits      uint64 // fresh objects found
	HotHits   uint64 // of these, in a hot table
	Misses    uint64
	Stale     uint64 // stale objects found
	Stores    uint64
	Refused   uint64 // objects that the shared store had no room for
	Evictions uint64 // entries that freecache dropped for want of room, and expired ones it came across
	Entries   int64  // entries in the shared store: responses, and the pieces of large ones
	Stored    int64  // bytes of responses stored since the start
	Fills     int64  // fills under way
	FillBytes int64  // memory they hold
	Followers uint64 // requests that joined a fill instead of asking the backend
}

// loopCounters are the counters of the hot path, on a cache line of their own
// for each loop.
type loopCounters struct {
	hits, hotHits, misses, stale atomic.Uint64
	_                            [32]byte
}

func (z *Zone) countersOf(h *HotTable) *loopCounters {
	if h == nil {
		return &z.counters[0]
	}
	return &z.counters[h.id%uint32(len(z.counters))]
}

// Stats reads the counters; they are not read at one instant.
func (z *Zone) Stats() Stats {
	s := Stats{
		Stores: z.stores.Load(), Refused: z.refused.Load(), Stored: z.bytes.Load(),
		Evictions: uint64(z.ram.evictions()), Entries: z.ram.fc.EntryCount(),
		Fills: z.fills.open.Load(), FillBytes: z.fills.held.Load(), Followers: z.fills.followers.Load(),
	}
	for i := range z.counters {
		c := &z.counters[i]
		hot := c.hotHits.Load()
		s.Hits += c.hits.Load() + hot
		s.HotHits += hot
		s.Misses += c.misses.Load()
		s.Stale += c.stale.Load()
	}
	return s
}
