package upstream

import (
	"sync/atomic"

	"seawall/engine"
)

// queue holds the calls that wait on one loop for a peer at max_conns, first
// come first served. The list is the loop's own; size and loop are read by the
// others to find whom to wake.
type queue struct {
	first, last *Call
	size        atomic.Int32
	loop        atomic.Pointer[engine.Loop] // set before size first grows
	wake        func()                      // made once, so that waking allocates nothing
}

// wait queues c. false: there is no queue, or no room in it.
func (lo *local) wait(c *Call) bool {
	g := lo.group
	if g.cfg.QueueSize == 0 {
		return false
	}
	if int(g.waiting.Add(1)) > g.cfg.QueueSize {
		g.waiting.Add(-1)
		return false
	}
	q := &lo.queue
	if q.wake == nil {
		q.wake = lo.serveQueue
	}
	q.loop.Store(c.loop)
	q.size.Add(1)
	c.qprev, c.qnext = q.last, nil
	if q.last == nil {
		q.first = c
	} else {
		q.last.qnext = c
	}
	q.last = c
	return true
}

// leave takes c out of the queue.
func (lo *local) leave(c *Call) {
	q := &lo.queue
	if c.qprev == nil {
		q.first = c.qnext
	} else {
		c.qprev.qnext = c.qnext
	}
	if c.qnext == nil {
		q.last = c.qprev
	} else {
		c.qnext.qprev = c.qprev
	}
	c.qprev, c.qnext = nil, nil
	q.size.Add(-1)
	lo.group.waiting.Add(-1)
}

// takeQueue moves the calls that wait in from, of the same loop, here. Their
// places in max_conns are the same, but only this group's calls will free them.
func (lo *local) takeQueue(from *local) {
	for c := from.queue.first; c != nil; c = from.queue.first {
		from.leave(c)
		c.group, c.local = lo.group, lo
		c.sel.backup = false
		c.sel.forget()
		if !lo.wait(c) {
			c.loop.StopTimer(&c.timer)
			c.state = callTrying
			c.quiet = true
			c.fail(errQueueFull)
			c.quiet = false
		}
	}
	if lo.queue.first != nil {
		lo.serveQueue()
	}
}

// wake tells one loop with waiting calls that a place became free. Loops take
// turns, so that a busy one does not starve the calls that wait on another.
func (g *Group) wake(from *local) {
	if g.cfg.QueueSize == 0 || g.waiting.Load() == 0 {
		return
	}
	at := int(g.turn.Add(1))
	for i := range g.locals {
		lo := g.locals[(at+i)%len(g.locals)]
		if lo.queue.size.Load() == 0 {
			continue
		}
		if loop := lo.queue.loop.Load(); lo == from {
			loop.Defer(lo.queue.wake)
		} else {
			loop.Post(lo.queue.wake)
		}
		return
	}
}

// serveQueue starts the calls at the head of the queue for which there is a peer.
func (lo *local) serveQueue() {
	if lo.queue.first == nil {
		lo.group.wake(lo) // they timed out or left: the place goes to another loop's
		return
	}
	for c := lo.queue.first; c != nil && c.fromQueue(); c = lo.queue.first {
	}
}
