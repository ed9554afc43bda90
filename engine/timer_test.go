package engine

import (
	"math/rand"
	"testing"
	"time"
)

func TestDeadlineReArmingIsAStore(t *testing.T) {
	_, l := still(t)
	c, _ := pair(t, l, &script{})
	l.now = int64(time.Second)
	c.SetDeadline(2 * int64(time.Second))
	next, prev, at := c.timer.next, c.timer.prev, c.timer.at
	for i := range int64(1000) {
		c.SetDeadline(3*int64(time.Second) + i)
	}
	if c.timer.next != next || c.timer.prev != prev || c.timer.at != at {
		t.Error("a later deadline moved the timer")
	}
	c.SetDeadline(1500 * int64(time.Millisecond))
	if c.timer.at != 1500*int64(time.Millisecond) {
		t.Error("an earlier deadline did not move the timer")
	}
}

// TestDeadlines turns a still loop's wheel: the deadline that counts is the last one set.
func TestDeadlines(t *testing.T) {
	_, l := still(t)
	var told []int64
	c, _ := pair(t, l, &script{timeout: func(c *Conn) { told = append(told, l.Now()) }})
	turn := func(ms int64) {
		l.now = l.wheel.cur<<tickShift + ms*int64(time.Millisecond)
		l.expireTimers()
	}
	start := l.Now()
	c.SetDeadline(start + int64(time.Second))
	c.SetDeadline(start + 3*int64(time.Second))
	turn(2000)
	if len(told) != 0 {
		t.Fatal("told at the deadline that was moved")
	}
	turn(1500)
	if len(told) != 1 || told[0] < start+3*int64(time.Second) {
		t.Fatalf("told at %v", told)
	}
	turn(10000)
	if len(told) != 1 {
		t.Fatal("told again")
	}
	c.SetDeadline(l.Now() + int64(time.Second))
	c.SetDeadline(0)
	turn(5000)
	if len(told) != 1 {
		t.Fatal("told though there was no deadline any more")
	}
	c.SetDeadline(l.Now() - 5) // past already
	turn(20)
	if len(told) != 2 {
		t.Fatal("not told of a deadline in the past")
	}
	c.SetDeadline(l.Now() + int64(time.Second))
	c.Close()
	l.runAfter()
	turn(5000)
	if len(told) != 2 || c.timer.Armed() {
		t.Fatal("told after Close")
	}
}

// TestWheelAgainstModel sets, moves and stops timers at random over hours of pretended time.
func TestWheelAgainstModel(t *testing.T) {
	_, l := still(t)
	rnd := rand.New(rand.NewSource(1))
	l.now = l.Now()
	type timer struct {
		orderTimer
		armed bool
	}
	timers := make([]timer, 300)
	spans := []int64{1, int64(time.Millisecond), int64(50 * time.Millisecond), int64(3 * time.Second), int64(2 * time.Minute), int64(40 * time.Minute)}
	fired := 0
	set := func(tm *timer) {
		tm.at = l.now + rnd.Int63n(spans[rnd.Intn(len(spans))])
		tm.armed = true
		l.SetTimer(&tm.Timer, tm.at, tm)
	}
	for i := range timers {
		tm := &timers[i]
		tm.told = func() {
			fired++
			if !tm.armed || tm.at > l.now {
				t.Fatalf("told %v early, armed: %v", time.Duration(tm.at-l.now), tm.armed)
			}
			tm.armed = false
			switch rnd.Intn(4) {
			case 0:
				set(tm)
			case 1: // another one, perhaps of the same slot
				set(&timers[rnd.Intn(len(timers))])
			case 2:
				other := &timers[rnd.Intn(len(timers))]
				l.StopTimer(&other.Timer)
				other.armed = false
			}
		}
	}
	for range 20000 {
		switch rnd.Intn(4) {
		case 0, 1:
			set(&timers[rnd.Intn(len(timers))])
		case 2:
			tm := &timers[rnd.Intn(len(timers))]
			l.StopTimer(&tm.Timer)
			tm.armed = false
		case 3:
			l.now += rnd.Int63n(spans[rnd.Intn(len(spans))])
			if l.now>>tickShift >= l.wheel.wake {
				l.expireTimers()
			}
			for i := range timers {
				if tm := &timers[i]; tm.armed && l.now-tm.at > 1<<tickShift {
					t.Fatalf("timer %v late", time.Duration(l.now-tm.at))
				}
				if timers[i].armed != timers[i].Armed() {
					t.Fatal("armed or not?")
				}
			}
		}
	}
	if fired < 1000 {
		t.Errorf("only %d fired", fired)
	}
}

func TestTimersAllocateNothing(t *testing.T) {
	_, l := still(t)
	tm := &orderTimer{told: func() {}}
	l.SetTimer(&tm.Timer, l.Now()+int64(time.Hour), tm)
	if n := testing.AllocsPerRun(100, func() {
		l.SetTimer(&tm.Timer, l.Now()+int64(time.Hour), tm)
		l.StopTimer(&tm.Timer)
		l.now += 1 << tickShift
		l.SetTimer(&tm.Timer, l.now, tm)
		l.now += 1 << (tickShift + 1)
		l.expireTimers()
	}); n != 0 {
		t.Errorf("%v allocations", n)
	}
}

func TestTimersInOrder(t *testing.T) {
	e := newEngine(t, Options{})
	l := e.Loops()[0]
	type fired struct {
		i    int
		late int64
	}
	done := make(chan fired, 10)
	timers := make([]orderTimer, 5)
	onLoop(t, l, func() {
		for i := range timers {
			tm := &timers[i]
			tm.at = l.Now() + int64(5-i)*int64(30*time.Millisecond)
			tm.told = func() { done <- fired{i, l.Now() - tm.at} }
			l.SetTimer(&tm.Timer, tm.at, tm)
		}
	})
	for want := 4; want >= 0; want-- {
		f := wait(t, done, "a timer")
		if f.i != want || f.late < 0 {
			t.Errorf("timer %d instead of %d, %v late", f.i, want, time.Duration(f.late))
		}
	}
}

type orderTimer struct {
	Timer
	at   int64
	told func()
}

func (o *orderTimer) Expired(*Timer) { o.told() }
