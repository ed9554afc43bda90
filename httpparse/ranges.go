package httpparse

import "strconv"

// ByteRange is one part of a representation: bytes Start <= i < End.
type ByteRange struct{ Start, End int64 }

// RangeResult says what a Range field asks for.
type RangeResult uint8

const (
	// RangeIgnore: no usable range, send the whole (200).
	RangeIgnore RangeResult = iota
	// RangePartial: send the parts (206).
	RangePartial
	// RangeUnsatisfiable: 416.
	RangeUnsatisfiable
)

// ParseRange reads a Range value (RFC 9110 section 14.2) against a representation
// of size bytes, with nginx's answers (ngx_http_range_parse): another unit, more
// parts than maxRanges (< 0: any number) or parts longer together than the whole
// give RangeIgnore, a syntax error RangeUnsatisfiable. The parts are appended to dst.
func ParseRange(dst []ByteRange, value []byte, size int64, maxRanges int) ([]ByteRange, RangeResult) {
	if maxRanges == 0 || len(value) < 7 || !EqualFold(value[:6], unitBytes) {
		return dst, RangeIgnore
	}
	before := len(dst)
	whole := size // what is left of it for further parts
	p := value[6:]
	for {
		r, rest, ok := readRange(p, size)
		if !ok {
			return dst[:before], RangeUnsatisfiable
		}
		if r.Start < r.End {
			if maxRanges > 0 && len(dst)-before == maxRanges {
				return dst[:before], RangeIgnore
			}
			dst = append(dst, r)
			whole = max(whole-(r.End-r.Start), -1)
		} else if r.Start == 0 {
			return dst[:before], RangeIgnore
		}
		if len(rest) == 0 {
			break
		}
		p = rest[1:]
	}
	switch {
	case len(dst) == before:
		return dst, RangeUnsatisfiable
	case whole < 0:
		return dst[:before], RangeIgnore
	}
	return dst, RangePartial
}

var unitBytes = []byte("bytes=")

// readRange reads one range-spec; rest begins with the comma, if any.
func readRange(p []byte, size int64) (r ByteRange, rest []byte, ok bool) {
	p = skipSpaces(p)
	suffix := len(p) > 0 && p[0] == '-'
	if suffix {
		p = p[1:]
	} else {
		if r.Start, p, ok = leadingUint(p); !ok {
			return r, nil, false
		}
		p = skipSpaces(p)
		if len(p) == 0 || p[0] != '-' {
			return r, nil, false
		}
		p = skipSpaces(p[1:])
		if len(p) == 0 || p[0] == ',' {
			r.End = size
			return r, p, true
		}
	}
	var last int64
	if last, p, ok = leadingUint(p); !ok {
		return r, nil, false
	}
	p = skipSpaces(p)
	if len(p) > 0 && p[0] != ',' {
		return r, nil, false
	}
	if suffix {
		r.Start = max(size-last, 0)
		last = size - 1
	}
	if last >= size {
		r.End = size
	} else {
		r.End = last + 1
	}
	return r, p, true
}

func skipSpaces(p []byte) []byte {
	for len(p) > 0 && p[0] == ' ' {
		p = p[1:]
	}
	return p
}

func leadingUint(p []byte) (n int64, rest []byte, ok bool) {
	i := 0
	for i < len(p) && isDigit(p[i]) {
		i++
	}
	n, ok = ParseUint(p[:i])
	return n, p[i:], ok
}

// AppendContentRange appends "bytes start-end/size", end inclusive.
func AppendContentRange(dst []byte, r ByteRange, size int64) []byte {
	dst = append(dst, "bytes "...)
	dst = strconv.AppendInt(dst, r.Start, 10)
	dst = append(dst, '-')
	dst = strconv.AppendInt(dst, r.End-1, 10)
	dst = append(dst, '/')
	return strconv.AppendInt(dst, size, 10)
}

// MatchETag reports whether an If-Match value (weak false: strong comparison, RFC
// 9110 section 8.8.3.2) or an If-None-Match value (weak true) names etag, given
// with its quotes and W/, or is "*". An empty etag matches "*" only.
func MatchETag(list, etag []byte, weak bool) bool {
	if len(list) == 1 && list[0] == '*' {
		return true
	}
	opaque, isWeak := cutWeak(etag)
	if len(opaque) == 0 || isWeak && !weak {
		return false
	}
	for {
		tag, tagWeak, rest, ok := nextETag(list)
		if !ok {
			return false
		}
		if string(tag) == string(opaque) && (weak || !tagWeak) {
			return true
		}
		list = rest
	}
}

// nextETag cuts the first entity tag off a list. Unlike in quoted strings a
// backslash in a tag is just a backslash.
func nextETag(list []byte) (opaque []byte, weak bool, rest []byte, ok bool) {
	for len(list) > 0 && (isOWS(list[0]) || list[0] == ',') {
		list = list[1:]
	}
	if len(list) == 0 {
		return nil, false, nil, false
	}
	list, weak = cutWeak(list)
	i := 0
	if list[0] == '"' {
		for i = 1; i < len(list) && list[i] != '"'; i++ {
		}
	}
	for ; i < len(list) && list[i] != ','; i++ {
	}
	return TrimOWS(list[:i]), weak, list[i:], true
}

func cutWeak(etag []byte) (opaque []byte, weak bool) {
	if len(etag) > 2 && etag[0] == 'W' && etag[1] == '/' {
		return etag[2:], true
	}
	return etag, false
}

// IfRange reports whether a Range may be served under this If-Range value (RFC
// 9110 section 13.1.5): an entity tag that equals etag and is strong, or a date
// that is exactly lastModified (Unix seconds, < 0: unknown).
func IfRange(value, etag []byte, lastModified int64) bool {
	if n := len(value); n >= 2 && value[n-1] == '"' {
		return value[0] == '"' && string(value) == string(etag)
	}
	date, ok := ParseDate(value)
	return ok && lastModified >= 0 && date == lastModified
}
