package cache

import (
	"hash/maphash"
	"sync/atomic"
	"time"
)

// Zone is one proxy_cache_path: a RAM store shared by all loops, and the fills
// under way for it. Safe for concurrent use.
type Zone struct {
	name       string
	seed       uint64 // immutable
	inactive   int64  // ns
	touchEvery int64  // ns: how often a loop tells the RAM store of hits in its own table
	ram        *ramStore
	big        sharedObjects
	fills      fillRegistry
	uses       useTable
	passes     passTable

	generation    atomic.Uint32 // of the RAM store's objects: raised by Purge
	hotGeneration atomic.Uint32 // of the hot tables' objects: raised by Purge and DropHot
	// versions count the stores, by hash: a hot entry whose count still stands is
	// the newest there is, on whichever loop it was stored.
	versions [4096]atomic.Uint32
	counters [64]loopCounters
	stores   atomic.Uint64
	refused  atomic.Uint64
	bytes    atomic.Int64
}

// NewZone makes a zone of about memory bytes whose objects are dropped after
// inactive (at least a second) without use. The memory is taken from the system
// as it is first written to.
func NewZone(name string, memory int64, inactive time.Duration) *Zone {
	seed := maphash.Comparable(maphash.MakeSeed(), name) // random: a seed of the runtime's
	z := &Zone{name: name, seed: seed, inactive: int64(max(inactive, time.Second))}
	z.touchEvery = min(z.inactive/4, int64(5*time.Second))
	z.ram = newRAMStore(memory, time.Duration(z.inactive), seed)
	z.fills.budget = max(memory, minMemory)
	z.uses.init(memory)
	return z
}

// Name is the keys_zone's name.
func (z *Zone) Name() string { return z.name }

// MaxBody is the largest body the zone can hold, in bytes.
func (z *Zone) MaxBody() int64 { return z.ram.bodyMax }

// Freshness is the outcome of a Lookup.
type Freshness uint8

const (
	// Miss: nothing usable is stored.
	Miss Freshness = iota
	// Fresh: the object may be served.
	Fresh
	// Stale: the object is past its lifetime; whether it may be served is the
	// caller's question (proxy_cache_use_stale, Object.StaleWhileUpdating, StaleOnError).
	Stale
)

var freshnessTexts = [...]string{Miss: "miss", Fresh: "fresh", Stale: "stale"}

// String is "miss", "fresh" or "stale".
func (f Freshness) String() string { return freshnessTexts[f] }

func (z *Zone) version(hash uint64) *atomic.Uint32 {
	return &z.versions[hash>>40%uint64(len(z.versions))]
}

// variantHash is the hash under which a hot table keeps a variant that is not the main entry.
func variantHash(hash, variant uint64) uint64 {
	h := (hash ^ variant) * prime1
	return h ^ h>>29
}

// Lookup finds the response for a request: in h, then in the shared store. h may
// be nil. A fresh object in h costs no allocation and no lock.
//
// Variants lie as nginx lays them: the first response stored for a key is its
// main entry; when the request is another variant by the main entry's Vary, the
// variant's own entry is looked up.
func (z *Zone) Lookup(h *HotTable, k Key, req VaryRequest, now int64) (*Object, Freshness) {
	obj, hot := z.find(h, k, req, now)
	c := z.countersOf(h)
	switch {
	case obj == nil:
		c.misses.Add(1)
		return nil, Miss
	case now < obj.FreshUntil:
		if hot {
			c.hotHits.Add(1)
		} else {
			c.hits.Add(1)
		}
		return obj, Fresh
	}
	c.stale.Add(1)
	return obj, Stale
}

// find is Lookup without the counting; hot tells that h alone gave the answer.
func (z *Zone) find(h *HotTable, k Key, req VaryRequest, now int64) (obj *Object, hot bool) {
	// Before the store is read: what is stored later has a higher version.
	version := z.version(k.Hash).Load()
	main, hot := z.findEntry(h, k, k.Hash, 0, version, now)
	if main == nil || main.Vary == nil {
		return main, hot
	}
	variant := z.variantOf(main.Vary, req)
	if variant == main.Variant {
		return main, hot
	}
	obj, hot = z.findEntry(h, k, variantHash(k.Hash, variant), variant, version, now)
	if obj != nil && obj.Variant != variant {
		return nil, false
	}
	return obj, hot
}

// findEntry finds one entry, main or variant, in h and then in the shared store.
func (z *Zone) findEntry(h *HotTable, k Key, hash, variant uint64, version uint32, now int64) (obj *Object, hot bool) {
	var e *HotEntry
	if h != nil {
		h.last = nil
		if e = h.find(z, hash, k.Text); e != nil {
			if e.generation != z.hotGeneration.Load() || now-e.used > z.inactive {
				h.remove(e)
				e = nil
			}
		}
	}
	if e != nil {
		obj = e.Object
		e.used, e.recent = now, true
		h.last = e
		if now >= e.touchAt {
			z.touch(e, k.Hash, variant, now)
		}
		if e.version == version {
			return obj, true // the newest there is, fresh or stale
		}
	}
	generation, hotGeneration := z.generation.Load(), z.hotGeneration.Load()
	stored := z.ram.get(entryKeyOf(k.Hash, variant), k.Text, obj, generation, now, &z.big)
	switch {
	case stored == nil && e == nil:
		return nil, false
	case stored == nil || stored == obj:
		// Nothing newer: another key's store raised the count, or the shared
		// store had no room for it.
		e.version = version
		return obj, false
	}
	if h != nil {
		h.insert(z, hash, stored, hotGeneration, version, now)
	}
	return stored, false
}

// touch tells the shared store that an object is in use, so that neither its
// eviction nor its expiry takes it for idle while all hits are in hot tables.
func (z *Zone) touch(e *HotEntry, hash, variant uint64, now int64) {
	e.touchAt = now + z.touchEvery
	z.ram.use(entryKeyOf(hash, variant), now)
}

// Store keeps obj in the shared store and in h (if not nil). The caller hands
// obj over: it must not be shared before. Its Vary must be as NewObject set it;
// Key and Variant are set here. why is Storable when it was stored; in h it may
// be in any case. For large bodies call it from a worker, with h nil: it copies.
func (z *Zone) Store(h *HotTable, k Key, req VaryRequest, obj *Object, now int64) (why NoStoreReason) {
	z.adopt(obj, k, req)
	z.ram.prepare(obj)
	return z.commit(h, k, obj, now)
}

// adopt makes obj the response for this key and request. Before obj is shared.
func (z *Zone) adopt(obj *Object, k Key, req VaryRequest) {
	obj.Key = append(make([]byte, 0, len(k.Text)), k.Text...)
	obj.Variant = 0
	if obj.Vary != nil {
		obj.Variant = z.variantOf(obj.Vary, req)
	}
}

// commit stores an adopted and prepared object.
func (z *Zone) commit(h *HotTable, k Key, obj *Object, now int64) NoStoreReason {
	generation, hotGeneration := z.generation.Load(), z.hotGeneration.Load()
	hash, variant := k.Hash, uint64(0)
	if obj.Vary != nil && z.otherVariantIsMain(k, obj, generation) {
		variant = obj.Variant
		hash = variantHash(k.Hash, variant)
	}
	why := z.ram.put(entryKeyOf(k.Hash, variant), obj, generation, now)
	version := z.version(k.Hash).Add(1)
	if why != Storable {
		z.refused.Add(1)
	} else {
		z.stores.Add(1)
		z.bytes.Add(obj.memory() - objectOverhead)
		z.passes.clear(k.Hash)
		if obj.serial != 0 {
			z.big.put(obj)
		}
	}
	if h != nil {
		h.insert(z, hash, obj, hotGeneration, version, now)
	}
	return why
}

// otherVariantIsMain tells whether the main entry is another variant by the same
// Vary as obj's, so that obj must go beside it and not in its place.
func (z *Zone) otherVariantIsMain(k Key, obj *Object, generation uint32) bool {
	vary, variant, ok := z.ram.peekVary(entryKeyOf(k.Hash, 0), k.Text, generation)
	return ok && string(vary) == string(obj.Vary) && variant != obj.Variant
}

// Purge drops everything, in constant time.
func (z *Zone) Purge() {
	z.generation.Add(1)
	z.hotGeneration.Add(1)
}

// DropHot makes all hot tables forget this zone's objects (after a reload, when
// their rendered forms no longer hold); the shared store stays.
func (z *Zone) DropHot() { z.hotGeneration.Add(1) }

// Generation changes when hot objects are dropped: consumers that keep forms of
// objects elsewhere compare it.
func (z *Zone) Generation() uint32 { return z.hotGeneration.Load() }
