package httpparse

// Span is a view of a head buffer by offsets, in bytes. The zero Span is empty.
// Offsets rather than a slice, so that the buffer may be moved or grown between
// two reads, and so that a field costs 20 bytes and no pointer for the collector.
type Span struct{ Off, Len uint32 }

// In returns the bytes s covers in buf, which must be the buffer that was parsed
// or a copy of it. The result aliases buf.
func (s Span) In(buf []byte) []byte { return buf[s.Off : s.Off+s.Len : s.Off+s.Len] }

// End is the offset just past the span.
func (s Span) End() uint32 { return s.Off + s.Len }

// Field is one header line: name and value without surrounding whitespace.
type Field struct {
	Name, Value Span
	ID          HeaderID // HeaderUnknown for names this package has no ID for
}

func spanOf(from, to int) Span { return Span{uint32(from), uint32(to - from)} }
