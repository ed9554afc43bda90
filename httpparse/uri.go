package httpparse

// NormalizePath makes nginx's $uri of an undecoded path (Request.Path, begins
// with '/'): percent escapes decoded, dot segments removed (RFC 3986 section
// 5.2.4) after decoding, and with mergeSlashes runs of slashes made one
// (ngx_http_parse_complex_uri). Returns path itself when there is nothing to do,
// else dst[:0] with the result, which is never longer than path; dst may be
// path[:0]. ErrInvalidURI for a bad escape, %00, or a path that climbs over its root.
func NormalizePath(dst, path []byte, mergeSlashes bool) ([]byte, error) {
	i := firstUnusual(path, mergeSlashes)
	if i == len(path) {
		return path, nil
	}
	state := inSegment
	if i > 0 && path[i-1] == '/' {
		state = afterSlash
	}
	dst = append(dst[:0], path[:i]...)
	return normalize(dst, path[i:], state, mergeSlashes)
}

// firstUnusual is the length of the part of path that stays as it is: it ends
// before an escape or behind a slash that a dot or another slash follows.
func firstUnusual(path []byte, mergeSlashes bool) int {
	for i, c := range path {
		if !targetStop[c] {
			continue
		}
		if c == '%' {
			return i
		}
		if c != '/' || i+1 == len(path) {
			continue
		}
		switch path[i+1] {
		case '/':
			if mergeSlashes {
				return i
			}
		case '.':
			return i
		}
	}
	return len(path)
}

// segmentState says what stands before the byte to come.
type segmentState uint8

const (
	inSegment   segmentState = iota
	afterSlash               // a segment begins
	afterDot                 // the segment is "." so far
	afterDotDot              // the segment is ".." so far
)

func normalize(dst, path []byte, state segmentState, mergeSlashes bool) ([]byte, error) {
	for i := 0; i < len(path); i++ {
		c := path[i]
		if c == '%' {
			if i+2 >= len(path) {
				return nil, ErrInvalidURI
			}
			hi, lo := hexValue(path[i+1]), hexValue(path[i+2])
			if hi < 0 || lo < 0 || hi|lo == 0 {
				return nil, ErrInvalidURI
			}
			c = byte(hi<<4 | lo)
			i += 2
			// An escaped slash or dot counts as one, so that what is matched
			// against locations is what a backend may read.
		}
		switch {
		case c == '/':
			switch state {
			case afterSlash:
				if mergeSlashes {
					continue
				}
			case afterDot:
				dst = dst[:len(dst)-1]
				state = afterSlash
				continue
			case afterDotDot:
				var ok bool
				if dst, ok = climb(dst); !ok {
					return nil, ErrInvalidURI
				}
				state = afterSlash
				continue
			}
			state = afterSlash
		case c == '.' && state == afterSlash:
			state = afterDot
		case c == '.' && state == afterDot:
			state = afterDotDot
		default:
			state = inSegment
		}
		dst = append(dst, c)
	}
	switch state {
	case afterDot:
		dst = dst[:len(dst)-1]
	case afterDotDot:
		var ok bool
		if dst, ok = climb(dst); !ok {
			return nil, ErrInvalidURI
		}
	}
	return dst, nil
}

// climb cuts "/segment/.." off to "/": the two dots and the segment before them.
func climb(dst []byte) ([]byte, bool) {
	for i := len(dst) - 4; i >= 0; i-- {
		if dst[i] == '/' {
			return dst[:i+1], true
		}
	}
	return nil, false
}

const upperHex = "0123456789ABCDEF"

// EscapeURI appends path with the bytes escaped that nginx escapes when it sends
// a normalised path to a backend (proxy_pass with a URI part; ngx_escape_uri with
// NGX_ESCAPE_URI).
func EscapeURI(dst, path []byte) []byte { return escape(dst, path, &escapeInURI) }

// EscapeArgs appends text with the bytes escaped that nginx escapes in query
// arguments (NGX_ESCAPE_ARGS).
func EscapeArgs(dst, text []byte) []byte { return escape(dst, text, &escapeInArgs) }

func escape(dst, text []byte, table *[256]bool) []byte {
	from := 0
	for i, c := range text {
		if table[c] {
			dst = append(dst, text[from:i]...)
			dst = append(dst, '%', upperHex[c>>4], upperHex[c&15])
			from = i + 1
		}
	}
	return append(dst, text[from:]...)
}

var (
	escapeInURI  = buildEscapes("\"#%<>?\\^`{|}")
	escapeInArgs = buildEscapes("\"#%&+;<>?\\^`{|}")
)

func buildEscapes(special string) (t [256]bool) {
	for i := range t {
		t[i] = i <= 0x20 || i >= 0x7f
	}
	for _, c := range []byte(special) {
		t[c] = true
	}
	return t
}
