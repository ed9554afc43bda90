package engine

import (
	"bytes"
	"errors"
	"io"
	"net/netip"
	"os"
	"path/filepath"
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
				if _, err := l.Dial(to, netip.AddrPort{}, h); err != nil {
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
