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

// knownName holds a name in small letters as words: bytes [0,8), the last eight,
// [8,16) if longer than 16, [16,24) if longer than 24. fold has the case bit at
// letters only, so that or-ing it in cannot turn another byte into a wanted one
// (0x0d | 0x20 is '-').
type knownName struct {
	word, fold [4]uint64
	n          int
}

// 256 entries so that an ID indexes it without a bounds check.
var knownNames = buildKnownNames()

func buildKnownNames() (t [256]knownName) {
	for id := HeaderUnknown + 1; id < numHeaderIDs; id++ {
		name := headerNames[id]
		k := &t[id]
		k.n = len(name)
		k.word[0], k.fold[0] = foldedWord(name, 0)
		if k.n >= 8 {
			k.word[1], k.fold[1] = foldedWord(name, k.n-8)
		}
		if k.n > 16 {
			k.word[2], k.fold[2] = foldedWord(name, 8)
		}
		if k.n > 24 {
			k.word[3], k.fold[3] = foldedWord(name, 16)
		}
	}
	return t
}

func foldedWord(name string, from int) (word, fold uint64) {
	for i := 0; i < 8 && from+i < len(name); i++ {
		c := lower[name[from+i]]
		word |= uint64(c) << (8 * i)
		if isAlpha(c) {
			fold |= 0x20 << (8 * i)
		}
	}
	return word, fold
}

var headerSlots = buildHeaderSlots()

func buildHeaderSlots() (t [1 << headerSlotBits]HeaderID) {
	for id := HeaderUnknown + 1; id < numHeaderIDs; id++ {
		t[headerSlot(knownNames[id].word[0], knownNames[id].word[1], knownNames[id].n, headerHash)] = id
	}
	return t
}

// headerSlot hashes a name's first and last word (the last is 0 for names under
// eight bytes). Case is removed crudely here; equality is decided elsewhere.
func headerSlot(first, last uint64, n int, mul uint64) uint64 {
	if n >= 8 {
		first |= cases
		last |= cases
	} else {
		first = (first | cases) & (1<<(8*n) - 1)
	}
	return ((first ^ bits.RotateLeft64(last, 5)) + uint64(n)) * mul >> (64 - headerSlotBits)
}

// lookupAt finds the ID of the name buf[pos:pos+n], 0 < n. first is the word at
// pos; for n < 8 the bytes behind the name in it do not matter.
func lookupAt(buf []byte, pos, n int, first uint64) HeaderID {
	var last, h uint64
	if n >= 8 {
		last = load8(buf, pos+n-8)
		h = (first | cases) ^ bits.RotateLeft64(last|cases, 5)
	} else {
		first &= 1<<(8*n) - 1
		h = (first | cases) & (1<<(8*n) - 1)
	}
	id := headerSlots[(h+uint64(n))*headerHash>>(64-headerSlotBits)]
	k := &knownNames[id]
	if k.n != n || first|k.fold[0] != k.word[0] || last|k.fold[1] != k.word[1] {
		return HeaderUnknown
	}
	if n > 16 {
		if load8(buf, pos+8)|k.fold[2] != k.word[2] {
			return HeaderUnknown
		}
		if n > 24 && load8(buf, pos+16)|k.fold[3] != k.word[3] {
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
