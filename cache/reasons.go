package cache

// NoStoreReason says why a response is not stored. Logs, metrics and tests use its text.
type NoStoreReason uint8

const (
	// Storable: nothing speaks against it.
	Storable NoStoreReason = iota
	// NoStoreNoLifetime: no header gives a lifetime and no proxy_cache_valid covers the status.
	NoStoreNoLifetime
	// NoStoreCacheControl: Cache-Control says no-cache, no-store, private or a zero age.
	NoStoreCacheControl
	// NoStoreMalformed: a Cache-Control lifetime that is not a number.
	NoStoreMalformed
	// NoStoreExpired: Expires is in the past or unreadable, or Age has used the lifetime up.
	NoStoreExpired
	// NoStoreAccelExpires: X-Accel-Expires: 0, or a time in the past.
	NoStoreAccelExpires
	// NoStoreSetCookie: the response sets a cookie.
	NoStoreSetCookie
	// NoStoreVaryAny: Vary has "*".
	NoStoreVaryAny
	// NoStoreVaryLong: Vary is longer than MaxVary.
	NoStoreVaryLong
	// NoStorePartial: 206 or 304, which nobody asked for here.
	NoStorePartial
	// NoStoreTooLarge: the body is larger than the zone can hold.
	NoStoreTooLarge
	// NoStoreBusy: the fills under way hold as much memory as they may.
	NoStoreBusy
	// NoStoreEvicted: the value was evicted while it was being written.
	NoStoreEvicted
	// NoStoreKeyTooLarge: the key and the head do not fit the zone.
	NoStoreHeadTooLarge
	// NoStoreRefused: the server's own rules (proxy_no_cache, min_uses, method).
	NoStoreRefused
	// NoStoreFailed: the response did not come whole.
	NoStoreFailed

	numNoStoreReasons
)

// String is the reason in a few words.
func (r NoStoreReason) String() string { panic("skeleton") }

// Error makes a reason usable as the error of Zone.Store.
func (r NoStoreReason) Error() string { return r.String() }
