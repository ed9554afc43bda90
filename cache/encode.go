package cache

import (
	"encoding/binary"
)

// A stored response is a root entry and, when it is too large for one entry, pieces:
//
//	root:  fixed part | [meta] | [body]
//	meta:  key text, Vary, Head
//	body:  the body's bytes
//
// What does not fit the root stands in pieces 0, 1, ... of the slot: those of
// the meta first, then those of the body, the last one of either being short. A
// piece begins with the serial of its body, as slots are used again (pieceslots.go).
// All numbers are little-endian. Values never leave the process, so the version
// only guards against reading what an older layout wrote after an upgrade in place.
const (
	valueVersion = 1
	rootFixed    = 112
	pieceHead    = 8 // the serial before a piece's bytes

	flagMetaInline = 1 << 0
	flagBodyInline = 1 << 1
)

// Offsets in the fixed part.
const (
	atVersion    = 0   // u8
	atFlags      = 1   // u8
	atStatus     = 2   // u16
	atGeneration = 4   // u32
	atSerial     = 8   // u64
	atStored     = 16  // i64
	atFresh      = 24  // i64
	atSWR        = 32  // i64
	atSIE        = 40  // i64
	atAge        = 48  // i64
	atDate       = 56  // i64
	atVariant    = 64  // u64
	atBodyLen    = 72  // i64
	atKeyLen     = 80  // u32
	atVaryLen    = 84  // u32
	atHeadLen    = 88  // u32
	atSlot       = 96  // u64
	atCheck      = 104 // u64: over the fixed part, guards the lengths above
)

// root is the decoded fixed part.
type root struct {
	flags                         uint8
	status                        int
	generation                    uint32
	serial, slot, variant         uint64
	stored, fresh, swr, sie       int64
	age, date, bodyLen            int64
	keyLen, varyLen, headLen      int
	metaPieces, bodyPieces, piece int // derived
}

func (r *root) metaLen() int { return r.keyLen + r.varyLen + r.headLen }

// inlineLen is what follows the fixed part.
func (r *root) inlineLen() int64 {
	n := int64(0)
	if r.flags&flagMetaInline != 0 {
		n += int64(r.metaLen())
	}
	if r.flags&flagBodyInline != 0 {
		n += r.bodyLen
	}
	return n
}

func appendRoot(dst []byte, r *root) []byte {
	var b [rootFixed]byte
	le := binary.LittleEndian
	b[atVersion] = valueVersion
	b[atFlags] = r.flags
	le.PutUint16(b[atStatus:], uint16(r.status))
	le.PutUint32(b[atGeneration:], r.generation)
	le.PutUint64(b[atSerial:], r.serial)
	le.PutUint64(b[atSlot:], r.slot)
	le.PutUint64(b[atStored:], uint64(r.stored))
	le.PutUint64(b[atFresh:], uint64(r.fresh))
	le.PutUint64(b[atSWR:], uint64(r.swr))
	le.PutUint64(b[atSIE:], uint64(r.sie))
	le.PutUint64(b[atAge:], uint64(r.age))
	le.PutUint64(b[atDate:], uint64(r.date))
	le.PutUint64(b[atVariant:], r.variant)
	le.PutUint64(b[atBodyLen:], uint64(r.bodyLen))
	le.PutUint32(b[atKeyLen:], uint32(r.keyLen))
	le.PutUint32(b[atVaryLen:], uint32(r.varyLen))
	le.PutUint32(b[atHeadLen:], uint32(r.headLen))
	le.PutUint64(b[atCheck:], rootCheck(b[:atCheck]))
	return append(dst, b[:]...)
}

// decodeRoot reads the fixed part; ok is false when it is not one. piece is the
// store's piece size, maxLen the largest body it takes.
func decodeRoot(b []byte, piece int, maxLen int64) (r root, ok bool) {
	if len(b) < rootFixed || b[atVersion] != valueVersion {
		return r, false
	}
	le := binary.LittleEndian
	if le.Uint64(b[atCheck:]) != rootCheck(b[:atCheck]) {
		return r, false
	}
	r = root{
		flags:      b[atFlags],
		status:     int(le.Uint16(b[atStatus:])),
		generation: le.Uint32(b[atGeneration:]),
		serial:     le.Uint64(b[atSerial:]),
		slot:       le.Uint64(b[atSlot:]),
		variant:    le.Uint64(b[atVariant:]),
		stored:     int64(le.Uint64(b[atStored:])),
		fresh:      int64(le.Uint64(b[atFresh:])),
		swr:        int64(le.Uint64(b[atSWR:])),
		sie:        int64(le.Uint64(b[atSIE:])),
		age:        int64(le.Uint64(b[atAge:])),
		date:       int64(le.Uint64(b[atDate:])),
		bodyLen:    int64(le.Uint64(b[atBodyLen:])),
		keyLen:     int(le.Uint32(b[atKeyLen:])),
		varyLen:    int(le.Uint32(b[atVaryLen:])),
		headLen:    int(le.Uint32(b[atHeadLen:])),
		piece:      piece,
	}
	if r.bodyLen < 0 || r.bodyLen > maxLen || int64(r.metaLen()) > maxLen {
		return r, false
	}
	if r.inlineLen() != int64(len(b)-rootFixed) {
		return r, false
	}
	r.countPieces()
	return r, true
}

// pieces is how many there are, of meta and body.
func (r *root) pieces() int { return r.metaPieces + r.bodyPieces }

func (r *root) countPieces() {
	r.metaPieces, r.bodyPieces = 0, 0
	if r.flags&flagMetaInline == 0 {
		r.metaPieces = piecesFor(int64(r.metaLen()), r.piece)
	}
	if r.flags&flagBodyInline == 0 {
		r.bodyPieces = piecesFor(r.bodyLen, r.piece)
	}
}

func piecesFor(n int64, piece int) int { return int((n + int64(piece) - 1) / int64(piece)) }

// object makes the Object of a root, its meta and its body. meta and body are
// kept; ok is false when meta does not hold together.
func (r *root) object(meta []byte, body Body) (o *Object, ok bool) {
	if len(meta) != r.metaLen() || body.size != r.bodyLen {
		return nil, false
	}
	key, rest := meta[:r.keyLen:r.keyLen], meta[r.keyLen:]
	vary, head := rest[:r.varyLen:r.varyLen], rest[r.varyLen:]
	o = &Object{
		Status: r.status, Head: head, Body: body, Key: key, Variant: r.variant,
		StoredAt: r.stored, FreshUntil: r.fresh, StaleWhileRevalidate: r.swr, StaleIfError: r.sie,
		AgeAtStore: r.age, DateUnix: r.date, serial: r.serial, slot: r.slot,
	}
	if len(vary) > 0 {
		o.Vary = vary
	}
	if o.Fields, ok = scanFields(head); !ok {
		return nil, false
	}
	o.setViews()
	return o, true
}

// rootOf is the fixed part for an object; flags and serial are left to the store.
func rootOf(o *Object, generation uint32, piece int) root {
	return root{
		status: o.Status, generation: generation, variant: o.Variant,
		stored: o.StoredAt, fresh: o.FreshUntil, swr: o.StaleWhileRevalidate, sie: o.StaleIfError,
		age: o.AgeAtStore, date: o.DateUnix, bodyLen: o.Body.size,
		keyLen: len(o.Key), varyLen: len(o.Vary), headLen: len(o.Head), piece: piece,
	}
}

func appendMeta(dst []byte, o *Object) []byte {
	dst = append(dst, o.Key...)
	dst = append(dst, o.Vary...)
	return append(dst, o.Head...)
}
