package cache

import "time"

// Zone is one proxy_cache_path: a RAM store shared by all loops, and the fills
// under way for it. Safe for concurrent use.
type Zone struct {
	name string
	seed uint64
}

// NewZone makes a zone of about memory bytes whose objects are dropped after
// inactive (at least a second) without use. The memory is taken from the system
// as it is first written to.
func NewZone(name string, memory int64, inactive time.Duration) *Zone { panic("skeleton") }

// Name is the keys_zone's name.
func (z *Zone) Name() string { return z.name }

// MaxBody is the largest body the zone can hold, in bytes.
func (z *Zone) MaxBody() int64 { panic("skeleton") }

// Freshness is the outcome of a Lookup.
type Freshness uint8

const (
	// Miss: nothing usable is stored.
	Miss Freshness = iota
	// Fresh: the object may be served.
	Fresh
	// Stale: the object is past its lifetime; whether it may be served is the
	// caller's question (proxy_cache_use_stale, Object.StaleWhileUpdating/StaleOnError).
	Stale
)

// String is "miss", "fresh" or "stale".
func (f Freshness) String() string { panic("skeleton") }

// Lookup finds the response for a request: in h, then in the shared store. h may
// be nil. A fresh object in h costs no allocation, no lock.
func (z *Zone) Lookup(h *HotTable, k Key, req VaryRequest, now int64) (*Object, Freshness) {
	panic("skeleton")
}

// Store keeps obj in the shared store and in h (if not nil). obj.Key, Vary and
// Variant are set by it from k and req. why is a NoStoreReason.
// For large bodies call it (with h nil) from a worker: it copies.
func (z *Zone) Store(h *HotTable, k Key, req VaryRequest, obj *Object, now int64) (stored bool, why error) {
	panic("skeleton")
}

// Delete drops what is stored for the key (all variants).
func (z *Zone) Delete(k Key) (found bool) { panic("skeleton") }

// Purge drops everything, in constant time.
func (z *Zone) Purge() { panic("skeleton") }

// DropHot makes all hot tables forget this zone's objects (after a reload, when
// their rendered forms no longer hold); the shared store stays.
func (z *Zone) DropHot() { panic("skeleton") }

// Uses counts a request for the key and returns how often it was asked for,
// this one included (proxy_cache_min_uses). Memory is bounded: rarely used keys
// are forgotten first, and so are those not asked for within `inactive`.
func (z *Zone) Uses(k Key, now int64) int { panic("skeleton") }
