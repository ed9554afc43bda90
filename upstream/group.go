package upstream

import (
	"sync/atomic"
	"time"

	"seawall/engine"
)

// PeerConfig is one `server` of an upstream block, one address each.
// (https://nginx.org/en/docs/http/ngx_http_upstream_module.html#server)
type PeerConfig struct {
	Name        string // as nginx prints it in $upstream_addr
	Addr        engine.Addr
	Weight      int // 0 counts as 1
	MaxFails    int // 0: never taken out
	FailTimeout time.Duration
	MaxConns    int // 0: no limit
	Backup      bool
	Down        bool
}

// GroupConfig is an upstream block, or what proxy_pass to an address implies.
type GroupConfig struct {
	Name              string
	Peers             []PeerConfig
	Keepalive         int // idle connections per loop; 0: connections are not kept
	KeepaliveRequests int
	KeepaliveTimeout  time.Duration
	KeepaliveTime     time.Duration
	QueueSize         int           // requests that may wait, on all loops, for a peer at max_conns; 0: none
	QueueTimeout      time.Duration // 0: no limit
}

// Group is a set of peers in use. Immutable but for what says otherwise.
type Group struct {
	cfg      GroupConfig
	peers    []*Peer
	attempts int // peers that are not down: what nginx allows a request by default
	locals   []*local
	waiting  atomic.Int32 // calls in all queues
	turn     atomic.Uint32
}

// Peer is one server of a group.
type Peer struct {
	cfg    PeerConfig
	index  int
	health *health
}
