package engine

import (
	"math/bits"
	"time"
)

// Timer is an intrusive timer: embed it, no allocation. The zero value is ready. It must not be copied or dropped while
// armed. Owner: the loop it is set on.
type Timer struct {
	next, prev *Timer // ring of its slot; nil when not armed
	at         int64  // loop ns
	h          Expirer
}

// Armed says whether the timer waits.
func (t *Timer) Armed() bool { return t.next != nil }

func (t *Timer) unlink() {
	t.prev.next, t.next.prev = t.next, t.prev
	t.next, t.prev = nil, nil
}

const (
	tickShift  = 23 // a tick is 2^23 ns, 8.4 ms
	wheelSlots = 256
	wheelMask  = wheelSlots - 1
	never      = int64(1) << 62
)

// wheel is a hashed timing wheel of two levels: 256 ticks (2.1 s) one by one, and 255 spans of 256 ticks (9 minutes)
// whose timers move to the first level when their span begins; what is later still goes round in the last span. Setting
// and stopping are O(1). Bits say which slots may hold timers; a slot emptied by stopping keeps its bit until its turn.
type wheel struct {
	cur   int64 // every tick up to this one is done
	wake  int64 // the tick the alarm is set for; never: none. While turning 0, so that nobody sets it
	ring  Timer // head of the slot that is being emptied
	near  [wheelSlots]Timer
	far   [wheelSlots]Timer
	nearN [wheelSlots / 64]uint64
	farN  [wheelSlots / 64]uint64
}

func (w *wheel) init(now int64) {
	w.cur, w.wake = now>>tickShift, never
	for i := range w.near {
		w.near[i].next, w.near[i].prev = &w.near[i], &w.near[i]
		w.far[i].next, w.far[i].prev = &w.far[i], &w.far[i]
	}
}

// insert links t by t.at and gives the tick at which the wheel must turn for it.
func (w *wheel) insert(t *Timer) int64 {
	tick := max((t.at+1<<tickShift-1)>>tickShift, w.cur+1)
	if tick-w.cur < wheelSlots {
		link(&w.near[tick&wheelMask], t)
		w.nearN[tick&wheelMask/64] |= 1 << (tick & 63)
		return tick
	}
	span := min(tick>>8, w.cur>>8+wheelMask)
	link(&w.far[span&wheelMask], t)
	w.farN[span&wheelMask/64] |= 1 << (span & 63)
	return span << 8
}

func link(ring, t *Timer) {
	t.prev, t.next = ring.prev, ring
	ring.prev.next = t
	ring.prev = t
}

// due gives the next tick at which there may be something to do.
func (w *wheel) due() int64 {
	d := never
	if n := nextBit(&w.nearN, w.cur); n != 0 {
		d = w.cur + n
	}
	if n := nextBit(&w.farN, w.cur>>8); n != 0 {
		d = min(d, (w.cur>>8+n)<<8)
	}
	return d
}

// nextBit gives the distance (1..255) from pos to the next set bit after it, going round; 0: none.
func nextBit(set *[wheelSlots / 64]uint64, pos int64) int64 {
	for d := int64(1); d < wheelSlots; {
		i := (pos + d) & wheelMask
		if word := set[i/64] >> (i & 63); word != 0 {
			d += int64(bits.TrailingZeros64(word))
			if d >= wheelSlots {
				return 0
			}
			return d
		}
		d += 64 - i&63
	}
	return 0
}

// SetTimer arms t for the loop time at (ns, as Now); h is told, at most about 10 ms late and never early. Setting an
// armed timer moves it. No allocation.
func (l *Loop) SetTimer(t *Timer, at int64, h Expirer) {
	if t.next != nil {
		t.unlink()
	}
	w := &l.wheel
	if now := min(l.Now()>>tickShift, w.wake-1); now > w.cur { // catch up, but not past what waits
		w.cur = now
	}
	t.at, t.h = at, h
	if tick := w.insert(t); tick < w.wake {
		l.setAlarm(tick)
	}
}

// StopTimer disarms t; h is not called any more. A timer that is not armed is left alone.
func (l *Loop) StopTimer(t *Timer) {
	if t.next != nil {
		t.unlink()
	}
}

// setAlarm has the runtime wake the loop at a tick. netpoll's Polling takes no timeout, hence a timer of the runtime's;
// it is seldom moved, because deadlines are lazy (Conn.SetDeadline).
func (l *Loop) setAlarm(tick int64) {
	l.wheel.wake = tick
	d := time.Duration(tick<<tickShift - l.Now())
	if l.alarm == nil {
		l.alarm = time.AfterFunc(d, l.ring)
		return
	}
	l.alarm.Reset(d)
}

// expireTimers turns the wheel up to now.
func (l *Loop) expireTimers() {
	w := &l.wheel
	target := l.Now() >> tickShift
	w.wake = 0
	for {
		tick := w.due()
		if tick > target {
			break
		}
		w.cur = tick
		if tick&wheelMask == 0 {
			span := tick >> 8 & wheelMask
			w.farN[span/64] &^= 1 << (span & 63)
			l.emptySlot(&w.far[span], false)
		}
		slot := tick & wheelMask
		w.nearN[slot/64] &^= 1 << (slot & 63)
		l.emptySlot(&w.near[slot], true)
	}
	w.cur = max(w.cur, target)
	if next := w.due(); next != never {
		l.setAlarm(next)
	} else {
		w.wake = never
	}
}

// emptySlot takes every timer out of a slot. Callbacks may set and stop any timer meanwhile, also those still in the
// slot, so the ring is moved to a head of its own first.
func (l *Loop) emptySlot(slot *Timer, fire bool) {
	if slot.next == slot {
		return
	}
	ring := &l.wheel.ring
	ring.next, ring.prev = slot.next, slot.prev
	ring.next.prev, ring.prev.next = ring, ring
	slot.next, slot.prev = slot, slot
	for ring.next != ring {
		t := ring.next
		t.unlink()
		if !fire || t.at > l.wheel.cur<<tickShift {
			l.wheel.insertDue(t)
			continue
		}
		l.expire(t)
		if len(l.after) != 0 {
			l.runAfter()
		}
	}
}

// insertDue is insert for a timer of a far span that has begun: it may be due in the very tick that is being done.
func (w *wheel) insertDue(t *Timer) {
	if (t.at+1<<tickShift-1)>>tickShift <= w.cur {
		link(&w.near[w.cur&wheelMask], t)
		return
	}
	w.insert(t)
}

func (l *Loop) expire(t *Timer) {
	defer l.guard()
	l.current = nil
	t.h.Expired(t)
}
