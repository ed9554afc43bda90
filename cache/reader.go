package cache

// Reader is a request's place in a Fill that another request leads. It is
// embedded in the request; the zero value is ready for Begin, and again after
// Leave. Its methods are called on the request's own loop. No wake-up is lost:
// whether there are bytes and whether to wait for them is decided under the
// fill's lock.
type Reader struct {
	fill *Fill // owner: the loop

	// Guarded by fill.mu while attached.
	waiter                 Waiter
	nextReader, prevReader *Reader
	pos                    int64 // bytes read
	chunk, offset          int   // where pos is
	armed                  bool  // to be told of progress
}

// join attaches rd; false when the fill takes no followers any more. With the
// registry shard's lock held, or with f known to the caller alone.
func (f *Fill) join(rd *Reader, w Waiter) bool {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.window || f.state == FillReleased || f.state == FillFailed {
		return false
	}
	*rd = Reader{fill: f, waiter: w, nextReader: f.readers}
	if f.readers != nil {
		f.readers.prevReader = rd
	}
	f.readers = rd
	f.count++
	return true
}

// mayServe reports whether the fill's response may be the one that a request
// asks for: by its head's Vary, or before the head came, by what was stored last.
func (f *Fill) mayServe(z *Zone, req VaryRequest) bool {
	f.mu.Lock()
	obj := f.object
	f.mu.Unlock()
	vary, variant := f.vary, f.variant
	if obj != nil {
		vary, variant = obj.Vary, obj.Variant
	}
	return vary == nil || z.variantOf(vary, req) == variant
}

// Fill is what the reader is attached to; nil: nothing.
func (rd *Reader) Fill() *Fill { return rd.fill }

// Next returns the next bytes of the body, an immutable view, and advances past
// them. With no bytes to return it says why: FillPending and FillStreaming mean
// that the Waiter will be called, once, when there is more; the others are final.
// obj is the response from FillStreaming on, with its body only when complete.
func (rd *Reader) Next() (obj *Object, chunk []byte, state FillState) {
	f := rd.fill
	f.mu.Lock()
	obj, state = f.object, f.state
	if chunk = rd.advance(f); chunk == nil {
		rd.armed = !state.Final()
	}
	resume := f.window && f.caughtUp()
	leader := f.leader
	f.mu.Unlock()
	if resume {
		leader.FillProgress(f)
	}
	return obj, chunk, state
}

// advance moves past the bytes that it returns. With the fill's lock held.
func (rd *Reader) advance(f *Fill) []byte {
	for rd.chunk-f.first < len(f.chunks) {
		c := f.chunks[rd.chunk-f.first]
		if rd.offset < len(c) {
			view := c[rd.offset:len(c):len(c)]
			rd.offset = len(c)
			rd.pos += int64(len(view))
			return view
		}
		if rd.offset < cap(c) && rd.chunk-f.first == len(f.chunks)-1 {
			return nil // the last chunk, which may grow
		}
		rd.chunk, rd.offset = rd.chunk+1, 0
	}
	return nil
}

// caughtUp tells, once, that a paused leader may go on. With the lock held.
func (f *Fill) caughtUp() bool {
	if f.paused && !f.state.Final() && f.backlog() <= Window/2 {
		f.paused = false
		f.trim()
		return f.leader != nil
	}
	return false
}

// Matches reports, once the head is there, whether the response is the variant
// that this request asks for (Vary). When it is not: Leave, and Begin anew.
func (rd *Reader) Matches(req VaryRequest) bool {
	obj := rd.fill.Object()
	return obj == nil || obj.Vary == nil || rd.fill.zone.variantOf(obj.Vary, req) == obj.Variant
}

// Leave detaches the reader. Harmless when it is not attached. When the last
// follower leaves a fill that has not ended, the leader's Waiter is told, who may
// have nobody left to fill it for.
func (rd *Reader) Leave() {
	f := rd.fill
	if f == nil {
		return
	}
	f.mu.Lock()
	if rd.prevReader != nil {
		rd.prevReader.nextReader = rd.nextReader
	} else {
		f.readers = rd.nextReader
	}
	if rd.nextReader != nil {
		rd.nextReader.prevReader = rd.prevReader
	}
	f.count--
	notify := f.caughtUp()
	leader := f.leader
	if f.count == 0 && !f.state.Final() {
		notify = leader != nil
	}
	f.mu.Unlock()
	*rd = Reader{}
	if notify {
		leader.FillProgress(f)
	}
}
