package http1

import (
	"errors"

	"golang.org/x/sys/unix"

	"seawall/engine"
	"seawall/upstream"
)

// pool keeps the idle connections of one group on one loop. Each is in two
// lists, most recently used first: that of its peer, from which it is taken, and
// that of all, whose last one makes room when the pool is full (as nginx).
type pool struct {
	loop   *engine.Loop
	lim    upstream.PoolLimits
	all    list
	byPeer []list // by Peer.Index
	idle   int
	large  bool // the last response that tells was one to be moved: the next head is read without much of the body
	closed bool // connections that come back are not kept
}

// list is the head of a doubly linked list of idle connections.
type list struct{ first, last *conn }

// links are a connection's place in the two lists.
type links struct {
	newer, older         *conn
	peerNewer, peerOlder *conn
}

// Kept implements upstream.Pool. A connection made from another local address
// than the policy's is passed over.
func (pl *pool) Kept(peer *upstream.Peer, p *upstream.Policy) upstream.Exchange {
	for x := pl.byPeer[peer.Index()].first; x != nil; {
		older := x.links.peerOlder
		switch {
		case x.ec.IsClosed(), x.ec.ReadableNow(): // the event that says so is on its way
			pl.drop(x)
		case x.bind == p.Bind:
			pl.remove(x)
			x.ec.SetIdle(false)
			return x
		}
		x = older
	}
	return nil
}

// Dial implements upstream.Pool.
func (pl *pool) Dial(peer *upstream.Peer, p *upstream.Policy) (upstream.Exchange, *upstream.Error) {
	x := &conn{pool: pl, peer: peer, bind: p.Bind, born: pl.loop.Now(), out: sendConnecting}
	ec, err := pl.loop.Dial(peer.Addr(), p.Bind, x)
	if err != nil {
		return nil, dialError(err)
	}
	x.ec = ec
	if p.SocketKeepalive {
		ec.SetKeepAlive(true)
	}
	return x, nil
}

// dialError words what kept a connection from being tried as nginx does.
func dialError(err error) *upstream.Error {
	var errno unix.Errno
	switch {
	case errors.Is(err, engine.ErrTooManyConns):
		return upstream.Local("worker_connections are not enough", err)
	case errors.As(err, &errno) && (errno == unix.EADDRNOTAVAIL || errno == unix.EADDRINUSE):
		return upstream.Local("bind() failed ("+engine.ErrnoText(err)+")", err)
	case errors.As(err, &errno):
		return upstream.Local("socket() failed ("+engine.ErrnoText(err)+")", err)
	}
	return upstream.Local(err.Error(), err)
}

// keep puts x, whose exchange has ended well, among the idle ones.
func (pl *pool) keep(x *conn) {
	if pl.idle >= pl.lim.Idle {
		pl.drop(pl.all.last)
	}
	pl.insert(x)
	if pl.lim.Timeout > 0 {
		x.ec.SetDeadline(pl.loop.Now() + int64(pl.lim.Timeout))
	} else {
		x.ec.SetDeadline(0)
	}
	x.ec.SetIdle(true)
}

func (pl *pool) insert(x *conn) {
	pl.idle++
	x.kept = true
	x.links.older = pl.all.first
	if pl.all.first != nil {
		pl.all.first.links.newer = x
	} else {
		pl.all.last = x
	}
	pl.all.first = x
	mates := &pl.byPeer[x.peer.Index()]
	x.links.peerOlder = mates.first
	if mates.first != nil {
		mates.first.links.peerNewer = x
	} else {
		mates.last = x
	}
	mates.first = x
}

func (pl *pool) remove(x *conn) {
	at, mates := &x.links, &pl.byPeer[x.peer.Index()]
	if at.newer != nil {
		at.newer.links.older = at.older
	} else {
		pl.all.first = at.older
	}
	if at.older != nil {
		at.older.links.newer = at.newer
	} else {
		pl.all.last = at.newer
	}
	if at.peerNewer != nil {
		at.peerNewer.links.peerOlder = at.peerOlder
	} else {
		mates.first = at.peerOlder
	}
	if at.peerOlder != nil {
		at.peerOlder.links.peerNewer = at.peerNewer
	} else {
		mates.last = at.peerNewer
	}
	*at = links{}
	x.kept = false
	pl.idle--
}

// drop closes an idle connection.
func (pl *pool) drop(x *conn) {
	pl.remove(x)
	x.ec.Close()
}

// CloseIdle implements upstream.Pool.
func (pl *pool) CloseIdle() {
	pl.closed = true
	for pl.all.last != nil {
		pl.drop(pl.all.last)
	}
}

// TakeOver implements upstream.Pool. The oldest come first, so that the order
// stays.
func (pl *pool) TakeOver(from upstream.Pool, peerOf func(*upstream.Peer) *upstream.Peer) {
	old, ok := from.(*pool)
	if !ok {
		return
	}
	for old.all.last != nil {
		x := old.all.last
		peer := peerOf(x.peer)
		if peer == nil || pl.lim.Idle == 0 {
			old.drop(x)
			continue
		}
		old.remove(x)
		x.pool, x.peer = pl, peer
		pl.keep(x)
	}
	old.closed = true
}
