package engine

import (
	"errors"
	"fmt"
	"io"
	"net"
	"net/netip"
	"runtime"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"seawall/internal/freeport"

	"golang.org/x/sys/unix"
)

func TestWorkerConnectionsReuseTheLongestIdle(t *testing.T) {
	var rec recorder
	e := newEngine(t, Options{MaxConns: 10, Log: rec.log})
	l := e.Loops()[0]
	addr := listen(t, e, &script{readable: func(c *Conn) {
		c.SetIdle(false)
		echo(c)
		c.SetIdle(true)
	}})
	ping := func(c net.Conn) error {
		if _, err := c.Write([]byte("ping")); err != nil {
			return err
		}
		_, err := io.ReadFull(c, make([]byte, 4))
		return err
	}
	var conns []net.Conn
	for i := range 10 {
		conns = append(conns, dialTCP(t, addr))
		if err := ping(conns[i]); err != nil {
			t.Fatal(err)
		}
	}
	if err := ping(conns[0]); err != nil { // not the longest idle any more
		t.Fatal(err)
	}
	onLoop(t, l, func() { // only two may be closed
		kept := 0
		e.fds.each(l, func(c *Conn) {
			if c.remote.addrPort().String() == conns[0].LocalAddr().String() || kept == 7 {
				return
			}
			if c.remote.addrPort().String() != conns[1].LocalAddr().String() {
				c.SetIdle(false)
				kept++
			}
		})
	})
	fresh := dialTCP(t, addr)
	if err := ping(fresh); err != nil {
		t.Fatalf("a new connection was refused: %v", err)
	}
	if err := ping(conns[1]); err == nil {
		t.Error("the longest idle lives")
	}
	if rec.count("10 worker_connections are not enough, reusing connections") != 1 {
		t.Errorf("log: %q", rec.lines)
	}
}

// TestBurstWaitsForRoom: connections beyond worker_connections are served as others close or become idle.
func TestBurstWaitsForRoom(t *testing.T) {
	e := newEngine(t, Options{MaxConns: 3})
	l := e.Loops()[0]
	addr := listen(t, e, echoScript())
	echoes := func(c net.Conn) {
		t.Helper()
		if _, err := c.Write([]byte("ping")); err != nil {
			t.Fatal(err)
		}
		if _, err := io.ReadFull(c, make([]byte, 4)); err != nil {
			t.Fatal(err)
		}
	}
	var conns []net.Conn
	for range 8 {
		conns = append(conns, dialTCP(t, addr))
	}
	for _, c := range conns[:3] {
		echoes(c)
	}
	conns[0].Close()
	echoes(conns[3])
	onLoop(t, l, func() { // the second one
		e.fds.each(l, func(c *Conn) {
			if c.remote.addrPort().String() == conns[1].LocalAddr().String() {
				c.SetIdle(true)
			}
		})
	})
	echoes(conns[4])
	if _, err := conns[1].Read(make([]byte, 1)); err == nil {
		t.Error("the idle one did not give way")
	}
	for i := 5; i < 8; i++ { // those that came first leave in turn
		conns[i-3].Close()
		echoes(conns[i])
	}
	if s := e.Stats(); s.Refused != 0 || s.Accepted != 8 || s.Handled != 8 {
		t.Errorf("stats: %+v", s)
	}
}

// TestStopWhileOneWaits: whoever waits for room when the listener goes, or the engine stops, is not left open.
func TestStopWhileOneWaits(t *testing.T) {
	e := newEngine(t, Options{MaxConns: 1})
	addr := listen(t, e, echoScript())
	first := dialTCP(t, addr)
	eventually(t, "one connection", func() bool { return e.Stats().Active == 1 })
	second := dialTCP(t, addr)
	eventually(t, "one that waits", func() bool { return e.Stats().Accepted == 2 })
	e.StopAccepting()
	first.Close()
	if _, err := second.Write([]byte("ping")); err != nil {
		t.Fatal(err)
	}
	if _, err := io.ReadFull(second, make([]byte, 4)); err != nil {
		t.Errorf("the listener is gone, who was accepted is not served: %v", err)
	}
	third := newEngine(t, Options{MaxConns: 1})
	addr = listen(t, third, echoScript())
	dialTCP(t, addr)
	eventually(t, "one connection", func() bool { return third.Stats().Active == 1 })
	waits := dialTCP(t, addr)
	eventually(t, "one that waits", func() bool { return third.Stats().Accepted == 2 })
	third.Stop()
	if _, err := waits.Read(make([]byte, 1)); err == nil {
		t.Error("who waited got something")
	}
}

func TestWorkerConnectionsRefuseWhenNoneIsIdle(t *testing.T) {
	var rec recorder
	e := newEngine(t, Options{MaxConns: 3, Log: rec.log})
	l := e.Loops()[0]
	addr := listen(t, e, echoScript())
	for range 3 {
		dialTCP(t, addr)
	}
	eventually(t, "three connections", func() bool { return e.Stats().Active == 3 })
	began := time.Now()
	if _, err := dialTCP(t, addr).Read(make([]byte, 1)); err == nil {
		t.Error("the fourth got something")
	}
	if d := time.Since(began); d < time.Duration(roomPatience) {
		t.Errorf("refused after %v", d)
	}
	if s := e.Stats(); s.Refused != 1 || s.Active != 3 || s.Accepted != 4 || s.Handled != 3 {
		t.Errorf("stats: %+v", s)
	}
	if n := rec.count("3 worker_connections are not enough"); n < 1 || n > 2 { // once a second at most
		t.Errorf("log: %q", rec.lines)
	}
	began = time.Now()
	if _, err := dialTCP(t, addr).Read(make([]byte, 1)); err == nil || time.Since(began) > time.Duration(roomPatience)/2 {
		t.Errorf("the fifth waited %v to be refused: %v", time.Since(began), err)
	}
	onLoop(t, l, func() {
		if _, err := l.Dial(Addr{path: "/nowhere"}, netip.AddrPort{}, &script{}); err != ErrTooManyConns {
			t.Errorf("dial: %v", err)
		}
	})
}

// TestOldestIdleFirstAmongMany: more idle connections than one scan remembers.
func TestOldestIdleFirstAmongMany(t *testing.T) {
	e, err := New(Options{Loops: 1, MaxConns: 10000})
	if err != nil {
		t.Fatal(err)
	}
	defer e.Stop()
	l := e.Loops()[0]
	const n = 1500
	conns := make([]*Conn, n)
	var order []uint64
	for i := range conns {
		c := l.newConn(-1, 0)
		c.handler = &script{}
		conns[i] = c
		e.fds.set(i+2000, c)
		l.now = int64(1 + (i*7919)%n)
		c.SetIdle(true)
	}
	for {
		before := make(map[*Conn]int64)
		for _, c := range conns {
			if !c.IsClosed() && c.state&idleMarked != 0 {
				before[c] = c.stamp
			}
		}
		if l.reclaim(reclaimBatch) == 0 {
			break
		}
		newestGone, oldestLeft := int64(0), never
		for c, since := range before {
			if c.IsClosed() {
				newestGone = max(newestGone, since)
				order = append(order, c.id)
			} else {
				oldestLeft = min(oldestLeft, since)
			}
		}
		if newestGone > oldestLeft {
			t.Fatalf("closed one idle since %d, kept one since %d", newestGone, oldestLeft)
		}
		// Some of those that a scan found become busy and idle again: not the oldest any more.
		l.now = int64(10*n + len(order))
		for _, c := range conns[:50] {
			if !c.IsClosed() {
				c.SetIdle(false)
				c.SetIdle(true)
			}
		}
	}
	if len(order) != n {
		t.Errorf("%d of %d closed", len(order), n)
	}
	for i := range conns {
		e.fds.set(i+2000, nil)
	}
}

func TestPanicCostsOneConnection(t *testing.T) {
	var rec recorder
	e := newEngine(t, Options{Log: rec.log})
	l := e.Loops()[0]
	whys := make(chan error, 10)
	addr := listen(t, e, &script{
		readable: func(c *Conn) {
			b := l.GetBuf(100)
			n, err := c.Read(b.B[:100])
			if err != nil {
				l.PutBuf(b)
				return
			}
			if b.B[:1][0] == '!' {
				var none *Conn
				none.handler = nil
			}
			c.Write(b.B[:n])
			_ = c.Flush()
			l.PutBuf(b)
		},
		closed: func(_ *Conn, why error) {
			whys <- why
			panic("in Closed, too")
		},
	})
	good, bad := dialTCP(t, addr), dialTCP(t, addr)
	_, _ = bad.Write([]byte("!"))
	if _, err := bad.Read(make([]byte, 1)); err == nil {
		t.Error("the connection lives")
	}
	if why := wait(t, whys, "Closed"); why != ErrPanic {
		t.Errorf("closed: %v", why)
	}
	_, _ = good.Write([]byte("still there"))
	if _, err := io.ReadFull(good, make([]byte, 11)); err != nil {
		t.Errorf("the other connection: %v", err)
	}
	l.Post(func() { panic("in a task") })
	tm := &orderTimer{told: func() { panic("in a timer") }}
	onLoop(t, l, func() {
		l.SetTimer(&tm.Timer, l.Now(), tm)
		l.Defer(func() { panic("in deferred work") })
	})
	l.Offload(func() { panic("in offloaded work") }, nil)
	eventually(t, "six panics", func() bool { return e.Stats().Panics == 6 })
	for _, part := range []string{"nil pointer dereference", "TestPanicCostsOneConnection", "in Closed, too", "in a task",
		"in a timer", "in deferred work", "in offloaded work"} {
		if rec.count(part) == 0 {
			t.Errorf("not logged: %s", part)
		}
	}
	_, _ = good.Write([]byte("still there"))
	if _, err := io.ReadFull(good, make([]byte, 11)); err != nil {
		t.Errorf("the other connection: %v", err)
	}
}

// TestStaleEventsDoNoHarm delivers to a connection what an event of its descriptor's predecessor would say.
func TestStaleEventsDoNoHarm(t *testing.T) {
	e := newEngine(t, Options{Loops: 2})
	l := e.Loops()[0]
	var conn *Conn
	var ended atomic.Bool
	addr := listen(t, e, &script{
		accepted: func(c *Conn, _ *Listener) {
			if c.Loop() == l {
				conn = c
			}
		},
		readable: echo,
		writable: echo,
		closed:   func(*Conn, error) { ended.Store(true) },
	})
	var client *net.TCPConn
	eventually(t, "a connection of loop 0", func() (ok bool) {
		client = dialTCP(t, addr)
		_, _ = client.Write([]byte("a"))
		_, _ = io.ReadFull(client, make([]byte, 1))
		onLoop(t, l, func() { ok = conn != nil && conn.remote.addrPort().String() == client.LocalAddr().String() })
		return ok
	})
	ended.Store(false)
	for _, ready := range []readiness{canRead, canWrite, peerGone | canRead, peerGone | canRead | canWrite} {
		onLoop(t, l, func() { l.serve(conn, ready) })
		_, _ = client.Write([]byte("ping"))
		if _, err := io.ReadFull(client, make([]byte, 4)); err != nil {
			t.Fatalf("after a stale event %b: %v", ready, err)
		}
	}
	// An event of the other loop's former descriptor, and of a descriptor nobody has.
	other, fd := e.Loops()[1], 0
	onLoop(t, l, func() { fd = int(conn.fd) })
	onLoop(t, other, func() {
		poke(other, fd)
		poke(other, 1<<20)
	})
	if ended.Load() {
		t.Error("a stale event closed a connection")
	}
}

// TestStaleEventDoesNotConnect: an event says writable while connect(2) is in progress.
func TestStaleEventDoesNotConnect(t *testing.T) {
	e := newEngine(t, Options{})
	l := e.Loops()[0]
	to := fullBacklog(t)
	ended := make(chan error, 1)
	connected := make(chan bool, 1)
	onLoop(t, l, func() {
		h := &script{
			connected: func(*Conn) { connected <- true },
			timeout:   func(c *Conn) { c.closeFor(unix.ETIMEDOUT) },
			closed:    func(_ *Conn, why error) { ended <- why },
		}
		c, err := l.Dial(to, netip.AddrPort{}, h)
		if err != nil {
			t.Error(err)
			return
		}
		c.SetDeadline(l.Now() + int64(100*time.Millisecond))
		l.serve(c, canRead|canWrite|peerGone)
		if c.IsClosed() || c.ReadableNow() {
			t.Error("a stale event was believed")
		}
		c.Write([]byte("queued before it stands"))
		if c.Flush() != nil || c.Pending() == 0 {
			t.Error("output of a connecting socket")
		}
	})
	if why := wait(t, ended, "the deadline"); why != unix.ETIMEDOUT {
		t.Errorf("closed: %v", why)
	}
	if len(connected) != 0 {
		t.Error("connected")
	}
}

// fullBacklog gives the address of a listener whose queue is full, so that connecting hangs.
func fullBacklog(t *testing.T) Addr {
	t.Helper()
	fd, err := unix.Socket(unix.AF_INET, unix.SOCK_STREAM, 0)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = unix.Close(fd) })
	if err := unix.Bind(fd, &unix.SockaddrInet4{Addr: [4]byte{127, 0, 0, 1}}); err != nil {
		t.Fatal(err)
	}
	if err := unix.Listen(fd, 0); err != nil {
		t.Fatal(err)
	}
	to, err := boundAddr(fd, TCPAddr(netip.MustParseAddrPort("127.0.0.1:0")))
	if err != nil {
		t.Fatal(err)
	}
	for range 4 {
		s, err := sysSocket(unix.AF_INET)
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { _ = unix.Close(s) })
		_ = unix.Connect(s, sockaddrOf(to))
	}
	return to
}

func TestDialFailures(t *testing.T) {
	e := newEngine(t, Options{})
	l := e.Loops()[0]
	dead := TCPAddr(netip.MustParseAddrPort(freeport.Address(t)))
	for _, c := range []struct {
		to   Addr
		want error
	}{
		{dead, unix.ECONNREFUSED},
		{UnixAddr("/nowhere/to/be/found"), unix.ENOENT},
		{UnixAddr("/" + strings.Repeat("x", 200)), unix.EINVAL},
	} {
		got := make(chan error, 1)
		onLoop(t, l, func() {
			dialing := true
			h := &script{
				connected: func(*Conn) { t.Error("connected") },
				closed: func(_ *Conn, why error) {
					if dialing {
						t.Error("Closed came before Dial returned")
					}
					got <- why
				},
			}
			if _, err := l.Dial(c.to, netip.AddrPort{}, h); err != nil {
				t.Error(err)
			}
			dialing = false
		})
		if why := wait(t, got, "Closed"); why != c.want {
			t.Errorf("%v: %v", c.to, why)
		}
	}
	onLoop(t, l, func() {
		_, err := l.Dial(dead, netip.MustParseAddrPort("192.0.2.1:0"), &script{})
		if !errors.Is(err, unix.EADDRNOTAVAIL) {
			t.Errorf("local address: %v", err)
		}
	})
	if s := e.Stats(); s.Backends != 0 || l.live != 0 {
		t.Errorf("left: %+v", s)
	}
}

func TestDialFromLocalAddress(t *testing.T) {
	e := newEngine(t, Options{})
	l := e.Loops()[0]
	peer := make(chan netip.AddrPort, 1)
	addr := listen(t, e, &script{accepted: func(c *Conn, _ *Listener) { peer <- c.RemoteAddr() }})
	dial := func(from netip.AddrPort) (err error) {
		onLoop(t, l, func() { _, err = l.Dial(TCPAddr(netip.MustParseAddrPort(addr)), from, &script{}) })
		return err
	}
	whole := netip.AddrPortFrom(netip.MustParseAddr("127.0.0.77"), uint16(freeport.TCP(t)))
	if err := dial(netip.AddrPortFrom(whole.Addr(), 0)); err != nil {
		t.Error(err)
	}
	if p := wait(t, peer, "the peer"); p.Addr() != whole.Addr() {
		t.Errorf("came from %v", p)
	}
	if err := dial(whole); err != nil {
		t.Error(err)
	}
	if p := wait(t, peer, "the peer"); p != whole {
		t.Errorf("came from %v, want %v", p, whole)
	}
	if err := dial(whole); !errors.Is(err, unix.EADDRINUSE) {
		t.Errorf("a port that is in use: %v", err)
	}
}

func TestStopWhileBusyLeavesNothing(t *testing.T) {
	before := runtime.NumGoroutine()
	for range 5 {
		e, err := New(Options{Loops: 2, MaxConns: 1000})
		if err != nil {
			t.Fatal(err)
		}
		var stopped atomic.Int32
		a := echoScript()
		a.closed = func(_ *Conn, why error) {
			if why == ErrStopped {
				stopped.Add(1)
			}
		}
		a.accepted = func(c *Conn, _ *Listener) { c.SetDeadline(c.Loop().Now() + int64(time.Hour)) }
		if err := e.Start(); err != nil {
			t.Fatal(err)
		}
		addr := listen(t, e, a)
		clients := make(chan struct{}, 20)
		for range 20 {
			c := dialTCP(t, addr)
			go func() {
				p := make([]byte, 1000)
				for {
					if _, err := c.Write(p); err != nil {
						break
					}
					if _, err := io.ReadFull(c, p); err != nil {
						break
					}
				}
				clients <- struct{}{}
			}()
		}
		eventually(t, "traffic", func() bool { return e.Stats().Handled == 20 })
		for _, l := range e.Loops() {
			go func() {
				for range 10000 {
					l.Post(func() {})
				}
			}()
			for range 40 {
				l.Offload(func() { time.Sleep(time.Millisecond) }, func() {})
			}
		}
		e.Stop()
		e.Stop()
		for range 20 {
			wait(t, clients, "the clients")
		}
		if stopped.Load() != 20 {
			t.Errorf("%d connections were told", stopped.Load())
		}
		e.Loops()[0].Post(func() { t.Error("a task ran after Stop") })
		e.Loops()[0].Offload(func() { t.Error("work was done after Stop") }, nil)
		if e.SetListeners(nil) != ErrStopped || e.Start() == nil {
			t.Error("a stopped engine goes on")
		}
	}
	eventually(t, fmt.Sprintf("back to %d goroutines", before), func() bool { return runtime.NumGoroutine() <= before })
}

func TestStopBeforeStart(t *testing.T) {
	e, err := New(Options{Loops: 2})
	if err != nil {
		t.Fatal(err)
	}
	if err := e.SetListeners([]ListenSpec{{Network: "tcp", Addr: "127.0.0.1:0", Acceptor: echoScript()}}); err != nil {
		t.Fatal(err)
	}
	addr := e.Listeners()[0].Addr().String()
	e.Stop()
	if c, err := net.Dial("tcp", addr); err == nil {
		_ = c.Close()
		t.Error("somebody listens")
	}
}
