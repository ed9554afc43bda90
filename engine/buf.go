package engine

// Buf is a pooled buffer. B has length 0 and at least the asked capacity when it comes from GetBuf; the owner may slice
// and grow B as it likes.
type Buf struct {
	B []byte
}

// GetBuf gives a buffer with at least size bytes of capacity: of a power-of-two class from 1 KB to 256 KB, pooled per
// loop; larger ones are plain allocations.
func (l *Loop) GetBuf(size int) *Buf { panic("engine: being built") }

// PutBuf gives b back; nobody may use it or its bytes afterwards. nil is allowed.
func (l *Loop) PutBuf(b *Buf) { panic("engine: being built") }
