package engine

import (
	"math"
	"time"

	"golang.org/x/sys/unix"
)

// Close closes now; queued output is dropped. Closed(c, nil) follows after the current callback.
func (c *Conn) Close() { c.closeFor(nil) }

// Reset closes with RST (reset_timedout_connection); queued output is dropped.
func (c *Conn) Reset() {
	if c.state&(closed|unixSocket) == 0 {
		_ = unix.SetsockoptLinger(int(c.fd), unix.SOL_SOCKET, unix.SO_LINGER, &unix.Linger{Onoff: 1}) // else FIN, also fine
	}
	c.closeFor(nil)
}

// closeFor closes the descriptor at once, so that it can be used again, and puts the handler's last call off until the
// current callback has returned.
func (c *Conn) closeFor(why error) {
	if c.state&closed != 0 {
		return
	}
	l := c.loop
	c.dropOutput()
	c.SetIdle(false)
	c.state = c.state&^(readable|writable|connecting|finishing|lingering) | closed
	c.deadline = 0
	if c.timer.Armed() {
		c.timer.unlink()
	}
	if c.fd >= 0 {
		l.engine.fds.set(int(c.fd), nil)
		sysClose(int(c.fd)) // takes the registration with it
		c.fd = -1
	}
	l.live--
	if c.state&dialled != 0 {
		l.counters.backends.Add(-1)
	} else {
		l.counters.active.Add(-1)
	}
	l.after = append(l.after, afterwork{c: c, why: why})
	if l.accepting.paused {
		l.resumeSoon()
	}
}

const (
	discardSize  = 32 << 10 // bytes per read of dropped input
	discardReads = 16       // reads before other connections have their turn
)

// Finish ends the connection in good order: sends what is queued, then FIN, then reads and drops what the peer still
// sends until it closes, lingerEach passes without input or lingerTotal has passed since FIN (nginx's lingering_timeout
// and lingering_time). Without that, input that nobody read would make the kernel answer with RST, and RST makes the peer
// drop the response that it has not read yet. 0, 0: close as soon as all is sent. While output is pending the handler
// still gets Writable and Timeout (set a send deadline); afterwards only Closed.
func (c *Conn) Finish(lingerTotal, lingerEach time.Duration) {
	if c.state&(closed|finishing) != 0 {
		return
	}
	if c.state&connecting != 0 {
		c.closeFor(nil)
		return
	}
	c.SetIdle(false)
	if err := c.Flush(); err != nil {
		c.closeFor(err)
		return
	}
	c.state |= finishing
	c.stamp = int64(lingerTotal)
	c.lingerMS = uint32(min(lingerEach.Milliseconds(), math.MaxUint32))
	if c.out == nil {
		c.allSent()
	}
}

// finishEvent serves a connection that is finishing.
func (c *Conn) finishEvent() {
	if c.state&lingering != 0 {
		c.discard()
		return
	}
	if c.out == nil || c.state&writable == 0 {
		return // input waits for the lingering to begin
	}
	n, no := c.transmit()
	switch {
	case no != 0:
		c.closeFor(no)
	case c.out == nil:
		c.allSent()
	case n > 0:
		c.handler.Writable(c)
	}
}

// allSent ends the sending part of Finish.
func (c *Conn) allSent() {
	if c.stamp <= 0 || c.lingerMS == 0 || c.state&ended != 0 {
		if c.state&readable != 0 { // known unread input would make closing a reset
			c.readAndDrop()
		}
		c.closeFor(nil)
		return
	}
	if c.state&finSent == 0 {
		c.sendFin()
	}
	c.state |= lingering
	c.stamp += c.loop.Now()
	c.discard()
}

// discard reads and drops input, and sets the time until which to wait for more.
func (c *Conn) discard() {
	err := c.readAndDrop()
	if err != nil && err != ErrAgain {
		c.closeFor(nil)
		return
	}
	if err == nil {
		c.ResumeReading()
	}
	c.SetDeadline(min(c.loop.Now()+int64(c.lingerMS)*int64(time.Millisecond), c.stamp))
}

// readAndDrop empties the socket, up to a bound; nil: there may be more.
func (c *Conn) readAndDrop() error {
	b := c.loop.GetBuf(discardSize)
	var err error
	for i := 0; err == nil && i < discardReads; i++ {
		_, err = c.Read(b.B[:cap(b.B)])
	}
	c.loop.PutBuf(b)
	return err
}
