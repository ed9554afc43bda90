package cache

import (
	"testing"
	"time"

	"seawall/httpparse"
)

const wall = 1_700_000_000

// verdictCase is a response and what Decide must make of it. The parity test
// puts the same cases to nginx.
type verdictCase struct {
	name    string
	conf    string // which of testRules
	status  int
	lines   []string
	ttl     int64 // ns; 0: not to be stored
	reason  NoStoreReason
	nginx22 string // what nginx before 1.23 does otherwise, and why
	ours    string // where we differ from every nginx, and why
}

var testRules = map[string]struct {
	rules Rules
	nginx string
}{
	"200":  {Rules{Valid: []ValidRule{{200, 10 * sec}}}, "proxy_cache_valid 200 10s;"},
	"none": {Rules{}, ""},
	"any":  {Rules{Valid: []ValidRule{{0, 10 * sec}}}, "proxy_cache_valid any 10s;"},
	"time only": {Rules{Valid: []ValidRule{{200, 10 * sec}, {301, 10 * sec}, {302, 10 * sec}}},
		"proxy_cache_valid 10s;"},
	"404 first": {Rules{Valid: []ValidRule{{404, 0}, {0, 10 * sec}}}, "proxy_cache_valid 404 0; proxy_cache_valid any 10s;"},
	"any first": {Rules{Valid: []ValidRule{{0, 10 * sec}, {404, 0}}}, "proxy_cache_valid any 10s; proxy_cache_valid 404 0;"},
	"ignore": {Rules{Valid: []ValidRule{{0, 10 * sec}}, Ignore: IgnoreAccelExpires | IgnoreCacheControl | IgnoreExpires | IgnoreSetCookie | IgnoreVary},
		"proxy_cache_valid any 10s; proxy_ignore_headers X-Accel-Expires Cache-Control Expires Set-Cookie Vary;"},
	"ignore cc": {Rules{Valid: []ValidRule{{200, 10 * sec}}, Ignore: IgnoreCacheControl},
		"proxy_cache_valid 200 10s; proxy_ignore_headers Cache-Control;"},
}

// Dates are written {+n}: n seconds from now.
var verdictCases = []verdictCase{
	{name: "valid rule for 200", conf: "200", status: 200, ttl: 10 * sec},
	{name: "valid rule for another status", conf: "200", status: 404, reason: NoStoreNoLifetime},
	{name: "no rule", conf: "none", status: 200, reason: NoStoreNoLifetime},
	{name: "any covers 404", conf: "any", status: 404, ttl: 10 * sec},
	{name: "any covers 500", conf: "any", status: 500, ttl: 10 * sec},
	{name: "time only covers 301", conf: "time only", status: 301, lines: []string{"Location: /x"}, ttl: 10 * sec},
	{name: "time only covers 302", conf: "time only", status: 302, lines: []string{"Location: /x"}, ttl: 10 * sec},
	{name: "time only leaves 404", conf: "time only", status: 404, reason: NoStoreNoLifetime},
	{name: "time only leaves 203", conf: "time only", status: 203, reason: NoStoreNoLifetime},
	{name: "zero rule before any", conf: "404 first", status: 404, reason: NoStoreNoLifetime},
	{name: "any after a zero rule for another", conf: "404 first", status: 410, ttl: 10 * sec},
	{name: "the first fitting rule counts", conf: "any first", status: 404, ttl: 10 * sec},

	{name: "max-age", conf: "none", status: 200, lines: []string{"Cache-Control: max-age=60"}, ttl: 60 * sec},
	{name: "max-age beats the rule", conf: "200", status: 200, lines: []string{"Cache-Control: max-age=60"}, ttl: 60 * sec},
	{name: "max-age for any status", conf: "none", status: 500, lines: []string{"Cache-Control: max-age=60"}, ttl: 60 * sec},
	{name: "max-age for 404", conf: "200", status: 404, lines: []string{"Cache-Control: max-age=60"}, ttl: 60 * sec},
	{name: "s-maxage beats max-age", conf: "none", status: 200, lines: []string{"Cache-Control: max-age=5, s-maxage=60"}, ttl: 60 * sec},
	{name: "s-maxage=0 beats max-age", conf: "200", status: 200, lines: []string{"Cache-Control: max-age=60, s-maxage=0"}, reason: NoStoreCacheControl},
	{name: "max-age=0", conf: "200", status: 200, lines: []string{"Cache-Control: max-age=0"}, reason: NoStoreCacheControl},
	{name: "max-age upper case", conf: "none", status: 200, lines: []string{"Cache-Control: MAX-AGE=60"}, ttl: 60 * sec},
	{name: "max-age with a semicolon", conf: "none", status: 200, lines: []string{"Cache-Control: max-age=60; public"}, ttl: 60 * sec},
	{name: "max-age quoted", conf: "200", status: 200, lines: []string{`Cache-Control: max-age="60"`}, reason: NoStoreMalformed},
	{name: "max-age not a number", conf: "200", status: 200, lines: []string{"Cache-Control: max-age=6x"}, reason: NoStoreMalformed},
	{name: "max-age negative", conf: "200", status: 200, lines: []string{"Cache-Control: max-age=-5"}, reason: NoStoreMalformed},
	{name: "max-age empty", conf: "200", status: 200, lines: []string{"Cache-Control: max-age="}, reason: NoStoreCacheControl},
	{name: "public alone", conf: "200", status: 200, lines: []string{"Cache-Control: public"}, ttl: 10 * sec},
	{name: "public without a rule", conf: "none", status: 200, lines: []string{"Cache-Control: public"}, reason: NoStoreNoLifetime},
	{name: "no-cache", conf: "200", status: 200, lines: []string{"Cache-Control: no-cache"}, reason: NoStoreCacheControl},
	{name: "no-store", conf: "200", status: 200, lines: []string{"Cache-Control: no-store"}, reason: NoStoreCacheControl},
	{name: "private", conf: "200", status: 200, lines: []string{"Cache-Control: private"}, reason: NoStoreCacheControl},
	{name: "Private with max-age", conf: "200", status: 200, lines: []string{"Cache-Control: Private, max-age=60"}, reason: NoStoreCacheControl},
	{name: "no-cache with a field", conf: "200", status: 200, lines: []string{`Cache-Control: no-cache="Set-Cookie", max-age=60`}, reason: NoStoreCacheControl},
	{name: "must-revalidate", conf: "200", status: 200, lines: []string{"Cache-Control: must-revalidate"}, ttl: 10 * sec},
	{name: "two fields, no-store second", conf: "200", status: 200, lines: []string{"Cache-Control: max-age=60", "Cache-Control: no-store"}, reason: NoStoreCacheControl},
	{name: "two fields, no-store first", conf: "200", status: 200, lines: []string{"Cache-Control: no-store", "Cache-Control: max-age=60"}, reason: NoStoreCacheControl},
	{name: "two fields, the later max-age", conf: "none", status: 200, lines: []string{"Cache-Control: max-age=60", "Cache-Control: max-age=30"}, ttl: 30 * sec},
	{name: "cache-control ignored", conf: "ignore cc", status: 200, lines: []string{"Cache-Control: no-store"}, ttl: 10 * sec},
	{name: "cache-control ignored, expires heeded", conf: "ignore cc", status: 200, lines: []string{"Cache-Control: max-age=60", "Expires: {-60}"}, reason: NoStoreExpired},
	{name: "stale-while-revalidate malformed", conf: "200", status: 200, lines: []string{"Cache-Control: max-age=60, stale-while-revalidate=x"}, reason: NoStoreMalformed},

	{name: "expires", conf: "none", status: 200, lines: []string{"Expires: {+60}"}, ttl: 60 * sec},
	{name: "expires past", conf: "200", status: 200, lines: []string{"Expires: {-60}"}, reason: NoStoreExpired},
	{name: "expires zero", conf: "200", status: 200, lines: []string{"Expires: 0"}, reason: NoStoreExpired},
	{name: "expires ignored when max-age came", conf: "none", status: 200, lines: []string{"Cache-Control: max-age=30", "Expires: {-60}"}, ttl: 30 * sec},
	{name: "max-age lifts expires past", conf: "none", status: 200, lines: []string{"Expires: {-60}", "Cache-Control: max-age=30"}, ttl: 30 * sec,
		nginx22: "Expires in the past was final (nginx ticket 964)"},
	{name: "max-age overrides expires", conf: "none", status: 200, lines: []string{"Expires: {+600}", "Cache-Control: max-age=30"}, ttl: 30 * sec},
	{name: "no-cache after expires", conf: "200", status: 200, lines: []string{"Expires: {+600}", "Cache-Control: no-cache"}, reason: NoStoreCacheControl},
	{name: "no-cache before expires", conf: "200", status: 200, lines: []string{"Cache-Control: no-cache", "Expires: {+600}"}, reason: NoStoreCacheControl},
	{name: "public before expires past", conf: "200", status: 200, lines: []string{"Cache-Control: public", "Expires: {-60}"}, reason: NoStoreExpired},
	{name: "second expires is ignored", conf: "none", status: 200, lines: []string{"Expires: {+60}", "Expires: {-60}"}, ttl: 60 * sec},

	{name: "accel seconds", conf: "none", status: 200, lines: []string{"X-Accel-Expires: 20"}, ttl: 20 * sec},
	{name: "accel zero", conf: "200", status: 200, lines: []string{"X-Accel-Expires: 0"}, reason: NoStoreAccelExpires},
	{name: "accel zero with max-age", conf: "200", status: 200, lines: []string{"X-Accel-Expires: 0", "Cache-Control: max-age=60"}, reason: NoStoreAccelExpires},
	{name: "accel at", conf: "none", status: 200, lines: []string{"X-Accel-Expires: {@20}"}, ttl: 20 * sec},
	{name: "accel at past", conf: "200", status: 200, lines: []string{"X-Accel-Expires: {@-20}"}, reason: NoStoreAccelExpires},
	{name: "accel not a number", conf: "200", status: 200, lines: []string{"X-Accel-Expires: x"}, ttl: 10 * sec},
	{name: "accel negative is ignored", conf: "none", status: 200, lines: []string{"X-Accel-Expires: -1"}, reason: NoStoreNoLifetime},
	{name: "accel before max-age", conf: "none", status: 200, lines: []string{"X-Accel-Expires: 20", "Cache-Control: max-age=60"}, ttl: 20 * sec},
	{name: "accel after max-age", conf: "none", status: 200, lines: []string{"Cache-Control: max-age=60", "X-Accel-Expires: 20"}, ttl: 20 * sec},
	{name: "accel before no-cache", conf: "none", status: 200, lines: []string{"X-Accel-Expires: 20", "Cache-Control: no-cache"}, ttl: 20 * sec},
	{name: "accel after no-cache", conf: "none", status: 200, lines: []string{"Cache-Control: no-cache", "X-Accel-Expires: 20"}, ttl: 20 * sec,
		nginx22: "the order of X-Accel-Expires and Cache-Control mattered"},
	{name: "accel after expires past", conf: "none", status: 200, lines: []string{"Expires: {-60}", "X-Accel-Expires: 20"}, ttl: 20 * sec,
		nginx22: "Expires in the past was final (nginx ticket 964)"},
	{name: "accel before expires past", conf: "none", status: 200, lines: []string{"X-Accel-Expires: 20", "Expires: {-60}"}, ttl: 20 * sec},
	{name: "accel does not lift a malformed max-age", conf: "none", status: 200, lines: []string{"Cache-Control: max-age=x", "X-Accel-Expires: 20"}, reason: NoStoreMalformed},
	{name: "second accel is ignored", conf: "none", status: 200, lines: []string{"X-Accel-Expires: 20", "X-Accel-Expires: 0"}, ttl: 20 * sec,
		nginx22: "each X-Accel-Expires counted"},

	{name: "set-cookie", conf: "200", status: 200, lines: []string{"Set-Cookie: a=b"}, reason: NoStoreSetCookie},
	{name: "set-cookie with accel", conf: "200", status: 200, lines: []string{"Set-Cookie: a=b", "X-Accel-Expires: 20"}, reason: NoStoreSetCookie},
	{name: "set-cookie with max-age", conf: "200", status: 200, lines: []string{"Set-Cookie: a=b", "Cache-Control: public, max-age=60"}, reason: NoStoreSetCookie},
	{name: "vary star", conf: "200", status: 200, lines: []string{"Vary: *"}, reason: NoStoreVaryAny},
	{name: "vary", conf: "200", status: 200, lines: []string{"Vary: Accept-Encoding"}, ttl: 10 * sec},
	{name: "vary with a star among others", conf: "200", status: 200, lines: []string{"Vary: Accept, *"}, reason: NoStoreVaryAny,
		ours: "RFC 9111 section 4.1: a member * never matches"},
	{name: "vary at the limit", conf: "200", status: 200, lines: []string{"Vary: " + repeat("x", MaxVary)}, ttl: 10 * sec},
	{name: "vary too long", conf: "200", status: 200, lines: []string{"Vary: " + repeat("x", MaxVary+1)}, reason: NoStoreVaryLong},
	{name: "pragma means nothing", conf: "200", status: 200, lines: []string{"Pragma: no-cache"}, ttl: 10 * sec},

	{name: "all ignored", conf: "ignore", status: 200, ttl: 10 * sec,
		lines: []string{"X-Accel-Expires: 0", "Cache-Control: no-store", "Expires: {-60}", "Set-Cookie: a=b", "Vary: *"}},

	{name: "age is taken off max-age", conf: "none", status: 200, lines: []string{"Cache-Control: max-age=60", "Age: 20"}, ttl: 40 * sec},
	{name: "age uses up max-age", conf: "none", status: 200, lines: []string{"Age: 60", "Cache-Control: max-age=60"}, reason: NoStoreExpired,
		ours: "RFC 9111 section 4.2: nginx does not heed Age"},
	{name: "age and a rule", conf: "200", status: 200, lines: []string{"Age: 60"}, ttl: 10 * sec},
	{name: "age and accel", conf: "none", status: 200, lines: []string{"Age: 60", "X-Accel-Expires: 20"}, ttl: 20 * sec},
	{name: "age and expires", conf: "none", status: 200, lines: []string{"Date: {+0}", "Age: 20", "Expires: {+60}"}, ttl: 40 * sec},
	{name: "age that the clock has counted", conf: "none", status: 200, lines: []string{"Date: {-20}", "Age: 20", "Expires: {+60}"}, ttl: 60 * sec},
	{name: "partial", conf: "any", status: 206, lines: []string{"Content-Range: bytes 0-1/10"}, reason: NoStorePartial,
		ours: "nobody asked for a part: storing it as the whole would be wrong"},
	{name: "not modified", conf: "any", status: 304, reason: NoStorePartial,
		ours: "nobody asked whether it was modified"},
}

func repeat(s string, n int) string {
	var out string
	for range n {
		out += s
	}
	return out
}

func TestDecide(t *testing.T) {
	for _, c := range verdictCases {
		t.Run(c.name, func(t *testing.T) {
			rules := testRules[c.conf].rules
			v := Decide(&rules, c.status, headersOf(expandDates(c.lines, wall)...), wall)
			if v.TTL != c.ttl || v.Reason != c.reason || v.Cacheable != (c.ttl > 0) {
				t.Fatalf("got TTL %v reason %q, want %v %q", time.Duration(v.TTL), v.Reason, time.Duration(c.ttl), c.reason)
			}
		})
	}
}

func TestDecideStaleExtensions(t *testing.T) {
	for _, c := range []struct {
		line     string
		swr, sie int64
	}{
		{"Cache-Control: max-age=1, stale-while-revalidate=30", 30, 30},
		{"Cache-Control: max-age=1, stale-if-error=40", 0, 40},
		{"Cache-Control: max-age=1, stale-if-error=40, stale-while-revalidate=30", 30, 40},
		{"Cache-Control: max-age=99999999999999999999", 0, 0},
	} {
		v := Decide(&Rules{}, 200, headersOf(c.line), wall)
		if !v.Cacheable || v.StaleWhileRevalidate != c.swr*sec || v.StaleIfError != c.sie*sec {
			t.Errorf("%s: got %+v", c.line, v)
		}
	}
	// X-Accel-Expires gives the lifetime, Cache-Control still the extensions.
	v := Decide(&Rules{}, 200, headersOf("X-Accel-Expires: 5", "Cache-Control: no-cache, stale-if-error=7"), wall)
	if v.TTL != 5*sec || v.StaleIfError != 7*sec || v.Source != LifetimeAccelExpires {
		t.Errorf("got %+v", v)
	}
}

func TestDecideKeepsFractionsOfASecond(t *testing.T) {
	r := Rules{Valid: []ValidRule{{200, sec / 10}}}
	if v := Decide(&r, 200, headersOf(), wall); v.TTL != sec/10 || v.Source != LifetimeValidRule {
		t.Fatalf("got %+v", v)
	}
}

func TestDecideRefresh(t *testing.T) {
	h := headersOf("Cache-Control: max-age=30", "ETag: \"x\"")
	rules := Rules{Valid: []ValidRule{{200, 5 * sec}}}
	v := Decide(&rules, 200, h, wall)
	o := NewObject(200, h.Buf, h, &v, 0, wall)
	for _, c := range []struct {
		name  string
		lines []string
		ttl   int64
	}{
		{"the 304's lifetime", []string{"Cache-Control: max-age=7"}, 7 * sec},
		{"the stored lifetime", nil, 30 * sec},
		{"no-store on the 304", []string{"Cache-Control: no-store"}, 0},
	} {
		if got := DecideRefresh(&rules, o, headersOf(c.lines...), wall); got.TTL != c.ttl {
			t.Errorf("%s: got %+v", c.name, got)
		}
	}
	bare := headersOf("ETag: \"x\"")
	o = NewObject(200, bare.Buf, bare, &v, 0, wall)
	if got := DecideRefresh(&rules, o, headersOf(), wall); got.TTL != 5*sec {
		t.Errorf("the rule for the stored status: got %+v", got)
	}
}

func TestDecideAllocatesNothing(t *testing.T) {
	r := Rules{Valid: []ValidRule{{200, sec}}}
	h := headersOf("Content-Type: text/html", "Cache-Control: public, max-age=60, stale-while-revalidate=5", "Vary: Accept-Encoding",
		"Expires: "+date(wall+5), "X-Accel-Expires: 5", "Age: 3")
	if n := testing.AllocsPerRun(200, func() { Decide(&r, 200, h, wall) }); n != 0 {
		t.Fatalf("%v allocations", n)
	}
}

func FuzzDecide(f *testing.F) {
	for _, c := range verdictCases {
		f.Add(uint16(c.status), byte(0), headersOf(expandDates(c.lines, wall)...).Buf)
	}
	f.Fuzz(func(t *testing.T, status uint16, ignore byte, head []byte) {
		fields, ok := scanFields(head)
		if !ok {
			return
		}
		r := Rules{Valid: []ValidRule{{200, 10 * sec}}, Ignore: Ignore(ignore)}
		h := Headers{Buf: head, Fields: fields}
		v := Decide(&r, int(status), h, wall)
		switch {
		case v.Cacheable != (v.Reason == Storable), v.Cacheable && v.TTL <= 0, !v.Cacheable && v.TTL != 0,
			v.StaleIfError < 0, v.StaleWhileRevalidate < 0, v.Age < -1:
			t.Fatalf("%q: %+v", head, v)
		}
		for i := range h.Fields {
			if h.Fields[i].ID == httpparse.HeaderSetCookie && r.Ignore&IgnoreSetCookie == 0 && v.Cacheable {
				t.Fatalf("stored with Set-Cookie: %q", head)
			}
		}
		o := NewObject(int(status), head, h, &v, 5, wall)
		_ = o.AppendUpdatedHead(nil, h)
		_, _ = o.Age(7)
		_ = DecideRefresh(&r, o, h, wall)
	})
}
