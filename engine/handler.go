package engine

// Handler gets the events of one connection, all on its loop. Set by Conn.SetHandler; a handler may serve many
// connections.
type Handler interface {
	// Readable: input may be there, or the peer has closed; Read tells. Called once per edge: whoever does not read to
	// ErrAgain continues on its own account (Conn.ResumeReading).
	Readable(c *Conn)
	// Writable: queued output made progress; Conn.Pending tells what is left.
	Writable(c *Conn)
	// Timeout: the deadline passed, and is cleared. The handler decides: close, or set another one.
	Timeout(c *Conn)
	// Closed is the last call, exactly once, never from inside another callback of this loop. why is nil after Close,
	// Reset and an orderly Finish of our own, else the reason: an errno, ErrReclaimed, ErrStopped, ErrPanic.
	Closed(c *Conn, why error)
}

// DialHandler is a Handler for Loop.Dial. A dial that fails ends with Closed(c, errno) without Connected.
type DialHandler interface {
	Handler
	// Connected: the connection stands; reading and writing may begin (writes before it are queued).
	Connected(c *Conn)
}

// Acceptor gets new connections of a listener, on the loop that accepted them. It must call c.SetHandler; without it the
// connection is closed.
type Acceptor interface {
	Accepted(c *Conn, ln *Listener)
}

// Expirer is told when a Timer is due, on the loop. The timer is not armed any more and may be set again.
type Expirer interface {
	Expired(t *Timer)
}
