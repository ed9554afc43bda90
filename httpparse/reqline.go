package httpparse

// readLine reads the request line buf[pos:end]; buf[end] exists and is its line
// end. buf[pos] is known to be a method byte.
func (r *Request) readLine(buf []byte, pos, end int) *Error {
	p := pos
	if string(buf[pos:min(pos+4, end)]) == "GET " {
		r.Method = MethodGet
		p += 3
	} else {
		for p < end && isMethodByte(buf[p]) {
			p++
		}
		if p == end || buf[p] != ' ' {
			return ErrInvalidMethod
		}
		r.Method = LookupMethod(buf[pos:p])
	}
	r.MethodText = spanOf(pos, p)
	for p < end && buf[p] == ' ' {
		p++
	}
	if p == end {
		return ErrInvalidRequest
	}

	var err *Error
	switch {
	case r.Method == MethodConnect:
		p, err = r.readAuthority(buf, p, end)
	case buf[p] == '/':
		p, err = r.readTarget(buf, p, end)
	case isAlpha(buf[p]):
		p, err = r.readAbsolute(buf, p, end)
	default: // '*' too: nginx has no asterisk form
		err = ErrInvalidRequest
	}
	if err != nil {
		return err
	}

	for p < end && buf[p] == ' ' {
		p++
	}
	if end-p == 8 && load8(buf, p) == http11Word {
		r.Major, r.Minor = 1, 1
	} else if err := r.readVersion(buf, p, end); err != nil {
		return err
	}
	if r.Form != TargetOrigin {
		if _, _, ok := SplitHost(r.Authority.In(buf)); !ok {
			return ErrInvalidHostInLine
		}
	}
	return nil
}

// "HTTP/1.1" as load8 sees it.
const http11Word = 'H' | 'T'<<8 | 'T'<<16 | 'P'<<24 | '/'<<32 | '1'<<40 | '.'<<48 | '1'<<56

// readTarget reads path, query and fragment from the '/' at buf[p] on and returns
// where they end: at a space or at end.
func (r *Request) readTarget(buf []byte, p, end int) (int, *Error) {
	start := p
	plain := true
path:
	for ; p < end; p++ {
		if !targetStop[buf[p]] {
			continue
		}
		switch buf[p] {
		case '/':
			// buf[p+1] may be the line end, never beyond it.
			if next := buf[p+1]; next == '/' || next == '.' {
				plain = false
			}
		case '%':
			plain = false
			r.Quoted = true
		case ' ', '?', '#':
			break path
		default:
			return p, ErrInvalidRequest
		}
	}
	r.PlainPath = plain
	r.Path = spanOf(start, p)
	p, err := r.readQuery(buf, p, end)
	r.Target = spanOf(start, p)
	return p, err
}

// readQuery reads "?query#fragment", both optional, and returns where they end.
func (r *Request) readQuery(buf []byte, p, end int) (int, *Error) {
	if p < end && buf[p] == '?' {
		p++
		query := p
		p = skipPrintable(buf, p, end, '#')
		r.Query, r.HasQuery = spanOf(query, p), true
	}
	if p < end && buf[p] == '#' {
		p = skipPrintable(buf, p, end, ' ')
	}
	if p < end && buf[p] != ' ' {
		return p, ErrInvalidRequest
	}
	return p, nil
}

// skipPrintable returns the first index in [p, end) of a space, a control
// character or stop, else end; eight bytes at a time while they last.
func skipPrintable(buf []byte, p, end int, stop byte) int {
	for ; p+8 <= end; p += 8 {
		w := load8(buf, p)
		// Bytes below 0x21, DEL and stop. As in zeroByte only the lowest mark is exact.
		m := (w-ones*0x21)&^w&highs | zeroByte(w^ones*0x7f) | zeroByte(w^ones*uint64(stop))
		if m != 0 {
			return p + firstMark(m)
		}
	}
	for ; p < end; p++ {
		if c := buf[p]; c <= 0x20 || c == 0x7f || c == stop {
			break
		}
	}
	return p
}

// readAbsolute reads "scheme://authority" and what follows as readTarget.
func (r *Request) readAbsolute(buf []byte, p, end int) (int, *Error) {
	start := p
	for p < end && (isAlnum(buf[p]) || buf[p] == '+' || buf[p] == '-' || buf[p] == '.') {
		p++
	}
	if end-p < 3 || string(buf[p:p+3]) != "://" {
		return p, ErrInvalidRequest
	}
	r.Form = TargetAbsolute
	r.Scheme = spanOf(start, p)
	slash := p + 1
	p += 3
	start = p
	p, ok := skipAuthority(buf, p, end)
	if !ok || p == end {
		// nginx has no HTTP/0.9 form of "GET http://host".
		return p, ErrInvalidRequest
	}
	r.Authority = spanOf(start, p)
	switch buf[p] {
	case '/':
		return r.readTarget(buf, p, end)
	case '?', ' ':
		// The path is empty, which means "/" (RFC 9110 section 4.2.3): the view
		// needs one from somewhere.
		r.Path = spanOf(slash, slash+1)
		r.PlainPath = true
		r.Target = r.Path
		if buf[p] == '?' {
			start = p
			p, err := r.readQuery(buf, p, end)
			r.Target = spanOf(start, p)
			return p, err
		}
		return p, nil
	}
	return p, ErrInvalidRequest
}

// readAuthority reads CONNECT's target.
func (r *Request) readAuthority(buf []byte, p, end int) (int, *Error) {
	start := p
	p, ok := skipAuthority(buf, p, end)
	if !ok || p == end || buf[p] != ' ' || !isDigit(buf[p-1]) {
		return p, ErrInvalidRequest
	}
	r.Form = TargetAuthority
	r.Authority = spanOf(start, p)
	return p, nil
}

// skipAuthority returns the end of host[:port] as nginx's request line has it: no
// user information, nothing but letters, digits, '.' and '-' outside brackets.
func skipAuthority(buf []byte, p, end int) (int, bool) {
	if p < end && buf[p] == '[' {
		p++
		for p < end && isLiteralByte(buf[p]) {
			p++
		}
		if p == end || buf[p] != ']' {
			return p, false
		}
		p++
	} else {
		for p < end && (isAlnum(buf[p]) || buf[p] == '.' || buf[p] == '-') {
			p++
		}
	}
	if p < end && buf[p] == ':' {
		p++
		for p < end && isDigit(buf[p]) {
			p++
		}
	}
	return p, true
}

// readVersion reads the protocol at buf[p:end]; an empty one is HTTP/0.9.
func (r *Request) readVersion(buf []byte, p, end int) *Error {
	if p == end {
		r.Major, r.Minor = 0, 9
		if r.Method != MethodGet {
			return ErrInvalidMethod09
		}
		return nil
	}
	if end-p < 6 || string(buf[p:p+5]) != "HTTP/" {
		return ErrInvalidRequest
	}
	p += 5
	switch c := buf[p]; {
	case c < '1' || c > '9':
		return ErrInvalidRequest
	case c > '1', p+1 < end && isDigit(buf[p+1]):
		return ErrInvalidVersion
	}
	p++
	if end-p < 2 || buf[p] != '.' || !isDigit(buf[p+1]) {
		return ErrInvalidRequest
	}
	minor := 0
	for p++; p < end && isDigit(buf[p]); p++ {
		if minor > 99 {
			return ErrInvalidRequest
		}
		minor = minor*10 + int(buf[p]-'0')
	}
	for p < end && buf[p] == ' ' {
		p++
	}
	if p != end {
		return ErrInvalidRequest
	}
	r.Major, r.Minor = 1, uint8(min(minor, 255))
	return nil
}
