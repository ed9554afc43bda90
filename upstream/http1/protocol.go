// Package http1 speaks HTTP/1.1 (RFC 9112) to backends: connections, the pool of
// idle ones, and the exchange of one request and response over one of them.
package http1

import (
	"seawall/engine"
	"seawall/upstream"
)

// Protocol is HTTP/1.1 over plain connections.
type Protocol struct{}

// NewPool implements upstream.Protocol.
func (Protocol) NewPool(l *engine.Loop, lim upstream.PoolLimits) upstream.Pool { panic("skeleton") }
