package httpparse

import "math/bits"

// Field names are looked up by a perfect hash over length, first eight and last
// eight bytes, then verified in whole words. Against a switch over the length
// this has no branch that depends on which field it is, and it validates the
// name for free: a name that equals a known one needs no look at its bytes.

const (
	// headerHash sends every known name to a slot of its own; when a name is
	// added, TestHeaderHash finds the next multiplier.
	headerHash     = 0x4d8f9ec47f73b85
	headerSlotBits = 10
	maxKnownName   = 32
)

// knownName is a name in small letters as words: bytes [0,8), the last eight if
// there are as many, [8,16) if longer than 16, [16,24) if longer than 24.
type knownName [4]uint64

// 256 entries so that an ID indexes it without a bounds check.
var knownNames = buildKnownNames()

func buildKnownNames() (t [256]knownName) {
	for id := HeaderUnknown + 1; id < numHeaderIDs; id++ {
		name := AppendLower(nil, []byte(headerNames[id]))
		n := len(name)
		t[id][0] = firstWord(name)
		if n >= 8 {
			t[id][1] = load8(name, n-8)
		}
		if n > 16 {
			t[id][2] = load8(name, 8)
		}
		if n > 24 {
			t[id][3] = load8(name, 16)
		}
	}
	return t
}

// headerSlots has the ID in the low byte and the name's length in the high one.
var headerSlots = buildHeaderSlots()

func buildHeaderSlots() (t [1 << headerSlotBits]uint16) {
	for id := HeaderUnknown + 1; id < numHeaderIDs; id++ {
		n := len(headerNames[id])
		first, last := knownNames[id][0]|cases, uint64(0)
		if n >= 8 {
			last = knownNames[id][1] | cases
		} else {
			first &= 1<<(8*n) - 1
		}
		t[headerSlot(first, last, n, headerHash)] = uint16(n)<<8 | uint16(id)
	}
	return t
}

// headerSlot hashes a name's first and last word (0 for names under eight bytes),
// both with the case bit set everywhere: crude, but equality is decided elsewhere.
func headerSlot(first, last uint64, n int, mul uint64) uint64 {
	return ((first ^ bits.RotateLeft64(last, 5)) + uint64(n)) * mul >> (64 - headerSlotBits)
}

// differs tells whether w, with the case bit set where known has a letter, is not
// known. Only there: 0x0d | 0x20 is '-'.
func differs(w, known uint64) bool { return w|known>>1&cases != known }

// lookupAt finds the ID of the name buf[pos:pos+n], 0 < n. first is the word at
// pos; for n < 8 the bytes behind the name in it do not matter.
func lookupAt(buf []byte, pos, n int, first uint64) HeaderID {
	var last, slot uint64
	if n >= 8 {
		last = load8(buf, pos+n-8)
		slot = headerSlot(first|cases, last|cases, n, headerHash)
	} else {
		mask := uint64(1)<<(8*uint(n)&63) - 1
		first &= mask
		slot = headerSlot((first|cases)&mask, 0, n, headerHash)
	}
	hit := headerSlots[slot]
	if int(hit>>8) != n {
		return HeaderUnknown
	}
	id := HeaderID(hit)
	k := &knownNames[id]
	if differs(first, k[0]) || differs(last, k[1]) {
		return HeaderUnknown
	}
	if n > 16 {
		if differs(load8(buf, pos+8), k[2]) || n > 24 && differs(load8(buf, pos+16), k[3]) {
			return HeaderUnknown
		}
	}
	return id
}

// LookupHeader finds the ID of a field name, in any case.
func LookupHeader(name []byte) HeaderID {
	if len(name) == 0 || len(name) > maxKnownName {
		return HeaderUnknown
	}
	return lookupAt(name, 0, len(name), firstWord(name))
}

// firstWord is load8 for names that may be shorter than a word.
func firstWord(b []byte) (w uint64) {
	if len(b) >= 8 {
		return load8(b, 0)
	}
	for i, c := range b {
		w |= uint64(c) << (8 * i)
	}
	return w
}
