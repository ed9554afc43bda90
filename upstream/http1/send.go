package http1

import (
	"strconv"

	"seawall/engine"
	"seawall/upstream"
)

const (
	// sendPiece is how much body is asked of the source at a time, and sendBatch
	// about how much is handed to the kernel at a time.
	sendPiece = 32 << 10
	sendBatch = 64 << 10

	// brokenWait is how long an answer is waited for that the peer may have sent
	// before it closed: the kernel tells of the end at once, this is for when it
	// does not. Nanoseconds.
	brokenWait = 100e6
)

// send begins the request: the head, and as much body as there is, leave together.
func (x *conn) send() {
	x.started = true
	x.ec.WriteShared(x.req.Head)
	x.out = sendFlushing
	if x.req.Body != nil {
		x.out = sendBody
	}
	x.push()
}

// BodyReady implements upstream.Exchange.
func (x *conn) BodyReady() {
	if x.out == sendStalled {
		x.out = sendBody
		if x.ec.Pending() == 0 {
			x.push()
		}
	}
}

// push sends what there is to send, until the kernel or the source has enough.
func (x *conn) push() {
	for {
		for queued := 0; x.out == sendBody && queued < sendBatch; {
			queued += x.pull()
		}
		if err := x.ec.Flush(); err != nil {
			x.broken(err)
			return
		}
		if x.ec.Pending() > 0 {
			break
		}
		if x.out == sendFlushing {
			x.out = sendDone
		}
		if x.out != sendBody {
			break
		}
	}
	x.arm()
}

// pull queues the next piece of body and returns its length.
func (x *conn) pull() int {
	p, state := x.req.Body.Next(sendPiece)
	if len(p) > 0 {
		if x.req.Chunked {
			size := x.ec.Reserve(18)
			size = strconv.AppendInt(size, int64(len(p)), 16)
			x.ec.Commit(append(size, "\r\n"...))
		}
		x.ec.Write(p)
		if x.req.Chunked {
			x.ec.Write(crlf)
		}
	}
	switch {
	case state == upstream.BodyEnd:
		if x.req.Chunked {
			x.ec.Write(lastChunk)
		}
		x.out = sendFlushing
	case state == upstream.BodyWait, len(p) == 0:
		x.out = sendStalled
	}
	return len(p)
}

var (
	crlf      = []byte("\r\n")
	lastChunk = []byte("0\r\n\r\n")
)

// broken notes that the peer takes no more. It may have answered before (say 413)
// and closed, so the exchange goes on until reading comes to an end too.
func (x *conn) broken(err error) {
	x.out, x.sendErr = sendBroken, err
	x.ec.SetDeadline(x.pool.loop.Now() + brokenWait)
	x.ec.ResumeReading()
}

func (x *conn) sendFailure() *upstream.Error {
	phase := upstream.PhaseSend
	if x.in >= recvTunnel {
		phase = upstream.PhaseTunnel
	}
	if !isErrno(x.sendErr) {
		return upstream.Local(x.sendErr.Error(), x.sendErr)
	}
	return upstream.IOError(upstream.KindReset, "writev", x.sendErr, phase)
}

// TunnelWrite implements upstream.Exchange.
func (x *conn) TunnelWrite(p []byte) {
	if x.in < recvTunnel || x.finSent || x.out == sendBroken {
		return
	}
	x.ec.Write(p)
	if err := x.ec.Flush(); err != nil {
		x.broken(err)
		return
	}
	x.arm()
}

// TunnelPending implements upstream.Exchange.
func (x *conn) TunnelPending() int { return x.ec.Pending() }

// TunnelCloseWrite implements upstream.Exchange.
func (x *conn) TunnelCloseWrite() {
	if x.in < recvTunnel || x.finSent {
		return
	}
	x.finSent = true
	x.ec.CloseWrite()
	if x.in == recvTunnelEnd && x.ec.Pending() == 0 {
		x.pool.loop.Defer(func() {
			if x.in == recvTunnelEnd && x.sink != nil {
				x.finish()
			}
		})
	}
}

var _ engine.DialHandler = (*conn)(nil)
