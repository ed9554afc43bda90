package upstream

import (
	"net/netip"
	"time"
)

// NextUpstream is the set of conditions of proxy_next_upstream
// (https://nginx.org/en/docs/http/ngx_http_proxy_module.html#proxy_next_upstream).
type NextUpstream uint16

// The conditions, by the names of the directive's parameters. NextOff alone, or
// the zero value, passes nothing on.
const (
	NextError NextUpstream = 1 << iota
	NextTimeout
	NextInvalidHeader
	NextHTTP500
	NextHTTP502
	NextHTTP503
	NextHTTP504
	NextHTTP403
	NextHTTP404
	NextHTTP429
	NextNonIdempotent
	NextOff
)

// NextDefault is nginx's default, "error timeout".
const NextDefault = NextError | NextTimeout

// Policy is what a location's proxy_* settings say about the exchange. Immutable
// once in use; it must outlive every Call started with it.
type Policy struct {
	// Protocol is how the peers are spoken to, http1.Protocol{} for
	// proxy_pass http://. It must be set, and comparable: idle connections are
	// kept per protocol value.
	Protocol Protocol

	ConnectTimeout time.Duration // until the connection stands; 0: none
	SendTimeout    time.Duration // between two writes of the request; 0: none
	ReadTimeout    time.Duration // for the response head, then between two reads of the body; 0: none

	Next        NextUpstream
	NextTries   int           // attempts in all, the first included; 0: as many as there are peers
	NextTimeout time.Duration // no further attempt this long after the first began; 0: no limit

	BufferSize int // proxy_buffer_size: the largest response head, bytes; 0: 4096

	Bind            netip.AddrPort // proxy_bind: local address to connect from, its port may be 0; zero: the kernel's choice
	SocketKeepalive bool           // proxy_socket_keepalive: SO_KEEPALIVE on new connections
}

// HeadLimit is the largest response head, bytes.
func (p *Policy) HeadLimit() int {
	if p.BufferSize > 0 {
		return p.BufferSize
	}
	return 4096
}
