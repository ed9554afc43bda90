package engine

import (
	"bytes"
	"errors"
	"io"
	"net"
	"net/netip"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
	"unsafe"

	"golang.org/x/sys/unix"
)

func TestConnSize(t *testing.T) {
	if size := unsafe.Sizeof(Conn{}); size > 160 {
		t.Errorf("a connection takes %d bytes", size)
	}
}

// readAll reads what there is; err is what ended it.
func readAll(c *Conn, into *bytes.Buffer) error {
	var p [4096]byte
	for {
		n, err := c.Read(p[:])
		if err != nil {
			return err
		}
		into.Write(p[:n])
	}
}

func TestDataAndFinTogetherAreBothSeen(t *testing.T) {
	e := newEngine(t, Options{})
	type end struct {
		data string
		err  error
	}
	got := make(chan end, 1)
	var in bytes.Buffer
	addr := listen(t, e, &script{
		accepted: func(*Conn, *Listener) { in.Reset() },
		readable: func(c *Conn) {
			if err := readAll(c, &in); err != ErrAgain {
				got <- end{in.String(), err}
				c.Close()
			}
		},
	})
	for range 50 {
		c := dialTCP(t, addr)
		if _, err := c.Write([]byte("last words")); err != nil {
			t.Fatal(err)
		}
		_ = c.CloseWrite()
		if g := wait(t, got, "the end"); g.data != "last words" || g.err != io.EOF {
			t.Fatalf("got %q, %v", g.data, g.err)
		}
	}
}

func TestHalfClosedPeerGetsAnswer(t *testing.T) {
	e := newEngine(t, Options{})
	var in bytes.Buffer
	addr := listen(t, e, &script{readable: func(c *Conn) {
		if err := readAll(c, &in); err == io.EOF {
			c.Write(in.Bytes())
			c.Finish(time.Second, time.Second)
		}
	}})
	c := dialTCP(t, addr)
	if _, err := c.Write([]byte("question")); err != nil {
		t.Fatal(err)
	}
	_ = c.CloseWrite()
	if answer, err := io.ReadAll(c); string(answer) != "question" || err != nil {
		t.Errorf("got %q, %v", answer, err)
	}
}

func TestReadIsNotRepeatedToSeeDry(t *testing.T) {
	e := newEngine(t, Options{})
	states := make(chan bool, 1)
	addr := listen(t, e, &script{readable: func(c *Conn) {
		var p [100]byte
		if _, err := c.Read(p[:]); err == nil {
			states <- c.ReadableNow()
		}
	}})
	c := dialTCP(t, addr)
	_, _ = c.Write([]byte("short"))
	if wait(t, states, "the read") {
		t.Error("after a short read the connection counts as readable")
	}
}

func TestPausedReadingLosesNothing(t *testing.T) {
	e := newEngine(t, Options{})
	l := e.Loops()[0]
	paused := true
	var conn *Conn
	got := 0
	done := make(chan struct{})
	const total = 3 << 20
	addr := listen(t, e, &script{
		accepted: func(c *Conn, _ *Listener) { conn = c },
		readable: func(c *Conn) {
			if paused {
				return
			}
			p := make([]byte, 1<<16)
			for {
				n, err := c.Read(p)
				got += n
				if err == io.EOF {
					close(done)
					return
				}
				if err != nil {
					return
				}
			}
		},
	})
	c := dialTCP(t, addr)
	go func() {
		_, _ = c.Write(make([]byte, total))
		_ = c.CloseWrite()
	}()
	eventually(t, "accepted and readable", func() (ok bool) {
		onLoop(t, l, func() { ok = conn != nil && conn.ReadableNow() })
		return ok
	})
	onLoop(t, l, func() {
		paused = false
		conn.ResumeReading()
		conn.ResumeReading() // a second time is the same
	})
	wait(t, done, "the end of input")
	if got != total {
		t.Errorf("got %d of %d bytes", got, total)
	}
}

// TestSlowReaderOfMuchOutput: output that the peer does not take stays queued, and arrives whole when it does.
func TestSlowReaderOfMuchOutput(t *testing.T) {
	e := newEngine(t, Options{})
	l := e.Loops()[0]
	const total = 100 << 20
	block := bytes.Repeat([]byte("0123456789abcdef"), 1<<16) // 1 MB
	var conn *Conn
	addr := listen(t, e, &script{accepted: func(c *Conn, _ *Listener) {
		conn = c
		for range total / len(block) {
			c.WriteShared(block)
		}
		if err := c.Flush(); err != nil {
			t.Error(err)
		}
		c.Finish(0, 0)
	}})
	c := dialTCP(t, addr)
	eventually(t, "most of it is pending", func() (ok bool) {
		onLoop(t, l, func() { ok = conn != nil && conn.Pending() > total*3/4 })
		return ok
	})
	_ = c.SetDeadline(time.Now().Add(60 * time.Second))
	p := make([]byte, 1<<20)
	got := 0
	for {
		n, err := io.ReadFull(c, p)
		if !bytes.Equal(p[:n], block[:n]) {
			t.Fatalf("wrong bytes at %d", got)
		}
		got += n
		if err != nil {
			break
		}
	}
	if got != total {
		t.Errorf("got %d of %d bytes", got, total)
	}
	eventually(t, "closed", func() bool { return e.Stats().Active == 0 })
}

func TestSmallWritesGatherInOneSegment(t *testing.T) {
	e := newEngine(t, Options{})
	segments := make(chan int, 1)
	head, body := bytes.Repeat([]byte("h"), 300), bytes.Repeat([]byte("b"), 1024)
	addr := listen(t, e, &script{accepted: func(c *Conn, _ *Listener) {
		c.Commit(append(c.Reserve(300), head...))
		c.Write(body)
		c.WriteShared(body)
		b := c.Loop().GetBuf(len(body))
		b.B = append(b.B, body...)
		c.WriteBuf(b)
		segments <- len(c.out.segs) - c.out.head
		c.Finish(0, 0)
	}})
	c := dialTCP(t, addr)
	if got, err := io.ReadAll(c); err != nil || string(got) != string(head)+strings.Repeat(string(body), 3) {
		t.Errorf("got %d bytes, %v", len(got), err)
	}
	if n := wait(t, segments, "the count"); n != 1 {
		t.Errorf("%d segments, so that more than one iovec is needed", n)
	}
}

// TestEveryKindOfOutputKeepsItsOrder mixes all ways of writing, in sizes around the buffers' limits.
func TestEveryKindOfOutputKeepsItsOrder(t *testing.T) {
	e := newEngine(t, Options{})
	var want bytes.Buffer
	fill := func(n int) []byte {
		p := make([]byte, n)
		for i := range p {
			p[i] = byte(want.Len() + i*7)
		}
		want.Write(p)
		return p
	}
	sizes := []int{1, 3, 100, 511, 512, 513, 4000, 4095, 4096, 4097, 10000, 70000, 262143, 262144, 262145, 400000}
	ready := make(chan struct{})
	addr := listen(t, e, &script{accepted: func(c *Conn, _ *Listener) {
		l := c.Loop()
		for round := range 3 {
			for i, n := range sizes {
				switch (i + round) % 5 {
				case 0:
					c.Write(fill(n))
				case 1:
					c.WriteShared(fill(n))
				case 2:
					b := l.GetBuf(n)
					b.B = append(b.B, fill(n)...)
					c.WriteBuf(b)
				case 3:
					c.Commit(append(c.Reserve(n), fill(n)...))
				case 4:
					c.Commit(append(c.Reserve(1), fill(n)...)) // outgrows what it reserved
					c.Write(fill(5))
				}
				if i%7 == 3 {
					_ = c.Flush()
				}
			}
		}
		c.Commit(c.Reserve(10))
		close(ready)
		c.Finish(0, 0)
	}})
	c := dialTCP(t, addr)
	got, err := io.ReadAll(c)
	wait(t, ready, "the writer")
	if err != nil || !bytes.Equal(got, want.Bytes()) {
		t.Errorf("got %d of %d bytes, %v", len(got), want.Len(), err)
	}
}

func TestManySegmentsLeaveCompletely(t *testing.T) {
	e := newEngine(t, Options{})
	part := []byte("0123456789")
	addr := listen(t, e, &script{accepted: func(c *Conn, _ *Listener) {
		for range 5 * maxVector {
			c.WriteShared(part)
		}
		c.Finish(0, 0)
	}})
	got, err := io.ReadAll(dialTCP(t, addr))
	if err != nil || len(got) != 5*maxVector*len(part) {
		t.Errorf("got %d bytes, %v", len(got), err)
	}
}

func TestWriteAfterPeerResetClosesWithErrno(t *testing.T) {
	e := newEngine(t, Options{})
	l := e.Loops()[0]
	closed := make(chan error, 1)
	var conn *Conn
	addr := listen(t, e, &script{
		accepted: func(c *Conn, _ *Listener) {
			conn = c
			for range 20 {
				c.WriteShared(make([]byte, 1<<20))
			}
			_ = c.Flush()
		},
		closed: func(_ *Conn, why error) { closed <- why },
	})
	c := dialTCP(t, addr)
	var p [1]byte
	_, _ = c.Read(p[:])
	_ = c.SetLinger(0)
	_ = c.Close()
	why := wait(t, closed, "Closed")
	if !errors.Is(why, unix.ECONNRESET) && !errors.Is(why, unix.EPIPE) {
		t.Errorf("closed: %v", why)
	}
	onLoop(t, l, func() {
		conn.Write([]byte("into the void"))
		conn.WriteBuf(l.GetBuf(10))
		if conn.Pending() != 0 || conn.Flush() != ErrClosed || !conn.IsClosed() {
			t.Error("a closed connection takes output")
		}
	})
}

func TestDialledConnectionReadsAnswerBeforeReset(t *testing.T) {
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer ln.Close()
	go func() { // a backend that answers before it has read the request, and closes with input unread: RST
		c, err := ln.Accept()
		if err != nil {
			return
		}
		_, _ = io.ReadFull(c, make([]byte, 10))
		_, _ = c.Write([]byte("early answer"))
		_ = c.Close()
	}()
	e := newEngine(t, Options{})
	l := e.Loops()[0]
	var in bytes.Buffer
	got := make(chan string, 1)
	h := &script{
		connected: func(c *Conn) {
			c.WriteShared(make([]byte, 32<<20))
			_ = c.Flush()
		},
		readable: func(c *Conn) {
			if err := readAll(c, &in); err != ErrAgain {
				got <- in.String() + " " + err.Error()
				c.Close()
			}
		},
	}
	l.Post(func() {
		if _, err := l.Dial(TCPAddr(netip.MustParseAddrPort(ln.Addr().String())), netip.Addr{}, h); err != nil {
			t.Error(err)
		}
	})
	if s := wait(t, got, "the answer"); !strings.HasPrefix(s, "early answer ") || strings.HasSuffix(s, "EOF") {
		t.Errorf("got %q", s)
	}
}

func TestPeerClosed(t *testing.T) {
	e := newEngine(t, Options{})
	l := e.Loops()[0]
	var conn *Conn
	addr := listen(t, e, &script{accepted: func(c *Conn, _ *Listener) { conn = c }})
	c := dialTCP(t, addr)
	_, _ = c.Write([]byte("unread"))
	eventually(t, "input", func() (ok bool) {
		onLoop(t, l, func() { ok = conn != nil && conn.ReadableNow() })
		return ok
	})
	onLoop(t, l, func() {
		if conn.PeerClosed() {
			t.Error("the peer counts as gone")
		}
		conn.state |= hungUp // as a stale event would
		if conn.PeerClosed() {
			t.Error("the peer counts as gone after a stale event")
		}
	})
	_ = c.CloseWrite()
	eventually(t, "the peer is gone, though there is unread input", func() (ok bool) {
		onLoop(t, l, func() { ok = conn.PeerClosed() })
		return ok
	})
}

func TestResetSendsRST(t *testing.T) {
	e := newEngine(t, Options{})
	addr := listen(t, e, &script{readable: func(c *Conn) { c.Reset() }})
	c := dialTCP(t, addr)
	_, _ = c.Write([]byte("x"))
	if _, err := c.Read(make([]byte, 1)); !errors.Is(err, unix.ECONNRESET) {
		t.Errorf("read: %v", err)
	}
}

func TestUnixSocketsBothWays(t *testing.T) {
	path := filepath.Join(t.TempDir(), "s")
	e := newEngine(t, Options{Loops: 2})
	spec := ListenSpec{Network: "unix", Addr: path, Acceptor: &script{readable: func(c *Conn) {
		if !c.IsUnix() || c.RemoteAddr().IsValid() || c.LocalAddr().IsValid() {
			t.Error("a unix connection has addresses")
		}
		echo(c)
	}}}
	if err := e.SetListeners([]ListenSpec{spec}); err != nil {
		t.Fatal(err)
	}
	if s := e.Listeners()[0].String(); s != "unix:"+path {
		t.Errorf("named %s", s)
	}
	second := spec
	if err := newEngine(t, Options{}).SetListeners([]ListenSpec{second}); err == nil ||
		err.Error() != "bind() to unix:"+path+" failed (98: Address already in use)" {
		t.Errorf("second listener: %v", err)
	}
	to, err := ParseAddr("unix:" + path)
	if err != nil {
		t.Fatal(err)
	}
	const each = 50
	done := make(chan string, 2*each)
	for _, l := range e.Loops() {
		l.Post(func() {
			for range each {
				var in bytes.Buffer
				h := &script{
					connected: func(c *Conn) { c.Write([]byte("through the socket")); _ = c.Flush() },
					readable: func(c *Conn) {
						_ = readAll(c, &in)
						if in.Len() == len("through the socket") {
							done <- in.String()
							c.Close()
						}
					},
					closed: func(_ *Conn, why error) {
						if why != nil {
							done <- why.Error()
						}
					},
				}
				if _, err := l.Dial(to, netip.Addr{}, h); err != nil {
					t.Error(err)
				}
			}
		})
	}
	for range 2 * each {
		if s := wait(t, done, "an echo"); s != "through the socket" {
			t.Errorf("got %q", s)
		}
	}
	if err := e.SetListeners(nil); err != nil {
		t.Fatal(err)
	}
	if _, err := os.Stat(path); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("the socket's file is left: %v", err)
	}
}

func TestClosedComesOnceAndNeverInsideACallback(t *testing.T) {
	e := newEngine(t, Options{})
	inside := false
	calls := make(chan error, 10)
	addr := listen(t, e, &script{
		readable: func(c *Conn) {
			inside = true
			c.Close()
			c.Close()
			c.Reset()
			c.Finish(time.Second, time.Second)
			c.CloseWrite()
			c.SetDeadline(1)
			c.SetIdle(true)
			c.Write([]byte("x"))
			if c.Flush() != ErrClosed || c.ReadableNow() {
				t.Error("not closed")
			}
			if _, err := c.Read(make([]byte, 1)); err != ErrClosed {
				t.Errorf("read: %v", err)
			}
			inside = false
		},
		closed: func(_ *Conn, why error) {
			if inside {
				t.Error("Closed was called inside a callback")
			}
			calls <- why
		},
	})
	c := dialTCP(t, addr)
	_, _ = c.Write([]byte("x"))
	if _, err := c.Read(make([]byte, 1)); err == nil {
		t.Error("not closed")
	}
	if why := wait(t, calls, "Closed"); why != nil {
		t.Errorf("closed: %v", why)
	}
	onLoop(t, e.Loops()[0], func() {})
	if len(calls) != 0 {
		t.Error("Closed was called again")
	}
	if s := e.Stats(); s.Active != 0 || s.Idle != 0 {
		t.Errorf("stats: %+v", s)
	}
}

func TestAddresses(t *testing.T) {
	e := newEngine(t, Options{})
	type pair struct{ local, remote netip.AddrPort }
	got := make(chan pair, 1)
	a := &script{accepted: func(c *Conn, ln *Listener) {
		if ln != c.Listener() || ln.Token() != "token" {
			t.Error("wrong listener")
		}
		got <- pair{c.LocalAddr(), c.RemoteAddr()}
		c.Close()
	}}
	for _, addr := range []string{"127.0.0.1:0", "0.0.0.0:0", "[::1]:0", "[::]:0"} {
		spec := ListenSpec{Network: "tcp", Addr: addr, Acceptor: a, Token: "token"}
		if err := e.SetListeners([]ListenSpec{spec}); err != nil {
			t.Fatal(err)
		}
		to := e.Listeners()[0].Addr()
		if to.Addr().IsUnspecified() {
			host := netip.MustParseAddr("127.0.0.1")
			if to.Addr().Is6() {
				host = netip.IPv6Loopback()
			}
			to = netip.AddrPortFrom(host, to.Port())
		}
		c := dialTCP(t, to.String())
		p := wait(t, got, "the addresses")
		if p.local != to || p.remote.String() != c.LocalAddr().String() {
			t.Errorf("%s: %v", addr, p)
		}
	}
}
