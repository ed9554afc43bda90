package cache

import (
	"bytes"
	"errors"
	"fmt"
	"sync"
	"sync/atomic"
	"testing"
)

// testLoop runs what is posted to it on one goroutine, as an event loop does.
type testLoop struct {
	tasks chan func()
	done  chan struct{}
}

func newTestLoop() *testLoop {
	l := &testLoop{tasks: make(chan func(), 1<<16), done: make(chan struct{})}
	go func() {
		for fn := range l.tasks {
			fn()
		}
		close(l.done)
	}()
	return l
}

func (l *testLoop) stop() { close(l.tasks); <-l.done }

// client is a request that follows a fill, on its loop.
type client struct {
	loop   *testLoop
	rd     Reader
	got    []byte
	status int
	end    FillState
	ended  chan struct{}
}

func newClient(l *testLoop) *client { return &client{loop: l, ended: make(chan struct{})} }

func (c *client) FillProgress(f *Fill) {
	c.loop.tasks <- func() {
		if c.rd.Fill() == f {
			c.read()
		}
	}
}

func (c *client) read() {
	for {
		obj, chunk, state := c.rd.Next()
		if obj != nil {
			c.status = obj.Status
		}
		if chunk == nil {
			if state.Final() {
				c.end = state
				c.rd.Leave()
				close(c.ended)
			}
			return
		}
		c.got = append(c.got, chunk...)
	}
}

type noticed struct{ n atomic.Int32 }

func (w *noticed) FillProgress(*Fill) { w.n.Add(1) }

func begin(t *testing.T, z *Zone, key string, rd *Reader, w Waiter, want Role) *Fill {
	t.Helper()
	ticket := z.Begin(nil, z.MakeKey([]byte(key)), nil, rd, w, 0)
	if ticket.Role != want {
		t.Fatalf("role %d, want %d", ticket.Role, want)
	}
	return ticket.Fill
}

// A thousand clients on several loops ask at once: one leads, all get the whole
// response as it comes, and it is stored.
func TestThousandFollowers(t *testing.T) {
	z := newTestZone(t, 16<<20)
	body := pattern(300_000, 5)
	loops := []*testLoop{newTestLoop(), newTestLoop(), newTestLoop()}
	clients := make([]*client, 1000)
	leaders := atomic.Int32{}
	start := make(chan *Fill, 1)
	for i := range clients {
		c := newClient(loops[i%len(loops)])
		clients[i] = c
		c.loop.tasks <- func() {
			switch ticket := z.Begin(nil, z.MakeKey([]byte("k")), nil, &c.rd, c, 0); ticket.Role {
			case RoleLeader:
				leaders.Add(1)
				close(c.ended)
				c.got = body
				start <- ticket.Fill
			case RoleFollower:
				c.read()
			case RoleServed:
				c.got = bodyBytes(ticket.Object)
				close(c.ended)
			}
		}
	}
	f := <-start
	if why := f.Head(response(0, 10*sec, nil), nil, -1, 0); why != Storable {
		t.Fatal(why)
	}
	for rest := body; len(rest) > 0; {
		n := min(len(rest), 1777)
		f.Append(rest[:n])
		rest = rest[n:]
	}
	obj, why := f.Finish(nil, 1)
	if why != Storable || !bytes.Equal(bodyBytes(obj), body) {
		t.Fatalf("Finish: %v", why)
	}
	for i, c := range clients {
		<-c.ended
		if !bytes.Equal(c.got, body) {
			t.Fatalf("client %d got %d bytes", i, len(c.got))
		}
	}
	for _, l := range loops {
		l.stop()
	}
	if leaders.Load() != 1 {
		t.Errorf("%d leaders", leaders.Load())
	}
	if _, st := z.Lookup(nil, z.MakeKey([]byte("k")), nil, 2); st != Fresh {
		t.Error("not stored:", st)
	}
	if s := z.Stats(); s.Fills != 0 || s.FillBytes != 0 {
		t.Errorf("left over: %+v", s)
	}
}

// Between two loops that look up, begin, fill and store at full speed no
// wake-up may be lost and no reader may see bytes of another fill.
func TestFillsAtFullSpeed(t *testing.T) {
	z := newTestZone(t, 4<<20)
	var wg sync.WaitGroup
	backend := atomic.Int32{}
	for l := range 4 {
		wg.Go(func() {
			loop := newTestLoop()
			defer loop.stop()
			h := NewHotTable(64, 1<<20)
			for i := range 400 {
				now := int64(i) * sec
				key := fmt.Sprint("k", i)
				want := pattern(1000+i*37, byte(i))
				k := z.MakeKey([]byte(key))
				for {
					if o, st := z.Lookup(h, k, nil, now); st == Fresh {
						if !bytes.Equal(bodyBytes(o), want) {
							t.Errorf("%s: hit with a wrong body", key)
						}
						break
					}
					c := newClient(loop)
					ticket := z.Begin(h, k, nil, &c.rd, c, now)
					if ticket.Role == RoleServed {
						continue
					}
					if ticket.Role == RoleFollower {
						loop.tasks <- c.read
						<-c.ended
						if c.end == FillComplete && !bytes.Equal(c.got, want) {
							t.Errorf("%s: follower got %d bytes of %d", key, len(c.got), len(want))
						}
						if c.end == FillComplete {
							break
						}
						continue
					}
					f := ticket.Fill
					if (i+l)%7 == 0 {
						f.Abort(errors.New("backend died"))
						continue
					}
					backend.Add(1)
					f.Head(response(now, 100*sec, nil), nil, -1, now)
					for at := 0; at < len(want); at += 700 {
						f.Append(want[at:min(at+700, len(want))])
					}
					f.Finish(h, now)
					break
				}
			}
		})
	}
	wg.Wait()
	if n := backend.Load(); n != 400 {
		t.Errorf("%d backend requests for 400 pages", n)
	}
	if s := z.Stats(); s.Fills != 0 || s.FillBytes != 0 {
		t.Errorf("left over: %+v", s)
	}
}

func TestBeginAfterTheResponseCameServesIt(t *testing.T) {
	z := newTestZone(t, 1<<20)
	mustStore(t, z, nil, "k", nil, response(0, sec, []byte("x")), 0)
	ticket := z.Begin(nil, z.MakeKey([]byte("k")), nil, nil, nil, 1)
	if ticket.Role != RoleServed || string(bodyBytes(ticket.Object)) != "x" || z.Stats().Fills != 0 {
		t.Fatalf("%+v", ticket)
	}
}

// A request that joined a fill which found its response stored gets that.
func TestSupersededFillServesItsFollowers(t *testing.T) {
	z := newTestZone(t, 1<<20)
	var rd Reader
	w := &noticed{}
	f := begin(t, z, "k", nil, nil, RoleLeader)
	begin(t, z, "k", &rd, w, RoleFollower)
	rd.Next()
	f.supersede(response(0, sec, []byte("stored")))
	obj, chunk, _ := rd.Next()
	if obj == nil || string(chunk) != "stored" || w.n.Load() != 1 || f.Length() != 6 {
		t.Fatalf("%v %q", obj, chunk)
	}
	if _, _, st := rd.Next(); st != FillComplete || z.Stats().Fills != 0 {
		t.Fatal(st)
	}
	if f.Abort(errors.New("late")); f.State() != FillComplete {
		t.Fatal(f.State())
	}
}

func TestReleasedFollowersGoOnTheirOwn(t *testing.T) {
	z := newTestZone(t, 1<<20)
	loop := newTestLoop()
	f := begin(t, z, "k", nil, nil, RoleLeader)
	c := newClient(loop)
	begin(t, z, "k", &c.rd, c, RoleFollower)
	begin(t, z, "k", nil, nil, RoleBusy)
	loop.tasks <- c.read
	f.Release(NoStoreSetCookie, 200, 0)
	<-c.ended
	loop.stop()
	if c.end != FillReleased || f.Reason() != NoStoreSetCookie {
		t.Fatal(c.end, f.Reason())
	}
	// A personal page: for a while nobody waits for another.
	a := begin(t, z, "k", &c.rd, c, RoleAlone)
	begin(t, z, "k", &c.rd, c, RoleAlone)
	// Once one can be stored, they do again.
	a.Head(response(0, 1, nil), nil, 0, 0)
	if _, why := a.Finish(nil, 0); why != Storable {
		t.Fatal(why)
	}
	if ticket := z.Begin(nil, z.MakeKey([]byte("k")), nil, nil, nil, sec); ticket.Role != RoleLeader {
		t.Fatal(ticket.Role)
	}
}

func TestServerErrorsDoNotEndTheWaiting(t *testing.T) {
	z := newTestZone(t, 1<<20)
	f := begin(t, z, "k", nil, nil, RoleLeader)
	f.Release(NoStoreNoLifetime, 503, 0)
	f = begin(t, z, "k", nil, nil, RoleLeader)
	f.Release(NoStoreNoLifetime, 200, 0)
	begin(t, z, "k", nil, nil, RoleAlone)
}

func TestAbortReachesFollowersBeforeAndAfterTheHead(t *testing.T) {
	z := newTestZone(t, 1<<20)
	boom := errors.New("boom")
	for _, head := range []bool{false, true} {
		var rd Reader
		w := &noticed{}
		f := begin(t, z, "k", nil, nil, RoleLeader)
		begin(t, z, "k", &rd, w, RoleFollower)
		if head {
			f.Head(response(0, sec, nil), nil, 100, 0)
			f.Append([]byte("half"))
			if _, chunk, _ := rd.Next(); string(chunk) != "half" {
				t.Fatalf("%q", chunk)
			}
		}
		if _, chunk, st := rd.Next(); chunk != nil || st.Final() {
			t.Fatal(st)
		}
		f.Abort(boom)
		f.Abort(errors.New("again"))
		f.Append([]byte("late"))
		if w.n.Load() != 1 {
			t.Errorf("head %v: told %d times", head, w.n.Load())
		}
		if _, chunk, st := rd.Next(); chunk != nil || st != FillFailed || f.Err() != boom || f.Reason() != NoStoreFailed {
			t.Errorf("head %v: %v %v", head, st, f.Err())
		}
		rd.Leave()
		rd.Leave()
		if _, st := z.Lookup(nil, z.MakeKey([]byte("k")), nil, 1); st != Miss {
			t.Error("half a response was stored")
		}
	}
	if s := z.Stats(); s.Fills != 0 || s.FillBytes != 0 {
		t.Errorf("left over: %+v", s)
	}
}

func TestLastFollowerLeavingIsTold(t *testing.T) {
	z := newTestZone(t, 1<<20)
	var a, b Reader
	leader := &noticed{}
	f := begin(t, z, "k", nil, leader, RoleLeader)
	begin(t, z, "k", &a, nil, RoleFollower)
	begin(t, z, "k", &b, nil, RoleFollower)
	a.Leave()
	if leader.n.Load() != 0 || f.Followers() != 1 {
		t.Fatal("told too early")
	}
	b.Leave()
	if leader.n.Load() != 1 || f.Followers() != 0 {
		t.Fatal("not told")
	}
	f.Abort(errors.New("nobody left"))
}

func TestTakeOver(t *testing.T) {
	z := newTestZone(t, 1<<20)
	old := begin(t, z, "k", nil, nil, RoleLeader)
	var rd Reader
	begin(t, z, "k", &rd, nil, RoleFollower)
	if z.TakeOver(old, nil, 5*sec, 4*sec) != nil {
		t.Fatal("before its time")
	}
	f := z.TakeOver(old, nil, 5*sec, 5*sec)
	if f == nil || f.StartedAt != 5*sec {
		t.Fatal("not taken over")
	}
	if z.TakeOver(old, nil, 5*sec, 6*sec) != nil {
		t.Fatal("twice")
	}
	if got := begin(t, z, "k", nil, nil, RoleBusy); got != f {
		t.Fatal("newcomers follow the old one")
	}
	old.Head(response(0, sec, nil), nil, -1, 0)
	old.Append([]byte("old"))
	if _, chunk, _ := rd.Next(); string(chunk) != "old" {
		t.Fatal("the old one's followers were left alone")
	}
	rd.Leave()
	if _, why := old.Finish(nil, 0); why != Storable {
		t.Fatal(why)
	}
	f.Abort(errors.New("not needed"))
	if s := z.Stats(); s.Fills != 0 {
		t.Errorf("%+v", s)
	}
}

func TestFollowersOfAnotherVariantAreToldApart(t *testing.T) {
	z := newTestZone(t, 1<<20)
	k := z.MakeKey([]byte("k"))
	de, en := request{"Accept-Language: de"}, request{"Accept-Language: en"}
	var a, b Reader
	f := z.Begin(nil, k, de, nil, nil, 0).Fill
	z.Begin(nil, k, de, &a, nil, 0)
	z.Begin(nil, k, en, &b, nil, 0)
	f.Head(response(0, sec, nil, "Vary: Accept-Language"), de, -1, 0)
	if !a.Matches(de) || b.Matches(en) {
		t.Fatal("variants")
	}
	b.Leave()
	// With the head there, another variant begins a fill of its own.
	other := z.Begin(nil, k, en, &b, nil, 0)
	if other.Role != RoleLeader {
		t.Fatal(other.Role)
	}
	other.Fill.Head(response(0, sec, nil, "Vary: Accept-Language"), en, -1, 0)
	other.Fill.Append([]byte("en"))
	f.Append([]byte("de"))
	f.Finish(nil, 0)
	other.Fill.Finish(nil, 0)
	expect(t, z, nil, "k", de, 1, "de", Fresh)
	expect(t, z, nil, "k", en, 1, "en", Fresh)
	// Later it is known beforehand.
	f = z.Begin(nil, k, de, nil, nil, 2*sec).Fill
	if r := z.Begin(nil, k, en, &b, nil, 2*sec); r.Role != RoleLeader {
		t.Error("en follows de")
	}
	if r := z.Begin(nil, k, de, &b, nil, 2*sec); r.Role != RoleFollower || r.Fill != f {
		t.Error("de does not follow de")
	}
}

func TestCompleteWithARefreshedObject(t *testing.T) {
	z := newTestZone(t, 8<<20)
	body := pattern(1<<20, 1)
	mustStore(t, z, nil, "k", nil, response(0, sec, body), 0)
	stale, st := z.Lookup(nil, z.MakeKey([]byte("k")), nil, 2*sec)
	if st != Stale {
		t.Fatal(st)
	}
	var rd Reader
	f := z.Begin(nil, z.MakeKey([]byte("k")), nil, nil, nil, 2*sec).Fill
	z.Begin(nil, z.MakeKey([]byte("k")), nil, &rd, nil, 2*sec)
	f.CompleteWith(stale.Refresh(nil, &Verdict{TTL: sec, Age: -1}, 2*sec, wall), nil)
	if why := f.Commit(nil, 2*sec); why != Storable {
		t.Fatal(why)
	}
	var got []byte
	for {
		_, chunk, st := rd.Next()
		if chunk == nil {
			if st != FillComplete {
				t.Fatal(st)
			}
			break
		}
		got = append(got, chunk...)
	}
	if !bytes.Equal(got, body) {
		t.Fatal("the follower's body differs")
	}
	if _, st := z.Lookup(nil, z.MakeKey([]byte("k")), nil, 2*sec+1); st != Fresh {
		t.Fatal(st)
	}
}

func TestSmallBodiesAreOnePiece(t *testing.T) {
	z := newTestZone(t, 8<<20)
	for _, c := range []struct{ size, length, chunks int }{{0, 0, 0}, {1000, -1, 1}, {1000, 1000, 1}, {60_000, -1, 1}, {200_000, 200_000, 1}} {
		f := z.Alone(z.MakeKey([]byte("k")), 0)
		f.Head(response(0, sec, nil), nil, int64(c.length), 0)
		body := pattern(c.size, 1)
		for at := 0; at < c.size; at += 900 {
			f.Append(body[at:min(at+900, c.size)])
		}
		obj, why := f.Finish(nil, 0)
		if why != Storable || len(obj.Body.Chunks()) != c.chunks || !bytes.Equal(bodyBytes(obj), body) {
			t.Errorf("%d bytes: %v, %d chunks", c.size, why, len(obj.Body.Chunks()))
		}
		for _, p := range obj.Body.Chunks() {
			if cap(p) > len(p)+len(p)/8 {
				t.Errorf("%d bytes take %d", len(p), cap(p))
			}
		}
	}
}

func BenchmarkThousandFollowers(b *testing.B) {
	z := newTestZone(b, 16<<20)
	readers := make([]Reader, 1000)
	w := &noticed{}
	chunk := pattern(4096, 1)
	b.ReportAllocs()
	for b.Loop() {
		f := z.Begin(nil, z.MakeKey([]byte("k")), nil, nil, nil, 0).Fill
		for i := range readers {
			z.Begin(nil, z.MakeKey([]byte("k")), nil, &readers[i], w, 0)
			readers[i].Next()
		}
		f.Head(response(0, 0, nil), nil, -1, 0)
		f.Append(chunk)
		f.Complete()
		for i := range readers {
			readers[i].Next()
			readers[i].Leave()
		}
		f.Commit(nil, 0)
	}
}
