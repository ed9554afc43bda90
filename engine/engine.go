package engine

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
// except Loops and Stats, which are free.
type Engine struct{}

// Stats are counters since start (Accepted, Handled, Refused, Panics, AcceptPauses, Reclaimed, Dialed) and gauges
// (Active, Idle), summed over the loops.
type Stats struct {
	Accepted     uint64 // connections accepted by the kernel for us
	Handled      uint64 // of these, those that got a handler
	Refused      uint64 // of these, those closed because MaxConns was reached
	Reclaimed    uint64 // idle connections closed to make room
	Dialed       uint64 // outgoing connections begun
	Panics       uint64 // callbacks that panicked
	AcceptPauses uint64 // times a loop stopped accepting for want of descriptors
	Active       int64  // open client connections
	Idle         int64  // open connections marked by SetIdle, either side
	Backends     int64  // open outgoing connections
}

// New builds the loops without starting them.
func New(opt Options) (*Engine, error) { panic("engine: being built") }

// Loops gives the loops, by index. The slice must not be changed.
func (e *Engine) Loops() []*Loop { panic("engine: being built") }

// Start starts the loops' goroutines. Once.
func (e *Engine) Start() error { panic("engine: being built") }

// SetListeners makes specs the set of open listeners: opens what is new, keeps what stays (the same socket with its
// queue; Acceptor and Token are exchanged), closes what is gone after accepting what was queued there. On error nothing
// changes. Errors are worded as nginx's: "bind() to 0.0.0.0:80 failed (98: Address already in use)".
func (e *Engine) SetListeners(specs []ListenSpec) error { panic("engine: being built") }

// Listeners gives the open listeners in the order of the specs.
func (e *Engine) Listeners() []*Listener { panic("engine: being built") }

// StopAccepting closes the listeners; what was queued there is accepted first. The loops go on.
func (e *Engine) StopAccepting() { panic("engine: being built") }

// Stop closes every connection (Closed with ErrStopped), ends the loops and waits for them. Idempotent.
func (e *Engine) Stop() { panic("engine: being built") }

// Stats reads the counters.
func (e *Engine) Stats() Stats { panic("engine: being built") }
