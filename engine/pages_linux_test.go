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

// pagesOf makes pages, after waiting until a slab has been made ahead; nil when they are not to be had.
func pagesOf(t testing.TB, l *Loop, chunks ...[]byte) *Pages {
	t.Helper()
	size := 0
	for _, c := range chunks {
		size += len(c)
	}
	made := make(chan *Pages, 1)
	onLoop(t, l, func() {
		if l.pages.next == nil {
			l.makeAhead()
		}
	})
	awaitSlab(t, l)
	l.Post(func() { l.MakePages(chunks, size, func(p *Pages) { made <- p }) })
	p := wait(t, made, "the pages")
	awaitSlab(t, l)
	return p
}

// awaitSlab waits until no slab is being made.
func awaitSlab(t testing.TB, l *Loop) {
	t.Helper()
	eventually(t, "the slab is made", func() (ok bool) {
		onLoop(t, l, func() { ok = !l.pages.making })
		return ok
	})
}

// release gives pages back, on their loop.
func release(t testing.TB, l *Loop, all ...*Pages) {
	t.Helper()
	onLoop(t, l, func() {
		for _, p := range all {
			p.Release()
		}
	})
}

// closeEmpty gives up the slabs that hold nothing.
func closeEmpty(t *testing.T, l *Loop) {
	t.Helper()
	awaitSlab(t, l)
	onLoop(t, l, func() { l.pages.taken = false; l.pages.trim() })
}

// TestPagesInEveryOrder sends pages among bytes in memory to a reader that is slow at first.
func TestPagesInEveryOrder(t *testing.T) {
	e := newEngine(t, Options{})
	l := e.Loops()[0]
	body := numbered(1 << 20)
	var want bytes.Buffer
	ready := make(chan struct{})
	p := pagesOf(t, l, body[:1000], body[1000:])
	if p == nil {
		t.Fatal("no pages")
	}
	addr := listen(t, e, &script{accepted: func(c *Conn, _ *Listener) {
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
	closeEmpty(t, l)
	eventually(t, "descriptors are given back", func() bool { return pageFiles(t) == 0 })
	onLoop(t, l, func() {
		if len(l.pages.slabs) != 0 || l.pages.bytes != 0 {
			t.Errorf("%d slabs of %d bytes left", len(l.pages.slabs), l.pages.bytes)
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
			p := pagesOf(t, l, numbered(1<<20))
			addr := listen(t, e, &script{accepted: func(c *Conn, _ *Listener) {
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
			p = pagesOf(t, l, []byte{1})
			onLoop(t, l, func() {
				if l.pages.open.refs != 2 {
					t.Error("pages left")
				}
				ours.Write([]byte("x"))
				ours.WritePages(p, 0, 1) // into the void
				p.Release()
			})
			closeEmpty(t, l)
			if n := pageFiles(t); n != 0 {
				t.Errorf("%d descriptors are left", n)
			}
		})
	}
}

// TestPagesShareSlabs: bodies lie in slabs one after the other, each with its own bytes; what was released is never
// written again; and a slab goes with the last of its bodies.
func TestPagesShareSlabs(t *testing.T) {
	e := newEngine(t, Options{})
	l := e.Loops()[0]
	const size = 200_001
	read := func(p *Pages) []byte {
		b := make([]byte, p.size)
		if _, err := unix.Pread(p.slab.fd, b, p.off); err != nil {
			t.Fatal(err)
		}
		return b
	}
	var all []*Pages
	for i := range 27 {
		p := pagesOf(t, l, bytes.Repeat([]byte{byte(i)}, 1), numbered(size-1))
		if p == nil {
			t.Fatalf("no pages %d", i)
		}
		all = append(all, p)
		if i%4 == 3 {
			release(t, l, all[i-1])
		}
	}
	if n := pageFiles(t); n != 4 { // one is ready for the next
		t.Errorf("27 bodies of 200 KB are in %d slabs", n)
	}
	for i, p := range all {
		if b := read(p); b[0] != byte(i) || !bytes.Equal(b[1:], numbered(size-1)) {
			t.Errorf("body %d is another one", i)
		}
	}
	var left []*Pages
	for i, p := range all {
		if i%4 != 2 || i+1 == len(all) {
			left = append(left, p)
		}
	}
	release(t, l, left...)
	if n := pageFiles(t); n != 2 {
		t.Errorf("%d slabs are left besides one that is open and the next", n)
	}
	eventually(t, "all are given up when nobody asks for more", func() bool { return pageFiles(t) == 0 })
}

// TestPagesHaveBounds: in bytes, counted by slabs, also those that are being made.
func TestPagesHaveBounds(t *testing.T) {
	e := newEngine(t, Options{})
	l := e.Loops()[0]
	const size = slabBytes/2 + 1
	body := make([]byte, size)
	var all []*Pages
	for {
		p := pagesOf(t, l, body)
		if p == nil {
			break
		}
		all = append(all, p)
	}
	if len(all) != pagesBytes/slabBytes {
		t.Errorf("%d pages", len(all))
	}
	onLoop(t, l, func() {
		if l.HasRoomForPages(size) || !l.HasRoomForPages(slabBytes/4) {
			t.Error("the open slab's room")
		}
	})
	if pagesOf(t, l, body[:slabBytes/4]) == nil {
		t.Error("the open slab has room")
	}
	for i := range all { // in another order than they were made
		release(t, l, all[(i*5)%len(all)])
	}
	if n := pageFiles(t); n != 1 {
		t.Errorf("%d slabs are left for one body", n)
	}
	onLoop(t, l, func() {
		if l.HasRoomForPages(pagesBytes) || !l.HasRoomForPages(pagesBytes-slabBytes) {
			t.Error("the bound in bytes")
		}
	})
}

// TestOneSlabIsMadeAtATime: who asks meanwhile gets none. A large body gets its own, which is not given out further.
func TestOneSlabIsMadeAtATime(t *testing.T) {
	e := newEngine(t, Options{})
	l := e.Loops()[0]
	const size = slabBytes + 1
	first, second := make(chan *Pages, 1), make(chan *Pages, 1)
	onLoop(t, l, func() {
		l.MakePages([][]byte{make([]byte, size)}, size, func(p *Pages) { first <- p })
		l.MakePages([][]byte{make([]byte, size)}, size, func(p *Pages) { second <- p })
		l.MakePages([][]byte{{1}}, 1, func(p *Pages) {
			if p != nil {
				t.Error("pages from nowhere")
			}
		})
	})
	if wait(t, second, "the second") != nil {
		t.Error("two slabs were made")
	}
	p := wait(t, first, "the first")
	if p == nil || p.Size() != size {
		t.Fatal("no pages")
	}
	onLoop(t, l, func() {
		if l.pages.open == p.slab || l.pages.next == p.slab || l.pages.bytes != 2*slabBytes {
			t.Error("the large body's slab is open")
		}
		p.Release()
		if len(l.pages.slabs) != 0 || l.pages.bytes != 0 {
			t.Error("it is not given up")
		}
	})
}

// TestLargeBodiesAmongSmallOnes: one that does not fit into what is left of the open slab has a new one made, and the small
// ones go on filling the open one.
func TestLargeBodiesAmongSmallOnes(t *testing.T) {
	e := newEngine(t, Options{})
	l := e.Loops()[0]
	small := pagesOf(t, l, make([]byte, 1000))
	onLoop(t, l, func() { l.pages.taken = false; l.pages.trim() }) // nothing is ready
	large := make([]byte, slabBytes-100)
	ask := func() (p *Pages) {
		onLoop(t, l, func() { l.MakePages([][]byte{large}, len(large), func(made *Pages) { p = made }) })
		return p
	}
	if ask() != nil {
		t.Error("pages from nowhere")
	}
	awaitSlab(t, l)
	if p := ask(); p == nil || p.slab == small.slab {
		t.Error("no pages for the large body")
	}
	if p := pagesOf(t, l, make([]byte, 1000)); p == nil || p.slab != small.slab {
		t.Error("the small ones' slab was left")
	}
}

// TestSlabThatComesAfterTheEnd: it is closed with the others.
func TestSlabThatComesAfterTheEnd(t *testing.T) {
	for range 20 {
		e := newEngine(t, Options{})
		l := e.Loops()[0]
		onLoop(t, l, l.makeAhead)
		e.Stop()
		if n := pageFiles(t); n != 0 {
			t.Fatalf("%d slabs are left", n)
		}
	}
}

// TestPagesOutsideTheirBytes: a mistake of the caller's must not send another response's bytes.
func TestPagesOutsideTheirBytes(t *testing.T) {
	p := &Pages{size: 10}
	for _, r := range [][2]int{{-1, 2}, {0, 11}, {10, 1}, {5, -1}} {
		func() {
			defer func() {
				if recover() == nil {
					t.Errorf("%d bytes from %d on", r[1], r[0])
				}
			}()
			new(Conn).WritePages(p, r[0], r[1])
		}()
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
	few := unix.Rlimit{Cur: 3, Max: was.Max}
	if err := unix.Setrlimit(unix.RLIMIT_NOFILE, &few); err != nil {
		t.Error(err)
	}
	p := pagesOf(t, l, []byte{1})
	_ = unix.Setrlimit(unix.RLIMIT_NOFILE, &was)
	if p != nil {
		t.Error("pages without a descriptor")
	}
	if pagesOf(t, l, []byte{1}) != nil {
		t.Error("asked again at once")
	}
	onLoop(t, l, func() {
		if l.pages.bytes != 0 || l.pages.making {
			t.Error("room is lost")
		}
		l.pages.retryAt = l.Now()
		l.makeAhead()
	})
	if pagesOf(t, l, []byte{1}) == nil {
		t.Error("never asked again")
	}
}

func TestSendingPagesAllocatesNothing(t *testing.T) {
	e := newEngine(t, Options{})
	body := numbered(100 << 10)
	question, ask := make([]byte, 64), []byte("?")
	p := pagesOf(t, e.Loops()[0], body)
	addr := listen(t, e, &script{readable: func(c *Conn) {
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
	for _, size := range []int{16 << 10, 100 << 10, 1 << 20} {
		body := numbered(size)
		b.Run(strconv.Itoa(size>>10)+"KB", func(b *testing.B) {
			l := newEngine(b, Options{}).Loops()[0]
			for b.Loop() {
				release(b, l, pagesOf(b, l, body))
			}
		})
	}
}
