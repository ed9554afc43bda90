package cache

import (
	"bytes"
	"fmt"
	"sync"
	"testing"
)

func lookup(z *Zone, h *HotTable, key string, req VaryRequest, now int64) (string, Freshness) {
	o, st := z.Lookup(h, z.MakeKey([]byte(key)), req, now)
	if o == nil {
		return "", st
	}
	return string(bodyBytes(o)), st
}

func expect(t *testing.T, z *Zone, h *HotTable, key string, req VaryRequest, now int64, body string, st Freshness) {
	t.Helper()
	if b, s := lookup(z, h, key, req, now); b != body || s != st {
		t.Fatalf("%s: got %q %v, want %q %v", key, b, s, body, st)
	}
}

func TestFreshnessEndsToTheNanosecond(t *testing.T) {
	z := newTestZone(t, 1<<20)
	h := NewHotTable(64, 1<<20)
	for _, table := range []*HotTable{nil, h} {
		mustStore(t, z, table, "k", nil, response(sec, sec/10, []byte("x")), sec)
		expect(t, z, table, "k", nil, sec+sec/10-1, "x", Fresh)
		expect(t, z, table, "k", nil, sec+sec/10, "x", Stale)
	}
}

func TestAnotherLoopsNewerObjectIsFound(t *testing.T) {
	z := newTestZone(t, 1<<20)
	a, b := NewHotTable(64, 1<<20), NewHotTable(64, 1<<20)
	mustStore(t, z, a, "k", nil, response(0, sec, []byte("old")), 0)
	expect(t, z, b, "k", nil, 1, "old", Fresh)
	mustStore(t, z, b, "k", nil, response(2, sec, []byte("newer, though the old one was fresh")), 2)
	expect(t, z, a, "k", nil, 3, "newer, though the old one was fresh", Fresh)
	mustStore(t, z, b, "k", nil, response(2*sec, sec, []byte("after it expired")), 2*sec)
	expect(t, z, a, "k", nil, 2*sec+1, "after it expired", Fresh)
	expect(t, z, a, "k", nil, 9*sec, "after it expired", Stale)
}

func TestStaleObjectStaysUsable(t *testing.T) {
	z := newTestZone(t, 1<<20)
	h := NewHotTable(64, 1<<20)
	o := response(0, sec, []byte("x"))
	o.StaleWhileRevalidate, o.StaleIfError = 2*sec, 4*sec
	mustStore(t, z, h, "k", nil, o, 0)
	for _, c := range []struct {
		now             int64
		updating, error bool
	}{{sec, true, true}, {3*sec - 1, true, true}, {3 * sec, false, true}, {5 * sec, false, false}, {50 * sec, false, false}} {
		got, st := z.Lookup(h, z.MakeKey([]byte("k")), nil, c.now)
		if st != Stale || got.StaleWhileUpdating(c.now) != c.updating || got.StaleOnError(c.now) != c.error {
			t.Errorf("at %d ms: %v %v %v", c.now/1e6, st, got.StaleWhileUpdating(c.now), got.StaleOnError(c.now))
		}
	}
	if _, st := z.Lookup(h, z.MakeKey([]byte("k")), nil, 500*sec); st != Miss {
		t.Error("still there after `inactive` without use:", st)
	}
}

func TestVariants(t *testing.T) {
	z := newTestZone(t, 1<<20)
	for _, h := range []*HotTable{nil, NewHotTable(64, 1<<20)} {
		z.Purge()
		de, en, fr := request{"Accept-Language: de"}, request{"Accept-Language: en"}, request{"Accept-Language: fr"}
		mustStore(t, z, h, "k", de, response(0, 10*sec, []byte("de"), "Vary: Accept-Language"), 0)
		expect(t, z, h, "k", de, 1, "de", Fresh)
		expect(t, z, h, "k", en, 1, "", Miss)
		mustStore(t, z, h, "k", en, response(0, 20*sec, []byte("en"), "Vary: Accept-Language"), 1)
		expect(t, z, h, "k", de, 2, "de", Fresh)
		expect(t, z, h, "k", en, 2, "en", Fresh)
		expect(t, z, h, "k", fr, 2, "", Miss)
		// The main entry's variant is renewed in place, the other stands.
		expect(t, z, h, "k", de, 15*sec, "de", Stale)
		mustStore(t, z, h, "k", de, response(15*sec, 10*sec, []byte("de2"), "Vary: Accept-Language"), 15*sec)
		expect(t, z, h, "k", de, 16*sec, "de2", Fresh)
		expect(t, z, h, "k", en, 16*sec, "en", Fresh)
		// A response that does not vary any more takes the main entry's place.
		mustStore(t, z, h, "k", fr, response(16*sec, 10*sec, []byte("all")), 16*sec)
		for _, req := range []request{de, en, fr} {
			expect(t, z, h, "k", req, 17*sec, "all", Fresh)
		}
	}
}

func TestVariantsAcrossLoops(t *testing.T) {
	z := newTestZone(t, 1<<20)
	a, b := NewHotTable(64, 1<<20), NewHotTable(64, 1<<20)
	x, y := request{"X: x"}, request{"X: y"}
	mustStore(t, z, a, "k", x, response(0, 10*sec, []byte("x"), "Vary: X"), 0)
	mustStore(t, z, b, "k", y, response(0, 10*sec, []byte("y"), "Vary: X"), 0)
	for range 2 {
		expect(t, z, a, "k", y, 1, "y", Fresh)
		expect(t, z, b, "k", x, 1, "x", Fresh)
	}
}

func TestPurge(t *testing.T) {
	z := newTestZone(t, 8<<20)
	h := NewHotTable(64, 8<<20)
	mustStore(t, z, h, "small", nil, response(0, sec, []byte("x")), 0)
	mustStore(t, z, h, "large", nil, response(0, sec, pattern(1<<20, 1)), 0)
	z.Purge()
	expect(t, z, h, "small", nil, 1, "", Miss)
	expect(t, z, nil, "large", nil, 1, "", Miss)
	mustStore(t, z, h, "small", nil, response(0, sec, []byte("y")), 0)
	expect(t, z, nil, "small", nil, 1, "y", Fresh)
}

func TestMinUses(t *testing.T) {
	z := NewZone("test", 1<<20, 10*1e9)
	k, other := z.MakeKey([]byte("k")), z.MakeKey([]byte("other"))
	for want := 1; want < 5; want++ {
		if got := z.Uses(k, int64(want)*sec); got != want {
			t.Fatalf("got %d, want %d", got, want)
		}
	}
	if got := z.Uses(other, 5*sec); got != 1 {
		t.Errorf("another key: %d", got)
	}
	if got := z.Uses(k, 30*sec); got != 1 {
		t.Errorf("after `inactive`: %d", got)
	}
	// However many keys come, memory stays as it is and counting goes on.
	for i := range 100_000 {
		z.Uses(z.MakeKey([]byte(fmt.Sprint(i))), 31*sec)
	}
	fresh := z.MakeKey([]byte("fresh"))
	z.Uses(fresh, 32*sec)
	if got := z.Uses(fresh, 32*sec); got != 2 {
		t.Errorf("in a full table: %d", got)
	}
	if n := testing.AllocsPerRun(100, func() { z.Uses(k, 33*sec) }); n != 0 {
		t.Errorf("%v allocations", n)
	}
}

func TestPassMarks(t *testing.T) {
	var p passTable
	p.mark(12345<<32, sec)
	if !p.marked(12345<<32, sec) || !p.marked(12345<<32, sec+passFor-passUnit) {
		t.Error("not marked")
	}
	if p.marked(12345<<32, sec+passFor) || p.marked(54321<<32, sec) {
		t.Error("marked for too long, or another")
	}
	p.clear(54321 << 32)
	if !p.marked(12345<<32, sec) {
		t.Error("cleared by another")
	}
	if p.clear(12345 << 32); p.marked(12345<<32, sec) {
		t.Error("not cleared")
	}
}

// Loops store and look up the same keys at once: each answer is one of the
// bodies stored for its key, whole.
func TestConcurrentStoreAndLookup(t *testing.T) {
	z := newTestZone(t, 2<<20)
	var wg sync.WaitGroup
	for loop := range 4 {
		wg.Go(func() {
			h := NewHotTable(32, 1<<19)
			for i := range 600 {
				now := int64(i) * sec / 50
				n := (i*7 + loop*3) % 12
				key := fmt.Sprint("k", n)
				size := 50 << n
				req := request{"X: " + fmt.Sprint(i%3)}
				var lines []string
				if n%3 == 0 {
					lines = append(lines, "Vary: X")
				}
				o, st := z.Lookup(h, z.MakeKey([]byte(key)), req, now)
				if o != nil {
					body := bodyBytes(o)
					if len(body) != size || len(bytes.Trim(body, string(body[:1]))) != 0 {
						t.Errorf("%s: %d bytes of a mixed body", key, len(body))
						return
					}
				}
				if st != Fresh || i%10 == 0 {
					body := bytes.Repeat([]byte{byte('a' + loop)}, size)
					z.Store(h, z.MakeKey([]byte(key)), req, response(now, sec/10, body, lines...), now)
				}
				if i%200 == 199 && loop == 0 {
					z.Purge()
				}
			}
		})
	}
	wg.Wait()
	if s := z.Stats(); s.Hits == 0 || s.Misses == 0 || s.Stale == 0 || s.Stores == 0 || s.Stored == 0 {
		t.Errorf("%+v", s)
	}
}
