package cache

// Follow attaches rd, the reader of the leader's own client. w may be nil when
// the leader itself calls rd.Next after each Append. false: the fill takes no
// readers any more.
func (f *Fill) Follow(rd *Reader, w Waiter) bool { return f.join(rd, w) }

// LedBy makes w the leader's Waiter, in place of what Begin or Alone was given: for
// a caller that learns only from Begin that it is to lead. Before Head.
func (f *Fill) LedBy(w Waiter) {
	f.mu.Lock()
	f.leader = w
	f.mu.Unlock()
}

// Length is the body's length in bytes as the head announced it, -1 if it did
// not. To be asked once a Reader has got the head.
func (f *Fill) Length() int64 { return f.length }
