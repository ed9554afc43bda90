package server

import "seawall/engine"

// client is what a request knows of the connection (HTTP/1.1) or stream
// (HTTP/2) that it came by. All calls are made on the connection's loop.
// After endResponse, abort, drop and expire the request may be over: the
// caller must not touch it.
type client interface {
	// conn is the transport connection.
	conn() *engine.Conn
	// sendHead puts the head of r.resp into the output, sendRendered one
	// that is ready: it is that of r.resp, or an interim one before it.
	sendHead(r *Request)
	sendRendered(r *Request, head []byte)
	// sendBody puts body bytes into the output; shared bytes are immutable
	// and may be referenced instead of copied.
	sendBody(r *Request, p []byte, shared bool)
	// sendPages puts n bytes, from off on, of a body that is in the kernel into
	// the output, of a response that is not chunked.
	sendPages(r *Request, p *engine.Pages, off, n int)
	// moveBody moves up to n body bytes that src can read into the output, of
	// a response that is not chunked; results as of engine.Conn.WriteFrom.
	moveBody(r *Request, src *engine.Conn, n int) (int, error)
	// endResponse says that the response is complete: it is flushed, and
	// when the kernel has taken it, the request is finished.
	endResponse(r *Request)
	// abort ends the connection in the middle of a response, so that the
	// client can tell that it is not whole.
	abort(r *Request)
	// drop closes the connection without (more of) an answer.
	drop(r *Request)
	// expire closes the connection of a client that takes no output, as
	// reset_timedout_connection says.
	expire(r *Request)
	// pending is how many bytes of output the kernel has not taken.
	pending() int
	// flush sends what is queued.
	flush(r *Request)
	// readBody reads the request's body: pieces go to r.body until it is
	// whole or takes no more for now.
	readBody(r *Request)
	// beginTunnel makes the connection pass bytes through (101).
	beginTunnel(r *Request)
	// connection describes the connection for variables.
	connection() connectionInfo
}

// connectionInfo is what variables say about a connection.
type connectionInfo struct {
	requests  uint32 // over this connection so far, this one included
	pipelined bool
	since     int64 // loop time of accept, ns
}
