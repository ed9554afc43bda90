package httpparse

// SplitHost checks a Host value (RFC 3986 section 3.2.2: a registered name, an
// IPv4 address or an IP literal, and a port) and cuts it into the name, without
// one trailing dot, case as given, a literal with its brackets, and the port (""
// if none). ok is false for an invalid or empty one. The results alias host.
func SplitHost(host []byte) (name, port []byte, ok bool) {
	i := 0
	if len(host) > 0 && host[0] == '[' {
		for i = 1; i < len(host) && isLiteralByte(host[i]); i++ {
		}
		if i < 2 || i == len(host) || host[i] != ']' {
			return nil, nil, false
		}
		i++
		name = host[:i]
	} else {
		for i < len(host) && hostByte[host[i]] {
			// nginx refuses empty labels: "a..b" is no name, but could match one.
			if host[i] == '.' && i > 0 && host[i-1] == '.' {
				return nil, nil, false
			}
			i++
		}
		name = host[:i]
		if i > 0 && host[i-1] == '.' {
			name = host[:i-1]
		}
		if len(name) == 0 {
			return nil, nil, false
		}
	}
	if i == len(host) {
		return name, nil, true
	}
	if host[i] != ':' {
		return nil, nil, false
	}
	port = host[i+1:]
	if len(port) > 0 {
		if n, ok := ParseUint(port); !ok || n > 65535 {
			return nil, nil, false
		}
	}
	return name, port, true
}

// hostByte: unreserved, sub-delims and '%' of RFC 3986 section 3.2.2.
var hostByte = buildHostByte()

func buildHostByte() (t [256]bool) {
	for i := range t {
		t[i] = isLiteralByte(byte(i)) && i != ':' || i == '%'
	}
	return t
}

// isLiteralByte: what may stand in the brackets of an IP literal.
func isLiteralByte(c byte) bool {
	if isAlnum(c) {
		return true
	}
	switch c {
	case ':', '-', '.', '_', '~', '!', '$', '&', '\'', '(', ')', '*', '+', ',', ';', '=':
		return true
	}
	return false
}
