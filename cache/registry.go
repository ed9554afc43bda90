package cache

import (
	"sync"
	"sync/atomic"
)

// fillRegistry finds the fills under way by key. A key may have several: one for
// each variant, and a superseded one goes on unregistered.
type fillRegistry struct {
	shards    [64]fillShard
	budget    int64        // bytes that all fills may hold together
	held      atomic.Int64 // bytes they hold
	open      atomic.Int64 // fills not ended
	followers atomic.Uint64
}

type fillShard struct {
	mu    sync.Mutex
	fills map[uint64]*Fill // by key hash; further ones at Fill.next
	_     [40]byte
}

func (r *fillRegistry) shard(hash uint64) *fillShard {
	return &r.shards[hash>>52%uint64(len(r.shards))]
}

func (s *fillShard) add(f *Fill) {
	if s.fills == nil {
		s.fills = make(map[uint64]*Fill)
	}
	f.next = s.fills[f.key.Hash]
	s.fills[f.key.Hash] = f
	f.registered = true
}

// remove is harmless for a fill that is not registered.
func (s *fillShard) remove(f *Fill) {
	if !f.registered {
		return
	}
	f.registered = false
	if s.fills[f.key.Hash] == f {
		if f.next == nil {
			delete(s.fills, f.key.Hash)
		} else {
			s.fills[f.key.Hash] = f.next
		}
		f.next = nil
		return
	}
	for p := s.fills[f.key.Hash]; p != nil; p = p.next {
		if p.next == f {
			p.next, f.next = f.next, nil
			return
		}
	}
}

func (z *Zone) unregister(f *Fill) {
	s := z.fills.shard(f.key.Hash)
	s.mu.Lock()
	s.remove(f)
	s.mu.Unlock()
}

// Role is what Begin made of a request.
type Role uint8

const (
	// RoleLeader: Ticket.Fill is the caller's to fill; others may follow it.
	RoleLeader Role = iota
	// RoleAlone: Ticket.Fill is the caller's to fill; nobody will follow, as the
	// last response for the key was not to be shared. This one may still be stored.
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

// Begin starts or joins the fill for a key after a miss or a stale hit
// (proxy_cache_lock, proxy_cache_use_stale updating). rd is attached when another
// request leads; nil asks only whether one does (RoleBusy). w is told of
// progress: as rd's, or as the leader's (see Fill.WantsPause; may be nil).
//
// A follower whose fill fails before its head or turns out to be another variant
// leaves and calls Begin again: the first to do so leads. So may one whose fill
// is released; after a personal response Begin then says RoleAlone.
func (z *Zone) Begin(h *HotTable, k Key, req VaryRequest, rd *Reader, w Waiter, now int64) Ticket {
	if z.passes.marked(k.Hash, now) {
		return Ticket{Role: RoleAlone, Fill: z.newFill(k, w, now)}
	}
	s := z.fills.shard(k.Hash)
	s.mu.Lock()
	ticket, found := z.findFill(s, k, req, rd, w)
	s.mu.Unlock()
	if found {
		return ticket
	}
	// This request is to lead. Which variant it asks for, if the main entry
	// tells, is found out without the shard's lock, hence the second look.
	f := z.newFill(k, w, now)
	if vary, _, _ := z.ram.peekVary(entryKeyOf(k.Hash, 0), k.Text, z.generation.Load()); vary != nil {
		f.vary, f.variant = vary, z.variantOf(vary, req)
	}
	s.mu.Lock()
	if ticket, found = z.findFill(s, k, req, rd, w); found {
		s.mu.Unlock()
		f.end()
		return ticket
	}
	s.add(f)
	s.mu.Unlock()

	// A fill stores before it is unregistered. So a response that came between
	// the caller's Lookup and here is seen now, and one that comes later finds f.
	if obj, _ := z.find(h, k, req, now); obj != nil && now < obj.FreshUntil {
		z.countersOf(h).hits.Add(1)
		f.supersede(obj)
		return Ticket{Role: RoleServed, Object: obj}
	}
	return Ticket{Role: RoleLeader, Fill: f}
}

// findFill joins a registered fill that may serve the request. With s.mu held.
func (z *Zone) findFill(s *fillShard, k Key, req VaryRequest, rd *Reader, w Waiter) (t Ticket, found bool) {
	for f := s.fills[k.Hash]; f != nil; f = f.next {
		if string(f.key.Text) != string(k.Text) || !f.mayServe(z, req) {
			continue
		}
		if rd == nil {
			return Ticket{Role: RoleBusy, Fill: f}, true
		}
		if f.join(rd, w) {
			z.fills.followers.Add(1)
			return Ticket{Role: RoleFollower, Fill: f}, true
		}
	}
	return Ticket{}, false
}

// Alone makes a fill that nobody else sees: for a response to be stored without
// proxy_cache_lock, or past proxy_cache_lock_timeout.
func (z *Zone) Alone(k Key, now int64) *Fill { return z.newFill(k, nil, now) }

// TakeOver makes the caller leader of a new fill when f, which began before
// now - age (proxy_cache_lock_age), is still the current one for its key; nil:
// it is not, call Begin again. f goes on for those who follow it; the caller
// leaves it.
func (z *Zone) TakeOver(f *Fill, w Waiter, age, now int64) *Fill {
	s := z.fills.shard(f.key.Hash)
	s.mu.Lock()
	defer s.mu.Unlock()
	if !f.registered || now-f.StartedAt < age {
		return nil
	}
	s.remove(f)
	n := z.newFill(f.key, w, now)
	n.vary, n.variant = f.vary, f.variant
	s.add(n)
	return n
}
