package cache

import (
	"bytes"
	"fmt"
	"testing"
)

func TestAnnouncedTooLargeIsNotShared(t *testing.T) {
	z := newTestZone(t, 1<<20)
	var rd Reader
	f := begin(t, z, "k", nil, nil, RoleLeader)
	begin(t, z, "k", &rd, nil, RoleFollower)
	if why := f.Head(response(0, sec, nil), nil, 5<<20, 0); why != NoStoreTooLarge {
		t.Fatal(why)
	}
	if _, _, st := rd.Next(); st != FillReleased {
		t.Fatal(st)
	}
}

// A body that outgrows the zone goes on as a window: memory stays bounded, the
// leader is paused for the slowest follower and told when it caught up.
func TestWindow(t *testing.T) {
	z := newTestZone(t, 1<<20)
	var slow, fast Reader
	leader := &noticed{}
	f := begin(t, z, "k", nil, leader, RoleLeader)
	begin(t, z, "k", &slow, nil, RoleFollower)
	begin(t, z, "k", &fast, nil, RoleFollower)
	f.Head(response(0, sec, nil), nil, -1, 0)
	body := pattern(8<<20, 3)
	var gotSlow, gotFast []byte
	drain := func(rd *Reader, got *[]byte, n int) {
		for n != 0 {
			_, chunk, _ := rd.Next()
			if chunk == nil {
				return
			}
			*got = append(*got, chunk...)
			n--
		}
	}
	for at := 0; at < len(body); at += 10_000 {
		f.Append(body[at:min(at+10_000, len(body))])
		drain(&fast, &gotFast, -1)
		if f.WantsPause() {
			before := leader.n.Load()
			drain(&slow, &gotSlow, -1)
			if leader.n.Load() != before+1 {
				t.Fatalf("the leader was told %d times", leader.n.Load()-before)
			}
		}
		if held := z.Stats().FillBytes; held > 3<<20 {
			t.Fatalf("%d bytes held", held)
		}
	}
	if leader.n.Load() == 0 {
		t.Fatal("the leader was never paused")
	}
	var late Reader
	begin(t, z, "k", &late, nil, RoleLeader).Release(NoStoreRefused, 500, 0)
	obj, why := f.Finish(nil, 1)
	if obj != nil || why != NoStoreTooLarge {
		t.Fatal(obj, why)
	}
	drain(&slow, &gotSlow, -1)
	drain(&fast, &gotFast, -1)
	if !bytes.Equal(gotSlow, body) || !bytes.Equal(gotFast, body) {
		t.Fatalf("slow got %d, fast %d", len(gotSlow), len(gotFast))
	}
	if _, _, st := slow.Next(); st != FillComplete {
		t.Fatal(st)
	}
	if held := z.Stats().FillBytes; held != 0 {
		t.Errorf("%d bytes held after the end", held)
	}
}

func TestWindowWithoutFollowersHoldsNothing(t *testing.T) {
	z := newTestZone(t, 1<<20)
	f := begin(t, z, "k", nil, nil, RoleLeader)
	f.Head(response(0, sec, nil), nil, -1, 0)
	for range 100 {
		f.Append(pattern(100_000, 1))
	}
	if held := z.Stats().FillBytes; held > 2<<20 {
		t.Errorf("%d bytes held", held)
	}
	if f.WantsPause() {
		t.Error("paused for nobody")
	}
	if _, why := f.Finish(nil, 0); why != NoStoreTooLarge {
		t.Error(why)
	}
}

// However many large fills there are, together they hold the zone's memory, and
// small ones are stored all the same.
func TestFillsTogetherAreBounded(t *testing.T) {
	z := newTestZone(t, 8<<20)
	var large []*Fill
	for i := range 40 {
		f := begin(t, z, fmt.Sprint("large", i), nil, nil, RoleLeader)
		f.Head(response(0, sec, nil), nil, -1, 0)
		large = append(large, f)
	}
	for range 200 {
		for _, f := range large {
			f.Append(pattern(10_000, 1))
		}
	}
	if held := z.Stats().FillBytes; held > 8<<20+40*(guaranteed+largestChunk) {
		t.Errorf("%d bytes held", held)
	}
	small := begin(t, z, "small", nil, nil, RoleLeader)
	small.Head(response(0, sec, nil), nil, -1, 0)
	small.Append(pattern(50_000, 1))
	if _, why := small.Finish(nil, 0); why != Storable {
		t.Error("small:", why)
	}
	busy := 0
	for _, f := range large {
		if _, why := f.Finish(nil, 0); why == NoStoreBusy {
			busy++
		}
	}
	if busy == 0 {
		t.Error("none was refused")
	}
	if s := z.Stats(); s.Fills != 0 || s.FillBytes != 0 {
		t.Errorf("left over: %+v", s)
	}
}
