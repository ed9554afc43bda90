package httpparse

import (
	"bytes"
	"math"
)

var carriageReturn = []byte{'\r'}

// parseFields reads header lines from h.pos on, each only when all of it is there.
// Ordinary lines are read by usualLines, the rest one by one by anyLine.
func (h *Head) parseFields(buf []byte, lim *Limits) (done bool, err *Error) {
	bounds := lineBounds{bound(lim.Field), bound(lim.Total), bound(lim.MaxFields)}
	crowded, room := false, 0
	if h.side == SideUpstream {
		bounds.field = math.MaxInt
	} else if lim.Buffers > 0 && len(buf) > (lim.Buffers+1)/2*lim.Field {
		var line int
		if line, room, crowded = h.overflow(buf, lim); crowded {
			buf = buf[:line] // what comes before may be at fault as well
			h.seen = min(h.seen, line)
		}
	}
	if h.seen > h.pos && bytes.IndexByte(buf[h.seen:], '\n') < 0 { // still the same line: not read again from its start
		err = h.unfinished(buf, &bounds)
	} else {
		done, err = h.readLines(buf, lim, &bounds)
	}
	if err == nil && !done && crowded {
		h.Culprit = spanOf(h.pos, h.pos+min(room, maxShown))
		return false, ErrHeaderTooLong
	}
	return done, err
}

// readLines reads the lines that are whole. Usual ones show that they are by themselves.
func (h *Head) readLines(buf []byte, lim *Limits, bounds *lineBounds) (done bool, err *Error) {
	for err == nil && !done {
		if id := h.usualLines(buf, bounds); id != HeaderUnknown {
			f := &h.Fields[len(h.Fields)-1]
			if err = h.framing(buf, f); err != nil {
				h.blame(int(f.Name.Off), int(f.Value.End()), err)
			}
			continue
		}
		if h.pos+1 < len(buf) && buf[h.pos] == '\r' && buf[h.pos+1] == '\n' && !bounds.exceeded(h.pos, h.pos+1) {
			h.pos += 2
			h.HeadLen = h.pos
			return true, nil
		}
		from := max(h.seen, h.pos)
		i := bytes.IndexByte(buf[from:], '\n')
		if i < 0 {
			return false, h.unfinished(buf, bounds)
		}
		done, err = h.anyLine(buf, from+i, lim, bounds)
	}
	return done, err
}

// unfinished notes that the line at h.pos has no end in buf.
func (h *Head) unfinished(buf []byte, bounds *lineBounds) *Error {
	h.seen = len(buf)
	if bounds.exceeded(h.pos, len(buf)) {
		return h.tooLong(bounds)
	}
	return nil
}

// overflow finds the first line of the head that nginx would have no buffer for,
// and the room left in its last one. nginx fills one of client_header_buffer_size,
// then those of large_client_header_buffers, and a line that the current one has no
// room for begins the next: lines are not divided. n of them that are not enough
// were given more than (n+1)/2 times their size, since two neighbours hold more
// than one size: smaller heads need no look.
func (h *Head) overflow(buf []byte, lim *Limits) (line, room int, over bool) {
	full, used := lim.FirstBuffer, 0
	for line < len(buf) {
		end := len(buf)
		if i := bytes.IndexByte(buf[line:], '\n'); i >= 0 {
			end = line + i + 1
		}
		if end > full {
			if used == lim.Buffers {
				return line, max(full-line, 0), true
			}
			used++
			full = line + lim.Field
		}
		if line >= h.pos && (buf[line] == '\n' || buf[line] == '\r' && end == line+2) {
			break // the head ends here
		}
		line = end
	}
	return 0, 0, false
}

// maxShown is how much of a too long line the log gets, bytes: nginx's
// NGX_MAX_ERROR_STR - 300.
const maxShown = 2048 - 300

// blame sets Culprit to the last line, and for a duplicate to all from the line
// that it repeats.
func (h *Head) blame(from, to int, err *Error) {
	if last := len(h.Fields) - 1; err.Detail == detailPair {
		for i := range h.Fields[:last] {
			if h.Fields[i].ID == h.Fields[last].ID {
				from = int(h.Fields[i].Name.Off)
				break
			}
		}
	}
	h.Culprit = spanOf(from, to)
}

// lineBounds are the limits of Limits with "none" made unreachable.
type lineBounds struct{ field, total, lines int }

// exceeded tells whether a line that begins at pos may not reach to lf, where its
// line feed is or, in its absence, where the input ends.
func (b *lineBounds) exceeded(pos, lf int) bool { return lf-pos >= b.field || lf >= b.total }

// usualLines reads whole lines as long as they are of the usual kind: a known name, one
// space or none, a value without control characters or spaces at its end, CR LF.
// It stops behind one that is framing's, whose ID it returns, or before the first
// unusual one. One pass in whole words: the name up to its colon, a lookup that
// recognises and validates it in one, the value up to its line end. Small enough
// to stay in registers; anything rare belongs into anyLine.
func (h *Head) usualLines(buf []byte, bounds *lineBounds) HeaderID {
	fields := h.Fields[:cap(h.Fields)]
	count := len(h.Fields)
	room := min(len(fields), bounds.lines-(h.lines-count))
	pos := h.pos
	last := HeaderUnknown
	for count < room && pos+8 <= len(buf) {
		// The name. A colon beyond the line does no harm: the line feed before it
		// is in no known name.
		first := load8(buf, pos)
		if byte(first) == '\r' {
			break // the head's end
		}
		colon := pos
		m := zeroByte(first ^ ones*':')
		for m == 0 {
			colon += 8
			if colon+8 > len(buf) || colon > pos+maxKnownName {
				break
			}
			m = zeroByte(load8(buf, colon) ^ ones*':')
		}
		if m == 0 {
			break
		}
		colon += firstMark(m)
		id := lookupAt(buf, pos, colon-pos, first)
		if id == HeaderUnknown {
			break
		}

		value := colon + 1
		if value+1 >= len(buf) {
			break // not whole
		}
		if buf[value] == ' ' {
			value++
		}
		end := value
		for {
			if end+8 > len(buf) {
				// The last bytes, and behind them zeros; or nothing, when a line without its end fills buf.
				m = load8(buf, len(buf)-8) >> (8 * uint(end+8-len(buf)) & 63)
				m = controls(m)
				break
			}
			if m = controls(load8(buf, end)); m != 0 {
				break
			}
			end += 8
		}
		end += firstMark(m)
		if end+1 >= len(buf) || buf[value] <= ' ' || buf[end-1] == ' ' || buf[end] != '\r' || buf[end+1] != '\n' ||
			bounds.exceeded(pos, end+1) {
			break
		}
		fields[count] = Field{spanOf(pos, colon), spanOf(value, end), id}
		count++
		pos = end + 2
		if id <= lastUnique {
			last = id
			break
		}
		h.known[id>>6&1] |= 1 << (id & 63)
	}
	h.lines += count - len(h.Fields)
	h.Fields = fields[:count]
	h.pos = pos
	return last
}

// controls marks the bytes of w below 0x20; the lowest mark is exact.
func controls(w uint64) uint64 { return (w - ones*0x20) &^ w & highs }

// anyLine reads the line at h.pos, whatever it is; its line feed is at lf.
func (h *Head) anyLine(buf []byte, lf int, lim *Limits, bounds *lineBounds) (done bool, err *Error) {
	pos := h.pos
	if bounds.exceeded(pos, lf) {
		return false, h.tooLong(bounds)
	}
	end := lf
	if end > pos && buf[end-1] == '\r' {
		end--
	}
	h.pos = lf + 1
	if end == pos {
		h.HeadLen = h.pos
		return true, nil
	}
	line := buf[pos:end]
	if bytes.IndexByte(line, '\r') >= 0 || bytes.IndexByte(line, 0) >= 0 {
		return false, h.badHeader(buf, pos, end)
	}
	n, verdict := h.checkName(line, lim)
	if verdict == nameFalse {
		return false, h.badHeader(buf, pos, end)
	}
	if h.lines++; h.lines > bounds.lines {
		return false, ErrTooManyFields
	}
	if verdict == nameDrop {
		h.Dropped++
		return false, nil
	}
	value := min(pos+n+1, end)
	for value < end && isOWS(buf[value]) {
		value++
	}
	for end > value && isOWS(buf[end-1]) {
		end--
	}
	id := LookupHeader(line[:n])
	h.Fields = append(h.Fields, Field{spanOf(pos, pos+n), spanOf(value, end), id})
	switch {
	case id == HeaderUnknown:
	case id <= lastUnique:
		if err := h.framing(buf, &h.Fields[len(h.Fields)-1]); err != nil {
			h.blame(pos, end, err)
			return false, err
		}
	default:
		h.known[id>>6&1] |= 1 << (id & 63)
	}
	return false, nil
}

// bound makes "no limit" a number nothing reaches.
func bound(limit int) int {
	if limit <= 0 {
		return math.MaxInt
	}
	return limit
}

// tooLong refuses the line at h.pos. Two limits may be met, and nginx words both
// the same.
func (h *Head) tooLong(bounds *lineBounds) *Error {
	if h.side == SideUpstream {
		return ErrUpstreamHeadTooBig
	}
	h.Culprit = spanOf(h.pos, h.pos+min(bounds.field, bounds.total-h.pos, maxShown))
	return ErrHeaderTooLong
}

// badHeader refuses the line buf[pos:end], at the byte where nginx's parser stops:
// the first that its name, or its value, cannot have.
func (h *Head) badHeader(buf []byte, pos, end int) *Error {
	p := pos
	for p < end && buf[p] != ':' && nameClass[buf[p]]&nameFatal == 0 {
		p++
	}
	if p > pos && buf[p] == ':' {
		for p < end && buf[p] != '\r' && buf[p] != 0 {
			p++
		}
	}
	h.pos = pos
	h.Culprit = spanOf(pos, p+1)
	if h.side == SideUpstream {
		return ErrUpstreamHeader
	}
	return ErrInvalidHeader
}

// nameVerdict is what checkName thinks of a line.
type nameVerdict uint8

const (
	nameGood  nameVerdict = iota // a field, its name ends at n
	nameDrop                     // leave the line out
	nameFalse                    // refuse the message
)

// checkName judges a line whose name is not one of the known; n is the length of
// the name.
func (h *Head) checkName(line []byte, lim *Limits) (n int, verdict nameVerdict) {
	colon := bytes.IndexByte(line, ':')
	name := line
	if colon >= 0 {
		name = line[:colon]
	}
	if len(name) == 0 {
		return 0, nameFalse
	}
	class := nameClasses(name)
	if h.side == SideUpstream {
		// IIS may repeat its status line among the fields; nginx skips it.
		if len(name) > 5 && string(name[:5]) == "HTTP/" {
			return 0, nameDrop
		}
		// A backend may use any name, and leave out the colon: an empty value.
		if class&nameFatal != 0 {
			return 0, nameFalse
		}
		return len(name), nameGood
	}
	// A request's line without a colon is a field with an empty value to nginx and
	// an error to RFC 9112 section 5 and to most backends.
	if class&nameFatal != 0 || colon < 0 {
		return 0, nameFalse
	}
	if lim.IgnoreInvalidHeaders && (class&nameOdd != 0 || class&nameUnderscore != 0 && !lim.UnderscoresInHeaders) {
		return 0, nameDrop
	}
	return len(name), nameGood
}

func nameClasses(name []byte) (class uint8) {
	for _, c := range name {
		class |= nameClass[c]
	}
	return class
}
