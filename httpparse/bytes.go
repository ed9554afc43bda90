package httpparse

import (
	"encoding/binary"
	"math/bits"
)

const (
	ones  = 0x0101010101010101
	highs = 0x8080808080808080
	cases = 0x2020202020202020 // the bit that makes ASCII letters small
)

// load8 reads eight bytes at b[i:], the first in the lowest bits. It needs them there.
func load8(b []byte, i int) uint64 { return binary.LittleEndian.Uint64(b[i : i+8 : len(b)]) }

// zeroByte marks the zero bytes of w in their high bits. The lowest mark is
// exact; those above it may be false.
func zeroByte(w uint64) uint64 { return (w - ones) &^ w & highs }

// firstMark is the index (0..7) of the lowest marked byte; m must not be 0.
func firstMark(m uint64) int { return bits.TrailingZeros64(m) >> 3 }

// Classes of bytes in a field name (RFC 9110 section 5.6.2, narrowed as nginx
// does: it counts only letters, digits and '-' as valid).
const (
	nameUnderscore uint8 = 1 << iota // '_': valid or not as underscores_in_headers says
	nameOdd                          // anything else printable: the field is dropped or refused
	nameFatal                        // space, control character: refused always
)

var nameClass = buildNameClass()

func buildNameClass() (t [256]uint8) {
	for i := range t {
		c := byte(i)
		switch {
		case isAlnum(c) || c == '-':
		case c == '_':
			t[i] = nameUnderscore
		case c <= 0x20 || c == 0x7f:
			t[i] = nameFatal
		default:
			t[i] = nameOdd
		}
	}
	return t
}

// targetStop marks the bytes of a request target that the scan of the path has
// to look at: delimiters, escapes and what must not be there.
var targetStop = buildTargetStop()

func buildTargetStop() (t [256]bool) {
	for i := range t {
		switch c := byte(i); {
		case c <= 0x20, c == 0x7f, c == '/', c == '%', c == '?', c == '#':
			t[i] = true
		}
	}
	return t
}

// lower maps ASCII capitals to small letters and every other byte to itself.
var lower = buildLower()

func buildLower() (t [256]byte) {
	for i := range t {
		t[i] = byte(i)
		if 'A' <= i && i <= 'Z' {
			t[i] |= 0x20
		}
	}
	return t
}

func isDigit(c byte) bool { return c-'0' < 10 }

func isAlpha(c byte) bool { return c|0x20-'a' < 26 }

func isAlnum(c byte) bool { return isDigit(c) || isAlpha(c) }

// isMethodByte: nginx takes capitals, '_' and '-' in a method.
func isMethodByte(c byte) bool { return c-'A' < 26 || c == '_' || c == '-' }

// hexValue is the value of a hexadecimal digit, or -1.
func hexValue(c byte) int {
	switch {
	case isDigit(c):
		return int(c - '0')
	case c|0x20-'a' < 6:
		return int(c|0x20-'a') + 10
	}
	return -1
}
