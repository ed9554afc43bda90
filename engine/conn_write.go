package engine

import "golang.org/x/sys/unix"

// Flush hands all queued output to the kernel in one write(2) or writev(2); what the kernel does not take follows on
// writable edges, each followed by Handler.Writable. An error means that the peer is gone and the queue was dropped: an
// accepted connection is closed then (Closed follows), one that we dialled stays open for reading what the peer sent
// before (Readable follows), up to the errno that Read gives, and the handler closes it.
func (c *Conn) Flush() error {
	if c.out == nil {
		return c.notWritable()
	}
	if c.state&(writable|connecting|finishing|sendAsked) != writable {
		return nil // an edge will come, or this connection's turn; finishing, the engine does the rest
	}
	if _, no := c.transmit(); no != 0 {
		c.writeBroken()
		if c.state&dialled == 0 {
			c.closeFor(no)
		} else {
			c.ResumeReading()
		}
		return no
	}
	if c.out == nil && c.state&finQueued != 0 {
		c.sendFin()
	}
	return nil
}

// notWritable is Flush's answer when nothing is queued.
func (c *Conn) notWritable() error {
	switch {
	case c.state&(closed|writeFailed) == 0:
		return nil
	case c.state&closed != 0:
		return ErrClosed
	}
	return unix.EPIPE
}

// writeBroken notes that the peer is gone. What it sent before is still there to be read, and its edge may not have been
// served yet; a read also says how it ended.
func (c *Conn) writeBroken() {
	c.dropOutput()
	c.state |= writeFailed
	if c.state&ended == 0 {
		c.state |= readable | hungUp
	}
}

// sendQueued goes on sending after a writable edge.
func (c *Conn) sendQueued() {
	n, no := c.transmit()
	if no != 0 {
		c.writeBroken()
		// A backend may have answered before it closed: let the answer be read. Whoever does not read now will find out
		// when going on.
		if c.state&(dialled|readable) == dialled|readable {
			c.handler.Readable(c)
			if c.state&readable != 0 {
				return
			}
		}
		c.closeFor(no)
		return
	}
	if c.out == nil && c.state&finQueued != 0 {
		c.sendFin()
	}
	if n > 0 {
		c.handler.Writable(c)
	}
}

// CloseWrite flushes and sends FIN after what is queued; reading goes on.
func (c *Conn) CloseWrite() {
	if c.state&(closed|finSent|finQueued|finishing) != 0 {
		return
	}
	if c.Flush() != nil {
		return
	}
	c.state |= finQueued
	if c.out == nil && c.state&connecting == 0 {
		c.sendFin()
	}
}

func (c *Conn) sendFin() {
	c.state = c.state&^finQueued | finSent
	_ = unix.Shutdown(int(c.fd), unix.SHUT_WR) // ENOTCONN when the peer reset, which reading will tell
}
