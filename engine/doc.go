// Package engine is the event loop that everything else runs on: loops, connections, output queues, timers, listeners
// and outgoing connections over epoll and kqueue. It knows no HTTP.
//
// # Ownership
//
// A connection belongs to one loop for its whole life, and so do its handler, its buffers and its timers. Every method of
// Conn and every method of Loop that does not say otherwise is called on that loop's goroutine only, that is from inside
// one of the callbacks (Handler, Acceptor, Expirer, a function given to Post, Defer or Offload's done). Nothing inside a
// loop is locked. From elsewhere, use Loop.Post.
//
// # Phases of a connection's life
//
//	dialled:   Dial -> connecting -> Connected -> open
//	accepted:  Acceptor.Accepted -> open
//	open:      Read, Write*, Flush, SetDeadline, SetIdle, CloseWrite
//	finishing: Finish was called; what is queued is sent, then the peer's rest is read and dropped
//	closed:    Close, Reset, an error, the end of Finish; Handler.Closed is the last callback, exactly once
//
// # Edge triggering
//
// A descriptor is registered once, for reading and writing, edge-triggered. The engine remembers for each connection
// whether input may be there and whether the kernel may take output; reading is paused by not reading, and nothing is
// asked of the kernel that is known already (a read that returned less than it asked for is not repeated to see EAGAIN).
// An event is a hint only: whatever it claims is confirmed by a system call before anybody acts on it, because an event
// fetched before its descriptor was closed may be delivered to the connection that got the same descriptor number.
package engine
