package cache

import (
	"testing"

	"github.com/cespare/xxhash/v2"
)

// The keys must land where they are meant to by the hash that freecache uses,
// and no two may be equal.
func TestPieceKeysSpreadEvenly(t *testing.T) {
	for _, serial := range []uint64{1, 2, 0xdeadbeef, 1<<63 | 12345, ^uint64(0)} {
		seen := map[[pieceKeyN]byte]bool{}
		var perSegment [segments]int
		slots := map[uint64]int{}
		for i := range 16 * segments {
			var key [pieceKeyN]byte
			pieceKey(&key, serial, i)
			if seen[key] {
				t.Fatalf("serial %d: piece %d has another's key", serial, i)
			}
			seen[key] = true
			h := xxhash.Sum64(key[:])
			if h%segments != (serial+uint64(i))%segments {
				t.Fatalf("serial %d piece %d: segment %d", serial, i, h%segments)
			}
			perSegment[h%segments]++
			slots[h&0xffff]++
		}
		for s, n := range perSegment {
			if n != 16 {
				t.Fatalf("serial %d: segment %d has %d pieces", serial, s, n)
			}
		}
		for s, n := range slots {
			if n > 4 {
				t.Errorf("serial %d: slot %#x has %d of 16 pieces", serial, s, n)
			}
		}
	}
}

func FuzzSolveSecondWord(f *testing.F) {
	f.Add(uint64(0), uint64(0))
	f.Add(uint64(1)<<63, ^uint64(0))
	f.Fuzz(func(t *testing.T, first, hash uint64) {
		var key [pieceKeyN]byte
		for i := range 8 {
			key[i] = byte(first >> (8 * i))
			key[8+i] = byte(solveSecondWord(first, hash) >> (8 * i))
		}
		if got := xxhash.Sum64(key[:]); got != hash {
			t.Fatalf("got %#x, want %#x", got, hash)
		}
	})
}
