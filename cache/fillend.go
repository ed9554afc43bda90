package cache

// Finish ends the body and stores the response: Complete and Commit. obj is the
// complete response, nil when its body was not kept whole.
func (f *Fill) Finish(h *HotTable, now int64) (obj *Object, why NoStoreReason) {
	obj = f.Complete()
	return obj, f.Commit(h, now)
}

// Complete ends the body and wakes the followers, but does not store. Commit
// must follow, from any goroutine (a worker for large bodies, as it copies them);
// until then Begin finds this fill. The result is nil when the body was not kept whole.
func (f *Fill) Complete() *Object {
	f.mu.Lock()
	if f.state != FillStreaming {
		defer f.mu.Unlock()
		if f.state == FillComplete && !f.window {
			return f.object
		}
		return nil
	}
	var obj *Object
	if !f.window {
		obj = f.object.withBody(Body{chunks: compact(f.chunks, f.size), size: f.size})
		f.zone.ram.prepare(obj)
		f.object = obj
	}
	f.state = FillComplete
	f.unlockAndWake()
	return obj
}

// CompleteWith ends the fill, before its Head, with a response that is whole
// already: a stored one that a 304 refreshed (Object.Refresh). Commit must follow.
func (f *Fill) CompleteWith(obj *Object, req VaryRequest) *Object {
	f.zone.adopt(obj, f.key, req)
	f.zone.ram.prepare(obj)
	f.mu.Lock()
	if f.state != FillPending {
		defer f.mu.Unlock()
		return nil
	}
	f.object, f.chunks, f.size = obj, obj.Body.chunks, obj.Body.size
	f.length = obj.Body.size
	f.state = FillComplete
	f.unlockAndWake()
	return obj
}

// compact gives a small body one piece of just its size, to be written in one
// go and to waste nothing while it is cached. Readers keep the old chunks.
func compact(chunks [][]byte, size int64) [][]byte {
	const small = 64 << 10
	switch n := len(chunks); {
	case n == 0:
		return nil
	case n == 1 && cap(chunks[0])-len(chunks[0]) <= len(chunks[0])/8:
		return chunks[:1:1]
	case size > small:
		out := append(make([][]byte, 0, n), chunks...)
		if last := out[n-1]; cap(last)-len(last) > len(last)/8 {
			out[n-1] = append(make([]byte, 0, len(last)), last...)
		}
		return out
	}
	one := make([]byte, 0, size)
	for _, c := range chunks {
		one = append(one, c...)
	}
	return [][]byte{one}
}

// Commit stores what Complete ended and lets the fill go. h, which may be nil,
// gets the object too.
func (f *Fill) Commit(h *HotTable, now int64) NoStoreReason {
	f.mu.Lock()
	if f.state != FillComplete || f.committed {
		defer f.mu.Unlock()
		return f.reason
	}
	f.committed = true
	obj, why := f.object, f.reason
	f.mu.Unlock()
	if why == Storable {
		why = f.zone.commit(h, f.key, obj, now)
		f.mu.Lock()
		f.reason = why
		f.mu.Unlock()
	}
	f.zone.unregister(f)
	f.end()
	return why
}

// Abort ends the fill without a whole response; followers get err. A fill that
// has ended is left alone.
func (f *Fill) Abort(err error) {
	f.mu.Lock()
	if f.state.Final() {
		f.mu.Unlock()
		return
	}
	f.mu.Unlock()
	// First out of Begin's sight, so that a follower that goes on its own
	// does not come back to it.
	f.zone.unregister(f)
	f.mu.Lock()
	f.state, f.err = FillFailed, err
	if f.reason == Storable {
		f.reason = NoStoreFailed
	}
	f.unlockAndWake()
	f.end()
}

// Release sends the followers away on their own, before Head: the response with
// this status is not to be shared. When the reason lies in the page, requests for it do
// not wait for each other for a while (RoleAlone).
func (f *Fill) Release(why NoStoreReason, status int, now int64) {
	f.mu.Lock()
	if f.state != FillPending {
		f.mu.Unlock()
		return
	}
	f.mu.Unlock()
	if why.personal(status) {
		f.zone.passes.mark(f.key.Hash, now)
	}
	f.zone.unregister(f)
	f.mu.Lock()
	f.state, f.reason = FillReleased, why
	f.unlockAndWake()
	f.end()
}

// supersede ends a fill whose response turned out to be stored already: those
// who joined meanwhile get it, and nobody asks the backend.
func (f *Fill) supersede(obj *Object) {
	f.zone.unregister(f)
	f.mu.Lock()
	f.object, f.chunks, f.size = obj, obj.Body.chunks, obj.Body.size
	f.length = obj.Body.size
	f.state, f.reason, f.committed = FillComplete, NoStoreSuperseded, true
	f.unlockAndWake()
	f.end()
}

// end takes the fill out of the account. Readers that are not done hold its
// bytes, but they are no longer its own.
func (f *Fill) end() {
	f.mu.Lock()
	held := f.held
	f.held = 0
	f.mu.Unlock()
	f.zone.fills.held.Add(-held)
	f.zone.fills.open.Add(-1)
}
