package engine

import (
	"sync/atomic"
	"time"

	"golang.org/x/sys/unix"
)

const (
	acceptBatch = 64 // connections accepted before others have their turn
	// acceptRetry is how long a loop that ran out of descriptors waits when no connection of its own closes meanwhile.
	acceptRetry = int64(100 * time.Millisecond)
	// roomRetry is how long a loop that has reached worker_connections waits when no connection closes or becomes idle
	// meanwhile; roomPatience is how long it waits in all before it refuses.
	roomRetry    = int64(50 * time.Millisecond)
	roomPatience = int64(time.Second)
	// sayAgain is how often the same complaint is logged at most.
	sayAgain = int64(time.Second)
)

// acceptSocket is a listening socket as one loop sees it.
type acceptSocket struct {
	fd int
	ln *Listener
}

// acceptState is a loop's pause in accepting, for want of descriptors or because worker_connections is reached: a burst
// of clients waits in the kernel's queue instead of being cut off. Listening sockets are edge-triggered, so that nothing
// has to be deregistered for a pause: edges are ignored, and the end of the pause accepts what has queued.
type acceptState struct {
	paused    bool
	posted    bool // resuming is on its way
	draining  bool // a listening socket is about to be closed: no pause now
	retry     Timer
	lastLog   int64
	held      newcomer // the one for whom there was no room; the pause ends with it
	fullSince int64    // Now when room ran out; 0: there was room for the last one
}

// newcomer is an accepted connection that is not a Conn yet.
type newcomer struct {
	fd   int
	peer endpoint
	ln   *Listener // nil: nobody
}

var lastConnID atomic.Uint64

// newConn makes a connection for a descriptor and counts it.
func (l *Loop) newConn(fd int, state connState) *Conn {
	l.live++
	return &Conn{loop: l, fd: int32(fd), state: state, id: lastConnID.Add(1)}
}

// register lets the poller watch the connection.
func (l *Loop) register(c *Conn) error {
	fd := int(c.fd)
	l.engine.fds.set(fd, c)
	return l.poller.AddReadWrite(l.attachment(fd), true)
}

// acceptOn serves an event of a listening socket, if it is (still) one.
func (l *Loop) acceptOn(fd int) {
	for _, s := range l.listening {
		if s.fd == fd {
			l.acceptFrom(s, acceptBatch)
			return
		}
	}
}

// acceptFrom accepts until the queue is empty, or leaves the rest for the next round.
func (l *Loop) acceptFrom(s *acceptSocket, limit int) {
	for range limit {
		if l.accepting.paused || s.fd < 0 {
			return
		}
		fd, peer, no := l.sysAccept(s.fd)
		switch no {
		case 0:
			l.counters.accepted.Add(1)
			l.adopt(newcomer{fd, peer, s.ln})
			if len(l.after) != 0 {
				l.runAfter()
			}
		case unix.EAGAIN:
			return
		case unix.EINTR, unix.ECONNABORTED: // the peer gave up in the queue
		case unix.EMFILE, unix.ENFILE, unix.ENOBUFS, unix.ENOMEM:
			l.pauseAccepting(no)
			return
		default: // a network error of that one connection, accept(2)
			l.log(Err, 0, "accept4() failed ("+ErrnoText(no)+")")
		}
	}
	l.Post(func() { l.acceptFrom(s, limit) })
}

// adopt makes a connection of an accepted descriptor, if there is room.
func (l *Loop) adopt(n newcomer) {
	if l.live >= l.engine.opt.MaxConns && !l.makeRoom() {
		l.keepWaiting(n)
		return
	}
	l.accepting.fullSince = 0
	ln := n.ln
	c := l.newConn(n.fd, 0)
	c.remote, c.ln = n.peer, ln
	if ln.path != "" {
		c.state = unixSocket
	}
	l.counters.active.Add(1)
	if err := l.register(c); err != nil {
		l.log(Alert, c.id, "registering a connection failed ("+ErrnoText(err)+")")
		c.closeFor(err)
		return
	}
	l.callAccepted(c, ln)
}

// keepWaiting pauses accepting until a connection closes or becomes idle. When that has not happened for long, n and
// all that come are refused until it does.
func (l *Loop) keepWaiting(n newcomer) {
	a := &l.accepting
	if a.fullSince == 0 {
		a.fullSince = l.Now()
	}
	if a.draining || a.held.ln != nil || l.Now()-a.fullSince >= roomPatience {
		l.counters.refused.Add(1)
		_ = unix.Close(n.fd)
		return
	}
	a.held, a.paused = n, true
	l.SetTimer(&a.retry, l.Now()+roomRetry, (*acceptRetrier)(l))
}

func (l *Loop) callAccepted(c *Conn, ln *Listener) {
	defer l.guard()
	l.now = 0
	l.current = c
	ln.current.Load().acceptor.Accepted(c, ln)
	if c.handler == nil {
		c.closeFor(nil)
		return
	}
	l.counters.handled.Add(1)
}

// pauseAccepting stops accepting until descriptors are free again: at once if idle connections can be closed for it, else
// when one of ours closes or after a while (other loops and files use them, too).
func (l *Loop) pauseAccepting(no unix.Errno) {
	l.counters.acceptPauses.Add(1)
	a := &l.accepting
	if a.lastLog == 0 || l.Now()-a.lastLog >= sayAgain {
		a.lastLog = l.Now()
		l.log(Crit, 0, "accept4() failed ("+ErrnoText(no)+")")
	}
	a.paused = true
	if l.reclaim(reclaimBatch) == 0 {
		for _, other := range l.engine.loops {
			if other != l {
				other.Post(func() { other.reclaim(reclaimBatch) })
			}
		}
	}
	l.SetTimer(&a.retry, l.Now()+acceptRetry, (*acceptRetrier)(l))
}

// acceptRetrier is the loop as the Expirer that ends a pause in accepting.
type acceptRetrier Loop

// Expired tries again.
func (r *acceptRetrier) Expired(*Timer) { (*Loop)(r).resumeAccepting() }

// resumeSoon ends the pause in the next round: a descriptor has become free, or can be freed.
func (l *Loop) resumeSoon() {
	if !l.accepting.posted && !l.stopping {
		l.accepting.posted = true
		l.Post(l.resumeAccepting)
	}
}

func (l *Loop) resumeAccepting() {
	l.accepting.paused, l.accepting.posted = false, false
	l.StopTimer(&l.accepting.retry)
	if n := l.accepting.held; n.ln != nil {
		l.accepting.held = newcomer{}
		l.adopt(n)
		if len(l.after) != 0 {
			l.runAfter()
		}
	}
	for _, s := range append([]*acceptSocket(nil), l.listening...) {
		l.acceptFrom(s, acceptBatch)
	}
}

// attach begins to accept from a listening socket.
func (l *Loop) attach(s *acceptSocket) error {
	l.listening = append(l.listening, s)
	return l.poller.AddRead(l.attachment(s.fd), true)
}

// detach accepts what has queued (unless the loop is stopping) and stops accepting. The descriptor is closed by whoever
// opened it.
func (l *Loop) detach(ln *Listener) {
	for i, s := range l.listening {
		if s.ln != ln {
			continue
		}
		if !l.stopping {
			l.accepting.paused, l.accepting.draining = false, true
			l.drainQueue(s)
			l.accepting.draining = false
			if l.accepting.held.ln != nil {
				l.accepting.paused = true
			}
		}
		_ = l.poller.Delete(s.fd) // other loops may still have it, so that closing does not do it
		l.listening = append(l.listening[:i], l.listening[i+1:]...)
		s.fd = -1
		return
	}
}

// drainQueue accepts all that waits on a socket about to be closed, which would reset it. New ones may come all the
// while, hence the bound.
func (l *Loop) drainQueue(s *acceptSocket) {
	for range 4096 / acceptBatch {
		before := l.counters.accepted.Load()
		l.acceptFrom(s, acceptBatch)
		if l.counters.accepted.Load()-before < acceptBatch {
			return
		}
	}
}
