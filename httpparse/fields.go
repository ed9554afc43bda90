package httpparse

import (
	"bytes"
	"math"
)

var carriageReturn = []byte{'\r'}

// parseFields reads header lines from h.pos on. What makes it fast: one vector
// search per line for its end, whole words for the name, and one vector pass over
// all lines of a call for bytes that may be nowhere (NUL, a CR that ends no line)
// in place of a look at every byte of every value.
func (h *Head) parseFields(buf []byte, lim *Limits) (done bool, err *Error) {
	maxField, maxTotal := bound(lim.Field), bound(lim.Total)
	if h.side == SideUpstream {
		maxField = math.MaxInt
	}
	pos := h.pos
	from, crs := pos, 0 // lines [from, pos) have crs line ends with CR and wait for checkClean
	seen := max(h.seen, pos)
	for {
		i := bytes.IndexByte(buf[seen:], '\n')
		if i < 0 {
			break
		}
		lf := seen + i
		if lf-pos >= maxField || lf >= maxTotal {
			return false, h.fail(buf, from, pos, crs, h.tooLong(pos, maxField, maxTotal))
		}
		end := lf
		if end > pos && buf[end-1] == '\r' {
			end--
			crs++
		}
		if end == pos {
			h.pos, h.HeadLen = lf+1, lf+1
			return true, h.checkClean(buf, from, lf+1, crs)
		}

		// The name. At least the line feed follows it in buf.
		var n int
		var first uint64
		if pos+maxKnownName <= len(buf) {
			first = load8(buf, pos)
			if m := zeroByte(first ^ ones*':'); m != 0 {
				n = firstMark(m)
			} else if m := zeroByte(load8(buf, pos+8) ^ ones*':'); m != 0 {
				n = 8 + firstMark(m)
			} else if m := zeroByte(load8(buf, pos+16) ^ ones*':'); m != 0 {
				n = 16 + firstMark(m)
			} else if m := zeroByte(load8(buf, pos+24) ^ ones*':'); m != 0 {
				n = 24 + firstMark(m)
			} else {
				n = bytes.IndexByte(buf[pos:end], ':')
			}
		} else {
			n = bytes.IndexByte(buf[pos:end], ':')
			first = firstWord(buf[pos:end])
		}
		id := HeaderUnknown
		if 0 < n && n <= maxKnownName && pos+n < end {
			id = lookupAt(buf, pos, n, first)
		}
		value := pos + n + 1
		if id == HeaderUnknown {
			switch verdict := h.checkName(buf, pos, end, &n, lim); verdict {
			case nameGood:
				value = min(pos+n+1, end)
			case nameDrop:
				h.lines++
				if lim.MaxFields > 0 && h.lines > lim.MaxFields {
					return false, h.fail(buf, from, pos, crs-(lf-end), ErrTooManyFields)
				}
				pos, seen = lf+1, lf+1
				continue
			default:
				return false, h.fail(buf, from, pos, crs-(lf-end), h.badHeader(pos, end))
			}
		}

		// The value: what is between the colon and the line end, less whitespace.
		for value < end && (buf[value] == ' ' || buf[value] == '\t') {
			value++
		}
		last := end
		for last > value && (buf[last-1] == ' ' || buf[last-1] == '\t') {
			last--
		}
		if h.lines++; lim.MaxFields > 0 && h.lines > lim.MaxFields {
			return false, h.fail(buf, from, pos, crs-(lf-end), ErrTooManyFields)
		}
		h.Fields = append(h.Fields, Field{spanOf(pos, pos+n), spanOf(value, last), id})

		if id != HeaderUnknown {
			word, bit := &h.known[id>>6&1], uint64(1)<<(id&63)
			if id <= lastUnique {
				if err := h.framing(buf, id, value, last, *word&bit != 0); err != nil {
					if err.Detail {
						h.Culprit = spanOf(pos, end)
					}
					return false, h.fail(buf, from, pos, crs-(lf-end), err)
				}
			}
			*word |= bit
		}
		pos, seen = lf+1, lf+1
	}

	h.pos, h.seen = pos, len(buf)
	if len(buf)-pos >= maxField || len(buf) >= maxTotal {
		return false, h.fail(buf, from, pos, crs, h.tooLong(pos, maxField, maxTotal))
	}
	return false, h.checkClean(buf, from, pos, crs)
}

// bound makes "no limit" a number nothing reaches.
func bound(limit int) int {
	if limit <= 0 {
		return math.MaxInt
	}
	return limit
}

// tooLong says which limit the line at pos meets first.
func (h *Head) tooLong(pos, maxField, maxTotal int) *Error {
	if h.side == SideUpstream {
		return ErrUpstreamHeadTooBig
	}
	if maxField <= maxTotal-pos {
		h.Culprit = Span{uint32(pos), uint32(min(maxField, 256))}
		return ErrHeaderTooLong
	}
	return ErrHeadTooLarge
}

func (h *Head) badHeader(pos, end int) *Error {
	h.Culprit = spanOf(pos, end)
	if h.side == SideUpstream {
		return ErrUpstreamHeader
	}
	return ErrInvalidHeader
}

// fail gives err for the line at pos unless an earlier line of this call turns
// out to be unclean: the first bad line decides, however the input was cut.
func (h *Head) fail(buf []byte, from, pos, crs int, err *Error) *Error {
	culprit := h.Culprit
	if earlier := h.checkClean(buf, from, pos, crs); earlier != nil {
		return earlier
	}
	h.Culprit = culprit
	return err
}

// checkClean refuses NUL and bare CR in buf[from:to], lines of which crs end with
// CR LF. All other control characters pass in values, as in nginx.
func (h *Head) checkClean(buf []byte, from, to, crs int) *Error {
	lines := buf[from:to]
	if len(lines) == 0 || bytes.Count(lines, carriageReturn) == crs && bytes.IndexByte(lines, 0) < 0 {
		return nil
	}
	for len(lines) > 0 {
		n := bytes.IndexByte(lines, '\n') + 1
		text := bytes.TrimSuffix(lines[:n-1], carriageReturn)
		if bytes.IndexByte(text, '\r') >= 0 || bytes.IndexByte(text, 0) >= 0 {
			return h.badHeader(from, from+len(text))
		}
		lines, from = lines[n:], from+n
	}
	return nil
}

// nameVerdict is what checkName thinks of a line.
type nameVerdict uint8

const (
	nameGood  nameVerdict = iota // a field, its name ends at n
	nameDrop                     // leave the line out
	nameFalse                    // refuse the message
)

// checkName judges a name that is not one of the known. *n is where its colon
// was found, perhaps beyond the line or not at all; corrected for lines without.
func (h *Head) checkName(buf []byte, pos, end int, n *int, lim *Limits) nameVerdict {
	colon := *n
	if colon < 0 || pos+colon >= end {
		colon = -1
	}
	if colon == 0 {
		return nameFalse
	}
	name := buf[pos:end]
	if colon > 0 {
		name = name[:colon]
	}
	var class uint8
	for _, c := range name {
		class |= nameClass[c]
	}
	if h.side == SideUpstream {
		// IIS may repeat its status line among the fields; nginx skips it.
		if len(name) > 5 && string(name[:5]) == "HTTP/" {
			return nameDrop
		}
		// A backend may use any name, and leave out the colon: an empty value.
		if class&nameFatal != 0 {
			return nameFalse
		}
		*n = len(name)
		return nameGood
	}
	// A request line without a colon is a field with an empty value to nginx and
	// an error to RFC 9112 section 5 and to most backends.
	if class&nameFatal != 0 || colon < 0 {
		return nameFalse
	}
	if class&nameOdd != 0 || class&nameUnderscore != 0 && !lim.UnderscoresInHeaders {
		if lim.IgnoreInvalidHeaders {
			return nameDrop
		}
		return nameFalse
	}
	return nameGood
}
