package httpparse

import "bytes"

// Chunked decodes a chunked body (RFC 9112 section 7.1) in pieces as they come.
// Line ends are CR LF and nothing else: a lone LF that one reader takes for a
// line end and another for part of an extension is how bodies are smuggled, and
// nginx has stopped taking it as well. Chunk extensions and trailer fields are
// checked and dropped. The zero value is ready; Reset readies it again.
type Chunked struct {
	Upstream bool  // errors are the backend's: ErrUpstreamChunked
	Decoded  int64 // body bytes yielded so far

	state   chunkState
	digits  uint8 // of the current size
	size    int64 // of the current chunk, what is left of it
	excess  int64 // bytes spent on framing beyond what the data excuses
	trailer int   // bytes of the trailer section
}

// Bounds that no honest sender meets.
const (
	// maxChunkExcess bounds framing that carries no data: many tiny chunks
	// with long extensions. Each chunk excuses 16 bytes and twice its data.
	maxChunkExcess = 16 << 10
	// maxTrailer bounds the trailer section, in bytes.
	maxTrailer = 8 << 10
	// maxSizeDigits: a size of more digits does not fit an int64 or is padded.
	maxSizeDigits = 16
)

// chunkState says which byte comes next.
type chunkState uint8

const (
	chunkStart       chunkState = iota // first digit of a size
	chunkSize                          // another digit, ';', whitespace or CR
	chunkBlank                         // whitespace behind the size: ';' or CR must follow
	chunkExt                           // in an extension, up to CR
	chunkSizeLF                        // LF; then chunkData, or chunkTrailer after size 0
	chunkData                          // size bytes of data; then chunkDataCR
	chunkDataCR                        // CR
	chunkDataLF                        // LF; then chunkStart
	chunkTrailer                       // first byte of a trailer line: a name, or CR
	chunkTrailerName                   // up to ':'
	chunkTrailerText                   // up to CR
	chunkTrailerLF                     // LF; then chunkTrailer
	chunkFinalLF                       // LF; then chunkDone
	chunkDone
	chunkBad // refused for good
)

// Reset readies the decoder for the next body, keeping Upstream.
func (c *Chunked) Reset() { *c = Chunked{Upstream: c.Upstream} }

// Next decodes from the start of buf. data is the next piece of the body, a view
// of buf, perhaps empty; n bytes of buf are used up, data included, and must not
// be passed again. Call it with the rest until that is empty or done; with data
// empty and not done, all of buf was used and more input is needed. done: the
// trailer section has ended as well; bytes after n belong to the next message.
func (c *Chunked) Next(buf []byte) (data Span, n int, done bool, err error) {
	for n < len(buf) {
		if c.state == chunkData {
			take := int(min(c.size, int64(len(buf)-n)))
			c.size -= int64(take)
			c.Decoded += int64(take)
			if c.size == 0 {
				c.state = chunkDataCR
			}
			return spanOf(n, n+take), n + take, false, nil
		}
		if c.state == chunkDone {
			return Span{}, n, true, nil
		}
		if c.state == chunkExt || c.state == chunkTrailerText {
			// Runs of text; their bytes are checked, not interpreted.
			i := bytes.IndexByte(buf[n:], '\r')
			if i < 0 {
				i = len(buf) - n
			}
			if !c.text(buf[n : n+i]) {
				return c.refuse(n)
			}
			if n += i; n == len(buf) {
				break
			}
		}
		if !c.step(buf[n]) {
			return c.refuse(n)
		}
		n++
	}
	return Span{}, n, c.state == chunkDone, nil
}

func (c *Chunked) refuse(n int) (Span, int, bool, error) {
	c.state = chunkBad
	if c.Upstream {
		return Span{}, n, false, ErrUpstreamChunked
	}
	return Span{}, n, false, ErrChunked
}

// text checks the bytes of an extension or a trailer value and counts them.
func (c *Chunked) text(b []byte) bool {
	for _, ch := range b {
		if ch < 0x20 && ch != '\t' || ch == 0x7f {
			return false
		}
	}
	return c.spend(len(b))
}

// spend counts framing bytes against the bound of the section they are in.
func (c *Chunked) spend(n int) bool {
	if c.state >= chunkTrailer {
		c.trailer += n
		return c.trailer <= maxTrailer
	}
	c.excess += int64(n)
	return c.excess <= maxChunkExcess
}

// step takes one byte of framing; false refuses it.
func (c *Chunked) step(b byte) bool {
	if !c.spend(1) {
		return false
	}
	switch c.state {
	case chunkStart, chunkSize:
		if v := hexValue(b); v >= 0 {
			return c.digit(int64(v))
		}
		if c.state == chunkStart {
			return false
		}
		return c.afterSize(b)
	case chunkBlank:
		return c.afterSize(b)
	case chunkExt:
		c.state = chunkSizeLF // text stopped at the CR
		return true
	case chunkSizeLF:
		return b == '\n' && c.sizeDone()
	case chunkDataCR:
		c.state = chunkDataLF
		return b == '\r'
	case chunkDataLF:
		c.state = chunkStart
		return b == '\n'
	case chunkTrailer:
		if b == '\r' {
			c.state = chunkFinalLF
			return true
		}
		c.state = chunkTrailerName
		return b != ':' && nameClass[b]&nameFatal == 0
	case chunkTrailerName:
		if b == ':' {
			c.state = chunkTrailerText
			return true
		}
		return nameClass[b]&nameFatal == 0
	case chunkTrailerText:
		c.state = chunkTrailerLF
		return true
	case chunkTrailerLF:
		c.state = chunkTrailer
		return b == '\n'
	case chunkFinalLF:
		c.state = chunkDone
		return b == '\n'
	}
	return false
}

func (c *Chunked) digit(v int64) bool {
	if c.state == chunkStart {
		c.state, c.size, c.digits = chunkSize, 0, 0
	}
	c.digits++
	if c.digits > maxSizeDigits || c.size > (1<<63-1)>>4 {
		return false
	}
	c.size = c.size<<4 | v
	return true
}

func (c *Chunked) afterSize(b byte) bool {
	switch b {
	case '\r':
		c.state = chunkSizeLF
	case ';':
		c.state = chunkExt
	case ' ', '\t':
		c.state = chunkBlank
	default:
		return false
	}
	return true
}

// sizeDone: the size line is complete.
func (c *Chunked) sizeDone() bool {
	if c.size == 0 {
		c.state = chunkTrailer
		return true
	}
	c.state = chunkData
	// Halved so that a size near the top of int64 does not overflow.
	if c.excess/2 <= 8+c.size {
		c.excess = 0
	} else {
		c.excess -= 16 + 2*c.size
	}
	return true
}
