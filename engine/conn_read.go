package engine

import (
	"io"

	"golang.org/x/sys/unix"
)

// Read does one read(2) into p. ErrAgain when there is nothing now (without asking the kernel when that is known);
// io.EOF when the peer has finished sending; else the errno. Never n > 0 with an error.
func (c *Conn) Read(p []byte) (int, error) {
	if c.state&readable == 0 {
		return 0, c.notReadable()
	}
	for {
		n, no := sysRead(int(c.fd), p)
		if no == 0 && n > 0 {
			// A short read emptied the socket, and what comes later is a new edge (epoll(7)); unless the peer is gone:
			// then its FIN or error, whose edge came already, is still to be read.
			if n < len(p) && c.state&hungUp == 0 && n < ioLimit {
				c.state &^= readable
			}
			c.bytesRead += int64(n)
			return n, nil
		}
		if no != unix.EINTR {
			return 0, c.readEnd(len(p), no)
		}
	}
}

// readEnd is Read's rest for what is not data.
func (c *Conn) readEnd(asked int, no unix.Errno) error {
	switch {
	case no == unix.EAGAIN:
		c.state &^= readable | hungUp // a stale event said otherwise
		return ErrAgain
	case no != 0:
		c.state = c.state&^readable | ended | writeFailed
		return no
	case asked == 0:
		return nil
	}
	c.state = c.state&^readable | ended
	if c.state&writeFailed != 0 {
		return unix.ECONNRESET // the failed write took the error that belongs here
	}
	return io.EOF
}

func (c *Conn) notReadable() error {
	switch {
	case c.state&closed != 0:
		return ErrClosed
	case c.state&ended == 0:
		return ErrAgain
	case c.state&writeFailed != 0:
		return unix.ECONNRESET
	}
	return io.EOF
}

// ReadableNow says whether a Read may give something new: data, EOF or an error. False after EOF or an error was given.
func (c *Conn) ReadableNow() bool { return c.state&(readable|closed|connecting) == readable }

// ResumeReading calls Handler.Readable in the loop's next round if input may be there then: to go on after a pause, or
// after yielding to other connections.
func (c *Conn) ResumeReading() {
	if c.state&(readable|closed) == readable { // else the next edge will tell
		c.loop.nextRound(c, readAsked)
	}
}

// PeerClosed says whether the peer has finished sending or reset the connection, though unread input may still be there.
// Costs a system call only when an event said so.
func (c *Conn) PeerClosed() bool {
	if c.state&(ended|closed) != 0 {
		return true
	}
	if c.state&hungUp == 0 {
		return false
	}
	if pollPeerGone(int(c.fd)) {
		return true
	}
	c.state &^= hungUp // the event was another connection's
	return false
}
