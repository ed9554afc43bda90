package cache

import (
	"sync"
)

// A fill's life: Begin makes it Pending and registers it under its key. Head makes
// it Streaming; Append adds bytes; Complete ends it and Commit stores the object
// and unregisters it. Abort (Failed) and Release (Released) end it early and
// unregister it at once. The leader alone calls these, one at a time, on any
// goroutine; a call after the end does nothing.
//
// Memory: the body is kept whole while it may still be stored, up to the zone's
// largest body, and all fills of a zone together up to the zone's memory. A body
// whose length was announced and is too large is not shared at all. One that
// outgrows these bounds under way goes on as a window: it takes no new followers,
// bytes that all followers have read are let go, and when the slowest is Window
// behind, WantsPause asks the leader to stop reading.

// FillState is how far a Fill is.
type FillState uint8

const (
	// FillPending: the response head is not there yet. -> Streaming, Released, Failed
	FillPending FillState = iota
	// FillStreaming: the head is there, body bytes follow. -> Complete, Failed
	FillStreaming
	// FillComplete: all is there. Final.
	FillComplete
	// FillReleased: the response is not to be shared (see Fill.Reason); followers
	// go on their own. Only ever before a follower has seen a head. Final.
	FillReleased
	// FillFailed: the leader gave up (see Fill.Err). A follower that has sent
	// nothing yet may go on its own, another must cut its connection. Final.
	FillFailed
)

var fillStateTexts = [...]string{"pending", "streaming", "complete", "released", "failed"}

// String is the state in a word.
func (s FillState) String() string { return fillStateTexts[s] }

// Final reports whether nothing follows on the state.
func (s FillState) Final() bool { return s >= FillComplete }

// Window is how far the slowest follower may be behind the leader, in bytes,
// once the body is not kept whole any more.
const Window = 1 << 20

// Waiter is told that a Fill made progress. FillProgress is called from another
// goroutine than the waiter's own (a follower's from the leader's, the leader's
// from a follower's), without any lock held: it must only post to its own loop.
// It may come once more after Leave, hence f.
type Waiter interface{ FillProgress(f *Fill) }

// Fill is one response on its way from a backend (varnish's busy object). One
// leader writes it, any number of Readers follow.
type Fill struct {
	StartedAt int64 // ns; immutable

	zone *Zone
	key  Key // Text is the fill's own copy; immutable
	// What Begin knew of the variant before the head came; immutable.
	vary    []byte
	variant uint64

	// Guarded by the registry shard's mutex.
	next       *Fill
	registered bool

	// Owned by the leader.
	wake   []Waiter // scratch
	length int64    // announced, -1: not known; set before the head is published

	mu     sync.Mutex // guards all below; never held while another lock is taken or a Waiter called
	leader Waiter     // may be nil; does not change once the head is there
	state  FillState
	err    error
	reason NoStoreReason
	object *Object  // the head; with the body when complete
	chunks [][]byte // the last one grows in place up to its capacity
	first  int      // index in the whole body of chunks[0]
	size   int64    // bytes published
	held   int64    // capacity of chunks, counted in the registry
	window bool     // the body is not kept whole

	committed bool
	paused    bool    // the leader was told to pause
	readers   *Reader // list
	count     int
}

func (z *Zone) newFill(k Key, w Waiter, now int64) *Fill {
	z.fills.open.Add(1)
	text := append(make([]byte, 0, len(k.Text)), k.Text...)
	return &Fill{StartedAt: now, zone: z, key: Key{Text: text, Hash: k.Hash}, leader: w, length: -1}
}

// State is how far the fill is.
func (f *Fill) State() FillState {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.state
}

// Err is what Abort was given.
func (f *Fill) Err() error {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.err
}

// Reason says why the response is not stored; Storable as long as it may be.
func (f *Fill) Reason() NoStoreReason {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.reason
}

// Object is the response: nil before the head, without a body until complete.
func (f *Fill) Object() *Object {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.object
}

// Followers is how many Readers are attached.
func (f *Fill) Followers() int {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.count
}

// Head publishes the response head: obj as NewObject made it, handed over. req
// is the leader's request; length the body's, -1 if not known. why is not
// Storable when the body is known to be too large: then the followers are sent
// away, and the leader's client is the only one to get the response.
func (f *Fill) Head(obj *Object, req VaryRequest, length int64, now int64) (why NoStoreReason) {
	if length > f.zone.ram.bodyMax {
		f.Release(NoStoreTooLarge, obj.Status, now)
		return NoStoreTooLarge
	}
	f.zone.adopt(obj, f.key, req)
	f.mu.Lock()
	if f.state != FillPending {
		defer f.mu.Unlock()
		return f.reason
	}
	f.length = length
	f.object = obj
	f.state = FillStreaming
	f.unlockAndWake()
	return Storable
}

// Append adds body bytes, which are copied, and wakes who waits for them.
func (f *Fill) Append(p []byte) {
	for len(p) > 0 {
		tail, grow, unread := f.tail(int64(len(p)))
		if unread {
			return
		}
		n := copy(tail[len(tail):cap(tail)], p)
		if !f.publish(tail[:len(tail)+n], grow) {
			return
		}
		p = p[n:]
	}
}

// tail is the chunk to write into next: the last one, or a new one (grow).
// Nobody reads beyond its length and trim leaves it, so writing there needs no
// lock. unread: nobody reads and nobody ever will, the bytes are not needed.
func (f *Fill) tail(want int64) (chunk []byte, grow, unread bool) {
	f.mu.Lock()
	if f.window && f.count == 0 {
		f.size += want
		f.mu.Unlock()
		return nil, false, true
	}
	if n := len(f.chunks); n > 0 && len(f.chunks[n-1]) < cap(f.chunks[n-1]) {
		chunk = f.chunks[n-1]
	}
	size := f.size
	f.mu.Unlock()
	if chunk != nil {
		return chunk, false, false
	}
	return make([]byte, 0, chunkSize(f.length-size, size, want)), true, false
}

// guaranteed is what a fill may hold though all together hold too much, so that
// a few large ones do not keep small pages from being stored.
const guaranteed = 256 << 10

const (
	smallestChunk = 4 << 10
	largestChunk  = 256 << 10
)

// chunkSize: with an announced length, what is left of it; else about as much
// as there is already, so that small bodies take little and large ones few chunks.
func chunkSize(left, size, want int64) int64 {
	if left > 0 {
		return min(left, largestChunk)
	}
	return min(max(size, want, smallestChunk), largestChunk/4)
}

// publish makes chunk, the last one grown or a new one, visible. False: the fill has ended.
func (f *Fill) publish(chunk []byte, grow bool) bool {
	added := int64(0)
	if grow {
		added = int64(cap(chunk))
	}
	over := f.zone.fills.held.Add(added) > f.zone.fills.budget && grow
	f.mu.Lock()
	if f.state != FillStreaming {
		f.mu.Unlock()
		f.zone.fills.held.Add(-added)
		return false
	}
	if grow {
		f.chunks = append(f.chunks, chunk)
		f.size += int64(len(chunk))
	} else {
		last := &f.chunks[len(f.chunks)-1]
		f.size += int64(len(chunk) - len(*last))
		*last = chunk
	}
	f.held += added
	over = over && f.held > guaranteed
	leave := false
	if !f.window && (over || f.size > f.zone.ram.bodyMax) {
		f.window, leave = true, true
		f.reason = NoStoreTooLarge
		if over {
			f.reason = NoStoreBusy
		}
	}
	if f.window {
		f.trim()
	}
	f.unlockAndWake()
	if leave {
		f.zone.unregister(f)
	}
	return true
}

// trim lets go of chunks that all followers have read, but for the last, which
// the leader may be writing into. With the lock held.
func (f *Fill) trim() {
	need := f.first + len(f.chunks) - 1
	for rd := f.readers; rd != nil; rd = rd.nextReader {
		need = min(need, rd.chunk)
	}
	drop := max(need-f.first, 0)
	if drop == 0 {
		return
	}
	freed := int64(0)
	for i := range drop {
		freed += int64(cap(f.chunks[i]))
		f.chunks[i] = nil
	}
	f.chunks = f.chunks[drop:]
	f.first += drop
	f.held -= freed
	f.zone.fills.held.Add(-freed)
}

// backlog is how far the slowest follower is behind, in bytes. With the lock held.
func (f *Fill) backlog() int64 {
	slowest := f.size
	for rd := f.readers; rd != nil; rd = rd.nextReader {
		slowest = min(slowest, rd.pos)
	}
	return f.size - slowest
}

// WantsPause reports whether the leader should stop reading from the backend
// until its Waiter is called: the body is not kept whole any more and a follower
// is more than Window behind. To be asked after Append. A follower that does not
// move holds all others up: it is for the server's send timeout to end it.
func (f *Fill) WantsPause() bool {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.paused = f.window && f.state == FillStreaming && f.leader != nil && f.backlog() > Window
	return f.paused
}

// unlockAndWake gives the lock back and tells those readers who wait.
func (f *Fill) unlockAndWake() {
	wake := f.wake[:0]
	for rd := f.readers; rd != nil; rd = rd.nextReader {
		if rd.armed {
			rd.armed = false
			if rd.waiter != nil {
				wake = append(wake, rd.waiter)
			}
		}
	}
	f.mu.Unlock()
	for i, w := range wake {
		w.FillProgress(f)
		wake[i] = nil
	}
	f.wake = wake[:0]
}
