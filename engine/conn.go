package engine

import (
	"net/netip"
	"time"
)

// Conn is a connection, accepted or dialled. It is never recycled: a stored pointer stays valid, and IsClosed tells
// whether the connection still lives.
type Conn struct{}

// Loop is the loop that owns the connection.
func (c *Conn) Loop() *Loop { panic("engine: being built") }

// ID is a process-wide serial number, nginx's *17 in the error log and $connection.
func (c *Conn) ID() uint64 { panic("engine: being built") }

// SetHandler exchanges the handler.
func (c *Conn) SetHandler(h Handler) { panic("engine: being built") }

// Handler gives the handler.
func (c *Conn) Handler() Handler { panic("engine: being built") }

// Listener is the listener that accepted the connection; nil for one we dialled.
func (c *Conn) Listener() *Listener { panic("engine: being built") }

// RemoteAddr is the peer's address; zero for unix sockets.
func (c *Conn) RemoteAddr() netip.AddrPort { panic("engine: being built") }

// LocalAddr is our side's address; zero for unix sockets. One system call unless the listener is bound to one address.
func (c *Conn) LocalAddr() netip.AddrPort { panic("engine: being built") }

// IsUnix says whether this is a unix socket.
func (c *Conn) IsUnix() bool { panic("engine: being built") }

// IsClosed says whether the connection is closed (Handler.Closed was called or is about to be).
func (c *Conn) IsClosed() bool { panic("engine: being built") }

// SetKeepAlive turns SO_KEEPALIVE on or off (proxy_socket_keepalive).
func (c *Conn) SetKeepAlive(on bool) { panic("engine: being built") }

// Read does one read(2) into p. ErrAgain when there is nothing now (without asking the kernel when that is known);
// io.EOF when the peer has finished sending; else the errno. Never n > 0 with an error.
func (c *Conn) Read(p []byte) (int, error) { panic("engine: being built") }

// ReadableNow says whether a Read may give something: data, EOF or an error.
func (c *Conn) ReadableNow() bool { panic("engine: being built") }

// ResumeReading calls Handler.Readable in the loop's next round if input may be there then: to go on after a pause, or
// after yielding to other connections.
func (c *Conn) ResumeReading() { panic("engine: being built") }

// PeerClosed says whether the peer has finished sending or reset the connection, though unread input may still be there.
// Costs a system call only when an event said so.
func (c *Conn) PeerClosed() bool { panic("engine: being built") }

// Reserve gives the tail of the output buffer: length 0, capacity at least n. Append to it and Commit the result before
// any other call on this connection.
func (c *Conn) Reserve(n int) []byte { panic("engine: being built") }

// Commit queues what was appended to the slice from Reserve.
func (c *Conn) Commit(b []byte) { panic("engine: being built") }

// Write copies p into the output queue. Nothing is sent before Flush.
func (c *Conn) Write(p []byte) { panic("engine: being built") }

// WriteShared queues p without copying: nobody may change its bytes from now on.
func (c *Conn) WriteShared(p []byte) { panic("engine: being built") }

// WriteBuf queues b.B and takes ownership of b, which goes back to the pool when sent.
func (c *Conn) WriteBuf(b *Buf) { panic("engine: being built") }

// Flush hands all queued output to the kernel in one write(2) or writev(2); what the kernel does not take follows on
// writable edges, each followed by Handler.Writable. An error means that the peer is gone and the queue was dropped: an
// accepted connection is closed then (Closed follows), one that we dialled stays open for reading what the peer sent
// before, and the handler closes it.
func (c *Conn) Flush() error { panic("engine: being built") }

// Pending is the number of bytes queued that the kernel has not taken.
func (c *Conn) Pending() int { panic("engine: being built") }

// BytesRead is the number of bytes read since the connection began.
func (c *Conn) BytesRead() int64 { panic("engine: being built") }

// BytesSent is the number of bytes that the kernel took since the connection began.
func (c *Conn) BytesSent() int64 { panic("engine: being built") }

// SetDeadline sets the connection's one deadline (loop ns as Loop.Now; 0: none). Moving it later is a store.
func (c *Conn) SetDeadline(at int64) { panic("engine: being built") }

// SetIdle marks the connection as idle: it may be closed, longest idle first, when descriptors or worker_connections run
// out (Closed with ErrReclaimed). O(1).
func (c *Conn) SetIdle(idle bool) { panic("engine: being built") }

// CloseWrite flushes and sends FIN after what is queued; reading goes on.
func (c *Conn) CloseWrite() { panic("engine: being built") }

// Close closes now; queued output is dropped. Closed(c, nil) follows after the current callback.
func (c *Conn) Close() { panic("engine: being built") }

// Finish ends the connection in good order: sends what is queued, then FIN, then reads and drops what the peer still
// sends until it closes, lingerEach passes without input or lingerTotal has passed since FIN (nginx's lingering_timeout
// and lingering_time). 0, 0: close as soon as all is sent. While output is pending the handler still gets Writable and
// Timeout (set a send deadline); afterwards only Closed.
func (c *Conn) Finish(lingerTotal, lingerEach time.Duration) { panic("engine: being built") }

// Reset closes with RST (reset_timedout_connection); queued output is dropped.
func (c *Conn) Reset() { panic("engine: being built") }
