package engine

import "net/netip"

// Loop is one event loop: a goroutine, a poller and everything that belongs to it.
type Loop struct{}

// Index is the loop's place in Engine.Loops.
func (l *Loop) Index() int { panic("engine: being built") }

// Now is the monotonic time in nanoseconds since process start (one epoch for all loops), read at most once per event.
func (l *Loop) Now() int64 { panic("engine: being built") }

// Wall is the time of day belonging to Now, in Unix milliseconds.
func (l *Loop) Wall() int64 { panic("engine: being built") }

// Post runs fn on the loop, in the order of posting. From any goroutine, also the loop's own. After Stop it does nothing.
func (l *Loop) Post(fn func()) { panic("engine: being built") }

// Defer runs fn after the current event's callback returned, before the next event. Loop only; no system call.
func (l *Loop) Defer(fn func()) { panic("engine: being built") }

// Offload runs work on the engine's pool for blocking work, then done (may be nil) on the loop. From any goroutine.
// A panic in work is logged and counted; done is called all the same.
func (l *Loop) Offload(work func(), done func()) { panic("engine: being built") }

// Data gives what SetData stored: the consumer's state for this loop.
func (l *Loop) Data() any { panic("engine: being built") }

// SetData stores the consumer's state. On the loop, or before Start.
func (l *Loop) SetData(v any) { panic("engine: being built") }

// Engine is the engine the loop belongs to.
func (l *Loop) Engine() *Engine { panic("engine: being built") }

// SetTimer arms t for the loop time at (ns, as Now); h is told, at most about 10 ms late and never early. Setting an
// armed timer moves it. No allocation.
func (l *Loop) SetTimer(t *Timer, at int64, h Expirer) { panic("engine: being built") }

// StopTimer disarms t; h is not called any more. A timer that is not armed is left alone.
func (l *Loop) StopTimer(t *Timer) { panic("engine: being built") }

// Dial begins a connection to the given address. from: the local address, zero for the system's choice. h gets Connected,
// or Closed with the errno (also when connect(2) fails at once; never before Dial has returned). The error returned is for
// what prevents trying: no descriptor, ErrTooManyConns, a local address that cannot be bound. A timeout is SetDeadline's.
func (l *Loop) Dial(to Addr, from netip.Addr, h DialHandler) (*Conn, error) {
	panic("engine: being built")
}
