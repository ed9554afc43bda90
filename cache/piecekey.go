package cache

import (
	"encoding/binary"
	"math/bits"
)

// freecache cuts its memory into 256 segments, each with its own ring buffer, and
// puts an entry into the segment that the low byte of xxhash.Sum64(key) names. A
// large body is stored in pieces; with arbitrary keys some segment would get far
// more than its share of them and evict the first of the body's pieces for the
// last. So the pieces' keys are chosen: piece i goes into segment start+i.
//
// A key is 16 bytes: the body's slot, and a word solved for such that the key
// hashes to a given value. xxhash of a 16-byte input is a chain of bijections of
// its second word (rotations, multiplications by odd numbers, xors), so it can
// be run backwards, at the cost of one forward hash. Distinct hashes of one slot give
// distinct words, so keys are unique.

const (
	segments  = 256 // freecache's segmentCount
	pieceKeyN = 16
)

// The constants of XXH64 (xxhash_spec.md).
const (
	prime1 = 0x9E3779B185EBCA87
	prime2 = 0xC2B2AE3D27D4EB4F
	prime3 = 0x165667B19E3779F9
	prime4 = 0x85EBCA77C2B2AE63
	prime5 = 0x27D4EB2F165667C5
)

var (
	inverse1 = inverse(prime1)
	inverse2 = inverse(prime2)
	inverse3 = inverse(prime3)
)

// inverse of an odd number modulo 2^64, by Newton's iteration.
func inverse(p uint64) uint64 {
	x := p // right in the low 3 bits; each round doubles them
	for range 5 {
		x *= 2 - p*x
	}
	return x
}

// pieceKey writes the key of piece i of the body in this slot.
func pieceKey(key *[pieceKeyN]byte, slot uint64, i int) {
	// The bits above the segment choose freecache's slot and the order in it: an
	// odd step spreads a segment's pieces over its slots and keeps hashes distinct.
	spread := slot*prime2 + uint64(i/segments)*prime1
	hash := spread<<8 | (slot+uint64(i))%segments

	binary.LittleEndian.PutUint64(key[:8], slot)
	binary.LittleEndian.PutUint64(key[8:], solveSecondWord(slot, hash))
}

// solveSecondWord finds w such that XXH64(first, w) with seed 0 is hash.
func solveSecondWord(first, hash uint64) uint64 {
	// Undo the final avalanche.
	h := hash
	h ^= h >> 32
	h *= inverse3
	h ^= h>>29 ^ h>>58
	h *= inverse2
	h ^= h >> 33
	// Undo the second word's round.
	h = bits.RotateLeft64((h-prime4)*inverse1, -27)
	mixed := h ^ stateAfter(first)
	return bits.RotateLeft64(mixed*inverse1, -31) * inverse2
}

// stateAfter is XXH64's state after the first of two words.
func stateAfter(first uint64) uint64 {
	fifth := uint64(prime5)
	h := fifth + pieceKeyN
	h ^= bits.RotateLeft64(first*prime2, 31) * prime1
	return bits.RotateLeft64(h, 27)*prime1 + prime4
}
