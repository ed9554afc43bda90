package engine

import (
	"errors"
	"fmt"
	"io"
	"net"
	"net/netip"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"golang.org/x/sys/unix"
)

func TestAddressInUseIsWordedAsNginx(t *testing.T) {
	taken, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer taken.Close()
	for _, loops := range []int{1, 2} {
		e := newEngine(t, Options{Loops: loops})
		err = e.SetListeners([]ListenSpec{{Network: "tcp", Addr: taken.Addr().String(), Acceptor: echoScript()}})
		if err == nil || err.Error() != "bind() to "+taken.Addr().String()+" failed (98: Address already in use)" {
			t.Errorf("%d loops: %v", loops, err)
		}
		if !errors.Is(err, unix.EADDRINUSE) {
			t.Error("the errno is lost")
		}
	}
}

// TestAnotherProcessOnThePortIsNoticed: with SO_REUSEPORT on both sides the kernel would let two servers share a port.
func TestAnotherProcessOnThePortIsNoticed(t *testing.T) {
	first := newEngine(t, Options{Loops: 2})
	addr := listen(t, first, echoScript())
	second := newEngine(t, Options{Loops: 2})
	spec := ListenSpec{Network: "tcp", Addr: addr, Acceptor: echoScript()}
	if err := second.SetListeners([]ListenSpec{spec}); !errors.Is(err, unix.EADDRINUSE) {
		t.Errorf("second engine on %s: %v", addr, err)
	}
}

func TestFailedSetListenersChangesNothing(t *testing.T) {
	taken, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer taken.Close()
	e := newEngine(t, Options{Loops: 2})
	addr := listen(t, e, echoScript())
	before := e.Listeners()
	for _, bad := range []ListenSpec{
		{Network: "tcp", Addr: taken.Addr().String(), Acceptor: echoScript()},
		{Network: "tcp", Addr: "nonsense", Acceptor: echoScript()},
		{Network: "udp", Addr: "127.0.0.1:0", Acceptor: echoScript()},
		{Network: "tcp6", Addr: "127.0.0.1:0", Acceptor: echoScript()},
		{Network: "unix", Addr: "", Acceptor: echoScript()},
		{Network: "tcp", Addr: "127.0.0.1:0"},
		{Network: "tcp", Addr: "192.0.2.1:0", Acceptor: echoScript()},
	} {
		err := e.SetListeners([]ListenSpec{{Network: "tcp", Addr: "127.0.0.1:0", Acceptor: echoScript()}, bad})
		if err == nil {
			t.Errorf("%+v was accepted", bad)
		}
	}
	if after := e.Listeners(); len(after) != 1 || after[0] != before[0] {
		t.Errorf("listeners: %v", after)
	}
	c := dialTCP(t, addr)
	_, _ = c.Write([]byte("ping"))
	if _, err := io.ReadFull(c, make([]byte, 4)); err != nil {
		t.Error(err)
	}
}

// TestReloadKeepsSocketsAndTheirQueues changes listeners a hundred times while clients come and go.
func TestReloadKeepsSocketsAndTheirQueues(t *testing.T) {
	e := newEngine(t, Options{Loops: 2})
	spec := func(addr, token string) ListenSpec {
		return ListenSpec{Network: "tcp", Addr: addr, Token: token, Acceptor: &script{accepted: func(c *Conn, ln *Listener) {
			c.Write([]byte(ln.Token().(string)))
			c.Finish(time.Second, time.Second)
		}}}
	}
	if err := e.SetListeners([]ListenSpec{spec("127.0.0.1:0", "first")}); err != nil {
		t.Fatal(err)
	}
	ln := e.Listeners()[0]
	addr := ln.Addr().String()
	ln.text = addr // as a configuration with a fixed port would name it
	var stop atomic.Bool
	done := make(chan error, 4)
	for range 4 {
		go func() {
			for !stop.Load() {
				c, err := net.Dial("tcp", addr)
				if err == nil {
					var got []byte
					if got, err = io.ReadAll(c); err == nil && len(got) == 0 {
						err = errors.New("an empty answer")
					}
					_ = c.Close()
				}
				if err != nil {
					done <- err
					return
				}
			}
			done <- nil
		}()
	}
	for i := range 100 {
		token := fmt.Sprint("round ", i)
		if err := e.SetListeners([]ListenSpec{spec("127.0.0.1:0", "other"), spec(addr, token)}); err != nil {
			t.Fatal(err)
		}
		if got := e.Listeners(); len(got) != 2 || got[1] != ln || ln.Token() != token {
			t.Fatalf("round %d: %v", i, got)
		}
	}
	stop.Store(true)
	for range 4 {
		if err := wait(t, done, "the clients"); err != nil {
			t.Error(err)
		}
	}
}

// TestClosingAListenerServesItsQueue: who was connected before the end is served.
func TestClosingAListenerServesItsQueue(t *testing.T) {
	e := newEngine(t, Options{Loops: 2})
	addr := listen(t, e, &script{accepted: func(c *Conn, _ *Listener) {
		c.Write([]byte("served"))
		c.Finish(time.Second, time.Second)
	}})
	// Both loops are kept busy while clients queue.
	release := make(chan struct{})
	for _, l := range e.Loops() {
		l.Post(func() { <-release })
	}
	var clients []*net.TCPConn
	for range 200 {
		clients = append(clients, dialTCP(t, addr))
	}
	stopped := make(chan struct{})
	go func() { e.StopAccepting(); close(stopped) }()
	close(release)
	wait(t, stopped, "StopAccepting")
	for i, c := range clients {
		if got, err := io.ReadAll(c); string(got) != "served" || err != nil {
			t.Fatalf("client %d: %q, %v", i, got, err)
		}
	}
	if c, err := net.Dial("tcp", addr); err == nil {
		_ = c.Close()
		t.Error("somebody listens")
	}
}

// TestMoreThanOneBatchInTheQueue: accepting stops after a batch to let others pass, and goes on without a new edge.
func TestMoreThanOneBatchInTheQueue(t *testing.T) {
	e := newEngine(t, Options{})
	addr := listen(t, e, &script{})
	release := make(chan struct{})
	e.Loops()[0].Post(func() { <-release })
	for range 5*acceptBatch + 7 {
		dialTCP(t, addr)
	}
	close(release)
	eventually(t, "all are accepted", func() bool { return e.Stats().Handled == 5*acceptBatch+7 })
}

func TestListenerOptionsReachAcceptedSockets(t *testing.T) {
	e := newEngine(t, Options{})
	type options struct{ nodelay, keepalive, idle int }
	got := make(chan options, 1)
	spec := ListenSpec{
		Network: "tcp", Addr: "127.0.0.1:0", RcvBuf: 64 << 10, SndBuf: 64 << 10, FastOpen: 5, DeferAccept: true,
		KeepAlive: KeepAlive{Mode: KeepAliveOn, Idle: 77 * time.Second, Interval: 7 * time.Second, Count: 3},
		Acceptor: &script{accepted: func(c *Conn, _ *Listener) {
			var o options
			o.nodelay, _ = unix.GetsockoptInt(int(c.fd), unix.IPPROTO_TCP, unix.TCP_NODELAY)
			o.keepalive, _ = unix.GetsockoptInt(int(c.fd), unix.SOL_SOCKET, unix.SO_KEEPALIVE)
			o.idle, _ = unix.GetsockoptInt(int(c.fd), unix.IPPROTO_TCP, tcpKeepIdle)
			got <- o
		}},
	}
	if err := e.SetListeners([]ListenSpec{spec}); err != nil {
		t.Fatal(err)
	}
	c := dialTCP(t, e.Listeners()[0].Addr().String())
	_, _ = c.Write([]byte("deferred until this")) // DeferAccept
	if o := wait(t, got, "the options"); o.nodelay == 0 || o.keepalive == 0 || o.idle != 77 {
		t.Errorf("options: %+v", o)
	}
}

func TestIPv6OnlyLeavesIPv4ToOthers(t *testing.T) {
	e := newEngine(t, Options{Loops: 2})
	four := listen(t, e, echoScript())
	port := netip.MustParseAddrPort(four).Port()
	specs := []ListenSpec{
		{Network: "tcp", Addr: "127.0.0.1:0", Acceptor: echoScript()},
		{Network: "tcp6", Addr: fmt.Sprintf("[::]:%d", port), IPv6Only: true, Acceptor: echoScript()},
	}
	if err := e.SetListeners(specs); err != nil {
		t.Fatal(err)
	}
	if s := e.Listeners()[1].String(); !strings.HasPrefix(s, "[::]:") {
		t.Errorf("named %s", s)
	}
	for _, to := range []string{four, fmt.Sprintf("[::1]:%d", port)} {
		c := dialTCP(t, to)
		_, _ = c.Write([]byte("x"))
		if _, err := io.ReadFull(c, make([]byte, 1)); err != nil {
			t.Errorf("%s: %v", to, err)
		}
	}
}

// TestConnectionsAreSpread: each loop has its own queue, and the kernel fills them all.
func TestConnectionsAreSpread(t *testing.T) {
	e := newEngine(t, Options{Loops: 2})
	addr := listen(t, e, echoScript())
	for range 64 {
		dialTCP(t, addr)
	}
	eventually(t, "all are handled", func() bool { return e.Stats().Handled == 64 })
	for _, l := range e.Loops() {
		if n := l.counters.handled.Load(); n == 0 {
			t.Errorf("loop %d got none", l.Index())
		}
	}
}
