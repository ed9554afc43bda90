package engine

// CloseIdle closes the loop's connections that are marked idle (SetIdle):
// the first step of a graceful end. On the loop.
func (l *Loop) CloseIdle() {
	l.engine.fds.each(l, func(c *Conn) {
		if c.state&(idleMarked|closed) == idleMarked {
			c.closeFor(nil)
		}
	})
}
