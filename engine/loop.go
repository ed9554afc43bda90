package engine

import (
	"net/netip"
	"time"

	errorx "github.com/panjf2000/gnet/v2/pkg/errors"
	"github.com/panjf2000/gnet/v2/pkg/netpoll"
	"golang.org/x/sys/unix"
)

// readiness is what an event says, translated from epoll or kqueue.
type readiness uint8

const (
	canRead  readiness = 1 << iota // a read may give something
	canWrite                       // the kernel may take output
	peerGone                       // the peer finished sending, reset, or an error is pending
)

// Loop is one event loop: a goroutine, a poller and everything that belongs to it. Fields are the loop goroutine's own
// unless they say otherwise.
type Loop struct {
	engine *Engine
	index  int
	data   any

	poller      *netpoll.Poller
	attachments attachments
	waker       waker
	exit        error // what onEvent returns: nil, or the poller's word for ending
	stopping    bool

	now       int64 // Now, 0 when not read in this event
	wallShift int64 // Unix ns minus Now
	wallRead  int64 // Now when wallShift was read; 0: never

	current  *Conn       // whose callback runs: the guard closes it on a panic
	after    []afterwork // to do when the current callback has returned, in order
	resumed  []*Conn     // see nextRound
	resuming []*Conn     // spare for resumed

	live      int   // connections of this loop, both sides
	idlers    int64 // of these, those marked idle; shown in counters.idle when an event is done
	idleShown int64
	listening []*acceptSocket
	accepting acceptState
	idle      idleQueue

	wheel     wheel
	alarm     *time.Timer // wakes the loop for the wheel
	pools     pools
	queues    outQueuePool
	pages     pageStore
	pipes     pipePool
	vector    vector
	sockaddr  unix.RawSockaddrAny // scratch
	lastCrowd int64               // Now of the last message about worker_connections

	_        [64]byte // what other goroutines write shares no cache line with the above
	mail     mailbox  // any goroutine
	_        [64]byte
	counters counters // any goroutine
}

// afterwork is a deferred function, or (fn nil) the last call for a closed connection.
type afterwork struct {
	fn  func()
	c   *Conn
	why error
}

// epoch is where loop time begins: process start, one for all loops.
var epoch = time.Now()

// monotonic reads the clock: ns since epoch, never 0.
func monotonic() int64 { return int64(time.Since(epoch)) | 1 }

// Index is the loop's place in Engine.Loops.
func (l *Loop) Index() int { return l.index }

// Engine is the engine the loop belongs to.
func (l *Loop) Engine() *Engine { return l.engine }

// Data gives what SetData stored: the consumer's state for this loop.
func (l *Loop) Data() any { return l.data }

// SetData stores the consumer's state. On the loop, or before Start.
func (l *Loop) SetData(v any) { l.data = v }

// Now is the monotonic time in nanoseconds since process start (one epoch for all loops), read at most once per event.
func (l *Loop) Now() int64 {
	if l.now == 0 {
		l.now = monotonic()
	}
	return l.now
}

// wallFresh is how long the difference between wall and loop time is trusted: somebody may set the clock.
const wallFresh = int64(100 * time.Millisecond)

// Wall is the time of day belonging to Now, in Unix milliseconds.
func (l *Loop) Wall() int64 {
	now := l.Now()
	if l.wallRead == 0 || now-l.wallRead >= wallFresh {
		l.wallShift = time.Now().UnixNano() - monotonic()
		l.wallRead = now
	}
	return (now + l.wallShift) / int64(time.Millisecond)
}

// Defer runs fn after the current event's callback returned, before the next event. Loop only; no system call.
func (l *Loop) Defer(fn func()) { l.after = append(l.after, afterwork{fn: fn}) }

// onEvent serves one event of the poller.
func (l *Loop) onEvent(fd int, ev netpoll.IOEvent, flags netpoll.IOFlags) error {
	l.now = 0
	if c := l.engine.fds.get(fd); c != nil {
		if c.loop == l {
			l.serve(c, readinessOf(ev, flags))
		}
	} else if fd == l.waker.fd {
		l.chores()
	} else {
		l.acceptOn(fd)
	}
	if len(l.after) != 0 {
		l.runAfter()
	}
	if l.idlers != l.idleShown {
		l.showIdle()
	}
	return l.exit
}

// showIdle publishes the number of idle connections: once per event, and not at all for a request that was answered in
// one, because an atomic write costs as much as all else that SetIdle does.
func (l *Loop) showIdle() {
	l.idleShown = l.idlers
	l.counters.idle.Store(l.idlers)
}

// serve hands one event to its connection. Output goes first, which frees buffers; unless the peer is gone, when a write
// would fail and eat the error that the read should see after the peer's last words.
func (l *Loop) serve(c *Conn, ready readiness) {
	defer l.guard()
	l.current = c
	state := c.state
	if ready&canRead != 0 {
		state |= readable
	}
	if ready&canWrite != 0 {
		state |= writable
	}
	if ready&peerGone != 0 {
		state |= hungUp
	}
	c.state = state
	if state&(connecting|finishing) != 0 {
		if state&connecting != 0 {
			c.connectEvent()
		} else {
			c.finishEvent()
		}
		return
	}
	if ready&canWrite == 0 || c.out == nil {
		if ready&canRead != 0 {
			c.handler.Readable(c)
		}
		return
	}
	if ready&peerGone != 0 {
		c.handler.Readable(c)
		if c.out != nil && c.state&(closed|finishing) == 0 {
			c.sendQueued()
		}
		return
	}
	c.sendQueued()
	if ready&canRead != 0 && c.state&(readable|closed|finishing) == readable {
		c.handler.Readable(c)
	}
}

// runAfter does what was put off until the callback returned; what that puts off in turn, too.
func (l *Loop) runAfter() {
	for i := 0; i < len(l.after); i++ {
		todo := l.after[i]
		l.after[i] = afterwork{}
		l.runOne(todo)
	}
	l.after = l.after[:0]
	if cap(l.after) > 1024 {
		l.after = nil // a mass closing, not worth keeping
	}
}

func (l *Loop) runOne(todo afterwork) {
	defer l.guard()
	l.current = nil
	if todo.fn != nil {
		todo.fn()
		return
	}
	if h := todo.c.handler; h != nil {
		todo.c.handler = nil // nothing of the consumer's hangs on a closed connection
		h.Closed(todo.c, todo.why)
	}
}

// run is the loop's goroutine.
func (l *Loop) run() {
	err := l.poll()
	if err != errorx.ErrEngineShutdown {
		l.log(Alert, 0, "the event loop ended ("+ErrnoText(err)+")")
		l.shutdown()
	}
	l.free()
}

// free closes the loop's own descriptors. Nobody posts to it any more.
func (l *Loop) free() {
	l.mail.close()
	if l.alarm != nil {
		l.alarm.Stop()
	}
	_ = l.poller.Close()
	l.waker.close()
	l.pipes.closeAll()
}

// shutdown closes all that the loop has and makes the poller return.
func (l *Loop) shutdown() {
	l.stopping = true
	l.exit = errorx.ErrEngineShutdown
	for len(l.listening) > 0 {
		l.detach(l.listening[0].ln)
	}
	if l.accepting.held.ln != nil {
		_ = unix.Close(l.accepting.held.fd)
		l.accepting.held = newcomer{}
	}
	l.engine.fds.each(l, func(c *Conn) { c.closeFor(ErrStopped) })
	l.runAfter()
}

func (l *Loop) log(sev Severity, conn uint64, text string) {
	if l.engine.opt.Log != nil {
		l.engine.opt.Log(sev, conn, text)
	}
}

func (l *Loop) localName(c *Conn) netip.AddrPort {
	e, no := l.sysName(int(c.fd), false)
	if no != 0 {
		return netip.AddrPort{}
	}
	return e.addrPort()
}
