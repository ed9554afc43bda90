package cache

import (
	"fmt"
	"testing"
)

func TestHotHitAllocatesNothing(t *testing.T) {
	z := newTestZone(t, 1<<20)
	h := NewHotTable(64, 1<<20)
	text := []byte("http://example.com/some/page?with=arguments")
	mustStore(t, z, h, string(text), nil, response(0, 100*sec, []byte("x")), 0)
	now := int64(1)
	hit := func() {
		k := z.MakeKey(text)
		if _, st := z.Lookup(h, k, nil, now); st != Fresh || h.Entry() == nil {
			t.Fatal(st)
		}
		now++
	}
	if n := testing.AllocsPerRun(1000, hit); n != 0 {
		t.Errorf("%v allocations", n)
	}
	var req VaryRequest = request{"Accept-Encoding: gzip, br", "X-Kind: a"}
	varying := fixedRequest{name: "Accept-Encoding", value: []byte("gzip, br")}
	mustStore(t, z, h, string(text), &varying, response(1, 100*sec, []byte("x"), "Vary: Accept-Encoding"), 1)
	req = &varying
	hit = func() {
		if _, st := z.Lookup(h, z.MakeKey(text), req, now); st != Fresh {
			t.Fatal(st)
		}
		now++
	}
	if n := testing.AllocsPerRun(1000, hit); n != 0 {
		t.Errorf("with Vary: %v allocations", n)
	}
	if s := z.Stats(); s.HotHits < 2000 || s.Hits != s.HotHits {
		t.Errorf("%+v", s)
	}
}

// fixedRequest has one field and allocates nothing.
type fixedRequest struct {
	name  string
	value []byte
}

func (r *fixedRequest) HeaderValue(name []byte, i int) ([]byte, bool) {
	return r.value, i == 0 && string(name) == r.name
}

func TestHotMissAllocatesLittle(t *testing.T) {
	z := newTestZone(t, 1<<20)
	h := NewHotTable(64, 1<<20)
	text := []byte("absent")
	if n := testing.AllocsPerRun(1000, func() { z.Lookup(h, z.MakeKey(text), nil, 1) }); n > 3 {
		t.Errorf("%v allocations", n)
	}
}

func TestHotTableKeepsItsBounds(t *testing.T) {
	z := newTestZone(t, 8<<20)
	h := NewHotTable(64, 100_000)
	for i := range 2000 {
		mustStore(t, z, h, fmt.Sprint(i), nil, response(0, 100*sec, pattern(i%5000, 1)), int64(i))
		if h.Bytes() > 100_000 || h.Len() > 64 {
			t.Fatalf("%d entries, %d bytes", h.Len(), h.Bytes())
		}
	}
	bytes, count := int64(0), 0
	for i := range h.sets {
		for j, e := range h.sets[i].entries {
			if e != nil {
				bytes += e.size
				count++
			}
			if (e == nil) != (h.sets[i].tags[j] == 0) {
				t.Fatal("a tag without an entry")
			}
		}
	}
	if bytes != h.Bytes() || count != h.Len() || count == 0 {
		t.Errorf("%d entries of %d bytes, accounted %d of %d", count, bytes, h.Len(), h.Bytes())
	}
	mustStore(t, z, h, "too large", nil, response(0, sec, pattern(50_000, 1)), 0)
	if h.Entry() != nil {
		t.Error("an object of half the table was admitted")
	}
	h.Clear()
	if h.Len() != 0 || h.Bytes() != 0 {
		t.Error("not empty after Clear")
	}
}

func TestHotTableKeepsWhatIsUsed(t *testing.T) {
	z := newTestZone(t, 8<<20)
	h := NewHotTable(1024, 100_000)
	mustStore(t, z, h, "used", nil, response(0, 100*sec, pattern(1000, 1)), 0)
	for i := range 1000 {
		now := int64(i + 1)
		mustStore(t, z, h, fmt.Sprint(i), nil, response(0, 100*sec, pattern(1000, 1)), now)
		before := z.Stats().HotHits
		if _, st := z.Lookup(h, z.MakeKey([]byte("used")), nil, now); st != Fresh {
			t.Fatal(st)
		}
		if i > 200 && z.Stats().HotHits == before {
			// It may have gone once while the hand made its first round; not later.
			z.Lookup(h, z.MakeKey([]byte("used")), nil, now)
			if z.Stats().HotHits == before {
				t.Fatal("a page in use is not kept")
			}
		}
	}
}

func TestRenderedFormGoesWithItsObject(t *testing.T) {
	z := newTestZone(t, 1<<20)
	h := NewHotTable(64, 1<<20)
	k := z.MakeKey([]byte("k"))
	mustStore(t, z, h, "k", nil, response(0, 100*sec, []byte("1")), 0)
	h.Entry().Rendered = "form of 1"
	z.Lookup(h, k, nil, 1)
	if h.Entry().Rendered != "form of 1" {
		t.Fatal("lost")
	}
	mustStore(t, z, h, "k", nil, response(0, 100*sec, []byte("2")), 0)
	if o, _ := z.Lookup(h, k, nil, 1); h.Entry().Rendered != nil || string(bodyBytes(o)) != "2" {
		t.Fatal("the old form with a new object")
	}
	h.Entry().Rendered = "form of 2"
	z.DropHot()
	if _, st := z.Lookup(h, k, nil, 1); st != Fresh || h.Entry().Rendered != nil {
		t.Fatal("a form outlived DropHot", st)
	}
	z.Purge()
	if _, st := z.Lookup(h, k, nil, 1); st != Miss {
		t.Fatal("an object outlived Purge", st)
	}
	if h.Entry() != nil {
		t.Fatal("an entry for a miss")
	}
}

func TestTablesOfTwoZones(t *testing.T) {
	a, b := newTestZone(t, 1<<20), newTestZone(t, 1<<20)
	h := NewHotTable(64, 1<<20)
	mustStore(t, a, h, "k", nil, response(0, sec, []byte("a")), 0)
	if _, st := b.Lookup(h, b.MakeKey([]byte("k")), nil, 1); st != Miss {
		t.Fatal(st)
	}
	k := a.MakeKey([]byte("k"))
	if _, st := b.Lookup(h, k, nil, 1); st != Miss { // though hash and text are the same
		t.Fatal(st)
	}
}

func BenchmarkHotHit(b *testing.B) {
	z := newTestZone(b, 1<<20)
	h := NewHotTable(1024, 1<<20)
	text := []byte("http://example.com/some/page?with=arguments")
	mustStore(b, z, h, string(text), nil, response(0, 100*sec, []byte("x")), 0)
	b.ReportAllocs()
	for b.Loop() {
		if o, _ := z.Lookup(h, z.MakeKey(text), nil, 1); o == nil {
			b.Fatal("miss")
		}
	}
}

func BenchmarkRAMHit(b *testing.B) {
	z := newTestZone(b, 64<<20)
	for _, size := range []int{1000, 100_000, 2_000_000} {
		key := fmt.Sprint(size)
		mustStore(b, z, nil, key, nil, response(0, 100*sec, pattern(size, 1), "Content-Type: text/html"), 0)
		b.Run(key, func(b *testing.B) {
			b.ReportAllocs()
			b.SetBytes(int64(size))
			for b.Loop() {
				z.big = sharedObjects{}
				if o, _ := z.Lookup(nil, z.MakeKey([]byte(key)), nil, 1); o == nil {
					b.Fatal("miss")
				}
			}
		})
	}
}

func BenchmarkStore(b *testing.B) {
	z := newTestZone(b, 64<<20)
	for _, size := range []int{1000, 100_000, 2_000_000} {
		body := pattern(size, 1)
		k := z.MakeKey([]byte(fmt.Sprint(size)))
		b.Run(fmt.Sprint(size), func(b *testing.B) {
			b.ReportAllocs()
			b.SetBytes(int64(size))
			for b.Loop() {
				z.Store(nil, k, nil, response(0, 100*sec, body), 0)
			}
		})
	}
}

// form is a Rendered that counts its releases.
type form struct{ released int }

func (f *form) Release() { f.released++ }

func TestRenderedFormIsReleasedOnce(t *testing.T) {
	z := newTestZone(t, 8<<20)
	h := NewHotTable(64, 100_000)
	var forms []*form
	put := func(i int) {
		mustStore(t, z, h, fmt.Sprint(i), nil, response(0, 100*sec, pattern(1000, 1)), int64(i))
		f := new(form)
		h.Entry().Rendered = f
		forms = append(forms, f)
	}
	for i := range 500 { // evicted, by the set and by the hand, and replaced
		put(i)
		if i%3 == 0 {
			put(i)
		}
	}
	left := 0
	for i, f := range forms {
		if f.released > 1 {
			t.Fatalf("form %d was released %d times", i, f.released)
		}
		left += 1 - f.released
	}
	if left != h.Len() {
		t.Errorf("%d forms for %d entries", left, h.Len())
	}
	h.Clear()
	for i, f := range forms {
		if f.released != 1 {
			t.Fatalf("form %d was released %d times", i, f.released)
		}
	}
}
