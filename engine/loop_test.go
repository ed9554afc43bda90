package engine

import (
	"io"
	"net/netip"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"golang.org/x/sys/unix"
)

func TestPostKeepsTheOrderOfEachPoster(t *testing.T) {
	e := newEngine(t, Options{Loops: 2})
	const posters, each = 8, 2000
	var all sync.WaitGroup
	for _, l := range e.Loops() {
		next := make([]int, posters) // the loop's
		done := make(chan struct{})
		left := posters * each
		for p := range posters {
			all.Go(func() {
				for i := range each {
					l.Post(func() {
						if next[p] != i {
							t.Errorf("poster %d: %d instead of %d", p, i, next[p])
						}
						next[p]++
						if left--; left == 0 {
							close(done)
						}
					})
				}
			})
		}
		wait(t, done, "all tasks")
	}
	all.Wait()
}

func TestLoopsPostToEachOther(t *testing.T) {
	e := newEngine(t, Options{Loops: 2})
	a, b := e.Loops()[0], e.Loops()[1]
	done := make(chan struct{})
	var n int
	var ping, pong func()
	ping = func() { b.Post(pong) }
	pong = func() {
		if n++; n == 5000 {
			close(done)
			return
		}
		a.Post(ping)
	}
	a.Post(ping)
	wait(t, done, "5000 rounds")
}

// TestSelfPostingTaskLetsEventsPass: a task that posts itself for ever must not keep the loop from its connections.
func TestSelfPostingTaskLetsEventsPass(t *testing.T) {
	e := newEngine(t, Options{})
	l := e.Loops()[0]
	var stop atomic.Bool
	var again func()
	again = func() {
		if !stop.Load() {
			l.Post(again)
		}
	}
	l.Post(again)
	c := dialTCP(t, listen(t, e, echoScript()))
	_, _ = c.Write([]byte("ping"))
	if _, err := io.ReadFull(c, make([]byte, 4)); err != nil {
		t.Error(err)
	}
	stop.Store(true)
}

func TestResumeReadingForEverLetsOthersPass(t *testing.T) {
	e := newEngine(t, Options{})
	var rounds atomic.Int64
	addr := listen(t, e, &script{readable: func(c *Conn) {
		var p [1]byte
		if n, err := c.Read(p[:]); n == 1 && err == nil && p[0] == 'x' { // a byte at a time: much input, many rounds
			rounds.Add(1)
			c.ResumeReading()
			return
		}
		c.Write([]byte("done"))
		_ = c.Flush()
	}})
	greedy, modest := dialTCP(t, addr), dialTCP(t, addr)
	_, _ = greedy.Write(append(make([]byte, 0, 1<<16), []byte(string(bytesOf('x', 1<<16)))...))
	_, _ = modest.Write([]byte("?"))
	if _, err := io.ReadFull(modest, make([]byte, 4)); err != nil {
		t.Error(err)
	}
	if n := rounds.Load(); n >= 1<<16 {
		t.Errorf("the other had its turn after %d rounds", n)
	}
}

// TestSendingToAFastPeerLetsOthersPass: the peer takes whatever comes, so that no write is ever short.
func TestSendingToAFastPeerLetsOthersPass(t *testing.T) {
	_, l := still(t)
	c, peer := pair(t, l, &script{})
	_ = unix.SetsockoptInt(int(c.fd), unix.SOL_SOCKET, unix.SO_SNDBUF, 8<<20)
	const total = 4 << 20
	c.WriteShared(make([]byte, total))
	if err := c.Flush(); err != nil {
		t.Fatal(err)
	}
	if c.state&writable == 0 {
		if c.Pending() == 0 {
			t.Fatal("all was sent in one go")
		}
		return // the socket's buffer is smaller here (net.core.wmem_max): an edge follows
	}
	if sent := total - c.Pending(); sent < sendAtOnce || sent > sendAtOnce+ioLimit {
		t.Errorf("%d bytes in one go", sent)
	}
	got, p := 0, make([]byte, 1<<20)
	for got < total {
		n, err := unix.Read(peer, p)
		if err != nil {
			poke(l, l.waker.fd) // the next round
			poke(l, int(c.fd))
			continue
		}
		got += n
	}
	if c.Pending() != 0 {
		t.Errorf("%d bytes left", c.Pending())
	}
}

func bytesOf(c byte, n int) []byte {
	p := make([]byte, n)
	for i := range p {
		p[i] = c
	}
	return p
}

func TestDeferRunsAfterTheCallbackInOrder(t *testing.T) {
	e := newEngine(t, Options{})
	l := e.Loops()[0]
	var order []string
	done := make(chan struct{})
	l.Post(func() {
		l.Defer(func() {
			order = append(order, "first")
			l.Defer(func() { order = append(order, "third"); close(done) })
		})
		l.Defer(func() { order = append(order, "second") })
		order = append(order, "callback")
	})
	wait(t, done, "deferred work")
	if got := len(order); got != 4 || order[0] != "callback" || order[1] != "first" || order[2] != "second" || order[3] != "third" {
		t.Errorf("order: %q", order)
	}
}

func TestOffloadIsBoundedAndComesBack(t *testing.T) {
	e := newEngine(t, Options{Workers: 3})
	l := e.Loops()[0]
	var now, most atomic.Int32
	done := make(chan struct{})
	left := 50
	for range 50 {
		l.Offload(func() {
			n := now.Add(1)
			for m := most.Load(); n > m && !most.CompareAndSwap(m, n); m = most.Load() {
			}
			time.Sleep(time.Millisecond)
			now.Add(-1)
		}, func() {
			if left--; left == 0 { // on the loop: no lock
				close(done)
			}
		})
	}
	wait(t, done, "the work")
	if m := most.Load(); m != 3 {
		t.Errorf("%d at a time", m)
	}
}

func TestNowAndWall(t *testing.T) {
	e := newEngine(t, Options{Loops: 2})
	var last int64
	for i := range 10 {
		l := e.Loops()[i%2]
		onLoop(t, l, func() {
			now := l.Now()
			if now <= last || l.Now() != now {
				t.Errorf("now %d after %d", now, last)
			}
			last = now
			if d := time.Now().UnixMilli() - l.Wall(); d < -100 || d > 1000 {
				t.Errorf("wall is %d ms behind", d)
			}
		})
	}
}

// still is an engine whose loop the test drives by hand.
func still(t testing.TB) (*Engine, *Loop) {
	e, err := New(Options{Loops: 1, MaxConns: 1000, Log: func(sev Severity, id uint64, text string) { t.Logf("*%d %s", id, text) }})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(e.Stop)
	return e, e.Loops()[0]
}

// pair gives a connection of a loop that stands still, and the descriptor of its peer.
func pair(t testing.TB, l *Loop, h Handler) (*Conn, int) {
	fds, err := unix.Socketpair(unix.AF_UNIX, unix.SOCK_STREAM, 0)
	if err != nil {
		t.Fatal(err)
	}
	for _, fd := range fds {
		if err := unix.SetNonblock(fd, true); err != nil {
			t.Fatal(err)
		}
	}
	t.Cleanup(func() { _ = unix.Close(fds[1]) })
	c := l.newConn(fds[0], unixSocket|writable)
	l.counters.active.Add(1)
	c.handler = h
	if err := l.register(c); err != nil {
		t.Fatal(err)
	}
	return c, fds[1]
}

// TestEchoAllocatesNothing holds the hot path: event, clock, read, copy, gather, write, deadline, idle mark.
func TestEchoAllocatesNothing(t *testing.T) {
	_, l := still(t)
	shared := bytesOf('b', 1024)
	for name, answer := range map[string]func(c *Conn, p []byte){
		"copied":        func(c *Conn, p []byte) { c.Write(p) },
		"shared":        func(c *Conn, _ []byte) { c.WriteShared(shared) },
		"head and body": func(c *Conn, p []byte) { c.Write(p[:300]); c.WriteShared(shared[:724]) },
		"reserved":      func(c *Conn, p []byte) { c.Commit(append(c.Reserve(1024), p...)) },
		"handed over": func(c *Conn, p []byte) {
			b := l.GetBuf(1024)
			b.B = append(b.B, p...)
			c.WriteBuf(b)
		},
	} {
		t.Run(name, func(t *testing.T) {
			h := &script{readable: func(c *Conn) {
				b := l.GetBuf(4096)
				n, err := c.Read(b.B[:4096])
				if err == nil {
					c.SetIdle(false)
					answer(c, b.B[:n])
					_ = c.Flush()
					c.SetDeadline(l.Now() + int64(time.Minute))
					c.SetIdle(true)
				}
				l.PutBuf(b)
			}}
			c, peer := pair(t, l, h)
			msg, got := bytesOf('m', 1024), make([]byte, 2048)
			round := func() {
				if _, err := unix.Write(peer, msg); err != nil {
					t.Fatal(err)
				}
				poke(l, int(c.fd))
				if n, err := unix.Read(peer, got); n != 1024 || err != nil {
					t.Fatal(n, err)
				}
			}
			if n := testing.AllocsPerRun(500, round); n != 0 {
				t.Errorf("%v allocations per round", n)
			}
		})
	}
}

func TestBuffers(t *testing.T) {
	_, l := still(t)
	for _, size := range []int{0, 1, 1023, 1024, 1025, 4096, 4097, 1 << 18, 1<<18 + 1} {
		b := l.GetBuf(size)
		if len(b.B) != 0 || cap(b.B) < size {
			t.Errorf("size %d: len %d, cap %d", size, len(b.B), cap(b.B))
		}
		b.B = append(b.B, make([]byte, size)...)
		if len(b.B) > 10 {
			b.B = b.B[5:] // what the owner does to B does not harm the pool
		}
		l.PutBuf(b)
	}
	for class, free := range l.pools.free {
		for _, b := range free {
			if cap(b.mem) != 1<<(class+minBufShift) {
				t.Errorf("class %d holds %d bytes", class, cap(b.mem))
			}
		}
	}
	var many []*Buf
	for range 2000 {
		many = append(many, l.GetBuf(4096))
	}
	for _, b := range many {
		l.PutBuf(b)
	}
	if n := len(l.pools.free[2]); n*4096 > poolBytes {
		t.Errorf("%d buffers of 4 KB are kept", n)
	}
	for range 20 { // nobody needs them
		l.now = l.Now() + trimEvery + 1<<tickShift
		l.expireTimers()
	}
	for class, free := range l.pools.free {
		if len(free) != 0 {
			t.Errorf("class %d keeps %d buffers while idle", class, len(free))
		}
	}
	if l.pools.trim.Armed() {
		t.Error("empty pools are trimmed on and on")
	}
	defer func() {
		if recover() == nil {
			t.Error("a buffer put back twice went unnoticed")
		}
	}()
	b := l.GetBuf(1)
	l.PutBuf(b)
	l.PutBuf(b)
}

// TestIdleConnectionHoldsNoBuffer: after its output is sent, a connection has given everything back.
func TestIdleConnectionHoldsNoBuffer(t *testing.T) {
	_, l := still(t)
	c, peer := pair(t, l, &script{})
	c.Write(make([]byte, 100))
	c.WriteShared(make([]byte, 100))
	c.Write(make([]byte, 100))
	if err := c.Flush(); err != nil {
		t.Fatal(err)
	}
	if c.out != nil || len(l.pools.free[2]) != 1 || l.queues.n != 1 {
		t.Errorf("out %v, %d buffers and %d queues in the pools", c.out, len(l.pools.free[2]), l.queues.n)
	}
	_ = c.Reserve(100)
	c.Commit(nil)
	if c.out != nil {
		t.Error("an empty Commit leaves a queue")
	}
	var p [1000]byte
	if n, _ := unix.Read(peer, p[:]); n != 300 {
		t.Errorf("%d bytes came", n)
	}
}

func TestAddrs(t *testing.T) {
	for text, ok := range map[string]bool{
		"127.0.0.1:80": true, "[::1]:80": true, "unix:/x": true, "[fe80::1%1]:80": true,
		"unix:": false, "localhost:80": false, "127.0.0.1": false, "": false,
	} {
		a, err := ParseAddr(text)
		if (err == nil) != ok || ok && (a.String() != text || !a.IsValid()) {
			t.Errorf("%q: %v, %v", text, a, err)
		}
		if ok && !a.IsUnix() {
			e := endpointFromAddrPort(a.AddrPort())
			if e.addrPort() != a.AddrPort() {
				t.Errorf("%q as an endpoint: %v", text, e.addrPort())
			}
		}
	}
	if a := TCPAddr(netip.AddrPort{}); a.IsValid() {
		t.Error("the zero address is valid")
	}
}
