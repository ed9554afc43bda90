package engine

import (
	"bytes"
	"io"
	"net"
	"os"
	"runtime"
	"strconv"
	"strings"
	"testing"

	"golang.org/x/sys/unix"
)

// pageFiles counts the process's descriptors of files in memory.
func pageFiles(t *testing.T) (n int) {
	t.Helper()
	all, err := os.ReadDir("/proc/self/fd")
	if err != nil {
		t.Fatal(err)
	}
	for _, fd := range all {
		if to, _ := os.Readlink("/proc/self/fd/" + fd.Name()); strings.HasPrefix(to, "/memfd:seawall") {
			n++
		}
	}
	return n
}

// numbered is n bytes that tell their place.
func numbered(n int) []byte {
	p := make([]byte, n)
	for i := range p {
		p[i] = byte(i*7 + i>>8 + i>>16)
	}
	return p
}

// TestPagesInEveryOrder sends pages among bytes in memory to a reader that is slow at first.
func TestPagesInEveryOrder(t *testing.T) {
	e := newEngine(t, Options{})
	l := e.Loops()[0]
	body := numbered(1 << 20)
	var want bytes.Buffer
	ready := make(chan struct{})
	addr := listen(t, e, &script{accepted: func(c *Conn, _ *Listener) {
		p := l.NewPages([][]byte{body[:1000], body[1000:]}, len(body))
		if p == nil {
			t.Error("no pages")
			return
		}
		write := func(q []byte) { c.Write(q); want.Write(q) }
		shared := func(q []byte) { c.WriteShared(q); want.Write(q) }
		pages := func(off, n int) { c.WritePages(p, off, n); want.Write(body[off : off+n]) }
		for i := range 8 {
			write(body[:200+i])
			pages(0, len(body)) // one segment before it: send
			if i%3 == 1 {
				_ = c.Flush()
			}
			write(body[:100])
			shared(body[5000:90000]) // several before it: sendmsg
			pages(12345, 300000+i)
			pages(777, 1)
			shared(body[:ioLimit+1]) // more than one call
			pages(0, 10)
		}
		for range 2 * maxVector {
			shared(body[:maxVector])
		}
		pages(0, 100)
		write(body[:10])
		p.Release()
		close(ready)
		c.Finish(0, 0)
	}})
	c := dialTCP(t, addr)
	wait(t, ready, "the writer")
	got, err := io.ReadAll(c)
	if err != nil || !bytes.Equal(got, want.Bytes()) {
		t.Errorf("got %d of %d bytes, %v", len(got), want.Len(), err)
	}
	_ = c.Close()
	eventually(t, "closed", func() bool { return e.Stats().Active == 0 })
	eventually(t, "descriptors are given back", func() bool { return pageFiles(t) == 0 })
	onLoop(t, l, func() {
		if len(l.pages.all) != 0 || l.pages.bytes != 0 {
			t.Errorf("%d pages of %d bytes left", len(l.pages.all), l.pages.bytes)
		}
	})
}

// TestPagesOfConnectionsThatEnd: whichever side ends a connection with pages queued, they are released once.
func TestPagesOfConnectionsThatEnd(t *testing.T) {
	for name, end := range map[string]func(ours *Conn, theirs *net.TCPConn){
		"close": func(ours *Conn, _ *net.TCPConn) { ours.Loop().Post(ours.Close) },
		"reset": func(_ *Conn, theirs *net.TCPConn) { _ = theirs.SetLinger(0); _ = theirs.Close() },
	} {
		t.Run(name, func(t *testing.T) {
			e := newEngine(t, Options{})
			l := e.Loops()[0]
			conns := make(chan *Conn, 1)
			addr := listen(t, e, &script{accepted: func(c *Conn, _ *Listener) {
				p := l.NewPages([][]byte{numbered(1 << 20)}, 1<<20)
				for range 40 {
					c.Write([]byte("head"))
					c.WritePages(p, 0, 1<<20)
				}
				p.Release()
				_ = c.Flush()
				conns <- c
			}})
			c := dialTCP(t, addr)
			ours := wait(t, conns, "the connection")
			if _, err := io.ReadFull(c, make([]byte, 3<<20+5)); err != nil {
				t.Fatal(err)
			}
			end(ours, c)
			eventually(t, "closed", func() bool { return e.Stats().Active == 0 })
			_ = c.Close()
			eventually(t, "descriptors are given back", func() bool { return pageFiles(t) == 0 })
			onLoop(t, l, func() {
				if len(l.pages.all) != 0 {
					t.Error("pages left")
				}
				ours.Write([]byte("x"))
				p := l.NewPages([][]byte{{1}}, 1)
				ours.WritePages(p, 0, 1) // into the void
				p.Release()
			})
		})
	}
}

func TestPagesHaveBounds(t *testing.T) {
	e := newEngine(t, Options{})
	l := e.Loops()[0]
	onLoop(t, l, func() {
		var all []*Pages
		for range 2 * maxPages {
			if p := l.NewPages([][]byte{{1, 2, 3}}, 3); p != nil {
				all = append(all, p)
			}
		}
		if len(all) != maxPages || l.HasRoomForPages(1) {
			t.Errorf("%d pages", len(all))
		}
		for i := range all { // in another order than they were made
			all[(i*5)%len(all)].Release()
		}
		if l.HasRoomForPages(pagesBytes+1) || !l.HasRoomForPages(pagesBytes) {
			t.Error("the bound in bytes")
		}
	})
	if n := pageFiles(t); n > 0 {
		t.Errorf("%d descriptors are left", n)
	}
}

// TestPagesWithoutDescriptors: when the kernel refuses, nobody is told, and it is left alone for a while.
func TestPagesWithoutDescriptors(t *testing.T) {
	e := newEngine(t, Options{})
	l := e.Loops()[0]
	var was unix.Rlimit
	if err := unix.Getrlimit(unix.RLIMIT_NOFILE, &was); err != nil {
		t.Fatal(err)
	}
	onLoop(t, l, func() {
		few := unix.Rlimit{Cur: 3, Max: was.Max}
		if err := unix.Setrlimit(unix.RLIMIT_NOFILE, &few); err != nil {
			t.Error(err)
		}
		p := l.NewPages([][]byte{{1}}, 1)
		_ = unix.Setrlimit(unix.RLIMIT_NOFILE, &was)
		if p != nil {
			t.Error("pages without a descriptor")
		}
		if l.NewPages([][]byte{{1}}, 1) != nil {
			t.Error("asked again at once")
		}
		l.now += pagesRetry
		if p = l.NewPages([][]byte{{1}}, 1); p == nil {
			t.Error("never asked again")
			return
		}
		p.Release()
	})
}

func TestSendingPagesAllocatesNothing(t *testing.T) {
	e := newEngine(t, Options{})
	body := numbered(100 << 10)
	question, ask := make([]byte, 64), []byte("?")
	var p *Pages
	addr := listen(t, e, &script{readable: func(c *Conn) {
		if p == nil {
			p = c.Loop().NewPages([][]byte{body}, len(body))
		}
		for {
			if _, err := c.Read(question); err != nil {
				return
			}
			c.Write(body[:200])
			c.WritePages(p, 0, len(body))
			_ = c.Flush()
		}
	}})
	c := dialTCP(t, addr)
	in := make([]byte, 200+len(body))
	once := func() {
		if _, err := c.Write(ask); err != nil {
			t.Fatal(err)
		}
		if _, err := io.ReadFull(c, in); err != nil {
			t.Fatal(err)
		}
	}
	for range 50 {
		once()
	}
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	for range 1000 {
		once()
	}
	runtime.ReadMemStats(&after)
	if n := after.Mallocs - before.Mallocs; n > 50 {
		t.Errorf("%d allocations for 1000 answers", n)
	}
	if !bytes.Equal(in[200:], body) {
		t.Error("other bytes than written")
	}
}

func BenchmarkPages(b *testing.B) {
	e, err := New(Options{Loops: 1})
	if err != nil {
		b.Fatal(err)
	}
	defer e.Stop()
	for _, size := range []int{16 << 10, 100 << 10, 1 << 20} {
		body := numbered(size)
		b.Run(strconv.Itoa(size>>10)+"KB", func(b *testing.B) {
			for b.Loop() {
				e.Loops()[0].NewPages([][]byte{body}, size).Release()
			}
		})
	}
}
