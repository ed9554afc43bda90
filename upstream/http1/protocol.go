// Package http1 speaks HTTP/1.1 (RFC 9112) to backends: connections, the pool of
// idle ones, and the exchange of one request and response over one of them.
//
// Nothing a backend sends is trusted: a response that is not whole by its own
// framing is a failure, one that is followed by more bytes closes the connection.
package http1

import (
	"seawall/engine"
	"seawall/upstream"
)

// Protocol is HTTP/1.1 over plain connections.
type Protocol struct{}

// NewPool implements upstream.Protocol.
func (Protocol) NewPool(l *engine.Loop, lim upstream.PoolLimits) upstream.Pool {
	return &pool{loop: l, lim: lim, byPeer: make([]list, lim.Peers)}
}
