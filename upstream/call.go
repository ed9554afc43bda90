package upstream

import (
	"seawall/engine"
	"seawall/httpparse"
)

// Receiver is told how a call goes. Calls come from the loop, never from inside
// a method of Call; the receiver may call those, Cancel included, and may start
// the same Call again from UpstreamDone and UpstreamFailed.
type Receiver interface {
	// UpstreamInterim is the head of a 103 (Early Hints, RFC 8297); views of buf
	// valid during the call only. Several may come, of failed attempts too.
	UpstreamInterim(c *Call, resp *httpparse.Response, buf []byte)
	// UpstreamHead is the final response head; views of buf valid during the
	// call only. Other 1xx were swallowed, but 101: then the connection is a tunnel.
	UpstreamHead(c *Call, resp *httpparse.Response, buf []byte)
	// UpstreamBody is decoded body, valid during the call only. In a tunnel, no
	// bytes: the backend has sent all it will; UpstreamDone follows once
	// TunnelCloseWrite was called as well.
	UpstreamBody(c *Call, p []byte)
	// UpstreamMove may take up to n body bytes that src can read, by src's loop
	// and engine.Conn.WriteFrom, whose results it gives; engine.ErrCopy asks
	// for them by UpstreamBody. n 0 asks whether it may ever: nil, or ErrCopy.
	UpstreamMove(c *Call, src *engine.Conn, n int) (int, error)
	// UpstreamDone: the response is whole; the connection is back in its pool or
	// closed. Note says what there is to log nevertheless.
	UpstreamDone(c *Call)
	// UpstreamFailed: nothing more will come. Before UpstreamHead the client is
	// owed e.Status, after it the response must not pass for whole.
	UpstreamFailed(c *Call, e *Error)
	// UpstreamWritable: a tunnel's output has drained.
	UpstreamWritable(c *Call)
	// UpstreamTry: the attempt t failed for e and another one follows.
	UpstreamTry(c *Call, t *Try, e *Error)
}

// callState is how far a call is.
type callState uint8

const (
	callIdle      callState = iota // not started, or over; Start may follow
	callQueued                     // waits for a peer at max_conns; then trying, or over
	callTrying                     // an attempt is in progress; then trying again, answering, or over
	callAnswering                  // the receiver has the head; then over
)

// Call is one client request's dealings with a group. The zero value is ready;
// it may be used again after UpstreamDone, UpstreamFailed or Cancel. It belongs
// to one loop and must not be copied while active.
type Call struct {
	loop   *engine.Loop
	group  *Group
	local  *local
	policy *Policy
	recv   Receiver
	req    RequestBytes

	sel   selection
	peer  *Peer    // of the attempt in progress: a place of its max_conns is held
	ex    Exchange // the attempt in progress, nil without
	state callState
	note  *Error
	began int64 // loop time, ns

	tries   []Try
	ownTry  [2]Try // first memory of tries
	timer   engine.Timer
	qprev   *Call
	qnext   *Call
	quiet   bool   // inside a method of ours: the receiver is told later
	pending *Error // what it is to be told
	tell    func() // made once, at the first such occasion
}

// callSink is a Call as its exchange and its timer see it: methods that are not
// for callers of Call.
type callSink Call

// Start picks a peer and sends the request. Policy and what req points to must
// stay until the call ends. It must not be active.
func (c *Call) Start(l *engine.Loop, g *Group, p *Policy, req RequestBytes, r Receiver) {
	if c.state != callIdle {
		panic("upstream: Start of an active call")
	}
	if c.tries == nil {
		c.tries = c.ownTry[:0]
	}
	if !req.Again {
		c.tries = c.tries[:0]
	}
	c.loop, c.group, c.policy, c.recv, c.req = l, g, p, r, req
	c.local = g.locals[l.Index()]
	c.note, c.pending = nil, nil
	c.began = l.Now()
	c.sel.backup = false
	c.sel.forget()
	c.sel.left = g.attempts
	if p.NextTries > 0 {
		c.sel.left = min(c.sel.left, p.NextTries)
	}
	c.state = callTrying
	c.quiet = true
	if c.local.queue.first != nil {
		c.local.serveQueue() // nobody overtakes those who wait
	}
	if c.local.queue.first != nil {
		c.enqueue()
	} else {
		c.next()
	}
	c.quiet = false
}

// next begins an attempt at another peer, or fails for want of one.
func (c *Call) next() {
	p, busy := c.local.pick(&c.sel, c.loop.Now())
	switch {
	case p != nil:
		c.peer = p
		c.attempt(false)
	case busy && c.group.cfg.QueueSize > 0:
		c.enqueue()
	default:
		c.fail(errNoLive)
	}
}

// attempt asks c.peer: over a kept connection unless fresh, else over a new one.
func (c *Call) attempt(fresh bool) {
	t := c.try(c.peer.cfg.Name)
	pool := c.local.pool(c.loop, c.policy.Protocol)
	if !fresh {
		c.ex = pool.Kept(c.peer, c.policy)
	}
	if c.ex != nil {
		t.Reused, t.ConnectTime = true, 0
	} else {
		ex, e := pool.Dial(c.peer, c.policy)
		if e != nil {
			c.fail(e)
			return
		}
		c.ex = ex
	}
	c.ex.Begin(&c.req, c.policy, (*callSink)(c))
}

// try opens a new entry in the list of tries.
func (c *Call) try(peer string) *Try {
	c.tries = append(c.tries, Try{
		Peer: peer, ConnectTime: -1, HeaderTime: -1, ResponseTime: -1, began: c.loop.Now(),
		NewGroup: c.req.Again,
	})
	c.req.Again = false // the tries after the first belong to the same group
	return &c.tries[len(c.tries)-1]
}

// fail is failed, later if the receiver must not be called now.
func (c *Call) fail(e *Error) {
	if !c.quiet {
		c.failed(e)
		return
	}
	c.pending = e
	if c.tell == nil {
		c.tell = func() {
			if e := c.pending; e != nil {
				c.pending = nil
				c.failed(e)
			}
		}
	}
	c.loop.Defer(c.tell)
}

// failed ends the attempt in progress, or the search for a peer, and does what
// shouldRetry says.
func (c *Call) failed(e *Error) {
	now := c.loop.Now()
	if c.peer == nil { // no attempt was made: nginx lists the group in its place
		c.try(c.group.cfg.Name)
	}
	t := &c.tries[len(c.tries)-1]
	if t.Reused && c.stale(e) {
		t.Stale, e = true, errStale
	}
	then := c.shouldRetry(e, now)
	if t.Status == 0 {
		t.Status = e.Status
	}
	c.closeTry(t, now)
	if then == retryNo {
		recv := c.recv
		t.Disabled = c.release(c.blame(e), now)
		c.over()
		recv.UpstreamFailed(c, e)
		return
	}
	if then == retryNext {
		t.Disabled = c.release(c.blame(e), now)
	}
	c.ex = nil
	c.again(then, t, e)
}

// again tells the receiver of the failed try t and begins the next one.
func (c *Call) again(then retry, t *Try, e *Error) {
	c.recv.UpstreamTry(c, t, e)
	if c.state != callTrying {
		return // cancelled by the receiver
	}
	if then == retrySame {
		c.attempt(true)
	} else {
		c.next()
	}
}

// stale reports whether e is the end of a kept connection before it answered
// anything: the peer had closed it, or its timer ran out, while we wrote.
func (c *Call) stale(e *Error) bool {
	if e.Kind != KindReset && e.Kind != KindClosedEarly || c.ex == nil {
		return false
	}
	_, received := c.ex.Bytes()
	return received == 0
}

// blame is what the end of the attempt says about its peer.
func (c *Call) blame(e *Error) outcome {
	switch {
	case c.state == callAnswering:
		return outcomeGood // as nginx: the response began, what broke it is not known
	case e.Kind == KindStale || e.Kind == KindLocal:
		return outcomeUnknown
	case e.Condition&(NextHTTP403|NextHTTP404) != 0:
		return outcomeGood
	}
	return outcomeBad
}

// closeTry fills in what is known of a try at its end.
func (c *Call) closeTry(t *Try, now int64) {
	t.ResponseTime = now - t.began
	if c.ex == nil {
		return
	}
	t.BytesSent, t.BytesReceived = c.ex.Bytes()
	pc := c.peer.counters[c.local.index]
	pc.sent.Add(uint64(t.BytesSent))
	pc.received.Add(uint64(t.BytesReceived))
}

// release gives the peer of the attempt back, if there is one.
func (c *Call) release(how outcome, now int64) (disabled bool) {
	if p := c.peer; p != nil {
		c.peer = nil
		return c.local.release(&c.sel, p, how, now)
	}
	return false
}

// over makes the call idle and lets go of what it was given.
func (c *Call) over() {
	c.state = callIdle
	c.ex, c.recv, c.policy, c.pending = nil, nil, nil, nil
	c.req = RequestBytes{}
}
