package httpparse

import "testing"

// vector is a request that must be refused with err, or (err nil) accepted with
// the framing given.
type vector struct {
	name    string
	raw     string
	err     *Error
	length  int64 // -1: none
	chunked bool
}

const (
	post11 = "POST / HTTP/1.1\r\nHost: a\r\n"
	post10 = "POST / HTTP/1.0\r\nHost: a\r\n"
)

// smugglingVectors are ways to make two readers disagree on where a request ends,
// whom it is for, or what it says.
var smugglingVectors = []vector{
	{name: "plain", raw: post11 + "Content-Length: 5\r\n\r\nhello", length: 5},
	{name: "chunked", raw: post11 + "Transfer-Encoding: chunked\r\n\r\n0\r\n\r\n", length: -1, chunked: true},
	{name: "chunked in capitals", raw: post11 + "TRANSFER-ENCODING: Chunked\r\n\r\n", length: -1, chunked: true},
	{name: "CL.TE", raw: post11 + "Content-Length: 6\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\nG", err: ErrLengthAndChunked},
	{name: "TE.CL", raw: post11 + "Transfer-Encoding: chunked\r\nContent-Length: 4\r\n\r\n", err: ErrLengthAndChunked},
	{name: "length 0 and chunked", raw: post11 + "Content-Length: 0\r\nTransfer-Encoding: chunked\r\n\r\n", err: ErrLengthAndChunked},
	{name: "two equal lengths", raw: post11 + "Content-Length: 5\r\nContent-Length: 5\r\n\r\n", err: ErrDuplicateHeader},
	{name: "two lengths", raw: post11 + "Content-Length: 5\r\nContent-Length: 6\r\n\r\n", err: ErrDuplicateHeader},
	{name: "a list of lengths", raw: post11 + "Content-Length: 5, 5\r\n\r\n", err: ErrInvalidLength},
	{name: "signed length", raw: post11 + "Content-Length: +5\r\n\r\n", err: ErrInvalidLength},
	{name: "negative length", raw: post11 + "Content-Length: -5\r\n\r\n", err: ErrInvalidLength},
	{name: "hexadecimal length", raw: post11 + "Content-Length: 0x5\r\n\r\n", err: ErrInvalidLength},
	{name: "fractional length", raw: post11 + "Content-Length: 5.0\r\n\r\n", err: ErrInvalidLength},
	{name: "length with exponent", raw: post11 + "Content-Length: 5e0\r\n\r\n", err: ErrInvalidLength},
	{name: "length with underscore", raw: post11 + "Content-Length: 1_0\r\n\r\n", err: ErrInvalidLength},
	{name: "length with inner space", raw: post11 + "Content-Length: 1 0\r\n\r\n", err: ErrInvalidLength},
	{name: "length with vertical tab", raw: post11 + "Content-Length: \x0b5\r\n\r\n", err: ErrInvalidLength},
	{name: "length with form feed", raw: post11 + "Content-Length: 5\x0c\r\n\r\n", err: ErrInvalidLength},
	{name: "length with no-break space", raw: post11 + "Content-Length: \xa05\r\n\r\n", err: ErrInvalidLength},
	{name: "length with arabic digit", raw: post11 + "Content-Length: \u0665\r\n\r\n", err: ErrInvalidLength},
	{name: "empty length", raw: post11 + "Content-Length: \r\n\r\n", err: ErrInvalidLength},
	{name: "length beyond 64 bits", raw: post11 + "Content-Length: 18446744073709551621\r\n\r\n", err: ErrInvalidLength},
	{name: "length beyond 63 bits", raw: post11 + "Content-Length: 9223372036854775808\r\n\r\n", err: ErrInvalidLength},
	{name: "largest length", raw: post11 + "Content-Length: 9223372036854775807\r\n\r\n", length: 1<<63 - 1},
	{name: "padded length", raw: post11 + "Content-Length: 0000000000000000000000005\r\n\r\n", length: 5},
	{name: "length with tabs around", raw: post11 + "Content-Length:\t5\t\r\n\r\n", length: 5},
	{name: "space before colon in length", raw: post11 + "Content-Length : 5\r\n\r\n", err: ErrInvalidHeader},
	{name: "tab before colon in coding", raw: post11 + "Transfer-Encoding\t: chunked\r\n\r\n", err: ErrInvalidHeader},
	{name: "space before name", raw: post11 + " Transfer-Encoding: chunked\r\n\r\n", err: ErrInvalidHeader},
	{name: "space before the first name", raw: "POST / HTTP/1.1\r\n Host: a\r\n\r\n", err: ErrInvalidHeader},
	{name: "obs-fold", raw: post11 + "X: y\r\n Transfer-Encoding: chunked\r\n\r\n", err: ErrInvalidHeader},
	{name: "obs-fold with tab", raw: post11 + "X: y\r\n\tz\r\n\r\n", err: ErrInvalidHeader},
	{name: "folded coding", raw: post11 + "Transfer-Encoding:\r\n chunked\r\n\r\n", err: ErrInvalidHeader},
	{name: "line of spaces", raw: post11 + " \r\n\r\n", err: ErrInvalidHeader},
	{name: "bare CR in value", raw: post11 + "X: y\rTransfer-Encoding: chunked\r\n\r\n", err: ErrInvalidHeader},
	{name: "bare CR before line end", raw: post11 + "X: y\r\r\n\r\n", err: ErrInvalidHeader},
	{name: "bare CR in name", raw: post11 + "X\rTransfer-Encoding: chunked\r\n\r\n", err: ErrInvalidHeader},
	{name: "CR in place of a hyphen", raw: post11 + "Content\rLength: 5\r\n\r\n", err: ErrInvalidHeader},
	{name: "NUL in place of a hyphen", raw: post11 + "Content\x00Length: 5\r\n\r\n", err: ErrInvalidHeader},
	{name: "bare CR before the name", raw: post11 + "\rTransfer-Encoding: chunked\r\n\r\n", err: ErrInvalidHeader},
	{name: "bare CR as empty line", raw: post11 + "\r\rGET / HTTP/1.1\r\n\r\n", err: ErrInvalidHeader},
	{name: "bare CR in known value", raw: post11 + "User-Agent: y\rX: z\r\n\r\n", err: ErrInvalidHeader},
	{name: "bare CR in the request line", raw: "GET / HTTP/1.1\rHost: b\r\nHost: a\r\n\r\n", err: ErrInvalidRequest},
	{name: "NUL in value", raw: post11 + "X: y\x00z\r\n\r\n", err: ErrInvalidHeader},
	{name: "NUL in coding", raw: post11 + "Transfer-Encoding: chunked\x00\r\n\r\n", err: ErrInvalidHeader},
	{name: "NUL in name", raw: post11 + "X\x00: y\r\n\r\n", err: ErrInvalidHeader},
	{name: "no colon", raw: post11 + "Transfer-Encoding chunked\r\n\r\n", err: ErrInvalidHeader},
	{name: "no colon nor space", raw: post11 + "Content-Length\r\n\r\n", err: ErrInvalidHeader},
	{name: "empty name", raw: post11 + ": 5\r\n\r\n", err: ErrInvalidHeader},
	{name: "two codings in one", raw: post11 + "Transfer-Encoding: gzip, chunked\r\n\r\n", err: ErrUnknownEncoding},
	{name: "chunked not last", raw: post11 + "Transfer-Encoding: chunked, identity\r\n\r\n", err: ErrUnknownEncoding},
	{name: "chunked twice in one", raw: post11 + "Transfer-Encoding: chunked, chunked\r\n\r\n", err: ErrUnknownEncoding},
	{name: "chunked with a comma", raw: post11 + "Transfer-Encoding: chunked,\r\n\r\n", err: ErrUnknownEncoding},
	{name: "a comma and chunked", raw: post11 + "Transfer-Encoding: ,chunked\r\n\r\n", err: ErrUnknownEncoding},
	{name: "chunked with a parameter", raw: post11 + "Transfer-Encoding: chunked;q=1\r\n\r\n", err: ErrUnknownEncoding},
	{name: "quoted chunked", raw: post11 + "Transfer-Encoding: \"chunked\"\r\n\r\n", err: ErrUnknownEncoding},
	{name: "single-quoted chunked", raw: post11 + "Transfer-Encoding: 'chunked'\r\n\r\n", err: ErrUnknownEncoding},
	{name: "vertical tab and chunked", raw: post11 + "Transfer-Encoding: \x0bchunked\r\n\r\n", err: ErrUnknownEncoding},
	{name: "chunked with a high byte", raw: post11 + "Transfer-Encoding: chunked\xff\r\n\r\n", err: ErrUnknownEncoding},
	{name: "xchunked", raw: post11 + "Transfer-Encoding: xchunked\r\n\r\n", err: ErrUnknownEncoding},
	{name: "identity", raw: post11 + "Transfer-Encoding: identity\r\n\r\n", err: ErrUnknownEncoding},
	{name: "empty coding", raw: post11 + "Transfer-Encoding:\r\n\r\n", err: ErrUnknownEncoding},
	{name: "unknown coding and length", raw: post11 + "Content-Length: 5\r\nTransfer-Encoding: cow\r\n\r\n", err: ErrUnknownEncoding},
	{name: "two coding fields", raw: post11 + "Transfer-Encoding: chunked\r\nTransfer-Encoding: cow\r\n\r\n", err: ErrDuplicateHeader},
	{name: "two coding fields, other case", raw: post11 + "Transfer-Encoding: cow\r\ntransfer-encoding: chunked\r\n\r\n", err: ErrDuplicateHeader},
	{name: "coding in HTTP/1.0", raw: post10 + "Transfer-Encoding: chunked\r\n\r\n", err: ErrChunked10},
	{name: "coding and length in HTTP/1.0", raw: post10 + "Content-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n", err: ErrChunked10},
	{name: "underscore in coding", raw: post11 + "Transfer_Encoding: chunked\r\n\r\n", length: -1},
	{name: "underscore in length", raw: post11 + "Content_Length: 5\r\n\r\n", length: -1},
	{name: "odd byte in name", raw: post11 + "Content-Length\xc2\xa0: 5\r\n\r\n", length: -1},
	{name: "two hosts", raw: "GET / HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n", err: ErrDuplicateHost},
	{name: "two hosts, one odd", raw: "GET / HTTP/1.1\r\nHost: a\r\nHost : b\r\n\r\n", err: ErrInvalidHeader},
	{name: "no host", raw: "GET / HTTP/1.1\r\n\r\n", err: ErrNoHost},
	{name: "host with a path", raw: "GET / HTTP/1.1\r\nHost: a/b\r\n\r\n", err: ErrInvalidHost},
	{name: "host with user", raw: "GET / HTTP/1.1\r\nHost: a@b\r\n\r\n", err: ErrInvalidHost},
	{name: "host with a query", raw: "GET / HTTP/1.1\r\nHost: a?b\r\n\r\n", err: ErrInvalidHost},
	{name: "host with a backslash", raw: "GET / HTTP/1.1\r\nHost: a\\b\r\n\r\n", err: ErrInvalidHost},
	{name: "space in target", raw: "GET /a /b HTTP/1.1\r\nHost: a\r\n\r\n", err: ErrInvalidRequest},
	{name: "request in target", raw: "GET /a HTTP/1.1 HTTP/1.1\r\nHost: a\r\n\r\n", err: ErrInvalidRequest},
	{name: "tab for a space", raw: "GET\t/ HTTP/1.1\r\nHost: a\r\n\r\n", err: ErrInvalidMethod},
	{name: "vertical tab before version", raw: "GET / \x0bHTTP/1.1\r\nHost: a\r\n\r\n", err: ErrInvalidRequest},
	{name: "lower-case version", raw: "GET / http/1.1\r\nHost: a\r\n\r\n", err: ErrInvalidRequest},
	{name: "HTTP/2 preface", raw: "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", err: ErrInvalidRequest},
	{name: "version 2", raw: "GET / HTTP/2.0\r\nHost: a\r\n\r\n", err: ErrInvalidVersion},
	{name: "version 1.10", raw: "GET / HTTP/1.10\r\nHost: a\r\n\r\n", length: -1},
	{name: "asterisk", raw: "OPTIONS * HTTP/1.1\r\nHost: a\r\n\r\n", err: ErrInvalidRequest},
	{name: "CONNECT", raw: "CONNECT a:443 HTTP/1.1\r\nHost: a\r\n\r\n", err: ErrConnect},
	{name: "TRACE", raw: "TRACE / HTTP/1.1\r\nHost: a\r\n\r\n", err: ErrTrace},
	{name: "LF line ends", raw: "POST / HTTP/1.1\nHost: a\nContent-Length: 5\n\n", length: 5},
	{name: "mixed line ends", raw: "POST / HTTP/1.1\r\nHost: a\nContent-Length: 5\r\n\n", length: 5},
}

func TestSmugglingVectors(t *testing.T) {
	for _, v := range smugglingVectors {
		t.Run(v.name, func(t *testing.T) {
			run := feedRequest([]byte(v.raw), &DefaultLimits)
			switch {
			case v.err != nil:
				if run.err != error(v.err) {
					t.Fatalf("%q: got %v, want %v", v.raw, run.err, v.err)
				}
			case run.err != nil || !run.done:
				t.Fatalf("%q: %v %v", v.raw, run.done, run.err)
			case run.r.ContentLength != v.length || run.r.Chunked != v.chunked:
				t.Fatalf("%q: length %d, chunked %v", v.raw, run.r.ContentLength, run.r.Chunked)
			}
			checkRequestSplits(t, []byte(v.raw), &DefaultLimits)
		})
	}
}

// TestChunkedVectors: bodies that must be refused, and a few that must not.
func TestChunkedVectors(t *testing.T) {
	long := string(make([]byte, 0))
	for range 20 << 10 {
		long += "x"
	}
	for _, v := range []struct {
		name, raw, body string
		bad             bool
	}{
		{name: "plain", raw: "5\r\nhello\r\n0\r\n\r\n", body: "hello"},
		{name: "several", raw: "2\r\nhe\r\n3\r\nllo\r\n0\r\n\r\n", body: "hello"},
		{name: "hexadecimal", raw: "A\r\n0123456789\r\na\r\n0123456789\r\n0\r\n\r\n", body: "01234567890123456789"},
		{name: "padded size", raw: "0000000000000005\r\nhello\r\n0000\r\n\r\n", body: "hello"},
		{name: "extension", raw: "5;a=b;c=\"d e\"\r\nhello\r\n0;x\r\n\r\n", body: "hello"},
		{name: "whitespace before extension", raw: "5 \t;a\r\nhello\r\n0 \r\n\r\n", body: "hello"},
		{name: "trailers", raw: "0\r\nA: b\r\nC:\r\n\r\n"},
		{name: "empty size", raw: "\r\nhello", bad: true},
		{name: "size missing", raw: ";a\r\n", bad: true},
		{name: "signed size", raw: "+5\r\nhello\r\n", bad: true},
		{name: "negative size", raw: "-5\r\nhello\r\n", bad: true},
		{name: "prefixed size", raw: "0x5\r\nhello\r\n", bad: true},
		{name: "space before size", raw: " 5\r\nhello\r\n", bad: true},
		{name: "underscore in size", raw: "1_0\r\n", bad: true},
		{name: "text behind size", raw: "5 x\r\nhello\r\n", bad: true},
		{name: "size beyond 63 bits", raw: "8000000000000000\r\n", bad: true},
		{name: "size beyond 64 bits", raw: "10000000000000005\r\nhello\r\n", bad: true},
		{name: "size padded without end", raw: "00000000000000005\r\nhello\r\n", bad: true},
		{name: "LF behind size", raw: "5\nhello\r\n0\r\n\r\n", bad: true},
		{name: "LF in extension", raw: "5;a\nhello\r\n0\r\n\r\n", bad: true},
		{name: "bare CR in extension", raw: "5;a\rb\r\nhello\r\n", bad: true},
		{name: "CR and not LF behind size", raw: "5\rXhello\r\n", bad: true},
		{name: "NUL in extension", raw: "5;\x00\r\nhello\r\n", bad: true},
		{name: "LF behind data", raw: "5\r\nhello\n0\r\n\r\n", bad: true},
		{name: "data longer than size", raw: "4\r\nhello\r\n0\r\n\r\n", bad: true},
		{name: "data shorter than size", raw: "6\r\nhello\r\n0\r\n\r\n", bad: true},
		{name: "CR CR behind data", raw: "5\r\nhello\r\r\n0\r\n\r\n", bad: true},
		{name: "LF ends trailers", raw: "0\r\n\n", bad: true},
		{name: "LF behind last size", raw: "0\n\r\n", bad: true},
		{name: "space before trailer name", raw: "0\r\n A: b\r\n\r\n", bad: true},
		{name: "space before trailer colon", raw: "0\r\nA : b\r\n\r\n", bad: true},
		{name: "trailer without colon", raw: "0\r\nGET / HTTP/1.1\r\n\r\n", bad: true},
		{name: "trailer with empty name", raw: "0\r\n: b\r\n\r\n", bad: true},
		{name: "bare CR in trailer", raw: "0\r\nA: b\rc\r\n\r\n", bad: true},
		{name: "NUL in trailer", raw: "0\r\nA: \x00\r\n\r\n", bad: true},
		{name: "extension without end", raw: "5;" + long, bad: true},
		{name: "trailers without end", raw: "0\r\nA: " + long, bad: true},
	} {
		t.Run(v.name, func(t *testing.T) {
			for _, size := range []int{1, 3, 1 << 20} {
				body, used, done, err := decodeChunked([]byte(v.raw), size, false)
				if v.bad {
					if err != error(ErrChunked) {
						t.Fatalf("by %d: %q %v %v", size, body, done, err)
					}
				} else if !done || err != nil || string(body) != v.body || used != len(v.raw) {
					t.Fatalf("by %d: %q %d %v %v", size, body, used, done, err)
				}
			}
			if _, _, _, err := decodeChunked([]byte(v.raw), 100, true); v.bad && err != error(ErrUpstreamChunked) {
				t.Fatalf("upstream: %v", err)
			}
		})
	}
}
