package engine

import "sync"

// mailbox carries work to a loop from other goroutines, and from the loop to its own next round.
type mailbox struct {
	mu     sync.Mutex
	tasks  []func() // guarded by mu
	spare  []func() // the loop's: the emptied slice of the last round
	timers bool     // guarded by mu: the wheel is due
	kicked bool     // guarded by mu: the poller has been woken and has not come yet
	closed bool     // guarded by mu
}

// Post runs fn on the loop, in the order of posting, in the loop's next round. From any goroutine, also the loop's own.
// After Stop it does nothing.
func (l *Loop) Post(fn func()) { l.post(fn) }

// post says whether fn will run, unless the loop stops first.
func (l *Loop) post(fn func()) bool {
	m := &l.mail
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.closed {
		return false
	}
	m.tasks = append(m.tasks, fn)
	l.kick()
	return true
}

// kick wakes the poller once per round; with mail.mu held, so that the descriptor cannot be closed (and be somebody
// else's) meanwhile.
func (l *Loop) kick() {
	if !l.mail.kicked {
		l.mail.kicked = true
		l.waker.wake()
	}
}

// ring tells the loop that the wheel is due; called by the runtime's timer.
func (l *Loop) ring() {
	m := &l.mail
	m.mu.Lock()
	if !m.closed {
		m.timers = true
		l.kick()
	}
	m.mu.Unlock()
}

// chores does what was posted, what is due on the wheel and who asked for this round. Work posted meanwhile waits for
// the next round, after other events.
func (l *Loop) chores() {
	l.waker.woken()
	m := &l.mail
	m.mu.Lock()
	tasks, due := m.tasks, m.timers
	m.tasks, m.spare, m.timers, m.kicked = m.spare[:0], nil, false, false
	m.mu.Unlock()
	if due {
		l.expireTimers()
	}
	for i, fn := range tasks {
		tasks[i] = nil
		l.now = 0
		l.runOne(afterwork{fn: fn})
		if len(l.after) != 0 {
			l.runAfter()
		}
	}
	if cap(tasks) <= 1024 {
		m.spare = tasks[:0]
	}
	if len(l.resumed) != 0 {
		l.resume()
	}
}

// nextRound has a connection served in the loop's next round though no edge will announce it: readAsked or sendAsked.
func (l *Loop) nextRound(c *Conn, what connState) {
	listed := c.state&(readAsked|sendAsked) != 0
	c.state |= what
	if listed {
		return
	}
	l.resumed = append(l.resumed, c)
	if len(l.resumed) == 1 {
		l.mail.mu.Lock()
		l.kick()
		l.mail.mu.Unlock()
	}
}

// resume serves those who asked for this round.
func (l *Loop) resume() {
	conns := l.resumed
	l.resumed = l.resuming[:0]
	for i, c := range conns {
		conns[i] = nil
		var ready readiness
		if c.state&(readAsked|readable) == readAsked|readable {
			ready = canRead
		}
		if c.state&(sendAsked|writable) == sendAsked|writable {
			ready |= canWrite
		}
		c.state &^= readAsked | sendAsked
		if ready != 0 && c.state&closed == 0 {
			l.now = 0
			l.serve(c, ready)
			if len(l.after) != 0 {
				l.runAfter()
			}
		}
	}
	l.resuming = conns[:0]
}

// close ends the mailbox; what is in it is dropped.
func (m *mailbox) close() {
	m.mu.Lock()
	m.closed, m.tasks, m.spare = true, nil, nil
	m.mu.Unlock()
}
