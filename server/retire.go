package server

import "time"

// retirePoll is how often a replaced configuration is looked at for requests
// that still hold on to it.
const retirePoll = 100 * time.Millisecond

// retire gives up what only the replaced configuration used: its idle backend
// connections at once, its log files when its last request is over. With
// s.mu held.
func (s *Server) retire(old, now *site) {
	old.resolved.retire()
	for _, loop := range s.loops {
		l := loop.l
		l.Post(func() {
			for name, g := range old.groups {
				if next := now.groups[name]; next != nil {
					next.TakeOver(l, g)
				} else {
					g.CloseIdle(l)
				}
			}
		})
	}
	go s.releaseLogs(old)
}

// releaseLogs waits until no loop has a request of old, then closes the log
// files that the present configuration does not use.
func (s *Server) releaseLogs(old *site) {
	tick := time.NewTicker(retirePoll)
	defer tick.Stop()
	for s.inUse(old) {
		select {
		case <-tick.C:
		case <-s.ended:
			return
		}
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	now := s.current.Load()
	for _, log := range old.errorLogs {
		log.Close()
	}
	for path, sink := range s.sinks {
		if _, used := now.sinks[sink]; used {
			continue
		}
		delete(s.sinks, path)
		sink.closed.Store(true)
		for _, loop := range s.loops {
			s.onLoop(loop, func() { loop.releaseAppender(sink) })
		}
		sink.file.Release()
	}
}

// discard closes the log files that a configuration which could not be built
// has opened. With s.mu held.
func (s *Server) discard(st *site) {
	for _, log := range st.errorLogs {
		log.Close()
	}
	now := s.current.Load()
	for path, sink := range s.sinks {
		if now != nil {
			if _, used := now.sinks[sink]; used {
				continue
			}
		}
		if _, ours := st.sinks[sink]; ours {
			delete(s.sinks, path)
			sink.file.Release()
		}
	}
}

// inUse tells whether a loop still has a request that began with st.
func (s *Server) inUse(st *site) bool {
	for i, loop := range s.loops {
		used := false
		s.onLoop(loop, func() { used = st.active[i] > 0 })
		if used {
			return true
		}
	}
	return false
}

// onLoop runs fn on a loop and waits for it; on the spot once the loops have ended.
func (s *Server) onLoop(loop *loopState, fn func()) {
	ran := make(chan struct{})
	loop.l.Post(func() {
		fn()
		close(ran)
	})
	select {
	case <-ran:
	case <-s.ended:
		fn()
	}
}
