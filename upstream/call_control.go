package upstream

import (
	"seawall/engine"
	"seawall/httpparse"
)

// Active reports whether the call was started and has not ended.
func (c *Call) Active() bool { return c.state != callIdle }

// Tries are the attempts so far, valid until the next Start.
func (c *Call) Tries() []Try { return c.tries }

// Note is what there is to log of a response that was whole, nil for nothing.
// Valid from UpstreamDone until the next Start.
func (c *Call) Note() *Error { return c.note }

// BodyReady says that the body source has more after BodyWait.
func (c *Call) BodyReady() {
	if c.ex != nil {
		c.ex.BodyReady()
	}
}

// Pause stops reading the response: after at most the view being delivered,
// nothing comes until Resume, and proxy_read_timeout stands still.
func (c *Call) Pause() {
	if c.ex != nil {
		c.ex.Pause()
	}
}

// Resume goes on reading; the receiver is called after Resume has returned.
func (c *Call) Resume() {
	if c.ex != nil {
		c.ex.Resume()
	}
}

// Cancel ends the call without further calls to the receiver; a connection in
// use is closed. No-op on one that is not active.
func (c *Call) Cancel() {
	switch c.state {
	case callIdle:
		return
	case callQueued:
		c.local.leave(c)
		c.loop.StopTimer(&c.timer)
	default:
		now := c.loop.Now()
		how := outcomeUnknown
		if c.state == callAnswering {
			how = outcomeGood
		}
		if c.ex != nil {
			c.closeTry(&c.tries[len(c.tries)-1], now)
			c.ex.Abort()
		}
		c.release(how, now)
	}
	c.over()
}

// TunnelWrite sends p, copying it. After UpstreamHead with status 101 only.
func (c *Call) TunnelWrite(p []byte) {
	if c.ex != nil {
		c.ex.TunnelWrite(p)
	}
}

// TunnelPending is the number of bytes that wait to be sent: stop reading from
// the client when it is large, go on at UpstreamWritable.
func (c *Call) TunnelPending() int {
	if c.ex == nil {
		return 0
	}
	return c.ex.TunnelPending()
}

// TunnelCloseWrite sends the end of the stream after what is pending.
func (c *Call) TunnelCloseWrite() {
	if c.ex != nil {
		c.ex.TunnelCloseWrite()
	}
}

// enqueue waits for a peer, or fails when the queue is full.
func (c *Call) enqueue() {
	if !c.local.wait(c) {
		c.fail(errQueueFull)
		return
	}
	c.state = callQueued
	if d := c.group.cfg.QueueTimeout; d > 0 {
		c.loop.SetTimer(&c.timer, c.loop.Now()+int64(d), (*callSink)(c))
	}
	// A place that became free before this call was counted as waiting woke
	// nobody: look once more.
	if c.local.queue.first == c {
		c.fromQueue()
	}
}

// fromQueue begins an attempt of the queued call c if there is a peer for it.
func (c *Call) fromQueue() bool {
	p, busy := c.local.pick(&c.sel, c.loop.Now())
	if p == nil && busy {
		return false
	}
	c.local.leave(c)
	c.loop.StopTimer(&c.timer)
	c.state = callTrying
	was := c.quiet
	c.quiet = true
	if p == nil {
		c.fail(errNoLive)
	} else {
		c.peer = p
		c.attempt(false)
	}
	c.quiet = was
	return true
}

// Expired: waited too long in the queue.
func (s *callSink) Expired(*engine.Timer) {
	c := (*Call)(s)
	c.local.leave(c)
	c.state = callTrying
	c.failed(errQueueTimeout)
}

// Connected implements Sink.
func (s *callSink) Connected() {
	t := &s.tries[len(s.tries)-1]
	t.ConnectTime = s.loop.Now() - t.began
}

// Interim implements Sink.
func (s *callSink) Interim(resp *httpparse.Response, buf []byte) {
	s.recv.UpstreamInterim((*Call)(s), resp, buf)
}

// Head implements Sink: passes the head on, unless its status is one to try
// another peer for.
func (s *callSink) Head(resp *httpparse.Response, buf []byte) {
	c := (*Call)(s)
	now := c.loop.Now()
	t := &c.tries[len(c.tries)-1]
	t.Status = resp.Status
	t.HeaderTime = now - t.began
	if e := statusError(resp.Status); e != nil && c.policy.Next&e.Condition != 0 {
		if then := c.shouldRetry(e, now); then != retryNo {
			c.closeTry(t, now)
			c.ex.Abort()
			c.ex = nil
			t.Disabled = c.release(c.blame(e), now)
			c.again(then, t, e)
			return
		}
	}
	c.state = callAnswering
	c.recv.UpstreamHead(c, resp, buf)
}

// Body implements Sink.
func (s *callSink) Body(p []byte) {
	s.tries[len(s.tries)-1].BodyBytes += int64(len(p))
	s.recv.UpstreamBody((*Call)(s), p)
}

// Move implements Sink.
func (s *callSink) Move(src *engine.Conn, n int) (int, error) {
	moved, err := s.recv.UpstreamMove((*Call)(s), src, n)
	s.tries[len(s.tries)-1].BodyBytes += int64(moved)
	return moved, err
}

// Done implements Sink.
func (s *callSink) Done(note *Error) {
	c := (*Call)(s)
	now := c.loop.Now()
	recv := c.recv
	c.note = note
	c.closeTry(&c.tries[len(c.tries)-1], now)
	c.release(outcomeGood, now)
	c.over()
	recv.UpstreamDone(c)
}

// Failed implements Sink.
func (s *callSink) Failed(e *Error) { (*Call)(s).failed(e) }

// Writable implements Sink.
func (s *callSink) Writable() { s.recv.UpstreamWritable((*Call)(s)) }
