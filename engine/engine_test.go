package engine

import (
	"fmt"
	"io"
	"net"
	"net/netip"
	"strings"
	"sync"
	"testing"
	"time"
)

// recorder collects what the engine logs.
type recorder struct {
	mu    sync.Mutex
	lines []string
}

func (r *recorder) log(sev Severity, conn uint64, text string) {
	r.mu.Lock()
	r.lines = append(r.lines, fmt.Sprintf("[%d] *%d %s", sev, conn, text))
	r.mu.Unlock()
}

func (r *recorder) count(part string) int {
	r.mu.Lock()
	defer r.mu.Unlock()
	n := 0
	for _, line := range r.lines {
		if strings.Contains(line, part) {
			n++
		}
	}
	return n
}

// script is a handler (and acceptor) made of functions; those that are nil do nothing but close on Timeout and EOF.
type script struct {
	accepted  func(c *Conn, ln *Listener)
	connected func(c *Conn)
	readable  func(c *Conn)
	writable  func(c *Conn)
	timeout   func(c *Conn)
	closed    func(c *Conn, why error)
}

func (s *script) Accepted(c *Conn, ln *Listener) {
	c.SetHandler(s)
	if s.accepted != nil {
		s.accepted(c, ln)
	}
}

func (s *script) Connected(c *Conn) {
	if s.connected != nil {
		s.connected(c)
	}
}

func (s *script) Readable(c *Conn) {
	if s.readable != nil {
		s.readable(c)
	}
}

func (s *script) Writable(c *Conn) {
	if s.writable != nil {
		s.writable(c)
	}
}

func (s *script) Timeout(c *Conn) {
	if s.timeout != nil {
		s.timeout(c)
		return
	}
	c.Close()
}

func (s *script) Closed(c *Conn, why error) {
	if s.closed != nil {
		s.closed(c, why)
	}
}

// echo sends back what it reads, pausing reading while output is pending.
func echo(c *Conn) {
	for c.ReadableNow() && c.Pending() == 0 {
		b := c.Loop().GetBuf(16 << 10)
		n, err := c.Read(b.B[:cap(b.B)])
		if err != nil {
			c.Loop().PutBuf(b)
			if err != ErrAgain {
				c.Close()
			}
			return
		}
		b.B = b.B[:n]
		c.WriteBuf(b)
		if c.Flush() != nil {
			return
		}
	}
}

func echoScript() *script { return &script{readable: echo, writable: echo} }

// newEngine builds and starts an engine that the test's end stops.
func newEngine(t testing.TB, opt Options) *Engine {
	t.Helper()
	if opt.Loops == 0 {
		opt.Loops = 1
	}
	if opt.MaxConns == 0 {
		opt.MaxConns = 10000
	}
	if opt.Log == nil {
		opt.Log = func(sev Severity, conn uint64, text string) { t.Logf("[%d] *%d %s", sev, conn, text) }
	}
	e, err := New(opt)
	if err != nil {
		t.Fatal(err)
	}
	if err := e.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(e.Stop)
	return e
}

// listen opens a TCP listener on loopback and gives its address.
func listen(t testing.TB, e *Engine, a Acceptor) string {
	t.Helper()
	if err := e.SetListeners([]ListenSpec{{Network: "tcp", Addr: "127.0.0.1:0", Acceptor: a}}); err != nil {
		t.Fatal(err)
	}
	return e.Listeners()[0].Addr().String()
}

func dialTCP(t testing.TB, addr string) *net.TCPConn {
	t.Helper()
	c, err := net.Dial("tcp", addr)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = c.Close() })
	_ = c.SetDeadline(time.Now().Add(20 * time.Second))
	return c.(*net.TCPConn)
}

// onLoop runs f on the loop and waits.
func onLoop(t testing.TB, l *Loop, f func()) {
	t.Helper()
	done := make(chan struct{})
	l.Post(func() { defer close(done); f() })
	wait(t, done, "the loop")
}

func wait[T any](t testing.TB, ch <-chan T, what string) T {
	t.Helper()
	select {
	case v := <-ch:
		return v
	case <-time.After(20 * time.Second):
		t.Fatalf("waited in vain for %s", what)
		panic("unreachable")
	}
}

func eventually(t testing.TB, what string, ok func() bool) {
	t.Helper()
	for end := time.Now().Add(20 * time.Second); !ok(); time.Sleep(time.Millisecond) {
		if time.Now().After(end) {
			t.Fatalf("never: %s", what)
		}
	}
}

func TestEchoOverTCP(t *testing.T) {
	e := newEngine(t, Options{Loops: 2})
	addr := listen(t, e, echoScript())
	var all sync.WaitGroup
	for range 20 {
		all.Go(func() {
			c := dialTCP(t, addr)
			msg := []byte(strings.Repeat("seawall ", 128))
			got := make([]byte, len(msg))
			for range 50 {
				if _, err := c.Write(msg); err != nil {
					t.Error(err)
					return
				}
				if _, err := io.ReadFull(c, got); err != nil || string(got) != string(msg) {
					t.Errorf("echo: %v", err)
					return
				}
			}
		})
	}
	all.Wait()
	if s := e.Stats(); s.Accepted != 20 || s.Handled != 20 || s.Active == 0 && s.Accepted == 0 {
		t.Errorf("stats: %+v", s)
	}
}

func TestDialAndTalk(t *testing.T) {
	e := newEngine(t, Options{})
	addr := listen(t, e, echoScript())
	l := e.Loops()[0]
	to, err := ParseAddr(addr)
	if err != nil {
		t.Fatal(err)
	}
	got := make(chan string, 1)
	closing := make(chan error, 1)
	h := &script{
		connected: func(c *Conn) {
			c.Write([]byte("hello"))
			_ = c.Flush()
		},
		readable: func(c *Conn) {
			var p [100]byte
			if n, err := c.Read(p[:]); err == nil {
				got <- string(p[:n])
				c.Close()
			}
		},
		closed: func(c *Conn, why error) { closing <- why },
	}
	l.Post(func() {
		if _, err := l.Dial(to, netip.AddrPort{}, h); err != nil {
			t.Error(err)
		}
	})
	if s := wait(t, got, "the echo"); s != "hello" {
		t.Errorf("got %q", s)
	}
	if why := wait(t, closing, "Closed"); why != nil {
		t.Errorf("closed: %v", why)
	}
}
