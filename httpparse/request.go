package httpparse

import (
	"bytes"
	"iter"
)

// TargetForm is the form of a request target (RFC 9112 section 3.2).
type TargetForm uint8

const (
	// TargetOrigin is "/path?query".
	TargetOrigin TargetForm = iota
	// TargetAbsolute is "http://host/path?query".
	TargetAbsolute
	// TargetAuthority is CONNECT's "host:port".
	TargetAuthority
)

// Request is a parsed request head. All Spans are views of the buffer given to
// Parse. Owned by whoever owns that buffer; the zero value is ready to use, and
// Reset makes it ready for the next request while keeping the field list's memory.
type Request struct {
	Head

	Method       Method
	Form         TargetForm
	Major, Minor uint8 // 1, 1; HTTP/0.9: 0, 9

	// HasQuery tells "/a?" (an empty query) from "/a".
	HasQuery bool
	// PlainPath: the path is its own normal form for certain, whatever
	// merge_slashes says. When false, NormalizePath decides, and may refuse.
	PlainPath bool
	// Quoted: the path has a percent escape. nginx escapes the normalised path
	// again for a backend only then.
	Quoted bool
	// Expect100: HTTP/1.1 and Expect: 100-continue.
	Expect100 bool

	Line       Span // the request line without its end ($request); after an error, as much of it as is there
	MethodText Span
	Target     Span // the request target as sent from the path on ($request_uri): without scheme and authority
	Path       Span // undecoded path, up to '?' or '#'; of "http://host" it is a "/" of "://"
	Query      Span // after '?', up to '#' ($args)
	Scheme     Span // absolute form only
	Authority  Span // absolute and authority form only: host[:port]

	// Host is whom the request is for: the authority of an absolute target, else
	// the Host field's value. Empty when neither was sent.
	Host Span
	// HostName is Host without port and without one trailing dot, in the case as sent.
	HostName Span

	fieldsAt int // where the header lines begin; 0: the request line is not accepted yet
}

// Reset forgets the request; the memory of Fields is kept.
func (r *Request) Reset() {
	fields := r.Fields[:0]
	*r = Request{}
	r.Fields, r.ContentLength = fields, -1
}

// Parse reads the head at the start of buf. Called again with the same bytes and
// more behind them until done. buf is only read. err is an *Error; after it, or
// after done, Reset must come before the next Parse.
func (r *Request) Parse(buf []byte, lim *Limits) (done bool, err error) {
	switch r.phase {
	case phaseStart:
		r.start(SideClient)
		fallthrough
	case phaseLine:
		if ok, err := r.parseLine(buf, lim); err != nil {
			r.phase = phaseDone
			r.showLine(buf, lim, err)
			return false, err
		} else if !ok {
			return false, nil
		}
		r.fieldsAt = r.pos
		if r.Major == 0 {
			r.phase = phaseDone
			r.HeadLen = r.pos
			r.takeHost(buf)
			return true, nil
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

// parseLine finds the request line behind any empty lines (RFC 9112 section 2.2)
// and reads it.
func (r *Request) parseLine(buf []byte, lim *Limits) (ok bool, err *Error) {
	maxLine, maxTotal := bound(lim.RequestLine), bound(lim.Total)
	pos := r.pos
	for pos < len(buf) {
		if buf[pos] == '\n' {
			pos++
		} else if buf[pos] == '\r' {
			if pos+1 == len(buf) {
				break
			}
			if buf[pos+1] != '\n' {
				return false, ErrInvalidMethod
			}
			pos += 2
		} else {
			break
		}
		if pos >= maxLine || pos >= maxTotal {
			return false, ErrInvalidRequest
		}
	}
	r.pos = pos
	if pos == len(buf) || buf[pos] == '\r' {
		return false, nil
	}
	// At once rather than with the line's end: a TLS handshake on a plain port
	// may have no line feed at all.
	if !isMethodByte(buf[pos]) {
		return false, ErrInvalidMethod
	}
	seen := max(r.seen, pos)
	i := bytes.IndexByte(buf[seen:], '\n')
	if i < 0 {
		r.seen = len(buf)
		if len(buf)-pos >= maxLine || len(buf) >= maxTotal {
			return false, ErrURITooLong
		}
		return false, nil
	}
	lf := seen + i
	if lf-pos >= maxLine || lf >= maxTotal {
		return false, ErrURITooLong
	}
	r.pos, r.seen = lf+1, lf+1
	end := lf
	if buf[end-1] == '\r' {
		end--
	}
	r.Line = spanOf(pos, end)
	return true, r.readLine(buf, pos, end)
}

// showLine sets Line after an error to what nginx shows of it in logs: what came
// before a CR or LF, of a line that is too long what one buffer holds.
func (r *Request) showLine(buf []byte, lim *Limits, err *Error) {
	from := r.pos
	if r.Line.Len != 0 {
		from = int(r.Line.Off)
	}
	rest := buf[from:]
	if err == ErrURITooLong {
		rest = rest[:min(len(rest), bound(lim.RequestLine))]
	}
	if i := bytes.IndexAny(rest, "\r\n"); i >= 0 {
		rest = rest[:i]
	}
	r.Line = spanOf(from, from+len(rest))
}

// Taken is how much of the head was read without fault, bytes, empty lines before
// it not counted: nginx's $request_length of a request that it refuses. 0 when the
// request line was refused.
func (r *Request) Taken() int {
	if r.fieldsAt == 0 {
		return 0
	}
	return r.pos - int(r.Line.Off)
}

// LineLen is the length of the request line with its end, bytes; 0 when it was refused.
func (r *Request) LineLen() int { return max(0, r.fieldsAt-int(r.Line.Off)) }

// DroppedLines are the lines left out of Fields, views of buf, of a head that was
// read to its end. nginx logs each at info, worded as ErrInvalidHeader.
func (r *Request) DroppedLines(buf []byte) iter.Seq[[]byte] {
	return func(yield func([]byte) bool) {
		kept := r.Fields
		for at := r.fieldsAt; at < r.HeadLen; {
			end := at + bytes.IndexByte(buf[at:r.HeadLen], '\n')
			line := bytes.TrimSuffix(buf[at:end], carriageReturn)
			if len(kept) > 0 && int(kept[0].Name.Off) == at {
				kept = kept[1:]
			} else if len(line) > 0 && !yield(line) {
				return
			}
			at = end + 1
		}
	}
}

// finish judges the whole head, in nginx's order (ngx_http_process_request_header).
func (r *Request) finish(buf []byte) *Error {
	http11 := r.Minor >= 1
	if http11 && !r.Has(HeaderHost) {
		return ErrNoHost
	}
	if r.Has(HeaderTransferEncoding) {
		switch {
		case !http11:
			return ErrChunked10
		case !EqualFold(r.coding.In(buf), tokenChunked):
			r.Culprit = r.coding
			return ErrUnknownEncoding
		case r.ContentLength >= 0:
			// RFC 9112 section 6.1 lets a proxy drop the length; two readers who
			// disagree on which counts are how requests are smuggled.
			return ErrLengthAndChunked
		}
		r.Chunked = true
	}
	switch r.Method {
	case MethodConnect:
		return ErrConnect
	case MethodTrace:
		return ErrTrace
	}
	r.KeepAlive = r.persistent(r.Minor)
	r.Upgrade = r.connection&connectionUpgrade != 0 && r.Has(HeaderUpgrade)
	r.Expect100 = http11 && r.expect100
	r.takeHost(buf)
	return nil
}

// takeHost fills Host and HostName; both sources have been checked before.
func (r *Request) takeHost(buf []byte) {
	r.Host, r.HostName = r.host, r.hostName
	if r.Form != TargetOrigin {
		name, _, _ := SplitHost(r.Authority.In(buf))
		r.Host, r.HostName = r.Authority, Span{r.Authority.Off, uint32(len(name))}
	}
}

// HasBody reports whether a body follows the head (RFC 9112 section 6.3).
func (r *Request) HasBody() bool { return r.Chunked || r.ContentLength > 0 }
