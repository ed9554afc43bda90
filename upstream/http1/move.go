package http1

import (
	"io"
	"math"

	"seawall/engine"
	"seawall/upstream"
)

const (
	// headRead is what the read for a head asks for when a body that is to be
	// moved is expected behind it: what comes with the head is copied.
	headRead = 4 << 10

	// moveFrom is how much must be left of a body for moving it to be worth
	// two system calls and a pipe.
	moveFrom = 16 << 10

	// A body that comes in maxBits pieces of less than bit is copied from then
	// on: moving costs by the call, copying by the byte.
	bit     = 8 << 10
	maxBits = 4
)

// movable reports whether moving the rest of a body of known length is worth trying.
func (x *conn) movable() bool {
	return x.left >= moveFrom && x.bits < maxBits
}

// move has the sink take what it can of the body out of the connection itself.
func (x *conn) move() (progress, *upstream.Error) {
	n, err := x.sink.Move(x.ec, int(min(x.left, math.MaxInt32)))
	switch {
	case n > 0:
		x.left -= int64(n)
		if n < bit {
			x.bits++
		}
	case err == engine.ErrCopy:
		return wantCopy, nil
	case err == engine.ErrAgain:
		return held, nil
	case err == io.EOF:
		return x.ended()
	default:
		return failing, x.recvFailure(err)
	}
	switch {
	case x.sink == nil:
		return gone, nil
	case x.left == 0:
		return whole, nil
	case x.paused:
		return held, nil
	}
	return wantMore, nil
}
