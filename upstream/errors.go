package upstream

import (
	"strconv"
	"syscall"
)

// Kind is what went wrong.
type Kind uint8

const (
	KindConnect      Kind = iota + 1 // the connection could not be made
	KindTimeout                      // connecting, sending or reading took too long; see Phase
	KindReset                        // a read or write failed
	KindClosedEarly                  // end of stream before the response was whole
	KindInvalidHead                  // the response head is not HTTP
	KindHeadTooBig                   // the response head is longer than Policy.HeadLimit
	KindInvalidBody                  // the response body's coding is broken
	KindStatus                       // the response's status is one to try another peer for
	KindStale                        // a kept connection had died before it was used again
	KindNoLive                       // no peer may be asked now
	KindQueueFull                    // every peer is at max_conns and the queue is full
	KindQueueTimeout                 // waited too long for a peer at max_conns
	KindLocal                        // our side: out of descriptors or connections
	KindExcess                       // more bytes than the response's framing allows; only as a note
)

var kindNames = [...]string{
	KindConnect: "connect", KindTimeout: "timeout", KindReset: "reset", KindClosedEarly: "closed_early",
	KindInvalidHead: "invalid_head", KindHeadTooBig: "head_too_big", KindInvalidBody: "invalid_body",
	KindStatus: "status", KindStale: "stale", KindNoLive: "no_live", KindQueueFull: "queue_full",
	KindQueueTimeout: "queue_timeout", KindLocal: "local", KindExcess: "excess",
}

// String is a short lower-case name for metrics.
func (k Kind) String() string {
	if int(k) < len(kindNames) {
		return kindNames[k]
	}
	return "unknown"
}

// Phase is what was being done, as nginx's error log puts it after "while ".
type Phase string

const (
	PhaseConnect Phase = "connecting to upstream"
	PhaseSend    Phase = "sending request to upstream"
	PhaseHead    Phase = "reading response header from upstream"
	PhaseBody    Phase = "reading upstream"
	PhaseTunnel  Phase = "proxying upgraded connection"
)

// Level is the error log level that nginx gives the text.
type Level uint8

const (
	LevelError Level = iota
	LevelWarn
	LevelInfo
	LevelCrit
)

// Error is a failed attempt or call. Values may be shared: they are not written
// to once made.
type Error struct {
	Kind      Kind
	Status    int           // what the client gets unless a retry helps: 502, 504, 500; for KindStatus the backend's status
	Log       string        // nginx's text without "while ..." and context; empty: nothing is logged
	Phase     Phase         // goes after "while "
	Level     Level         // of Log
	Errno     syscall.Errno // behind Log, 0 for none
	Condition NextUpstream  // of proxy_next_upstream; 0: never passed on
}

// Error is the log text with its phase.
func (e *Error) Error() string {
	if e.Log == "" {
		return e.Kind.String()
	}
	return e.Log + " while " + string(e.Phase)
}

// The failures that carry no errno, preallocated.
var (
	errNoLive       = &Error{Kind: KindNoLive, Status: 502, Log: "no live upstreams", Phase: PhaseConnect}
	errQueueFull    = &Error{Kind: KindQueueFull, Status: 502, Log: "upstream queue is full", Phase: PhaseConnect}
	errQueueTimeout = &Error{Kind: KindQueueTimeout, Status: 502, Log: "upstream queue timed out", Phase: PhaseConnect}
)

// Timeout is the failure of having waited too long in phase.
func Timeout(phase Phase) *Error {
	switch phase {
	case PhaseConnect:
		return errConnectTimeout
	case PhaseSend:
		return errSendTimeout
	case PhaseHead:
		return errHeadTimeout
	case PhaseTunnel:
		return errTunnelTimeout
	}
	return errBodyTimeout
}

// ClosedEarly is the failure of an end of stream in phase.
func ClosedEarly(phase Phase) *Error {
	if phase == PhaseHead {
		return errHeadClosed
	}
	return errBodyClosed
}

var (
	errConnectTimeout = timeout(PhaseConnect)
	errSendTimeout    = timeout(PhaseSend)
	errHeadTimeout    = timeout(PhaseHead)
	errBodyTimeout    = timeout(PhaseBody)
	errTunnelTimeout  = timeout(PhaseTunnel)

	errHeadClosed = closedEarly(PhaseHead)
	errBodyClosed = closedEarly(PhaseBody)
)

func timeout(phase Phase) *Error {
	return &Error{
		Kind: KindTimeout, Status: 504, Phase: phase, Errno: syscall.ETIMEDOUT, Condition: NextTimeout,
		Log: "upstream timed out (" + errnoText(syscall.ETIMEDOUT) + ")",
	}
}

func closedEarly(phase Phase) *Error {
	return &Error{
		Kind: KindClosedEarly, Status: 502, Phase: phase, Condition: NextError,
		Log: "upstream prematurely closed connection",
	}
}

// IOError is the failure of a system call on the connection: call is its name
// ("recv", "writev", "connect").
func IOError(kind Kind, call string, errno syscall.Errno, phase Phase) *Error {
	return &Error{
		Kind: kind, Status: 502, Phase: phase, Errno: errno, Condition: NextError,
		Log: call + "() failed (" + errnoText(errno) + ")",
	}
}

// Local is a failure of our side that no other peer would cure.
func Local(err error) *Error {
	return &Error{Kind: KindLocal, Status: 500, Log: err.Error(), Phase: PhaseConnect}
}

// errnoText is nginx's "(111: Connection refused)" without the parentheses:
// strerror's text, whose first letter is a capital in the C library only.
func errnoText(errno syscall.Errno) string {
	text := []byte(errno.Error())
	if len(text) > 0 && 'a' <= text[0] && text[0] <= 'z' {
		text[0] -= 'a' - 'A'
	}
	return strconv.Itoa(int(errno)) + ": " + string(text)
}

// statusError is a response that is passed on to another peer for its status.
// nginx logs nothing for it.
func statusError(status int, cond NextUpstream) *Error {
	return &Error{Kind: KindStatus, Status: status, Phase: PhaseHead, Condition: cond}
}
