package engine

import (
	"net/netip"
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

// KeepAliveSystem leaves the system's setting.
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
type Listener struct{}

// Token is the Token of the spec most recently given for this listener.
func (ln *Listener) Token() any { panic("engine: being built") }

// Addr is the bound address, with the real port if 0 was asked for. Zero for unix sockets.
func (ln *Listener) Addr() netip.AddrPort { panic("engine: being built") }

// Path is the unix socket's path, or "".
func (ln *Listener) Path() string { panic("engine: being built") }

// IsUnix says whether this is a unix socket.
func (ln *Listener) IsUnix() bool { panic("engine: being built") }

// String is the address in nginx's notation: "0.0.0.0:80", "unix:/path".
func (ln *Listener) String() string { panic("engine: being built") }
