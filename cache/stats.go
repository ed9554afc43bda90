package cache

// Stats are a zone's counters since its start and its present size.
type Stats struct {
	Hits      uint64 // fresh objects found
	HotHits   uint64 // of these, in a hot table
	Misses    uint64
	Stale     uint64 // stale objects found
	Stores    uint64
	Refused   uint64 // objects that could not be stored
	Evictions uint64 // values that freecache dropped for want of room, and expired ones
	Entries   int64  // values in the shared store, pieces of large bodies included
	Bytes     int64  // of stored responses written since the start
	Fills     int64  // fills under way
	FillBytes int64  // memory they hold
	Followers uint64 // requests that were spared a backend request by a fill
}

// Stats reads the counters; they are not read at one instant.
func (z *Zone) Stats() Stats { panic("skeleton") }
