package cache

import (
	"math"
	"time"

	"seawall/httpparse"
)

// Headers is a view of a response's fields: httpparse.Response.Fields over the
// buffer that was parsed, or Object.Fields over Object.Head.
type Headers struct {
	Buf    []byte
	Fields []httpparse.Field
}

// Ignore is a set of response fields that are not heeded (proxy_ignore_headers).
type Ignore uint8

const (
	IgnoreAccelExpires Ignore = 1 << iota
	IgnoreCacheControl
	IgnoreExpires
	IgnoreSetCookie
	IgnoreVary
)

// ValidRule is one proxy_cache_valid: responses with Status (0: any) are kept for TTL ns.
type ValidRule struct {
	Status int
	TTL    int64
}

// Rules are a location's settings that decide on storing.
type Rules struct {
	// Valid in the order written; the first that fits is used.
	// `proxy_cache_valid 1s` stands for 200, 301 and 302 (nginx.org, ngx_http_proxy_module).
	Valid  []ValidRule
	Ignore Ignore
}

// LifetimeSource says which rule gave a Verdict's TTL.
type LifetimeSource uint8

const (
	// LifetimeNone: there is no lifetime.
	LifetimeNone LifetimeSource = iota
	LifetimeAccelExpires
	LifetimeCacheControl
	LifetimeExpires
	LifetimeValidRule
)

// Verdict is what Decide found.
type Verdict struct {
	Cacheable bool
	Varies    bool          // the response has a Vary that counts
	Reason    NoStoreReason // Storable when Cacheable
	Source    LifetimeSource
	TTL       int64 // ns, > 0 when Cacheable
	// ns, from Cache-Control; see Object
	StaleWhileRevalidate, StaleIfError int64
	Age                                int64 // s: the Age field; -1: none
}

// MaxVary is the longest Vary (all fields joined) of a storable response, nginx's NGX_HTTP_CACHE_VARY_LEN.
const MaxVary = 128

const (
	second = time.Second
	// maxLifetime bounds what headers may ask for, so that sums of ns stay far
	// from overflow: RFC 9111 section 1.2.2 lets a cache take 2^31 for anything larger.
	maxLifetime = math.MaxInt32 // s
)

// Decide tells whether a response may be stored and for how long, by the rules
// of nginx 1.23.0 and later (ngx_http_upstream.c, the process_* functions), where
// the order of the fields does not matter as it did before: X-Accel-Expires beats
// Cache-Control beats Expires beats Rules.Valid. wallUnix is the wall clock in
// seconds. Pure; allocates nothing.
//
// It differs from nginx in this: "*" counts as a member of any Vary list (RFC
// 9111 section 4.1), the time that Age tells of is taken off a lifetime that
// came from Cache-Control or Expires (section 4.2), and 206 and 304 are not stored.
func Decide(r *Rules, status int, h Headers, wallUnix int64) Verdict {
	d := newDecision(r, h, wallUnix)
	if d.lifetime == 0 && d.source == LifetimeNone {
		d.applyValidRules(r, status)
	}
	v := d.verdict()
	if v.Cacheable && (status == 206 || status == 304) {
		v.refuse(NoStorePartial)
	}
	return v
}

// DecideRefresh is Decide for a 304 that confirms obj: a lifetime in the 304
// counts, else that of the stored response's own fields, else the rule for the
// stored status (nginx's order, ngx_http_upstream_test_next).
func DecideRefresh(r *Rules, obj *Object, h Headers, wallUnix int64) Verdict {
	d := newDecision(r, h, wallUnix)
	if d.source == LifetimeNone && !d.forbids() {
		stored := newDecision(r, obj.headers(), wallUnix)
		stored.age = d.age // the stored Age was that of the old response
		d = stored
	}
	if d.source == LifetimeNone {
		d.applyValidRules(r, obj.Status)
	}
	v := d.verdict()
	v.Varies = obj.Vary != nil
	return v
}

// decision is the state that the fields are read into, one after another.
type decision struct {
	wall     int64
	lifetime int64 // ns; of use when source is set
	source   LifetimeSource
	final    NoStoreReason // a reason that no other field lifts
	noCache  bool          // Cache-Control forbids; X-Accel-Expires lifts it
	expired  bool          // Expires forbids; max-age and X-Accel-Expires lift it

	swr, sie  int64 // ns
	age       int64 // s, -1: none
	expiresAt int64 // s, of use when source is LifetimeExpires
	date      int64 // s, -1: none
	varyLen   int
	varies    bool
}

func newDecision(r *Rules, h Headers, wallUnix int64) decision {
	d := decision{wall: wallUnix, age: -1, date: -1}
	seenAccel, seenExpires := false, false
	for i := range h.Fields {
		f := &h.Fields[i]
		value := f.Value.In(h.Buf)
		switch f.ID {
		case httpparse.HeaderXAccelExpires:
			if !seenAccel && r.Ignore&IgnoreAccelExpires == 0 { // a second one is ignored, as nginx does
				d.accelExpires(value)
			}
			seenAccel = true
		case httpparse.HeaderCacheControl:
			if r.Ignore&IgnoreCacheControl == 0 {
				d.cacheControl(value)
			}
		case httpparse.HeaderExpires:
			if !seenExpires && r.Ignore&IgnoreExpires == 0 {
				d.expires(value)
			}
			seenExpires = true
		case httpparse.HeaderSetCookie:
			if r.Ignore&IgnoreSetCookie == 0 {
				d.forbid(NoStoreSetCookie)
			}
		case httpparse.HeaderVary:
			if r.Ignore&IgnoreVary == 0 && len(value) > 0 {
				d.vary(value)
			}
		case httpparse.HeaderAge:
			if n, ok := httpparse.ParseUint(value); ok && d.age < 0 {
				d.age = min(n, maxLifetime)
			}
		case httpparse.HeaderDate:
			if t, ok := httpparse.ParseDate(value); ok {
				d.date = t
			}
		}
	}
	return d
}

func (d *decision) forbid(why NoStoreReason) {
	if d.final == Storable {
		d.final = why
	}
}

func (d *decision) set(seconds int64, from LifetimeSource) {
	d.lifetime = max(-maxLifetime, min(seconds, maxLifetime)) * int64(second)
	d.source = from
}

// accelExpires reads X-Accel-Expires: seconds, 0 (do not store), or @time; anything else is ignored.
func (d *decision) accelExpires(value []byte) {
	if len(value) > 0 && value[0] == '@' {
		if t, ok := httpparse.ParseUint(value[1:]); ok {
			d.set(min(t, math.MaxInt64/2)-d.wall, LifetimeAccelExpires)
			d.noCache, d.expired = false, false
		}
		return
	}
	n, ok := httpparse.ParseUint(value)
	if !ok {
		return
	}
	if n == 0 {
		d.forbid(NoStoreAccelExpires)
		return
	}
	d.set(n, LifetimeAccelExpires)
	d.noCache, d.expired = false, false
}

// cacheControl reads one Cache-Control field. Names are looked for as substrings,
// as nginx does, so that no-cache="Set-Cookie" is no-cache.
func (d *decision) cacheControl(value []byte) {
	if d.source != LifetimeAccelExpires {
		if indexFold(value, "no-cache") >= 0 || indexFold(value, "no-store") >= 0 || indexFold(value, "private") >= 0 {
			d.noCache = true
			return
		}
		n, found, ok := directive(value, "s-maxage=")
		if !found {
			n, found, ok = directive(value, "max-age=")
		}
		switch {
		case !found:
		case !ok:
			d.forbid(NoStoreMalformed)
			return
		case n == 0:
			d.noCache = true
			return
		default:
			d.set(n, LifetimeCacheControl)
			d.expired = false
		}
	}
	if n, found, ok := directive(value, "stale-while-revalidate="); found {
		if !ok {
			d.forbid(NoStoreMalformed)
			return
		}
		d.swr = n * int64(second)
		d.sie = d.swr
	}
	if n, found, ok := directive(value, "stale-if-error="); found {
		if !ok {
			d.forbid(NoStoreMalformed)
			return
		}
		d.sie = n * int64(second)
	}
}

func (d *decision) expires(value []byte) {
	if d.source != LifetimeNone {
		return
	}
	t, ok := httpparse.ParseDate(value)
	if !ok || t < d.wall {
		d.expired = true
		return
	}
	d.expiresAt = t
	d.set(t-d.wall, LifetimeExpires)
}

func (d *decision) vary(value []byte) {
	if variesOnAny(value) {
		d.forbid(NoStoreVaryAny)
		return
	}
	if d.varies {
		d.varyLen += len(", ")
	}
	d.varies = true
	if d.varyLen += len(value); d.varyLen > MaxVary {
		d.forbid(NoStoreVaryLong)
	}
}

func (d *decision) forbids() bool { return d.final != Storable || d.noCache || d.expired }

func (d *decision) applyValidRules(r *Rules, status int) {
	for i := range r.Valid {
		if rule := &r.Valid[i]; rule.Status == 0 || rule.Status == status {
			if rule.TTL > 0 {
				d.lifetime, d.source = rule.TTL, LifetimeValidRule
			}
			return
		}
	}
}

// subtractAge takes the time that the response spent in other caches off a
// lifetime that counts from its making (RFC 9111 section 4.2.3). Expires is a
// point in time, so that Age takes off only what the clock has not.
func (d *decision) subtractAge() {
	if d.age <= 0 {
		return
	}
	switch d.source {
	case LifetimeCacheControl:
		d.lifetime -= d.age * int64(second)
	case LifetimeExpires:
		if d.date >= 0 {
			left := max(-maxLifetime, min(d.expiresAt-d.date-d.age, maxLifetime))
			d.lifetime = min(d.lifetime, left*int64(second))
		}
	}
}

func (d *decision) verdict() Verdict {
	d.subtractAge()
	v := Verdict{
		Cacheable: true, Varies: d.varies, Source: d.source, TTL: d.lifetime,
		StaleWhileRevalidate: d.swr, StaleIfError: d.sie, Age: d.age,
	}
	switch {
	case d.final != Storable:
		v.refuse(d.final)
	case d.noCache:
		v.refuse(NoStoreCacheControl)
	case d.expired:
		v.refuse(NoStoreExpired)
	case d.source == LifetimeNone:
		v.refuse(NoStoreNoLifetime)
	case d.lifetime <= 0 && d.source == LifetimeAccelExpires:
		v.refuse(NoStoreAccelExpires)
	case d.lifetime <= 0:
		v.refuse(NoStoreExpired)
	}
	return v
}

func (v *Verdict) refuse(why NoStoreReason) {
	v.Cacheable, v.Reason, v.TTL = false, why, 0
}

// directive finds name (lower case, with its "=") anywhere in a Cache-Control
// value and reads the seconds after it; ok is false when they are not a number.
func directive(value []byte, name string) (seconds int64, found, ok bool) {
	at := indexFold(value, name)
	if at < 0 {
		return 0, false, false
	}
	for _, c := range value[at+len(name):] {
		switch {
		case c == ',' || c == ';' || c == ' ':
			return seconds, true, true
		case c < '0' || c > '9':
			return 0, true, false
		}
		seconds = min(seconds*10+int64(c-'0'), maxLifetime)
	}
	return seconds, true, true
}

// indexFold is bytes.Index of a lower-case word, regardless of letter case.
func indexFold(s []byte, word string) int {
	for i := 0; i+len(word) <= len(s); i++ {
		if s[i]|0x20 == word[0]|0x20 && equalFold(s[i:i+len(word)], word) {
			return i
		}
	}
	return -1
}

// equalFold compares with a lower-case word of the same length.
func equalFold(s []byte, word string) bool {
	for i := range s {
		c := s[i]
		if 'A' <= c && c <= 'Z' {
			c |= 0x20
		}
		if c != word[i] {
			return false
		}
	}
	return true
}
