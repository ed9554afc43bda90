package upstream

import (
	"seawall/engine"
	"seawall/httpparse"
)

// Receiver is told how a call goes. Calls come from the loop, never from inside
// a method of Call.
type Receiver interface {
	// UpstreamHead is the final response head; views of buf valid during the
	// call only. 1xx were swallowed, but 101: then the connection is a tunnel.
	UpstreamHead(c *Call, resp *httpparse.Response, buf []byte)
	// UpstreamBody is decoded body, valid during the call only. In a tunnel, no
	// bytes: the backend has sent all it will; UpstreamDone follows once
	// TunnelCloseWrite was called as well.
	UpstreamBody(c *Call, p []byte)
	// UpstreamDone: the response is whole; the connection is back in its pool or closed.
	UpstreamDone(c *Call)
	// UpstreamFailed: nothing more will come. Before UpstreamHead the client is
	// owed e.Status, after it the response must not pass for whole.
	UpstreamFailed(c *Call, e *Error)
	// UpstreamWritable: a tunnel's output has drained.
	UpstreamWritable(c *Call)
	// UpstreamTry: the attempt t failed for e and another one follows.
	UpstreamTry(c *Call, t *Try, e *Error)
}

// Call is one client request's dealings with a group. The zero value is ready;
// it may be used again after UpstreamDone, UpstreamFailed or Cancel.
type Call struct{}

// Start picks a peer and sends the request. Policy and what req points to must
// stay until the call ends.
func (c *Call) Start(l *engine.Loop, g *Group, p *Policy, req RequestBytes, r Receiver) {
	panic("skeleton")
}

// Active reports whether the call was started and has not ended.
func (c *Call) Active() bool { panic("skeleton") }

// BodyReady says that the body source has more after BodyWait.
func (c *Call) BodyReady() { panic("skeleton") }

// Pause stops reading the response; at most what is being delivered still comes.
func (c *Call) Pause() { panic("skeleton") }

// Resume goes on reading, not before it has returned.
func (c *Call) Resume() { panic("skeleton") }

// Cancel ends the call without further calls to the receiver.
func (c *Call) Cancel() { panic("skeleton") }

// Tries are the attempts so far, valid until the next Start.
func (c *Call) Tries() []Try { panic("skeleton") }

// Note is what there is to log of a response that was whole, nil for nothing.
func (c *Call) Note() *Error { panic("skeleton") }

// TunnelWrite sends p, copying it.
func (c *Call) TunnelWrite(p []byte) { panic("skeleton") }

// TunnelPending is the number of bytes that wait to be sent.
func (c *Call) TunnelPending() int { panic("skeleton") }

// TunnelCloseWrite sends the end of the stream after what is pending.
func (c *Call) TunnelCloseWrite() { panic("skeleton") }
