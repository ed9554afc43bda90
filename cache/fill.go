package cache

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

// Fill is one response on its way from a backend (varnish's busy object). One
// leader writes it, any number of Readers follow.
type Fill struct {
	StartedAt int64 // ns
}

// Waiter is told that a Fill made progress. FillProgress is called from the
// leader's goroutine (for the leader's own Waiter: from a reader's), without any
// lock held: it must only post to its own loop. It may come once more after
// Leave; compare f.
type Waiter interface{ FillProgress(f *Fill) }

// Role is what Begin made of a request.
type Role uint8

const (
	// RoleLeader: Ticket.Fill is the caller's to fill; others may follow it.
	RoleLeader Role = iota
	// RoleAlone: Ticket.Fill is the caller's to fill; nobody will follow, as the
	// last response for the key was not to be shared. It may still be stored.
	RoleAlone
	// RoleFollower: the Reader is attached to Ticket.Fill, which another fills.
	RoleFollower
	// RoleBusy: another request is filling Ticket.Fill; no Reader was given.
	RoleBusy
	// RoleServed: Ticket.Object became fresh since the Lookup.
	RoleServed
)

// Ticket is Begin's answer.
type Ticket struct {
	Role   Role
	Fill   *Fill
	Object *Object // RoleServed only
}

// Begin starts or joins the fill for a key after a miss (proxy_cache_lock). rd
// is attached when another request leads; nil asks only whether one does
// (RoleBusy). w is rd's Waiter, and the leader's for WantsPause (may be nil).
func (z *Zone) Begin(h *HotTable, k Key, req VaryRequest, rd *Reader, w Waiter, now int64) Ticket {
	panic("skeleton")
}

// Alone makes a fill that nobody else sees: for a response to be stored without
// proxy_cache_lock, or past proxy_cache_lock_timeout.
func (z *Zone) Alone(k Key, req VaryRequest, now int64) *Fill { panic("skeleton") }

// TakeOver makes the caller leader of a new fill when f, started before
// now - age (proxy_cache_lock_age), is still the current one for its key; nil:
// it is not, call Begin again. f goes on for those who follow it.
func (z *Zone) TakeOver(f *Fill, req VaryRequest, w Waiter, age, now int64) *Fill { panic("skeleton") }

// Head publishes the response head: obj without a body. length is the body's
// length, -1 if not known. A body that is known to be too large to store releases the followers.
// storable false with a reason: the response goes to the leader's client only.
func (f *Fill) Head(obj *Object, length int64) (storable bool, why NoStoreReason) { panic("skeleton") }

// Append copies body bytes in and wakes who waits for them.
func (f *Fill) Append(p []byte) { panic("skeleton") }

// WantsPause reports whether the leader should stop reading from the backend
// until its Waiter is called: see Window.
func (f *Fill) WantsPause() bool { panic("skeleton") }

// Finish ends the body and stores the response. It returns the complete object
// (nil when the body was too large to be kept) whether or not it could be stored.
func (f *Fill) Finish(h *HotTable, now int64) (obj *Object, why NoStoreReason) { panic("skeleton") }

// Complete is Finish's first half: it ends the body and wakes the followers, but
// does not store. Commit must follow, from any goroutine (a worker for large
// bodies); until then the fill is found by Begin.
func (f *Fill) Complete(now int64) *Object { panic("skeleton") }

// Commit is Finish's second half: it stores what Complete returned. h may be nil.
func (f *Fill) Commit(h *HotTable, now int64) NoStoreReason { panic("skeleton") }

// Abort ends the fill without a whole response; followers get err. A fill that ended is left alone.
func (f *Fill) Abort(err error) { panic("skeleton") }

// Release sends the followers away on their own: the response is not to be shared.
func (f *Fill) Release(why NoStoreReason, now int64) { panic("skeleton") }

// State, Err, Reason, Object: how the fill stands. Object is nil until the head
// is there, has no body until the fill is complete.
func (f *Fill) State() FillState      { panic("skeleton") }
func (f *Fill) Err() error            { panic("skeleton") }
func (f *Fill) Reason() NoStoreReason { panic("skeleton") }
func (f *Fill) Object() *Object       { panic("skeleton") }

// Followers is how many Readers are attached.
func (f *Fill) Followers() int { panic("skeleton") }
