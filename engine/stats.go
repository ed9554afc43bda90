package engine

import "sync/atomic"

// Stats are counters since start and gauges (Active, Backends, Idle), summed over the loops.
type Stats struct {
	Accepted     uint64 // connections accepted by the kernel for us
	Handled      uint64 // of these, those that got a handler
	Refused      uint64 // of these, those closed because MaxConns was reached
	Reclaimed    uint64 // idle connections closed to make room
	Dialed       uint64 // outgoing connections begun
	Panics       uint64 // callbacks that panicked
	AcceptPauses uint64 // times a loop stopped accepting for want of descriptors
	Active       int64  // open client connections
	Backends     int64  // open outgoing connections
	Idle         int64  // open connections marked by SetIdle, either side
}

// counters are one loop's. Written by the loop, read by anybody.
type counters struct {
	accepted, handled, refused, reclaimed, dialed, panics, acceptPauses atomic.Uint64
	active, backends, idle                                              atomic.Int64
}

// Stats reads the counters. From any goroutine.
func (e *Engine) Stats() Stats {
	var s Stats
	for _, l := range e.loops {
		n := &l.counters
		s.Accepted += n.accepted.Load()
		s.Handled += n.handled.Load()
		s.Refused += n.refused.Load()
		s.Reclaimed += n.reclaimed.Load()
		s.Dialed += n.dialed.Load()
		s.Panics += n.panics.Load()
		s.AcceptPauses += n.acceptPauses.Load()
		s.Active += n.active.Load()
		s.Backends += n.backends.Load()
		s.Idle += n.idle.Load()
	}
	return s
}
