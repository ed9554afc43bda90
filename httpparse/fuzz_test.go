package httpparse

import (
	"bufio"
	"bytes"
	"io"
	"net/http"
	"strings"
	"testing"
)

// limitsFor varies the limits with a byte of fuzz input.
func limitsFor(knob byte) *Limits {
	lim := DefaultLimits
	lim.UnderscoresInHeaders = knob&1 != 0
	lim.IgnoreInvalidHeaders = knob&2 != 0
	if knob&4 != 0 {
		lim.RequestLine = 40
	}
	if knob&8 != 0 {
		lim.Field = 30
		lim.FirstBuffer, lim.Buffers = 20, 3
	}
	if knob&16 != 0 {
		lim.Total = 100
	}
	if knob&32 != 0 {
		lim.MaxFields = 3
	}
	return &lim
}

func FuzzRequest(f *testing.F) {
	for _, v := range smugglingVectors {
		f.Add([]byte(v.raw), byte(2))
	}
	f.Add([]byte("GET /a/../b?c#d HTTP/1.1\r\nHost: x:80\r\nX_y: z\r\nCookie: a=b\r\n\r\n"), byte(63))
	f.Add([]byte("\r\nGET http://[::1]:8/%41 HTTP/1.0\nConnection: keep-alive, Upgrade\nUpgrade: x\n\n"), byte(0))
	f.Fuzz(func(t *testing.T, input []byte, knob byte) {
		lim := limitsFor(knob)
		checkRequestSplits(t, input, lim)
		run := feedRequest(input, lim)
		if !run.done {
			return
		}
		r := &run.r
		checkSpans(t, input, r.HeadLen, r.Fields, r.MethodText, r.Target, r.Path, r.Query, r.Scheme, r.Authority, r.Host, r.HostName)
		if r.Chunked && r.ContentLength >= 0 {
			t.Fatalf("%q: two framings", input)
		}
		normal, err := NormalizePath(nil, r.Path.In(input), true)
		if r.PlainPath && (err != nil || !bytes.Equal(normal, r.Path.In(input))) {
			t.Fatalf("%q: a plain path that normalises to %q, %v", input, normal, err)
		}
		compareWithNetHTTP(t, input, r)
	})
}

// compareWithNetHTTP: where both accept a request, they must agree on where it
// ends, on whom it is for and on every field's value.
func compareWithNetHTTP(t *testing.T, input []byte, r *Request) {
	head := bytes.TrimLeft(input[:r.HeadLen], "\r\n")
	br := bufio.NewReader(bytes.NewReader(append(bytes.Clone(head), "0\r\n\r\n"...)))
	theirs, err := http.ReadRequest(br)
	if err != nil || r.Major != 1 || r.Minor > 1 || r.Dropped > 0 {
		return
	}
	length := max(r.ContentLength, 0)
	if r.Chunked {
		length = -1
	}
	if theirs.ContentLength != length {
		t.Fatalf("%q: length %d, net/http %d", input, length, theirs.ContentLength)
	}
	if chunked := len(theirs.TransferEncoding) == 1 && theirs.TransferEncoding[0] == "chunked"; chunked != r.Chunked {
		t.Fatalf("%q: chunked %v, net/http %v", input, r.Chunked, theirs.TransferEncoding)
	}
	if theirs.Method != string(r.MethodText.In(input)) {
		t.Fatalf("%q: method %q", input, theirs.Method)
	}
	// net/http takes the host of a target with an authority and no Host at all.
	if host := string(r.Host.In(input)); theirs.Host != host && r.Form == TargetOrigin {
		t.Fatalf("%q: host %q, net/http %q", input, host, theirs.Host)
	}
	if theirs.Close && r.KeepAlive && r.Minor == 1 {
		t.Fatalf("%q: keep-alive, net/http closes", input)
	}
	for _, f := range r.Fields {
		switch f.ID {
		case HeaderHost, HeaderTransferEncoding, HeaderTrailer, HeaderContentLength:
			continue // net/http moves these elsewhere
		}
		name := http.CanonicalHeaderKey(string(f.Name.In(input)))
		value := string(f.Value.In(input))
		found := false
		for _, v := range theirs.Header[name] {
			found = found || v == value
		}
		if !found && !strings.HasPrefix(name, "Pragma") && name != "Cache-Control" {
			t.Fatalf("%q: %s: %q, net/http %q", input, name, value, theirs.Header[name])
		}
	}
}

func FuzzResponse(f *testing.F) {
	f.Add([]byte("HTTP/1.1 200 OK\r\nContent-Length: 3\r\nConnection: close\r\n\r\nabc"), byte(0))
	f.Add([]byte("HTTP/1.1 403.1\nHTTP/1.1 200 OK\nX y: z\n\n"), byte(16))
	f.Add([]byte("HTTP/1.0 101 \r\nUpgrade: websocket\r\nConnection: upgrade\r\nTransfer-Encoding: chunked\r\n\r\n"), byte(0))
	f.Fuzz(func(t *testing.T, input []byte, knob byte) {
		lim := limitsFor(knob)
		checkResponseSplits(t, input, lim)
		run := feedResponse(input, lim)
		if !run.done {
			return
		}
		r := &run.r
		checkSpans(t, input, r.HeadLen, r.Fields, r.StatusText, r.Reason)
		if r.Chunked && r.ContentLength >= 0 || r.Status < 100 || r.Status > 999 {
			t.Fatalf("%q: %+v", input, r)
		}
		theirs, err := http.ReadResponse(bufio.NewReader(bytes.NewReader(input[:r.HeadLen])), nil)
		if err != nil || r.Minor > 1 || r.Major != 1 {
			return
		}
		if theirs.StatusCode != r.Status {
			t.Fatalf("%q: status %d, net/http %d", input, r.Status, theirs.StatusCode)
		}
		switch r.Body(false) {
		case BodyLength:
			if theirs.ContentLength != r.ContentLength {
				t.Fatalf("%q: length %d, net/http %d", input, r.ContentLength, theirs.ContentLength)
			}
		case BodyChunked:
			if r.Minor == 1 && len(theirs.TransferEncoding) != 1 {
				t.Fatalf("%q: chunked, net/http %v", input, theirs.TransferEncoding)
			}
		case BodyUntilClose:
			if theirs.ContentLength != -1 {
				t.Fatalf("%q: until close, net/http %d", input, theirs.ContentLength)
			}
		}
	})
}

// decodeChunked decodes input cut into pieces of size bytes.
func decodeChunked(input []byte, size int, upstream bool) (body []byte, used int, done bool, err error) {
	c := Chunked{Upstream: upstream}
	for used < len(input) && !done && err == nil {
		piece := input[used:min(used+size, len(input))]
		for len(piece) > 0 && !done && err == nil {
			var data Span
			var n int
			data, n, done, err = c.Next(piece)
			body = append(body, data.In(piece)...)
			used += n
			piece = piece[n:]
		}
	}
	return body, used, done, err
}

func FuzzChunked(f *testing.F) {
	f.Add([]byte("5\r\nhello\r\n0\r\n\r\nrest"))
	f.Add([]byte("5;a=\"b\" \r\nhello\r\n000\r\nX: y\r\nZ: \r\n\r\n"))
	f.Add([]byte("FFFFFFFFFFFFFFFF\r\n"))
	f.Fuzz(func(t *testing.T, input []byte) {
		body, used, done, err := decodeChunked(input, max(len(input), 1), false)
		for _, size := range []int{1, 2, 3, 7} {
			b, u, d, e := decodeChunked(input, size, false)
			if !bytes.Equal(b, body) || d != done || e != err || (err == nil && u != used) {
				t.Fatalf("%q by %d: %q %d %v %v, whole %q %d %v %v", input, size, b, u, d, e, body, used, done, err)
			}
		}
		if !done {
			return
		}
		// Whatever is accepted, net/http decodes to the same body.
		req := "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n"
		r, err := http.ReadRequest(bufio.NewReader(io.MultiReader(strings.NewReader(req), bytes.NewReader(input[:used]))))
		if err != nil {
			t.Fatal(err)
		}
		theirs, err := io.ReadAll(r.Body)
		if err == nil && !bytes.Equal(theirs, body) {
			t.Fatalf("%q: body %q, net/http %q", input, body, theirs)
		}
	})
}

func FuzzNormalizePath(f *testing.F) {
	for _, p := range []string{"/", "/a/./b/../c", "//a//", "/%2e%2e/", "/%41%2f%00", "/a/...", "/..", "/a%"} {
		f.Add([]byte(p), true)
	}
	f.Fuzz(func(t *testing.T, path []byte, merge bool) {
		if len(path) == 0 || path[0] != '/' || bytes.ContainsFunc(path, func(c rune) bool { return c <= ' ' || c == '?' || c == '#' || c == 0x7f }) {
			return // Parse leaves none of these in a path
		}
		before := bytes.Clone(path)
		got, err := NormalizePath(nil, path, merge)
		if !bytes.Equal(path, before) {
			t.Fatalf("%q was changed to %q", before, path)
		}
		inPlace, err2 := NormalizePath(path[:0], path, merge)
		if err != err2 || !bytes.Equal(got, inPlace) && err == nil {
			t.Fatalf("%q: %q %v, in place %q %v", before, got, err, inPlace, err2)
		}
		if err != nil {
			return
		}
		if len(got) == 0 || got[0] != '/' || len(got) > len(before) {
			t.Fatalf("%q: %q", before, got)
		}
		if bytes.IndexByte(got, 0) >= 0 {
			t.Fatalf("%q: NUL in %q", before, got)
		}
		for seg := range bytes.SplitSeq(got, []byte("/")) {
			if string(seg) == "." || string(seg) == ".." {
				t.Fatalf("%q: a dot segment in %q", before, got)
			}
		}
		if merge && bytes.Contains(got, []byte("//")) {
			t.Fatalf("%q: two slashes in %q", before, got)
		}
		again, err := NormalizePath(nil, EscapeURI(nil, got), merge)
		if err != nil || !bytes.Equal(again, got) {
			t.Fatalf("%q: %q, escaped and again %q, %v", before, got, again, err)
		}
	})
}

func FuzzValues(f *testing.F) {
	f.Add([]byte(`a, "b,c" , d="e\"f", g=`))
	f.Add([]byte("Sunday, 06-Nov-94 08:49:37 GMT"))
	f.Add([]byte("bytes=0-1, -5,7-"))
	f.Add([]byte("[::1]:80"))
	f.Fuzz(func(t *testing.T, b []byte) {
		for list := b; ; {
			elem, rest, ok := NextElement(list)
			if !ok {
				break
			}
			if len(elem) == 0 || len(rest) >= len(list) {
				t.Fatalf("%q: %q, then %q", list, elem, rest)
			}
			list = rest
		}
		for list := b; ; {
			_, _, rest, _, ok := NextDirective(list)
			if !ok {
				break
			}
			list = rest
		}
		if unix, ok := ParseDate(b); ok {
			if again, ok := ParseDate(AppendDate(nil, unix)); !ok || again != unix {
				t.Fatalf("%q: %d, again %d", b, unix, again)
			}
		}
		ranges, result := ParseRange(nil, b, 1000, 10)
		for _, r := range ranges {
			if r.Start < 0 || r.Start >= r.End || r.End > 1000 || result != RangePartial {
				t.Fatalf("%q: %+v %v", b, ranges, result)
			}
		}
		MatchETag(b, []byte(`"x"`), true)
		IfRange(b, []byte(`"x"`), 5)
		Cookie(b, []byte("a"))
		QueryArg(b, []byte("a"))
		if name, port, ok := SplitHost(b); ok && (len(name) == 0 || len(name)+len(port) > len(b)) {
			t.Fatalf("%q: %q %q", b, name, port)
		}
	})
}
