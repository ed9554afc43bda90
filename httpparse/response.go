package httpparse

import "bytes"

// Response is a parsed response head, with the shape and life of a [Request].
type Response struct {
	Head

	Major, Minor uint8
	Status       int  // 100..999
	StatusText   Span // code and reason as sent: "200 OK"
	Reason       Span // may be empty
}

// Reset forgets the response; the memory of Fields is kept.
func (r *Response) Reset() {
	fields := r.Fields[:0]
	*r = Response{}
	r.Fields, r.ContentLength = fields, -1
}

// Parse is as Request.Parse. One head is read, an interim (1xx) one too: Reset
// and go on behind HeadLen for the next. Of lim, RequestLine, Field and the two
// about invalid names do not matter: a backend's whole head has to fit Total.
func (r *Response) Parse(buf []byte, lim *Limits) (done bool, err error) {
	switch r.phase {
	case phaseStart:
		r.start(SideUpstream)
		fallthrough
	case phaseLine:
		if ok, err := r.parseLine(buf, lim); err != nil {
			r.phase = phaseDone
			return false, err
		} else if !ok {
			return false, nil
		}
		r.phase = phaseFields
		fallthrough
	case phaseFields:
		ok, err := r.parseFields(buf, lim)
		if err == nil {
			if !ok {
				return false, nil
			}
			err = r.finish(buf)
		}
		r.phase = phaseDone
		if err != nil {
			return false, err
		}
	}
	return true, nil
}

// parseLine reads the status line.
func (r *Response) parseLine(buf []byte, lim *Limits) (ok bool, err *Error) {
	// Garbage is refused with its first byte, not when a line feed turns up in it.
	if n := min(len(buf), 5); string(buf[:n]) != "HTTP/"[:n] {
		return false, ErrNoStatusLine
	}
	maxTotal := bound(lim.Total)
	i := bytes.IndexByte(buf[r.seen:], '\n')
	if i < 0 {
		r.seen = len(buf)
		if len(buf) >= maxTotal {
			return false, ErrUpstreamHeadTooBig
		}
		return false, nil
	}
	lf := r.seen + i
	if lf >= maxTotal {
		return false, ErrUpstreamHeadTooBig
	}
	r.pos, r.seen = lf+1, lf+1
	end := lf
	if buf[end-1] == '\r' {
		end--
	}
	return true, r.readStatusLine(buf, end)
}

// readStatusLine reads buf[:end], which begins with "HTTP/".
func (r *Response) readStatusLine(buf []byte, end int) *Error {
	p := 5
	major, p, ok := readNumber(buf, p, end)
	if !ok || major == 0 || p == end || buf[p] != '.' {
		return ErrNoStatusLine
	}
	minor, p, ok := readNumber(buf, p+1, end)
	if !ok || p == end || buf[p] != ' ' {
		return ErrNoStatusLine
	}
	r.Major, r.Minor = uint8(min(major, 255)), uint8(min(minor, 255))
	for p < end && buf[p] == ' ' {
		p++
	}
	if end-p < 3 || !isDigit(buf[p]) || !isDigit(buf[p+1]) || !isDigit(buf[p+2]) || buf[p] == '0' {
		return ErrNoStatusLine
	}
	r.Status = int(buf[p]-'0')*100 + int(buf[p+1]-'0')*10 + int(buf[p+2]-'0')
	r.StatusText = spanOf(p, end)
	p += 3
	switch {
	case p == end:
	case buf[p] == ' ':
		p++
	case buf[p] == '.': // IIS may send 403.1
	default:
		return ErrNoStatusLine
	}
	r.Reason = spanOf(p, end)
	for _, c := range buf[p:end] {
		if c == '\r' || c == 0 {
			return ErrNoStatusLine
		}
	}
	return nil
}

// readNumber reads digits, a few of them.
func readNumber(buf []byte, p, end int) (n, next int, ok bool) {
	if p == end || !isDigit(buf[p]) {
		return 0, p, false
	}
	for ; p < end && isDigit(buf[p]); p++ {
		if n > 99 {
			return 0, p, false
		}
		n = n*10 + int(buf[p]-'0')
	}
	return n, p, true
}

// finish judges the whole head (ngx_http_upstream_process_transfer_encoding and
// its kin; RFC 9112 section 6.3).
func (r *Response) finish(buf []byte) *Error {
	http11 := r.Major > 1 || r.Minor >= 1
	r.KeepAlive = r.connection&connectionClose == 0 && (http11 || r.connection&connectionKeepAlive != 0)
	if r.Has(HeaderTransferEncoding) {
		if !EqualFold(r.coding.In(buf), tokenChunked) {
			r.Culprit = r.coding
			return ErrUpstreamUnknownCoding
		}
		if r.ContentLength >= 0 {
			return ErrUpstreamLengthChunked
		}
		r.Chunked = true
		if !http11 {
			// RFC 9112 section 6.1: a 1.0 sender may not know what it said.
			r.KeepAlive = false
		}
	}
	if r.noContent() && (r.Chunked || r.ContentLength > 0) {
		// These have no body whatever they say. A backend that announces one may
		// also send it, and that must not be taken for the next response.
		r.KeepAlive = false
	}
	r.Upgrade = r.connection&connectionUpgrade != 0 && r.Has(HeaderUpgrade)
	return nil
}

func (r *Response) noContent() bool { return r.Status < 200 || r.Status == 204 }

// BodyForm is how the end of a response's body is found (RFC 9112 section 6.3).
type BodyForm uint8

const (
	// BodyNone: the message ends with the head (1xx, 204, 304, answer to HEAD).
	BodyNone BodyForm = iota
	// BodyLength: ContentLength bytes follow, perhaps 0.
	BodyLength
	// BodyChunked: chunks follow.
	BodyChunked
	// BodyUntilClose: everything until the connection is closed.
	BodyUntilClose
)

// Body tells how the body ends. head: the request was a HEAD.
func (r *Response) Body(head bool) BodyForm {
	switch {
	case head, r.noContent(), r.Status == 304:
		return BodyNone
	case r.Chunked:
		return BodyChunked
	case r.ContentLength >= 0:
		return BodyLength
	}
	return BodyUntilClose
}
