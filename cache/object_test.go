package cache

import (
	"bytes"
	"testing"
)

func TestBodyRanges(t *testing.T) {
	whole := pattern(1000, 1)
	b := BodyOf(whole[:10], nil, whole[10:400], whole[400:401], whole[401:])
	if b.Len() != 1000 || len(b.Chunks()) != 4 {
		t.Fatalf("%d bytes in %d chunks", b.Len(), len(b.Chunks()))
	}
	for _, r := range [][2]int64{{0, 1000}, {0, 10}, {0, 11}, {9, 10}, {10, 10}, {10, 11}, {399, 402}, {400, 401}, {999, 1000}, {5, 5000}, {-3, 4}, {1000, 2000}, {20, 10}} {
		from, to := max(r[0], 0), min(r[1], 1000)
		var want []byte
		if from < to {
			want = whole[from:to]
		}
		got := b.AppendRange(nil, r[0], r[1])
		if !bytes.Equal(bytes.Join(got, nil), want) {
			t.Errorf("%v: got %d pieces that differ", r, len(got))
		}
		for _, p := range got {
			if len(p) == 0 {
				t.Errorf("%v: an empty piece", r)
			}
		}
	}
	dst := make([][]byte, 0, 8)
	if n := testing.AllocsPerRun(100, func() { b.AppendRange(dst, 3, 900) }); n != 0 {
		t.Errorf("%v allocations", n)
	}
}

func TestObjectAge(t *testing.T) {
	h := headersOf("Cache-Control: max-age=60", "Age: 7")
	v := Decide(&Rules{}, 200, h, wall)
	o := NewObject(200, nil, h, &v, 10*sec, wall)
	if o.FreshUntil != 63*sec {
		t.Errorf("fresh until %d s", o.FreshUntil/sec)
	}
	for _, c := range []struct{ now, age int64 }{{10 * sec, 7}, {11*sec - 1, 7}, {11 * sec, 8}, {70 * sec, 67}} {
		if age, ok := o.Age(c.now); !ok || age != c.age {
			t.Errorf("at %d: %d %v", c.now, age, ok)
		}
	}
	v.Age = -1
	if _, ok := NewObject(200, nil, h, &v, 0, wall).Age(sec); ok {
		t.Error("an Age though the origin sent none")
	}
}

func TestObjectDateIsTheOrigins(t *testing.T) {
	v := Verdict{}
	if o := NewObject(200, nil, headersOf("Date: "+date(500)), &v, 0, wall); o.DateUnix != 500 {
		t.Error(o.DateUnix)
	}
	if o := NewObject(200, nil, headersOf(), &v, 0, wall); o.DateUnix != wall {
		t.Error(o.DateUnix)
	}
}

func TestUpdatedHead(t *testing.T) {
	h := headersOf("Content-Type: text/html", "X-A: 1", "X-B: 1", "X-B: 2", "Content-Encoding: gzip", "Cache-Control: max-age=1")
	o := NewObject(200, h.Buf, h, &Verdict{}, 0, wall)
	got := o.AppendUpdatedHead(nil, headersOf("x-b: 3", "X-C: 4", "Content-Type: text/plain", "Content-Encoding: br",
		"Connection: close", "Date: "+date(1), "Server: x", "Cache-Control: max-age=9"))
	want := "Content-Type: text/html\r\nX-A: 1\r\nContent-Encoding: gzip\r\nx-b: 3\r\nX-C: 4\r\nCache-Control: max-age=9\r\n"
	if string(got) != want {
		t.Errorf("got %q", got)
	}
}

func TestMalformedHeadHasNoFields(t *testing.T) {
	for _, head := range []string{"no colon\r\n", ": no name\r\n", "A: b", "A: b\r\nX"} {
		if f, ok := scanFields([]byte(head)); ok || f != nil {
			t.Errorf("%q: %v", head, f)
		}
	}
	h := headersOf("A:b", "C:  d  ", "E:")
	for i, want := range []string{"b", "d", ""} {
		if got := string(h.Fields[i].Value.In(h.Buf)); got != want {
			t.Errorf("field %d: %q", i, got)
		}
	}
}

func TestEveryReasonHasAText(t *testing.T) {
	seen := map[string]bool{}
	for r := Storable; r < numNoStoreReasons; r++ {
		if r.String() == "" || seen[r.String()] {
			t.Errorf("reason %d: %q", r, r)
		}
		seen[r.String()] = true
	}
	if NoStoreReason(200).String() != "unknown" || NoStoreBusy.Error() != "too much in flight" {
		t.Error("texts")
	}
}
