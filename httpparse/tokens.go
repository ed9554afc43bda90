package httpparse

// EqualFold compares ASCII text regardless of letter case.
func EqualFold(a, b []byte) bool {
	if len(a) != len(b) {
		return false
	}
	for i, c := range a {
		if lower[c] != lower[b[i]] {
			return false
		}
	}
	return true
}

// AppendLower appends s with ASCII capitals made small.
func AppendLower(dst, s []byte) []byte {
	for _, c := range s {
		dst = append(dst, lower[c])
	}
	return dst
}

// TrimOWS cuts spaces and tabs off both ends.
func TrimOWS(b []byte) []byte {
	for len(b) > 0 && isOWS(b[0]) {
		b = b[1:]
	}
	for len(b) > 0 && isOWS(b[len(b)-1]) {
		b = b[:len(b)-1]
	}
	return b
}

func isOWS(c byte) bool { return c == ' ' || c == '\t' }

// HasToken reports whether a comma-separated list has this token, in any case.
func HasToken(list, token []byte) bool {
	for {
		elem, rest, ok := NextElement(list)
		if !ok {
			return false
		}
		if EqualFold(elem, token) {
			return true
		}
		list = rest
	}
}

// NextElement cuts the first non-empty element off a comma-separated list (RFC
// 9110 section 5.6.1), without the whitespace around it; commas in quoted strings
// do not separate. ok is false at the end. The results alias list.
func NextElement(list []byte) (elem, rest []byte, ok bool) {
	for len(list) > 0 {
		n := elementEnd(list)
		elem = TrimOWS(list[:n])
		rest = list[min(n+1, len(list)):]
		if len(elem) > 0 {
			return elem, rest, true
		}
		list = rest
	}
	return nil, nil, false
}

// elementEnd is the index of the comma that ends the first element, or len(list).
func elementEnd(list []byte) int {
	quoted := false
	for i := 0; i < len(list); i++ {
		switch c := list[i]; {
		case c == '"':
			quoted = !quoted
		case c == '\\' && quoted:
			i++
		case c == ',' && !quoted:
			return i
		}
	}
	return len(list)
}

// NextDirective cuts the first name[=value] off a list such as Cache-Control's
// (RFC 9111 section 5.2). A quoted value comes without its quotes but with its
// backslashes. hasValue tells `a=` from `a`. The results alias list.
func NextDirective(list []byte) (name, value, rest []byte, hasValue, ok bool) {
	elem, rest, ok := NextElement(list)
	if !ok {
		return nil, nil, nil, false, false
	}
	for i, c := range elem {
		if c != '=' {
			continue
		}
		name, value = TrimOWS(elem[:i]), TrimOWS(elem[i+1:])
		if n := len(value); n >= 2 && value[0] == '"' && value[n-1] == '"' {
			value = value[1 : n-1]
		}
		return name, value, rest, true, true
	}
	return elem, nil, rest, false, true
}

// ParseUint reads a decimal number of digits only that fits an int64: a
// Content-Length, an Age, a max-age.
func ParseUint(b []byte) (n int64, ok bool) {
	const most = 1<<63 - 1
	if len(b) == 0 {
		return 0, false
	}
	for _, c := range b {
		if !isDigit(c) {
			return 0, false
		}
		d := int64(c - '0')
		if n > (most-d)/10 {
			return 0, false
		}
		n = n*10 + d
	}
	return n, true
}
