package cache

import "seawall/httpparse"

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
	LifetimeNone LifetimeSource = iota
	LifetimeAccelExpires
	LifetimeCacheControl
	LifetimeExpires
	LifetimeValidRule
)

// Verdict is what Decide found.
type Verdict struct {
	Cacheable bool
	Reason    NoStoreReason // Storable when Cacheable
	Source    LifetimeSource
	TTL       int64 // ns
	// ns, from Cache-Control; see Object
	StaleWhileRevalidate, StaleIfError int64
	Age                                int64 // s: the Age field; -1: none
}

// MaxVary is the longest Vary (all fields joined) of a storable response, nginx's NGX_HTTP_CACHE_VARY_LEN.
const MaxVary = 128

// Decide tells whether a response may be stored and for how long, by nginx's
// rules as of 1.23 (see docs of each step). wallUnix: wall clock in seconds.
// Pure; allocates nothing.
func Decide(r *Rules, status int, h Headers, wallUnix int64) Verdict { panic("skeleton") }

// DecideRefresh is Decide for a 304 that confirms obj: a lifetime in the 304
// counts, else that of the stored response's own fields, else the rule for the
// stored status.
func DecideRefresh(r *Rules, obj *Object, h Headers, wallUnix int64) Verdict { panic("skeleton") }
