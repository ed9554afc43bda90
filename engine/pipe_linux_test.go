package engine

import (
	"bytes"
	"io"
	"net"
	"net/netip"
	"os"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"golang.org/x/sys/unix"
)

// relay passes on what a backend sends, moved where that is possible. Fields are the loop's.
type relay struct {
	client, backend *Conn
	end             error // of the backend's output
	moved           atomic.Int64
	copied          atomic.Int64
	closed          chan struct{}
}

func (r *relay) pump() {
	if r.end != nil || r.client.IsClosed() || r.backend.IsClosed() {
		return
	}
	for {
		if r.client.Pending() > 1<<20 {
			return // Writable goes on
		}
		n, err := r.client.WriteFrom(r.backend, 1<<20)
		r.moved.Add(int64(n))
		if err == ErrCopy {
			var p [8 << 10]byte
			n, err = r.backend.Read(p[:])
			r.copied.Add(int64(n))
			r.client.Write(p[:n])
		}
		if r.client.Flush() != nil || err == ErrAgain {
			return
		}
		if err != nil {
			r.end = err
			if err == io.EOF {
				r.client.Finish(0, 0)
			} else {
				r.client.Reset()
			}
			r.backend.Close()
			return
		}
	}
}

// startRelay gives the address of a relay to what serve sends.
func startRelay(t *testing.T, e *Engine, serve func(c net.Conn)) (string, *relay) {
	t.Helper()
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { ln.Close() })
	go func() {
		for {
			c, err := ln.Accept()
			if err != nil {
				return
			}
			go func() { defer c.Close(); serve(c) }()
		}
	}()
	r := &relay{closed: make(chan struct{}, 100)}
	backend := &script{readable: func(*Conn) { r.pump() }}
	addr := listen(t, e, &script{
		accepted: func(c *Conn, _ *Listener) {
			r.client, r.end = c, nil
			r.backend, err = c.Loop().Dial(TCPAddr(netip.MustParseAddrPort(ln.Addr().String())), netip.AddrPort{}, backend)
			if err != nil {
				t.Error(err)
			}
		},
		writable: func(*Conn) { r.pump() },
		closed:   func(*Conn, error) { r.backend.Close(); r.closed <- struct{}{} },
	})
	return addr, r
}

// pipeEnds counts the process's descriptors of pipes.
func pipeEnds(t *testing.T) (n int) {
	t.Helper()
	all, err := os.ReadDir("/proc/self/fd")
	if err != nil {
		t.Fatal(err)
	}
	for _, fd := range all {
		if to, _ := os.Readlink("/proc/self/fd/" + fd.Name()); strings.HasPrefix(to, "pipe:") {
			n++
		}
	}
	return n
}

func TestMovedBytesArrive(t *testing.T) {
	e := newEngine(t, Options{})
	l := e.Loops()[0]
	body := numbered(5 << 20)
	for name, serve := range map[string]func(c net.Conn){
		"at once": func(c net.Conn) { _, _ = c.Write(body) },
		"in small pieces": func(c net.Conn) { // more segments than a pipe has places
			for i := 0; i < len(body); i += 700 {
				_, _ = c.Write(body[i:min(i+700, len(body))])
			}
		},
		"after pauses": func(c net.Conn) {
			for i := 0; i < len(body); i += 1 << 20 {
				_, _ = c.Write(body[i : i+1<<20])
				time.Sleep(2 * time.Millisecond)
			}
		},
	} {
		t.Run(name, func(t *testing.T) {
			before := pipeEnds(t)
			addr, r := startRelay(t, e, serve)
			for slow := range 2 {
				c := dialTCP(t, addr)
				if slow == 1 {
					_ = c.SetReadBuffer(32 << 10)
					time.Sleep(100 * time.Millisecond)
				}
				got, err := io.ReadAll(c)
				if err != nil || !bytes.Equal(got, body) {
					t.Fatalf("got %d of %d bytes, %v", len(got), len(body), err)
				}
				wait(t, r.closed, "the end")
				onLoop(t, l, func() {
					if n := r.client.BytesSent(); n != int64(len(body)) {
						t.Errorf("%d bytes counted as sent", n)
					}
					if n := r.backend.BytesRead(); n != int64(len(body)) {
						t.Errorf("%d bytes counted as read", n)
					}
				})
			}
			if r.moved.Load() < int64(len(body)/4) {
				t.Errorf("%d bytes moved, %d copied", r.moved.Load(), r.copied.Load())
			}
			onLoop(t, l, func() {
				if l.pipes.open != l.pipes.idle {
					t.Errorf("%d pipes, %d of them free", l.pipes.open, l.pipes.idle)
				}
				for l.pipes.open > 0 { // as time passes
					l.pipes.trim()
				}
			})
			if n := pipeEnds(t); n > before {
				t.Errorf("%d ends of pipes, %d before", n, before)
			}
		})
	}
}

// TestMovingEndsAsReadingDoes: a reset of the backend's is told after what came before it.
func TestMovingEndsAsReadingDoes(t *testing.T) {
	e := newEngine(t, Options{})
	gone := make(chan struct{})
	addr, r := startRelay(t, e, func(c net.Conn) {
		_, _ = c.Write(make([]byte, 300000))
		<-gone
		_ = c.(*net.TCPConn).SetLinger(0)
	})
	c := dialTCP(t, addr)
	if _, err := io.ReadFull(c, make([]byte, 300000)); err != nil {
		t.Fatal(err)
	}
	close(gone)
	wait(t, r.closed, "the end")
	onLoop(t, e.Loops()[0], func() {
		if r.end != unix.ECONNRESET {
			t.Errorf("ended with %v", r.end)
		}
	})
}

// TestPipesOfConnectionsThatEnd: a pipe with bytes that nobody takes any more is closed and not used again.
func TestPipesOfConnectionsThatEnd(t *testing.T) {
	e := newEngine(t, Options{})
	l := e.Loops()[0]
	before := pipeEnds(t)
	addr, r := startRelay(t, e, func(c net.Conn) {
		body := make([]byte, 1<<20)
		for {
			if _, err := c.Write(body); err != nil {
				return
			}
		}
	})
	for i := range 20 {
		c := dialTCP(t, addr)
		if _, err := io.ReadFull(c, make([]byte, 1<<20)); err != nil {
			t.Fatal(err)
		}
		var sent int64
		eventually(t, "the client is behind", func() (ok bool) {
			onLoop(t, l, func() {
				ok = r.client.Pending() > 1<<20 && r.client.BytesSent() == sent
				sent = r.client.BytesSent()
			})
			return ok
		})
		if i%2 == 0 {
			_ = c.SetLinger(0)
			_ = c.Close()
		} else {
			l.Post(r.client.Close)
		}
		wait(t, r.closed, "the end")
		onLoop(t, l, func() {
			if l.pipes.open != l.pipes.idle {
				t.Errorf("%d pipes, %d of them free", l.pipes.open, l.pipes.idle)
			}
			for p := l.pipes.free; p != nil; p = p.next {
				if p.left != 0 {
					t.Error("a free pipe is not empty")
				}
			}
		})
	}
	onLoop(t, l, func() {
		for l.pipes.open > 0 {
			l.pipes.trim()
		}
	})
	if n := pipeEnds(t); n > before {
		t.Errorf("%d ends of pipes, %d before", n, before)
	}
}

func TestPipesHaveBounds(t *testing.T) {
	e := newEngine(t, Options{})
	l := e.Loops()[0]
	before := pipeEnds(t)
	onLoop(t, l, func() {
		var all []*pipe
		for range 2 * maxPipes {
			if p := l.getPipe(); p != nil {
				all = append(all, p)
			}
		}
		if len(all) == 0 || len(all) > maxPipes { // fewer where the user may not have as much memory in pipes
			t.Errorf("%d pipes", len(all))
		}
		for _, p := range all {
			p.release()
		}
		if l.pipes.idle > pipesKept || l.pipes.open != l.pipes.idle {
			t.Errorf("%d pipes kept, %d open", l.pipes.idle, l.pipes.open)
		}
		for l.pipes.open > 0 {
			l.pipes.trim()
		}
		l.pipes.retryAt = 0
		var was unix.Rlimit
		_ = unix.Getrlimit(unix.RLIMIT_NOFILE, &was)
		few := unix.Rlimit{Cur: 3, Max: was.Max}
		_ = unix.Setrlimit(unix.RLIMIT_NOFILE, &few)
		p := l.getPipe()
		_ = unix.Setrlimit(unix.RLIMIT_NOFILE, &was)
		if p != nil || l.getPipe() != nil {
			t.Error("a pipe without descriptors, or asked for again at once")
		}
		l.now += pipesRetry
		if p = l.getPipe(); p == nil {
			t.Error("never asked again")
			return
		}
		p.close()
	})
	if n := pipeEnds(t); n > before {
		t.Errorf("%d ends of pipes, %d before", n, before)
	}
}
