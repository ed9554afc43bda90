package engine

import (
	"bytes"
	"errors"
	"io"
	"net"
	"net/netip"
	"strings"
	"testing"
	"time"

	"golang.org/x/sys/unix"
)

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

// TestEveryRoundOfMuchOutputIsTold: a peer as fast as we are gets what follows the first megabyte in another round, which
// Writable tells. A second Flush in the first round must not anticipate it: nobody would hear that all is sent.
func TestEveryRoundOfMuchOutputIsTold(t *testing.T) {
	e := newEngine(t, Options{})
	left := make(chan int, 1000)
	body := make([]byte, sendAtOnce+100)
	addr := listen(t, e, &script{
		accepted: func(c *Conn, _ *Listener) { _ = unix.SetsockoptInt(int(c.fd), unix.SOL_SOCKET, unix.SO_SNDBUF, 16<<20) },
		readable: func(c *Conn) {
			_, _ = c.Read(make([]byte, 10))
			c.WriteShared(body)
			_ = c.Flush()
			_ = c.Flush()
		},
		writable: func(c *Conn) { left <- c.Pending() },
	})
	c := dialTCP(t, addr)
	for range 10 {
		if _, err := c.Write([]byte("?")); err != nil {
			t.Fatal(err)
		}
		if _, err := io.ReadFull(c, make([]byte, len(body))); err != nil {
			t.Fatal(err)
		}
		for wait(t, left, "Writable") != 0 {
		}
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
		if _, err := l.Dial(TCPAddr(netip.MustParseAddrPort(ln.Addr().String())), netip.AddrPort{}, h); err != nil {
			t.Error(err)
		}
	})
	if s := wait(t, got, "the answer"); !strings.HasPrefix(s, "early answer ") || strings.HasSuffix(s, "EOF") {
		t.Errorf("got %q", s)
	}
}
