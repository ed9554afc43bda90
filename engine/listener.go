package engine

import (
	"net/netip"
	"sync/atomic"
	"time"
)

// KeepAlive is TCP keep-alive (so_keepalive of nginx's listen).
type KeepAlive struct {
	Mode     KeepAliveMode
	Idle     time.Duration // 0: the system's
	Interval time.Duration // 0: the system's
	Count    int           // 0: the system's
}

// KeepAliveMode says whether to touch SO_KEEPALIVE.
type KeepAliveMode uint8

// Modes; the zero value leaves the system's setting.
const (
	KeepAliveSystem KeepAliveMode = iota
	KeepAliveOn
	KeepAliveOff
)

// ListenSpec describes a listening socket. Two specs with the same Network and Addr are the same listener.
type ListenSpec struct {
	Network     string // "tcp", "tcp4", "tcp6" or "unix"
	Addr        string // "0.0.0.0:80", "[::]:80"; a path for unix
	Backlog     int    // 0: 511, nginx's default
	ReusePort   bool   // share the address with other processes too (each loop has its own socket in any case)
	IPv6Only    bool   // for [..] addresses
	DeferAccept bool   // accept when data has come (Linux)
	RcvBuf      int    // bytes; 0: the system's
	SndBuf      int    // bytes; 0: the system's
	FastOpen    int    // queue length; 0: off
	KeepAlive   KeepAlive
	Acceptor    Acceptor
	Token       any // the consumer's, Listener.Token
}

// Listener is one listening address, on all loops. Free for all goroutines.
type Listener struct {
	network, text string         // as in the spec: its identity
	addr          netip.AddrPort // bound; zero for unix
	path          string         // unix
	fds           []int          // one per loop, or one for all
	current       atomic.Pointer[listenerUse]
}

// listenerUse is what a reload exchanges while the socket stays.
type listenerUse struct {
	acceptor Acceptor
	token    any
}

// Token is the Token of the spec most recently given for this listener.
func (ln *Listener) Token() any { return ln.current.Load().token }

// Addr is the bound address, with the real port if 0 was asked for. Zero for unix sockets.
func (ln *Listener) Addr() netip.AddrPort { return ln.addr }

// Path is the unix socket's path, or "".
func (ln *Listener) Path() string { return ln.path }

// IsUnix says whether this is a unix socket.
func (ln *Listener) IsUnix() bool { return ln.path != "" }

// String is the address in nginx's notation: "0.0.0.0:80", "unix:/path".
func (ln *Listener) String() string {
	if ln.path != "" {
		return "unix:" + ln.path
	}
	return ln.addr.String()
}

// fdOf gives the loop's socket.
func (ln *Listener) fdOf(loop int) int { return ln.fds[loop%len(ln.fds)] }

func (ln *Listener) is(spec *ListenSpec) bool {
	return ln.network == spec.Network && ln.text == spec.Addr
}
