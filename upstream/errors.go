package upstream

import (
	"errors"
	"syscall"

	"seawall/engine"
)

// Kind is what went wrong.
type Kind uint8

const (
	KindConnect      Kind = iota + 1 // the connection could not be made
	KindTimeout                      // connecting, sending or reading took too long: see Phase
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
	KindExcess                       // more bytes than the response's framing allows: only as a note
)

var kindNames = [...]string{
	KindConnect: "connect", KindTimeout: "timeout", KindReset: "reset", KindClosedEarly: "closed_early",
	KindInvalidHead: "invalid_head", KindHeadTooBig: "head_too_big", KindInvalidBody: "invalid_body",
	KindStatus: "status", KindStale: "stale", KindNoLive: "no_live", KindQueueFull: "queue_full",
	KindQueueTimeout: "queue_timeout", KindLocal: "local", KindExcess: "excess",
}

// String is a short lower-case name for metrics.
func (k Kind) String() string {
	if int(k) < len(kindNames) && kindNames[k] != "" {
		return kindNames[k]
	}
	return "unknown"
}

// Phase is what was being done, as nginx's error log puts it after "while ".
type Phase string

// The phases, in the order in which an exchange goes through them.
const (
	PhaseConnect Phase = "connecting to upstream"
	PhaseSend    Phase = "sending request to upstream"
	PhaseHead    Phase = "reading response header from upstream"
	PhaseBody    Phase = "reading upstream"
	PhaseTunnel  Phase = "proxying upgraded connection"
)

// Error is a failed attempt or call. Values may be shared by calls and loops:
// they are not written to once made.
type Error struct {
	Kind      Kind
	Status    int             // what the client gets unless a retry helps: 502, 504, 500; for KindStatus the backend's status
	Log       string          // nginx's text without "while ..." and context; empty: nothing is logged
	Phase     Phase           // goes after "while "
	Severity  engine.Severity // of Log
	Errno     syscall.Errno   // behind Log, 0 for none
	Condition NextUpstream    // of proxy_next_upstream; 0: never passed on
}

// Error is the log text with its phase.
func (e *Error) Error() string {
	if e.Log == "" {
		return e.Kind.String()
	}
	return e.Log + " while " + string(e.Phase)
}

// The failures that carry no errno of the moment, preallocated.
var (
	errNoLive       = &Error{Kind: KindNoLive, Status: 502, Log: "no live upstreams", Phase: PhaseConnect, Severity: engine.Err}
	errQueueFull    = &Error{Kind: KindQueueFull, Status: 502, Log: "upstream queue is full", Phase: PhaseConnect, Severity: engine.Err}
	errQueueTimeout = &Error{Kind: KindQueueTimeout, Status: 502, Log: "upstream queue timed out", Phase: PhaseConnect, Severity: engine.Err}
	errStale        = &Error{
		Kind: KindStale, Status: 502, Log: "kept connection was closed by upstream", Phase: PhaseHead,
		Severity: engine.Info, Condition: NextError,
	}

	errConnectTimeout = timeout(PhaseConnect)
	errSendTimeout    = timeout(PhaseSend)
	errHeadTimeout    = timeout(PhaseHead)
	errBodyTimeout    = timeout(PhaseBody)
	errTunnelTimeout  = timeout(PhaseTunnel)

	errHeadClosed = closedEarly(PhaseHead)
	errBodyClosed = closedEarly(PhaseBody)
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

// ClosedEarly is the failure of an end of stream in phase, PhaseHead or PhaseBody.
func ClosedEarly(phase Phase) *Error {
	if phase == PhaseHead {
		return errHeadClosed
	}
	return errBodyClosed
}

func timeout(phase Phase) *Error {
	return &Error{
		Kind: KindTimeout, Status: 504, Phase: phase, Errno: syscall.ETIMEDOUT, Condition: NextTimeout,
		Log: "upstream timed out (" + engine.ErrnoText(syscall.ETIMEDOUT) + ")", Severity: engine.Err,
	}
}

func closedEarly(phase Phase) *Error {
	return &Error{
		Kind: KindClosedEarly, Status: 502, Phase: phase, Condition: NextError,
		Log: "upstream prematurely closed connection", Severity: engine.Err,
	}
}

// IOError is the failure of a system call on the connection: call is its name
// ("recv", "writev", "connect"), err what it gave.
func IOError(kind Kind, call string, err error, phase Phase) *Error {
	e := &Error{
		Kind: kind, Status: 502, Phase: phase, Condition: NextError,
		Log: call + "() failed (" + engine.ErrnoText(err) + ")", Severity: engine.Err,
	}
	errors.As(err, &e.Errno)
	return e
}

// Local is a failure on our side that another peer would not cure: nginx answers
// 500 and logs at alert.
func Local(text string, err error) *Error {
	e := &Error{Kind: KindLocal, Status: 500, Log: text, Phase: PhaseConnect, Severity: engine.Alert}
	errors.As(err, &e.Errno)
	return e
}

// statusErrors are the answers that are passed on to another peer for their
// status. nginx logs nothing for them.
var statusErrors = [...]Error{
	{Kind: KindStatus, Status: 500, Phase: PhaseHead, Condition: NextHTTP500},
	{Kind: KindStatus, Status: 502, Phase: PhaseHead, Condition: NextHTTP502},
	{Kind: KindStatus, Status: 503, Phase: PhaseHead, Condition: NextHTTP503},
	{Kind: KindStatus, Status: 504, Phase: PhaseHead, Condition: NextHTTP504},
	{Kind: KindStatus, Status: 403, Phase: PhaseHead, Condition: NextHTTP403},
	{Kind: KindStatus, Status: 404, Phase: PhaseHead, Condition: NextHTTP404},
	{Kind: KindStatus, Status: 429, Phase: PhaseHead, Condition: NextHTTP429},
}

// statusError is the failure that a response status may stand for, nil for none.
func statusError(status int) *Error {
	if status < 400 {
		return nil
	}
	for i := range statusErrors {
		if statusErrors[i].Status == status {
			return &statusErrors[i]
		}
	}
	return nil
}
