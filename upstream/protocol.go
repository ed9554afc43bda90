package upstream

import (
	"time"

	"seawall/engine"
	"seawall/httpparse"
)

// Protocol is a way to speak to peers: HTTP/1.1, and beside it whatever comes.
// Values are compared with ==: equal ones share idle connections.
type Protocol interface {
	// NewPool makes the connections' keeper for one group on one loop.
	NewPool(l *engine.Loop, lim PoolLimits) Pool
}

// PoolLimits bounds what a pool keeps (keepalive, keepalive_requests,
// keepalive_time and keepalive_timeout of an upstream block).
type PoolLimits struct {
	Idle     int           // idle connections at most; 0: none is kept
	Requests int           // requests over one connection; 0: no limit
	Age      time.Duration // how old a connection may be to be kept; 0: no limit
	Timeout  time.Duration // how long one stays idle; 0: no limit
	Peers    int           // number of peers of the group: Peer.Index is below it
}

// Pool owns one group's connections on one loop. Loop only.
type Pool interface {
	// Kept takes out the most recently used idle connection to peer, nil without one.
	Kept(peer *Peer, p *Policy) Exchange
	// Dial begins a connection to peer. The error is one that comes at once.
	Dial(peer *Peer, p *Policy) (Exchange, *Error)
	// TakeOver moves the idle connections of old, a pool of the same protocol and
	// loop, here. peerOf maps a peer of the old group to one of this; nil: the
	// connection is closed. old keeps no connection from then on.
	TakeOver(old Pool, peerOf func(*Peer) *Peer)
	// CloseIdle closes what is idle; connections in use are closed when they
	// come back.
	CloseIdle()
}

// Exchange is one request and its response, over a connection that is there or
// being made. Loop only. None of its methods calls the sink before it returns.
// After Sink.Done, Sink.Failed or Abort it must not be touched, but Started and
// Bytes may still be asked inside Done and Failed.
type Exchange interface {
	// Begin sends the request, as soon as the connection stands.
	Begin(req *RequestBytes, p *Policy, s Sink)
	// BodyReady: the request's body source has more after BodyWait.
	BodyReady()
	// Pause stops reading the response, Resume goes on.
	Pause()
	Resume()
	// Abort ends it without further calls: the connection is closed.
	Abort()
	// Started reports whether sending the request was begun.
	Started() bool
	// Bytes is what went over the wire so far in this exchange.
	Bytes() (sent, received int64)

	// Of a tunnel only, as Call's methods of these names.
	TunnelWrite(p []byte)
	TunnelPending() int
	TunnelCloseWrite()
}

// Sink is told how an exchange goes. Calls come from the loop, never from inside
// a method of the exchange; the sink may call those, Abort included.
type Sink interface {
	// Connected: a dialled connection stands.
	Connected()
	// Interim is the head of a 103 response, views of buf valid during the call
	// only; the final one is still to come.
	Interim(resp *httpparse.Response, buf []byte)
	// Head is the final response head, views of buf valid during the call only;
	// status 101 means that the connection is a tunnel from now on.
	Head(resp *httpparse.Response, buf []byte)
	// Body is decoded body, valid during the call only. In a tunnel, no bytes:
	// the peer has sent all it will.
	Body(p []byte)
	// Move takes up to n body bytes that src, the exchange's connection, can
	// read, before anybody has read them, and gives their number. Errors are those
	// of engine.Conn.WriteFrom: engine.ErrCopy asks for them by Body. n 0
	// asks whether bytes of this response may be moved at all: nil, or ErrCopy.
	Move(src *engine.Conn, n int) (int, error)
	// Done: the response is whole. The connection has gone back to its pool or
	// is closed. note is what there is to log nevertheless, else nil.
	Done(note *Error)
	// Failed: nothing more will come. The connection is closed.
	Failed(e *Error)
	// Writable: a tunnel's output has drained.
	Writable()
}
