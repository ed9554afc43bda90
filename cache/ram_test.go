package cache

import (
	"bytes"
	"fmt"
	"os"
	"runtime"
	"runtime/debug"
	"strconv"
	"strings"
	"testing"
	"time"
)

func TestStoredObjectsComeBackWhole(t *testing.T) {
	z := newTestZone(t, 4<<20)
	lines := []string{"Content-Type: text/html", "ETag: \"v1\"", "Last-Modified: " + date(1000), "X-Empty: ", "Vary: X-Kind"}
	req := request{"X-Kind: a"}
	for _, size := range []int{0, 1, 100, z.ram.piece - 1, z.ram.piece, z.ram.entryMax - 1, z.ram.entryMax, 10 * z.ram.piece, 10*z.ram.piece + 1, 1 << 20} {
		key := fmt.Sprintf("http://example.com/%d", size)
		body := pattern(size, byte(size))
		o := response(7, sec, body, lines...)
		o.AgeAtStore, o.StaleIfError, o.StaleWhileRevalidate = 3, 5*sec, 4*sec
		mustStore(t, z, nil, key, req, o, 7)

		got, st := z.Lookup(nil, z.MakeKey([]byte(key)), req, 8)
		if st != Fresh {
			t.Fatalf("%d bytes: %v", size, st)
		}
		if !bytes.Equal(bodyBytes(got), body) || got.Body.Len() != int64(size) {
			t.Errorf("%d bytes: the body differs", size)
		}
		if !bytes.Equal(got.Head, o.Head) || len(got.Fields) != len(lines) || string(got.ETag) != `"v1"` ||
			got.LastModifiedUnix != 1000 || string(got.ContentType) != "text/html" || string(got.Key) != key ||
			string(got.Vary) != "X-Kind" || got.Variant != o.Variant || got.Status != 200 || got.DateUnix != 1000 ||
			got.StoredAt != 7 || got.FreshUntil != 7+sec || got.StaleIfError != 5*sec || got.StaleWhileRevalidate != 4*sec || got.AgeAtStore != 3 {
			t.Errorf("%d bytes: got %+v", size, got)
		}
	}
}

func TestHeadLargerThanAnEntry(t *testing.T) {
	z := newTestZone(t, 4<<20)
	for _, size := range []int{0, 10, 100_000} {
		key := strconv.Itoa(size)
		o := response(0, sec, pattern(size, 1), "X-Long: "+strings.Repeat("a", 30_000))
		mustStore(t, z, nil, key, nil, o, 0)
		got, st := z.Lookup(nil, z.MakeKey([]byte(key)), nil, 1)
		if st != Fresh || !bytes.Equal(got.Head, o.Head) || !bytes.Equal(bodyBytes(got), bodyBytes(o)) {
			t.Errorf("body of %d: %v", size, st)
		}
	}
	huge := response(0, sec, nil, "X-Long: "+strings.Repeat("a", 4<<20))
	if why := z.Store(nil, z.MakeKey([]byte("k")), nil, huge, 0); why != NoStoreHeadTooLarge {
		t.Errorf("a head larger than the zone: %v", why)
	}
}

// Any body up to about the zone's size can be stored, in whatever state the zone is.
func TestLargestBody(t *testing.T) {
	for memory, share := range map[int64]float64{1 << 20: 0.75, 10 << 20: 0.9, 24 << 20: 0.9} {
		z := newTestZone(t, memory)
		if ratio := float64(z.MaxBody()) / float64(memory); ratio < share {
			t.Errorf("%d: the largest body is %.2f of the memory", memory, ratio)
		}
		body := pattern(int(z.MaxBody()), 9)
		for round := range int64(2) {
			now := round * sec
			// The zone is full of small pages, all in use.
			for i := range int(memory / 2000) {
				mustStore(t, z, nil, fmt.Sprint("small", i), nil, response(now, sec, body[:1500]), now)
			}
			mustStore(t, z, nil, "big", nil, response(now, 10*sec, body), now)
			got, st := z.Lookup(nil, z.MakeKey([]byte("big")), nil, now+1)
			if st != Fresh || !bytes.Equal(bodyBytes(got), body) {
				t.Fatalf("memory %d, round %d: %v", memory, round, st)
			}
		}
		if why := z.Store(nil, z.MakeKey([]byte("k")), nil, response(0, sec, pattern(int(z.MaxBody())+1, 1)), 0); why != NoStoreTooLarge {
			t.Errorf("a larger one: %v", why)
		}
	}
}

// A model of what matters about eviction: whatever is stored around it, a
// look-up gives the body that was stored last or nothing, never a mixture, and
// pages in use survive a stream of large bodies that are asked for once.
func TestEvictionNeverMixesBodies(t *testing.T) {
	z := newTestZone(t, 1<<20)
	model := map[string]byte{}
	rnd := uint32(1)
	next := func(n int) int {
		rnd = rnd*1664525 + 1013904223
		return int(rnd>>8) % n
	}
	sizes := []int{10, 900, 10_000, 100_000, 400_000}
	hits := 0
	for step := range 1500 {
		now := int64(step) * int64(20*time.Millisecond)
		key := fmt.Sprint("k", next(40))
		size := sizes[(int(key[1])+len(key))%len(sizes)]
		if next(3) == 0 {
			seed := byte(next(256))
			if z.Store(nil, z.MakeKey([]byte(key)), nil, response(now, 100*sec, pattern(size, seed)), now) == Storable {
				model[key] = seed
			}
			continue
		}
		got, st := z.Lookup(nil, z.MakeKey([]byte(key)), nil, now)
		if st == Miss {
			continue
		}
		hits++
		if seed, ok := model[key]; !ok || !bytes.Equal(bodyBytes(got), pattern(size, seed)) {
			t.Fatalf("step %d: %s is not what was stored last", step, key)
		}
	}
	if hits < 100 {
		t.Errorf("only %d hits", hits)
	}
	if z.Stats().Evictions == 0 {
		t.Error("no eviction was counted")
	}
}

func TestPagesInUseOutliveBodiesAskedForOnce(t *testing.T) {
	z := newTestZone(t, 4<<20)
	for i := range 50 {
		mustStore(t, z, nil, fmt.Sprint("used", i), nil, response(0, 1000*sec, pattern(1000, byte(i))), 0)
	}
	kept := 0
	for round := range int64(40) {
		now := (round + 1) * sec
		mustStore(t, z, nil, fmt.Sprint("once", round), nil, response(now, sec, pattern(300_000, 1)), now)
		kept = 0
		for i := range 50 {
			if _, st := z.Lookup(nil, z.MakeKey([]byte(fmt.Sprint("used", i))), nil, now); st == Fresh {
				kept++
			}
		}
	}
	if kept < 40 {
		t.Errorf("%d of 50 pages in use are left after three times the memory went through", kept)
	}
}

func TestHalfEvictedBodyIsAMiss(t *testing.T) {
	z := newTestZone(t, 4<<20)
	o := response(0, sec, pattern(500_000, 1))
	mustStore(t, z, nil, "k", nil, o, 0)
	z.big = sharedObjects{} // the body is in memory still
	var key [pieceKeyN]byte
	pieceKey(&key, o.slot, 7)
	if !z.ram.fc.Del(key[:]) {
		t.Fatal("no piece 7")
	}
	if _, st := z.Lookup(nil, z.MakeKey([]byte("k")), nil, 1); st != Miss {
		t.Fatal(st)
	}
}

func TestLargeBodyIsSharedWhileInUse(t *testing.T) {
	z := newTestZone(t, 8<<20)
	mustStore(t, z, nil, "k", nil, response(0, sec, pattern(1<<20, 1)), 0)
	a, _ := z.Lookup(nil, z.MakeKey([]byte("k")), nil, 1)
	b, _ := z.Lookup(nil, z.MakeKey([]byte("k")), nil, 1)
	if &a.Body.Chunks()[0][0] != &b.Body.Chunks()[0][0] {
		t.Error("two copies of one body")
	}
	runtime.KeepAlive(a)
}

func TestReplacedPiecesAreDropped(t *testing.T) {
	z := newTestZone(t, 8<<20)
	for i := range 20 {
		mustStore(t, z, nil, "k", nil, response(0, sec, pattern(1<<20, byte(i))), 0)
	}
	want := int64(piecesFor(1<<20, z.ram.piece)) + 1
	if got := z.Stats().Entries; got != want {
		t.Errorf("%d entries, want %d", got, want)
	}
	if n := z.Stats().Evictions; n != 0 {
		t.Errorf("%d evictions counted", n)
	}
}

func TestRefreshWritesTheRootOnly(t *testing.T) {
	z := newTestZone(t, 8<<20)
	body := pattern(1<<20, 1)
	o := response(0, sec, body, "ETag: \"a\"")
	mustStore(t, z, nil, "k", nil, o, 0)
	before := z.ram.live.Load()
	n := o.Refresh([]byte("ETag: \"a\"\r\nX-New: 1\r\n"), &Verdict{TTL: 5 * sec, Age: -1}, sec, 2000)
	if &n.Body.Chunks()[0][0] != &o.Body.Chunks()[0][0] {
		t.Error("the body was copied")
	}
	mustStore(t, z, nil, "k", nil, n, sec)
	if z.ram.live.Load() != before || z.Stats().Entries != before {
		t.Error("pieces were written again")
	}
	z.big = sharedObjects{}
	got, st := z.Lookup(nil, z.MakeKey([]byte("k")), nil, 3*sec)
	if st != Fresh || !bytes.Equal(bodyBytes(got), body) || len(got.Fields) != 2 || got.DateUnix != 2000 {
		t.Fatalf("%v %+v", st, got)
	}
}

func TestObjectsOutOfUseAreForgotten(t *testing.T) {
	z := NewZone("test", 1<<20, 10*time.Second)
	mustStore(t, z, nil, "used", nil, response(0, 1000*sec, []byte("x")), 0)
	mustStore(t, z, nil, "idle", nil, response(0, 1000*sec, []byte("x")), 0)
	mustStore(t, z, nil, "large", nil, response(0, 1000*sec, pattern(100_000, 1)), 0)
	for now := sec; now < 30*sec; now += 3 * sec {
		for _, key := range []string{"used", "large"} {
			if _, st := z.Lookup(nil, z.MakeKey([]byte(key)), nil, now); st != Fresh {
				t.Fatalf("%s after %d s: %v", key, now/sec, st)
			}
		}
	}
	if _, st := z.Lookup(nil, z.MakeKey([]byte("idle")), nil, 30*sec); st != Miss {
		t.Error(st)
	}
}

func TestHashCollisionIsAMiss(t *testing.T) {
	z := newTestZone(t, 1<<20)
	mustStore(t, z, nil, "a", nil, response(0, sec, []byte("of a")), 0)
	k := z.MakeKey([]byte("a"))
	k.Text = []byte("b")
	h := NewHotTable(16, 1<<20)
	if _, st := z.Lookup(h, k, nil, 1); st != Miss {
		t.Fatal(st)
	}
}

// The zone's memory must not be taken before it is used.
func TestZoneMemoryIsTakenAsUsed(t *testing.T) {
	if runtime.GOOS != "linux" {
		t.Log("resident memory is read from /proc: nothing to measure here")
		return
	}
	runtime.GC()
	debug.FreeOSMemory()
	before := residentBytes(t)
	z := newTestZone(t, 64<<20)
	mustStore(t, z, nil, "k", nil, response(0, sec, []byte("x")), 0)
	grown := residentBytes(t) - before
	t.Logf("a new zone of 64 MB takes %d KB", grown>>10)
	if grown > 8<<20 {
		t.Errorf("a new zone of 64 MB takes %d KB", grown>>10)
	}
	runtime.KeepAlive(z)
}

func residentBytes(t *testing.T) int64 {
	t.Helper()
	text, err := os.ReadFile("/proc/self/statm")
	if err != nil {
		t.Fatal(err)
	}
	pages, err := strconv.ParseInt(strings.Fields(string(text))[1], 10, 64)
	if err != nil {
		t.Fatal(err)
	}
	return pages * int64(os.Getpagesize())
}

// Bytes of any kind where a root should be give an object or nothing, never a panic.
func FuzzDecodeRoot(f *testing.F) {
	z := NewZone("fuzz", 1<<20, time.Minute)
	o := response(1, sec, []byte("body"), "A: b", "Vary: X")
	z.adopt(o, z.MakeKey([]byte("key")), nil)
	r := rootOf(o, 0, z.ram.piece)
	r.flags = flagMetaInline | flagBodyInline
	good := append(appendMeta(appendRoot(nil, &r), o), "body"...)
	f.Add(good, true)
	f.Add(good[:len(good)-1], false)
	f.Add([]byte{}, true)
	k := z.MakeKey([]byte("key"))
	key := entryKeyOf(k.Hash, 0)
	f.Fuzz(func(t *testing.T, value []byte, seal bool) {
		value = bytes.Clone(value)
		if seal && len(value) >= rootFixed { // past the check, to the lengths
			value[atVersion] = valueVersion
			sum := rootCheck(value[:atCheck])
			for i := range 8 {
				value[atCheck+i] = byte(sum >> (8 * i))
			}
		}
		if z.ram.fc.Set(key[:], value, 0) != nil {
			return
		}
		if got, _ := z.Lookup(nil, k, request{"X: 1"}, 2); got != nil {
			_ = bodyBytes(got)
			_ = got.AppendUpdatedHead(nil, got.headers())
		}
		z.Begin(nil, k, request{"X: 1"}, nil, nil, 2)
	})
}

func TestAPageMadeAnewIsWrittenOverItsOldCopies(t *testing.T) {
	z := newTestZone(t, 8<<20)
	pieces := int64(piecesFor(100_000, z.ram.piece))
	var first root
	for i := range int64(200) {
		body := pattern(100_000, byte(i))
		mustStore(t, z, nil, "k", nil, response(i, sec, body), i)
		z.big = sharedObjects{} // the body is in memory still
		o, st := z.Lookup(nil, z.MakeKey([]byte("k")), nil, i)
		if st != Fresh || !bytes.Equal(bytes.Join(o.Body.Chunks(), nil), body) {
			t.Fatalf("version %d: %v, or another body", i, st)
		}
		r, _ := z.ram.peekRoot(entryKeyOf(z.MakeKey([]byte("k")).Hash, 0))
		switch i {
		case 0:
			first = r
		case 2:
			if r.slot != first.slot {
				t.Error("the third version does not lie where the first one was")
			}
			if z.ram.readPieces(&first, first.metaPieces, make([]byte, first.bodyLen)) {
				t.Error("pieces of the third version were taken for the first")
			}
		}
	}
	if n := z.ram.fc.EntryCount(); n > 2*pieces+1 {
		t.Errorf("%d entries, %d pieces make a body", n, pieces)
	}
	if n := z.ram.fc.OverwriteCount(); n < 190*pieces {
		t.Errorf("%d pieces were written over others", n)
	}
	if n := z.ram.evictions(); n != 0 {
		t.Errorf("%d evictions were counted", n)
	}
}

func TestSlotOfAnotherBodyIsNotGivenBack(t *testing.T) {
	z := newTestZone(t, 8<<20)
	mustStore(t, z, nil, "a", nil, response(0, sec, pattern(100_000, 1)), 0)
	k := entryKeyOf(z.MakeKey([]byte("a")).Hash, 0)
	first, _ := z.ram.peekRoot(k)
	mustStore(t, z, nil, "a", nil, response(1, sec, pattern(100_000, 2)), 1) // gives the first slot back
	n := first.pieces()
	if !z.ram.slots.giveBack(first.slot, n) || z.ram.slots.kept != n {
		t.Errorf("a slot was given back twice: %d pieces kept", z.ram.slots.kept)
	}
	mustStore(t, z, nil, "b", nil, response(2, sec, pattern(100_000, 3)), 2) // lies there now
	if b, _ := z.ram.peekRoot(entryKeyOf(z.MakeKey([]byte("b")).Hash, 0)); b.slot != first.slot || !z.ram.owns(&b) || z.ram.owns(&first) {
		t.Error("the slot is not the second page's alone")
	}
}
