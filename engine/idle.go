package engine

import (
	"slices"
	"strconv"
)

const (
	reclaimBatch = 32  // idle connections closed at a time, as nginx
	scanKeep     = 256 // longest-idle connections that one scan remembers
)

// idleQueue remembers the longest-idle connections of the last scan, oldest first. Marking a connection idle is a store
// and no list; the scan over all connections happens only under pressure, and one serves scanKeep closings: whoever
// became idle after it is younger than all it found.
type idleQueue struct {
	found []idleConn
}

type idleConn struct {
	c     *Conn
	since int64
}

// SetIdle marks the connection as idle: it may be closed, longest idle first, when descriptors or worker_connections run
// out (Closed with ErrReclaimed). O(1).
func (c *Conn) SetIdle(idle bool) {
	if idle == (c.state&idleMarked != 0) || c.state&(closed|finishing) != 0 {
		return
	}
	if idle {
		c.state |= idleMarked
		c.stamp = c.loop.Now()
		c.loop.idlers++
		if c.loop.accepting.paused {
			c.loop.resumeSoon() // it may give way to one that waits
		}
		return
	}
	c.state &^= idleMarked
	c.loop.idlers--
}

// reclaim closes up to n of the loop's longest-idle connections and gives their number.
func (l *Loop) reclaim(n int) int {
	done := 0
	scanned := false
	for done < n {
		if len(l.idle.found) == 0 {
			if scanned || l.idlers == 0 {
				break
			}
			scanned = true
			l.scanIdle()
			continue
		}
		first := l.idle.found[0]
		l.idle.found = l.idle.found[1:]
		if first.c.state&(idleMarked|closed) == idleMarked && first.c.stamp == first.since {
			first.c.closeFor(ErrReclaimed)
			done++
		}
	}
	l.counters.reclaimed.Add(uint64(done))
	return done
}

// scanIdle finds the scanKeep longest-idle connections of the loop.
func (l *Loop) scanIdle() {
	older := func(a, b idleConn) int {
		switch {
		case a.since < b.since:
			return -1
		case a.since > b.since:
			return 1
		}
		return 0
	}
	found := make([]idleConn, 0, 2*scanKeep)
	limit := never
	l.engine.fds.each(l, func(c *Conn) {
		if c.state&idleMarked == 0 || c.stamp >= limit {
			return
		}
		found = append(found, idleConn{c, c.stamp})
		if len(found) == 2*scanKeep { // the younger half can go, and whoever is younger than the rest
			slices.SortFunc(found, older)
			clear(found[scanKeep:])
			found = found[:scanKeep]
			limit = found[scanKeep-1].since
		}
	})
	slices.SortFunc(found, older)
	l.idle.found = found[:min(len(found), scanKeep)]
}

// makeRoom closes idle connections because worker_connections is reached; false if there is none.
func (l *Loop) makeRoom() bool {
	freed := l.reclaim(reclaimBatch) > 0
	if l.lastCrowd == 0 || l.Now()-l.lastCrowd >= sayAgain {
		l.lastCrowd = l.Now()
		text := strconv.Itoa(l.engine.opt.MaxConns) + " worker_connections are not enough"
		if freed {
			l.log(Warn, 0, text+", reusing connections")
		} else {
			l.log(Alert, 0, text)
		}
	}
	return freed
}
