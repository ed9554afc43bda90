package http1

import (
	"golang.org/x/sys/unix"

	"seawall/engine"
	"seawall/httpparse"
	"seawall/upstream"
)

// The failures that a response can be, preallocated, worded as nginx words them
// where it has a wording.
var (
	errHeadTooBig = &upstream.Error{
		Kind: upstream.KindHeadTooBig, Status: 502, Log: httpparse.ErrUpstreamHeadTooBig.Reason,
		Phase: upstream.PhaseHead, Severity: engine.Err, Condition: upstream.NextInvalidHeader,
	}
	errTooManyInterim = invalidHead("upstream sent too many interim responses")
	errUnaskedUpgrade = invalidHead("upstream sent unexpected 101 response")

	errBadChunk = &upstream.Error{
		Kind: upstream.KindInvalidBody, Status: 502, Log: httpparse.ErrUpstreamChunked.Reason,
		Phase: upstream.PhaseBody, Severity: engine.Err,
	}

	errExcessHead  = excess("upstream sent more data than specified in \"Content-Length\" header", upstream.PhaseHead)
	errExcessBody  = excess("upstream sent more data than specified in \"Content-Length\" header", upstream.PhaseBody)
	errExcessChunk = excess("upstream sent data after final chunk", upstream.PhaseHead)
	errExcessLast  = excess("upstream sent data after final chunk", upstream.PhaseBody)
)

// connectFailure is a connection that was not made. Connecting to a Unix socket
// fails at once: nginx then names the peer, and takes what is not a refusal (the
// socket is missing, or closed to us) for a fault of the set-up.
func connectFailure(p *upstream.Peer, why error) *upstream.Error {
	e := upstream.IOError(upstream.KindConnect, "connect", why, upstream.PhaseConnect)
	if p.Addr().IsUnix() {
		e.Log = "connect() to " + p.Name() + " failed (" + engine.ErrnoText(why) + ")"
		if e.Errno != unix.ECONNREFUSED && e.Errno != unix.EAGAIN && e.Errno != unix.ECONNRESET {
			e.Severity = engine.Crit
		}
	}
	return e
}

func invalidHead(text string) *upstream.Error {
	return &upstream.Error{
		Kind: upstream.KindInvalidHead, Status: 502, Log: text,
		Phase: upstream.PhaseHead, Severity: engine.Err, Condition: upstream.NextInvalidHeader,
	}
}

func excess(text string, phase upstream.Phase) *upstream.Error {
	return &upstream.Error{Kind: upstream.KindExcess, Log: text, Phase: phase, Severity: engine.Warn}
}

// excess is what there is to log of a whole response that more bytes follow.
func (x *conn) excess() *upstream.Error {
	if x.buf == nil || x.pos == len(x.buf.B) {
		return nil
	}
	inHead := x.phase == upstream.PhaseHead
	switch {
	case x.in == recvChunked && inHead:
		return errExcessChunk
	case x.in == recvChunked:
		return errExcessLast
	case inHead:
		return errExcessHead
	}
	return errExcessBody
}

// headFailure makes the parser's refusal a failure.
func headFailure(err error, resp *httpparse.Response, head []byte) *upstream.Error {
	refusal, ok := err.(*httpparse.Error)
	switch {
	case !ok:
		return invalidHead("upstream sent invalid header")
	case refusal == httpparse.ErrUpstreamHeadTooBig:
		return errHeadTooBig
	}
	return invalidHead(string(refusal.AppendReason(nil, resp.Culprit.In(head))))
}
