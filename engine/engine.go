package engine

import (
	"errors"
	"runtime"
	"sync"

	"github.com/panjf2000/gnet/v2/pkg/netpoll"
)

// Options are fixed for an engine's life.
type Options struct {
	Loops    int // number of event loops; 0: GOMAXPROCS
	MaxConns int // worker_connections: cap per loop, clients and backends together; 0: 512, nginx's default
	Workers  int // size of the pool for blocking work, all loops together; 0: 32
	// Log gets what the engine has to say, text ready in nginx's words. conn is Conn.ID, 0 for none. Called on loops and
	// elsewhere, also at the same time. nil: dropped.
	Log func(sev Severity, conn uint64, text string)
}

// Engine is a set of loops and the listeners they share. Its methods are called from any goroutine but the loops' own,
// except Loops, Listeners and Stats, which are free.
type Engine struct {
	opt     Options
	loops   []*Loop // immutable
	fds     fdTable
	workers workers
	running sync.WaitGroup // the loops' goroutines

	mu        sync.Mutex
	listeners []*Listener // guarded by mu
	started   bool        // guarded by mu
	stopped   bool        // guarded by mu
}

// New builds the loops without starting them.
func New(opt Options) (*Engine, error) {
	if opt.Loops <= 0 {
		opt.Loops = runtime.GOMAXPROCS(0)
	}
	if opt.MaxConns <= 0 {
		opt.MaxConns = 512
	}
	if opt.Workers <= 0 {
		opt.Workers = 32
	}
	e := &Engine{opt: opt}
	e.workers.limit = opt.Workers
	e.fds.pages.Store(new([]*fdPage))
	for i := range opt.Loops {
		l, err := e.newLoop(i)
		if err != nil {
			for _, l := range e.loops {
				l.free()
			}
			return nil, err
		}
		e.loops = append(e.loops, l)
	}
	return e, nil
}

func (e *Engine) newLoop(index int) (*Loop, error) {
	l := &Loop{engine: e, index: index}
	var err error
	if l.poller, err = netpoll.OpenPoller(); err != nil {
		return nil, err
	}
	if l.waker, err = newWaker(); err != nil {
		_ = l.poller.Close()
		return nil, err
	}
	if err = l.poller.AddRead(l.attachment(l.waker.fd), true); err != nil {
		l.free()
		return nil, err
	}
	l.wheel.init(monotonic())
	return l, nil
}

// Loops gives the loops, by index. The slice must not be changed.
func (e *Engine) Loops() []*Loop { return e.loops }

// Start starts the loops' goroutines. Once.
func (e *Engine) Start() error {
	e.mu.Lock()
	defer e.mu.Unlock()
	if e.started || e.stopped {
		return errors.New("engine: started before")
	}
	e.started = true
	for _, l := range e.loops {
		e.running.Go(l.run)
	}
	return nil
}

// onLoops runs f for every loop, on it when it runs, and waits. e.mu is held.
func (e *Engine) onLoops(f func(l *Loop)) {
	if !e.started {
		for _, l := range e.loops {
			f(l)
		}
		return
	}
	var all sync.WaitGroup
	for _, l := range e.loops {
		all.Add(1)
		if !l.post(func() { defer all.Done(); f(l) }) {
			all.Done()
		}
	}
	all.Wait()
}

// SetListeners makes specs the set of open listeners: opens what is new, keeps what stays (the same socket with its
// queue; Acceptor and Token are exchanged), closes what is gone after accepting what was queued there. On error nothing
// changes. Errors are worded as nginx's: "bind() to 0.0.0.0:80 failed (98: Address already in use)".
func (e *Engine) SetListeners(specs []ListenSpec) error {
	e.mu.Lock()
	defer e.mu.Unlock()
	if e.stopped {
		return ErrStopped
	}
	var next, opened []*Listener
	kept := make(map[*Listener]bool)
	for i := range specs {
		spec := &specs[i]
		ln := e.listenerFor(spec)
		if ln != nil && spec.Acceptor != nil && !kept[ln] {
			kept[ln] = true
			next = append(next, ln)
			continue
		}
		ln, err := openListener(spec, len(e.loops), e.hasPort(spec))
		if err != nil {
			for _, ln := range opened {
				ln.close()
			}
			return err
		}
		opened = append(opened, ln)
		next = append(next, ln)
	}
	if err := e.attachAll(opened); err != nil {
		return err
	}
	for i, ln := range next {
		if kept[ln] {
			ln.use(&specs[i])
			for _, fd := range ln.fds {
				_ = listenOn(fd, &specs[i], Addr{ap: ln.addr, path: ln.path}) // it listens already: nothing is lost
			}
		}
	}
	for _, ln := range e.listeners {
		if !kept[ln] {
			e.drop(ln)
		}
	}
	e.listeners = next
	return nil
}

// attachAll has every loop accept from new listeners; on failure none does.
func (e *Engine) attachAll(opened []*Listener) error {
	if len(opened) == 0 {
		return nil
	}
	failed := make([]error, len(e.loops))
	e.onLoops(func(l *Loop) {
		for _, ln := range opened {
			if err := l.attach(&acceptSocket{fd: ln.fdOf(l.index), ln: ln}); err != nil {
				failed[l.index] = err
			}
		}
	})
	err := errors.Join(failed...)
	if err != nil {
		for _, ln := range opened {
			e.drop(ln)
		}
	}
	return err
}

// drop ends a listener.
func (e *Engine) drop(ln *Listener) {
	e.onLoops(func(l *Loop) { l.detach(ln) })
	ln.close()
}

func (e *Engine) listenerFor(spec *ListenSpec) *Listener {
	for _, ln := range e.listeners {
		if ln.is(spec) {
			return ln
		}
	}
	return nil
}

// hasPort says whether a listener of ours has the spec's port, on whatever address.
func (e *Engine) hasPort(spec *ListenSpec) bool {
	to, err := listenAddr(spec)
	if err != nil || to.IsUnix() {
		return false
	}
	for _, ln := range e.listeners {
		if ln.addr.Port() == to.ap.Port() && !ln.IsUnix() {
			return true
		}
	}
	return false
}

// Listeners gives the open listeners in the order of the specs.
func (e *Engine) Listeners() []*Listener {
	e.mu.Lock()
	defer e.mu.Unlock()
	return append([]*Listener(nil), e.listeners...)
}

// StopAccepting closes the listeners; what was queued there is accepted first. The loops go on.
func (e *Engine) StopAccepting() {
	e.mu.Lock()
	defer e.mu.Unlock()
	if !e.stopped {
		e.dropAll()
	}
}

func (e *Engine) dropAll() {
	for _, ln := range e.listeners {
		e.drop(ln)
	}
	e.listeners = nil
}

// Stop closes every connection (Closed with ErrStopped), ends the loops and waits for them. Idempotent.
func (e *Engine) Stop() {
	e.mu.Lock()
	defer e.mu.Unlock()
	if e.stopped {
		return
	}
	e.stopped = true
	for _, l := range e.loops {
		if e.started {
			l.Post(l.shutdown)
		} else {
			l.shutdown()
			l.free()
		}
	}
	e.running.Wait()
	for _, ln := range e.listeners {
		ln.close()
	}
	e.listeners = nil
	e.workers.stop()
	for _, l := range e.loops {
		l.pages.closeAll()
	}
}
