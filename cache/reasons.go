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
	// NoStoreAccelExpires: X-Accel-Expires is 0 or a time in the past.
	NoStoreAccelExpires
	// NoStoreSetCookie: the response sets a cookie.
	NoStoreSetCookie
	// NoStoreVaryAny: Vary has "*".
	NoStoreVaryAny
	// NoStoreVaryLong: Vary is longer than MaxVary.
	NoStoreVaryLong
	// NoStorePartial: 206 or 304, which answer no request that a cache makes to fill itself.
	NoStorePartial
	// NoStoreTooLarge: the body is larger than the zone can hold.
	NoStoreTooLarge
	// NoStoreBusy: the fills under way hold as much memory as they may.
	NoStoreBusy
	// NoStoreEvicted: the value was evicted while it was being written.
	NoStoreEvicted
	// NoStoreHeadTooLarge: the key and the head are larger than the zone can hold.
	NoStoreHeadTooLarge
	// NoStoreRefused: the server's own rules (proxy_no_cache, min_uses, method).
	NoStoreRefused
	// NoStoreFailed: the response did not come whole.
	NoStoreFailed
	// NoStoreSuperseded: a fresh object for the key is stored already.
	NoStoreSuperseded

	numNoStoreReasons
)

var noStoreTexts = [numNoStoreReasons]string{
	Storable:            "storable",
	NoStoreNoLifetime:   "no lifetime given",
	NoStoreCacheControl: "cache-control forbids",
	NoStoreMalformed:    "malformed cache-control",
	NoStoreExpired:      "expired on arrival",
	NoStoreAccelExpires: "x-accel-expires forbids",
	NoStoreSetCookie:    "set-cookie",
	NoStoreVaryAny:      "vary on anything",
	NoStoreVaryLong:     "vary too long",
	NoStorePartial:      "partial or not modified",
	NoStoreTooLarge:     "body too large",
	NoStoreBusy:         "too much in flight",
	NoStoreEvicted:      "evicted while stored",
	NoStoreHeadTooLarge: "head too large",
	NoStoreRefused:      "refused by configuration",
	NoStoreFailed:       "response not complete",
	NoStoreSuperseded:   "superseded",
}

// String is the reason in a few words.
func (r NoStoreReason) String() string {
	if int(r) < len(noStoreTexts) {
		return noStoreTexts[r]
	}
	return "unknown"
}

// Error makes a reason usable as an error.
func (r NoStoreReason) Error() string { return r.String() }

// personal reports whether the reason lies in the page itself, so that its next
// response is likely not to be shared either and requests for it had better not
// wait for each other (varnish's hit-for-miss). A 5xx without a lifetime is no
// such reason: then it is a mercy for the backend when they do wait.
func (r NoStoreReason) personal(status int) bool {
	switch r {
	case NoStoreCacheControl, NoStoreMalformed, NoStoreExpired, NoStoreAccelExpires, NoStoreSetCookie,
		NoStoreVaryAny, NoStoreVaryLong, NoStoreTooLarge, NoStorePartial, NoStoreHeadTooLarge, NoStoreRefused:
		return true
	case NoStoreNoLifetime:
		return status < 500
	}
	return false
}
