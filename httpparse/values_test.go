package httpparse

import (
	"math/rand/v2"
	"net/http"
	"testing"
	"time"
)

func TestHeaderHash(t *testing.T) {
	collide := func(mul uint64) bool {
		var taken [1 << headerSlotBits]bool
		for id := HeaderUnknown + 1; id < numHeaderIDs; id++ {
			n := len(headerNames[id])
			first, last := knownNames[id][0]|cases, uint64(0)
			if n >= 8 {
				last = knownNames[id][1] | cases
			} else {
				first &= 1<<(8*n) - 1
			}
			slot := &taken[headerSlot(first, last, n, mul)]
			if *slot {
				return true
			}
			*slot = true
		}
		return false
	}
	if collide(headerHash) {
		for {
			if mul := rand.Uint64() | 1; !collide(mul) {
				t.Fatalf("two names share a slot; headerHash = %#x keeps them apart", mul)
			}
		}
	}
	for id := HeaderUnknown + 1; id < numHeaderIDs; id++ {
		name := id.String()
		if len(name) > maxKnownName {
			t.Errorf("%s is longer than maxKnownName", name)
		}
		if got := LookupHeader([]byte(name)); got != id {
			t.Errorf("%s: %d, want %d", name, got, id)
		}
		if got := LookupHeader(AppendLower(nil, []byte(name))); got != id {
			t.Errorf("%s in small letters: %d, want %d", name, got, id)
		}
		// Any other byte in any place makes it another name.
		for i := range name {
			for c := range 256 {
				other := []byte(name)
				other[i] = byte(c)
				if got := LookupHeader(other); (got == id) != EqualFold(other, []byte(name)) {
					t.Fatalf("%q: %v", other, got)
				}
			}
		}
		if LookupHeader([]byte(name+"x")) == id || LookupHeader([]byte(name[1:])) == id {
			t.Errorf("%s: a longer or shorter name is taken for it", name)
		}
	}
	if HeaderID(200).String() != "" || LookupHeader(nil) != HeaderUnknown {
		t.Error("unknown IDs have no name")
	}
}

func TestDate(t *testing.T) {
	for _, unix := range []int64{0, 1, 59, 86399, 86400, 68169599, 68169600, 784111777, 951782400, 951868800, 1709164800, 4102444800, 253402300799} {
		want := time.Unix(unix, 0).UTC().Format(http.TimeFormat)
		if got := string(AppendDate(nil, unix)); got != want {
			t.Errorf("%d: %q, want %q", unix, got, want)
		}
		for _, form := range []string{http.TimeFormat, "Monday, 02-Jan-06 15:04:05 GMT", time.ANSIC} {
			text := time.Unix(unix, 0).UTC().Format(form)
			got, ok := ParseDate([]byte(text))
			if form[6] == ',' && (unix >= 3155760000 || unix < 0) {
				continue // the century is gone
			}
			if !ok || got != unix {
				t.Errorf("%q: %d %v, want %d", text, got, ok, unix)
			}
		}
	}
	for range 2000 {
		unix := rand.Int64N(253402300800)
		if got, want := string(AppendDate(nil, unix)), time.Unix(unix, 0).UTC().Format(http.TimeFormat); got != want {
			t.Fatalf("%d: %q, want %q", unix, got, want)
		}
	}
	for _, bad := range []string{"", "x", "Sun", "Sun, 06 Nov 1994 08:49:37", "Sun, 06 Nov 1994 08:49:37 UTC", "Sun, 31 Apr 1994 08:49:37 GMT",
		"Sun, 29 Feb 1999 08:49:37 GMT", "Sun, 06 Nov 1994 24:49:37 GMT", "Sun, 06 Nov 1994 08:60:37 GMT", "Sun, 06 Foo 1994 08:49:37 GMT",
		"Sun, 00 Nov 1994 08:49:37 GMT", "Sun, 06-Nov 1994 08:49:37 GMT", "Sun Nov 06 08:49:37 94", "Sun, 06 Nov 1969 08:49:37 GMT", "0", "-1"} {
		if unix, ok := ParseDate([]byte(bad)); ok {
			t.Errorf("%q is a date: %d", bad, unix)
		}
	}
}

func TestParseRange(t *testing.T) {
	for _, v := range []struct {
		value  string
		max    int
		want   RangeResult
		ranges []ByteRange
	}{
		{"bytes=0-9", -1, RangePartial, []ByteRange{{0, 10}}},
		{"BYTES=0-9", -1, RangePartial, []ByteRange{{0, 10}}},
		{"bytes=90-", -1, RangePartial, []ByteRange{{90, 100}}},
		{"bytes=-5", -1, RangePartial, []ByteRange{{95, 100}}},
		{"bytes=-500", -1, RangePartial, []ByteRange{{0, 100}}},
		{"bytes=90-500", -1, RangePartial, []ByteRange{{90, 100}}},
		{"bytes=0-0,-1", -1, RangePartial, []ByteRange{{0, 1}, {99, 100}}},
		{"bytes= 0 - 0 , 5-6", -1, RangePartial, []ByteRange{{0, 1}, {5, 7}}},
		{"bytes=0-1,200-300", -1, RangePartial, []ByteRange{{0, 2}}},
		{"bytes=100-", -1, RangeUnsatisfiable, nil},
		{"bytes=100-200", -1, RangeUnsatisfiable, nil},
		{"bytes=-0", -1, RangeUnsatisfiable, nil},
		{"bytes=abc", -1, RangeUnsatisfiable, nil},
		{"bytes=", -1, RangeIgnore, nil}, // shorter than any range, as nginx sees it
		{"bytes=5", -1, RangeUnsatisfiable, nil},
		{"bytes=5-x", -1, RangeUnsatisfiable, nil},
		{"bytes=0-99999999999999999999", -1, RangeUnsatisfiable, nil},
		{"bytes=0-,0-", -1, RangeIgnore, nil},
		{"bytes=0-,0-,x", -1, RangeUnsatisfiable, nil},
		{"bytes=0-1,3-4", 1, RangeIgnore, nil},
		{"bytes=0-1", 0, RangeIgnore, nil},
		{"lines=0-1", -1, RangeIgnore, nil},
		{"", -1, RangeIgnore, nil},
	} {
		got, result := ParseRange(nil, []byte(v.value), 100, v.max)
		if result != v.want || len(got) != len(v.ranges) {
			t.Errorf("%q: %v %v", v.value, got, result)
			continue
		}
		for i := range got {
			if got[i] != v.ranges[i] {
				t.Errorf("%q: %v", v.value, got)
			}
		}
	}
	if _, result := ParseRange(nil, []byte("bytes=0-0"), 0, -1); result != RangeIgnore {
		t.Error("a range of nothing is ignored, as in nginx")
	}
	if got := string(AppendContentRange(nil, ByteRange{5, 10}, 100)); got != "bytes 5-9/100" {
		t.Error(got)
	}
}

func TestETags(t *testing.T) {
	for _, v := range []struct {
		list, etag   string
		weak, strong bool
	}{
		{`*`, `"a"`, true, true},
		{`*`, ``, true, true},
		{`"a"`, `"a"`, true, true},
		{`"a"`, `W/"a"`, true, false},
		{`W/"a"`, `"a"`, true, false},
		{`W/"a"`, `W/"a"`, true, false},
		{`"x", "a"`, `"a"`, true, true},
		{`"x,y" ,W/"a" , "z"`, `"a"`, true, false},
		{`"x", "a"y`, `"a"`, false, false},
		{`"a`, `"a"`, false, false},
		{`"q\", "a"`, `"a"`, true, true},
		{``, `"a"`, false, false},
		{`""`, ``, false, false},
		{`"A"`, `"a"`, false, false},
	} {
		if got := MatchETag([]byte(v.list), []byte(v.etag), true); got != v.weak {
			t.Errorf("%q %q weak: %v", v.list, v.etag, got)
		}
		if got := MatchETag([]byte(v.list), []byte(v.etag), false); got != v.strong {
			t.Errorf("%q %q strong: %v", v.list, v.etag, got)
		}
	}
	date := int64(784111777)
	for _, v := range []struct {
		value, etag string
		modified    int64
		want        bool
	}{
		{`"a"`, `"a"`, -1, true},
		{`"a"`, `"b"`, -1, false},
		{`W/"a"`, `W/"a"`, -1, false},
		{"Sun, 06 Nov 1994 08:49:37 GMT", "", date, true},
		{"Sun, 06 Nov 1994 08:49:37 GMT", "", date + 1, false},
		{"Sun, 06 Nov 1994 08:49:37 GMT", "", -1, false},
		{"", "", -1, false},
	} {
		if got := IfRange([]byte(v.value), []byte(v.etag), v.modified); got != v.want {
			t.Errorf("If-Range %q: %v", v.value, got)
		}
	}
}

func TestLists(t *testing.T) {
	var got []string
	for list := []byte(` a ,, "b,\"c" d,e=" , f`); ; {
		elem, rest, ok := NextElement(list)
		if !ok {
			break
		}
		got = append(got, string(elem))
		list = rest
	}
	if want := []string{"a", `"b,\"c" d`, `e=" , f`}; len(got) != 3 || got[0] != want[0] || got[1] != want[1] || got[2] != want[2] {
		t.Errorf("%q", got)
	}
	if !HasToken([]byte("x, Close"), []byte("close")) || HasToken([]byte("closed, x-close"), []byte("close")) {
		t.Error("HasToken")
	}
	name, value, rest, has, ok := NextDirective([]byte(`Private = "Set-Cookie, X" , max-age=5`))
	if string(name) != "Private" || string(value) != "Set-Cookie, X" || !has || !ok {
		t.Errorf("%q %q", name, value)
	}
	if name, value, _, has, ok = NextDirective(rest); string(name) != "max-age" || string(value) != "5" || !has || !ok {
		t.Errorf("%q %q", name, value)
	}
	if _, _, _, has, ok = NextDirective([]byte("no-cache")); has || !ok {
		t.Error("a directive without a value")
	}
	if n, ok := ParseUint([]byte("9223372036854775807")); !ok || n != 1<<63-1 {
		t.Error(n, ok)
	}
}

func TestArgsAndCookies(t *testing.T) {
	for _, v := range []struct{ query, name, want string }{
		{"a=1&b=2", "b", "2"}, {"A=1", "a", "1"}, {"aa=1&a=2", "a", "2"}, {"a=", "a", ""}, {"a=1&a=2", "a", "1"}, {"a=b=c", "a", "b=c"},
	} {
		if got, ok := QueryArg([]byte(v.query), []byte(v.name)); !ok || string(got) != v.want {
			t.Errorf("%q %s: %q %v", v.query, v.name, got, ok)
		}
	}
	if _, ok := QueryArg([]byte("a&b"), []byte("a")); ok {
		t.Error("an argument without =")
	}
	for _, v := range []struct{ field, name, want string }{
		{"a=1; b=2", "b", "2"}, {"a=1;b=2", "b", "2"}, {"A=1", "a", "1"}, {"aa=1; a=2", "a", "2"}, {"a = 1 ; b=2", "a", "1 "}, {"x=\"y\"", "x", "\"y\""},
	} {
		if got, ok := Cookie([]byte(v.field), []byte(v.name)); !ok || string(got) != v.want {
			t.Errorf("%q %s: %q %v", v.field, v.name, got, ok)
		}
	}
}

func TestFind(t *testing.T) {
	raw := []byte("GET / HTTP/1.1\r\nhost: a\r\nX-Own: 1\r\nx-own: 2\r\nAccept: gzip\r\nACCEPT: br, zstd\r\n\r\n")
	r := feedRequest(raw, &DefaultLimits).r
	if v, ok := r.Find(raw, []byte("x-OWN")); !ok || string(v) != "1" {
		t.Errorf("%q", v)
	}
	if v, ok := r.Find(raw, []byte("HOST")); !ok || string(v) != "a" {
		t.Errorf("%q", v)
	}
	if v, ok := r.Get(raw, HeaderAccept); !ok || string(v) != "gzip" {
		t.Errorf("%q", v)
	}
	if _, ok := r.Get(raw, HeaderCookie); ok || r.Has(HeaderCookie) {
		t.Error("a cookie nobody sent")
	}
	if !r.ListHas(raw, HeaderAccept, []byte("zstd")) || r.ListHas(raw, HeaderAccept, []byte("deflate")) {
		t.Error("ListHas")
	}
}

func TestErrorText(t *testing.T) {
	raw := []byte("GET / HTTP/1.1\r\nX F: v\r\n\r\n")
	run := feedRequest(raw, &DefaultLimits)
	e := run.err.(*Error)
	if got := string(e.AppendLog(nil, run.r.Culprit.In(raw))); got != `client sent invalid header line: "X\x20..." while reading client request headers` {
		t.Error(got)
	}
	if got := ErrInvalidMethod.Error(); got != "client sent invalid method while reading client request line" {
		t.Error(got)
	}
}
