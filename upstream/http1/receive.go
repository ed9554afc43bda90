package http1

import (
	"io"

	"seawall/engine"
	"seawall/httpparse"
	"seawall/upstream"
)

const (
	// readSize is what a read asks for: a large body comes in few of them. The
	// buffer is held for the read only.
	readSize = 64 << 10

	// maxReads is how many reads of one connection come before other
	// connections have their turn.
	maxReads = 16

	// maxInterim is how many 1xx responses may come before a final one.
	maxInterim = 32
)

// progress is what consuming some input, or reading some, came to.
type progress uint8

const (
	wantMore progress = iota // all that can be used is used
	held                     // paused, or another connection's turn
	whole                    // the response is complete
	failing                  // x.failure says why
	gone                     // the sink aborted the exchange
	wantCopy                 // nothing was moved: what there is must be read
)

// pump reads and delivers until there is nothing more or it is told to stop.
func (x *conn) pump() {
	if x.sink == nil || x.paused || x.pumping || x.out == sendConnecting {
		return
	}
	x.phase = phaseOf(x.in)
	x.pumping = true
	came, failure := x.read()
	x.pumping = false
	switch came {
	case whole:
		x.finish()
	case failing:
		x.fail(failure)
	case gone:
		x.putBuffer()
	default:
		x.saveRest()
		if x.ec.Pending() == 0 && !(x.out == sendBroken && x.in == recvHead) {
			x.arm()
		}
	}
}

func phaseOf(in recvState) upstream.Phase {
	switch in {
	case recvHead:
		return upstream.PhaseHead
	case recvTunnel, recvTunnelEnd:
		return upstream.PhaseTunnel
	}
	return upstream.PhaseBody
}

// read is pump's loop.
func (x *conn) read() (progress, *upstream.Error) {
	for reads := 0; ; reads++ {
		if x.buf != nil {
			if came, failure := x.consume(); came != wantMore {
				return came, failure
			}
		}
		if x.paused {
			return held, nil
		}
		if !x.ec.ReadableNow() {
			return wantMore, nil
		}
		if reads == maxReads {
			x.ec.ResumeReading()
			return held, nil
		}
		if reads > 0 {
			x.phase = phaseOf(x.in)
		}
		if x.in == recvLength && x.movable() {
			if came, failure := x.move(); came != wantCopy {
				if came == wantMore {
					continue
				}
				return came, failure
			}
		}
		b := x.room()
		n, err := x.ec.Read(b.B[len(b.B):cap(b.B)])
		switch {
		case err == nil:
			b.B = b.B[:len(b.B)+n]
		case err == engine.ErrAgain:
			return wantMore, nil
		case err == io.EOF:
			return x.ended()
		default:
			return failing, x.recvFailure(err)
		}
	}
}

// ended is the end of the peer's stream.
func (x *conn) ended() (progress, *upstream.Error) {
	switch {
	case x.in == recvClose:
		return whole, nil
	case x.in == recvTunnelEnd:
		return held, nil
	case x.in == recvTunnel:
		x.in = recvTunnelEnd
		x.sink.Body(nil)
		if x.sink == nil {
			return gone, nil
		}
		if x.finSent && x.ec.Pending() == 0 {
			return whole, nil
		}
		return held, nil
	case x.in == recvHead && x.out == sendBroken:
		return failing, x.sendFailure()
	case x.in == recvHead:
		return failing, upstream.ClosedEarly(upstream.PhaseHead)
	}
	return failing, upstream.ClosedEarly(x.phase)
}

func (x *conn) recvFailure(err error) *upstream.Error {
	if x.out == sendBroken && x.in == recvHead {
		return x.sendFailure()
	}
	return upstream.IOError(upstream.KindReset, "recv", err, x.phase)
}

// consume uses up what is in the buffer as far as it goes.
func (x *conn) consume() (progress, *upstream.Error) {
	if x.in == recvHead {
		if came, failure := x.consumeHead(); came != wantMore || x.in == recvHead {
			return came, failure
		}
		if x.paused {
			return held, nil
		}
	}
	input := x.buf.B[x.pos:]
	if len(input) == 0 {
		return wantMore, nil
	}
	switch x.in {
	case recvLength:
		n := int(min(x.left, int64(len(input))))
		x.pos += n
		x.left -= int64(n)
		return x.deliver(input[:n], x.left == 0)
	case recvChunked:
		return x.consumeChunks(input)
	}
	x.pos += len(input)
	return x.deliver(input, false)
}

// deliver gives body to the sink.
func (x *conn) deliver(p []byte, last bool) (progress, *upstream.Error) {
	if len(p) > 0 {
		x.sink.Body(p)
	}
	switch {
	case x.sink == nil:
		return gone, nil
	case last:
		return whole, nil
	case x.paused:
		return held, nil
	}
	return wantMore, nil
}

// consumeHead parses heads: 103 and the final one are delivered, other interim
// ones are dropped.
func (x *conn) consumeHead() (progress, *upstream.Error) {
	lim := httpparse.Limits{Total: x.policy.HeadLimit()}
	for {
		head := x.buf.B[x.pos:]
		done, err := x.resp.Parse(head, &lim)
		if err != nil {
			return failing, headFailure(err, &x.resp, head)
		}
		if !done {
			if len(head) >= lim.Total {
				return failing, errHeadTooBig
			}
			return wantMore, nil
		}
		x.pos += x.resp.HeadLen
		if x.resp.Status >= 200 || x.resp.Status == 101 {
			return x.finalHead(head)
		}
		if x.interim++; x.interim > maxInterim {
			return failing, errTooManyInterim
		}
		if x.resp.Status == 103 {
			x.sink.Interim(&x.resp, head)
			if x.sink == nil {
				return gone, nil
			}
		}
		x.resp.Reset()
		if x.paused {
			return held, nil
		}
	}
}

// finalHead sets what follows the head and delivers it.
func (x *conn) finalHead(head []byte) (progress, *upstream.Error) {
	last, length := false, int64(0)
	switch {
	case x.resp.Status == 101:
		if !x.req.WantsUpgrade || x.out == sendBody || x.out == sendStalled {
			return failing, errUnaskedUpgrade
		}
		x.in = recvTunnel
	default:
		switch x.resp.Body(x.req.HeadRequest) {
		case httpparse.BodyNone:
			last = true
			x.in, x.left = recvLength, 0
		case httpparse.BodyLength:
			x.in, x.left = recvLength, x.resp.ContentLength
			last = x.left == 0
			length = x.left
		case httpparse.BodyChunked:
			x.in = recvChunked
			x.chunk.Upstream = true
			x.chunk.Reset()
		default:
			x.in = recvClose
		}
	}
	x.sink.Head(&x.resp, head)
	switch {
	case x.sink == nil:
		return gone, nil
	case last:
		return whole, nil
	}
	if length > headRead { // shorter ones come with their head in any case
		x.pool.large = false
		if length >= headRead+moveFrom {
			_, err := x.sink.Move(x.ec, 0)
			x.pool.large = err == nil
		}
	}
	return wantMore, nil
}

// consumeChunks takes the chunk framing out of input and delivers the body in it
// as one view: later pieces are moved down to the first, over framing already
// read, so that many small chunks do not become many calls.
func (x *conn) consumeChunks(input []byte) (progress, *upstream.Error) {
	used, from, to := 0, 0, 0
	for {
		data, n, done, err := x.chunk.Next(input[used:])
		if err != nil {
			return failing, errBadChunk
		}
		if data.Len > 0 {
			at := used + int(data.Off)
			if to == from {
				from, to = at, at+int(data.Len)
			} else {
				to += copy(input[to:], input[at:at+int(data.Len)])
			}
		}
		used += n
		if done || data.Len == 0 { // the end, or the decoder has used up all
			x.pos += used
			return x.deliver(input[from:to], done)
		}
	}
}

// room is the buffer with space for a read.
func (x *conn) room() *engine.Buf {
	loop := x.pool.loop
	if x.buf == nil {
		size := readSize
		if x.in == recvHead && x.pool.large {
			size = headRead
		}
		x.buf, x.pos = loop.GetBuf(size), 0
		return x.buf
	}
	rest := len(x.buf.B) - x.pos
	switch {
	case rest == 0:
		x.buf.B, x.pos = x.buf.B[:0], 0
	case x.pos > 0:
		copy(x.buf.B, x.buf.B[x.pos:])
		x.buf.B, x.pos = x.buf.B[:rest], 0
	}
	if cap(x.buf.B)-len(x.buf.B) < minRoom {
		larger := loop.GetBuf(max(readSize, 2*len(x.buf.B)))
		larger.B = append(larger.B, x.buf.B...)
		loop.PutBuf(x.buf)
		x.buf = larger
	}
	return x.buf
}

// minRoom is the least space that a read is worth.
const minRoom = 1 << 10

// saveRest keeps what a pump left over, a part of a head or of a chunk's framing
// as a rule, in a buffer of its size, and none if there is nothing.
func (x *conn) saveRest() {
	if x.buf == nil {
		return
	}
	rest := x.buf.B[x.pos:]
	if len(rest) == 0 {
		x.putBuffer()
		return
	}
	if room := len(rest) + minRoom; 2*room <= cap(x.buf.B) {
		small := x.pool.loop.GetBuf(room)
		small.B = append(small.B, rest...)
		x.putBuffer()
		x.buf = small
	}
}

func (x *conn) putBuffer() {
	if x.buf != nil {
		x.pool.loop.PutBuf(x.buf)
		x.buf, x.pos = nil, 0
	}
}
