// Package cache is the microcache: which responses may be stored and for how
// long (RFC 9111 as nginx reads it), the two memory levels that keep them, and
// the fills that let many requests share one response on its way.
//
// It does no I/O and reads no clock: `now` is an argument, monotonic nanoseconds
// of one process-wide epoch (the event loops' clock).
//
// # A request's way through it
//
//	k := zone.MakeKey(text)
//	obj, st := zone.Lookup(hot, k, req, now)     // Fresh: send obj. Stale: obj may still be of use
//	t := zone.Begin(hot, k, req, &reader, waiter, now)
//	  RoleServed:   t.Object became fresh meanwhile
//	  RoleFollower: reader.Next() streams what the leader gets
//	  RoleLeader, RoleAlone: ask the backend, then
//	    v := Decide(rules, status, headers, wall)
//	    f.Head(NewObject(...), req, length, now)  or  f.Release(v.Reason, status, now)
//	    f.Append(bytes) ...
//	    f.Finish(hot, now)                        or  f.Abort(err)
//
// # Levels
//
// Level (a) is a HotTable, owned by one event loop, without locks: it holds
// complete Objects. Level (b) is the zone's RAM store, shared by all loops, on
// freecache: it holds encoded values. An Object is immutable and owned by the
// garbage collector, so a connection may go on sending it after either level has
// dropped it.
//
// # Locks
//
// Two kinds of mutex, in this order: a registry shard (fills by key), a Fill.
// freecache's segment locks are taken with neither of them held, and none is held
// while a Waiter is called. HotTables have none.
package cache
