package httpparse

var (
	tokenChunked   = []byte("chunked")
	tokenClose     = []byte("close")
	tokenKeepAlive = []byte("keep-alive")
	tokenUpgrade   = []byte("upgrade")
	tokenContinue  = []byte("100-continue")
)

// framing takes in a field, the last one read, that decides where the message
// ends, whom it is for or how the connection goes on, and refuses the second one
// of a kind.
func (h *Head) framing(buf []byte, f *Field) *Error {
	id, from, to := f.ID, int(f.Value.Off), int(f.Value.End())
	if h.Has(id) {
		if err := h.duplicate(id); err != nil {
			return err
		}
	}
	h.known[id>>6&1] |= 1 << (id & 63)
	switch id {
	case HeaderConnection:
		h.connection |= connectionTokens(buf[from:to])
	case HeaderHost:
		h.host = spanOf(from, to)
		if h.side == SideClient {
			name, _, ok := SplitHost(buf[from:to])
			if !ok {
				return ErrInvalidHost
			}
			h.hostName = spanOf(from, from+len(name))
		}
	case HeaderContentLength:
		n, ok := ParseUint(buf[from:to])
		if !ok {
			if h.side == SideUpstream {
				return ErrUpstreamLength
			}
			return ErrInvalidLength
		}
		h.ContentLength = n
	case HeaderTransferEncoding:
		h.coding = spanOf(from, to)
	case HeaderExpect:
		h.expect100 = EqualFold(buf[from:to], tokenContinue)
	}
	return nil
}

// duplicate is the refusal of a second field with this ID, nil where lists or
// repetitions are harmless. nginx's sets: in requests all it keeps in one slot
// with ngx_http_process_unique_header_line, in responses what frames the body.
func (h *Head) duplicate(id HeaderID) *Error {
	if h.side == SideUpstream {
		if id == HeaderContentLength || id == HeaderTransferEncoding {
			return ErrUpstreamDuplicate
		}
		return nil
	}
	if id < firstUnique || id > lastUnique {
		return nil
	}
	if id == HeaderHost {
		return ErrDuplicateHost
	}
	return ErrDuplicateHeader
}

// connectionTokens reads a Connection value: the list's tokens, not substrings as
// nginx takes them.
func connectionTokens(list []byte) (c connection) {
	// The usual values have one token; a comparison or two settles them.
	if EqualFold(list, tokenKeepAlive) {
		return connectionKeepAlive
	}
	for {
		elem, rest, ok := NextElement(list)
		if !ok {
			return c
		}
		switch {
		case EqualFold(elem, tokenClose):
			c |= connectionClose
		case EqualFold(elem, tokenKeepAlive):
			c |= connectionKeepAlive
		case EqualFold(elem, tokenUpgrade):
			c |= connectionUpgrade
		}
		list = rest
	}
}

// persistent is the keep-alive rule of RFC 9112 section 9.3.
func (h *Head) persistent(minor uint8) bool {
	switch {
	case h.connection&connectionClose != 0:
		return false
	case minor >= 1:
		return true
	}
	return h.connection&connectionKeepAlive != 0
}
