package httpparse

// ByteRange is one part of a representation: bytes Start <= i < End.
type ByteRange struct{ Start, End int64 }

// RangeResult says what a Range field asks for.
type RangeResult uint8

const (
	// RangeIgnore: no usable range, send the whole (200).
	RangeIgnore RangeResult = iota
	// RangePartial: send the parts (206).
	RangePartial
	// RangeUnsatisfiable: 416.
	RangeUnsatisfiable
)

// ParseRange reads a Range value against a representation of size bytes, as
// nginx does: parts appended to dst; more than maxRanges (< 0: any number), or
// together longer than the whole: RangeIgnore.
func ParseRange(dst []ByteRange, value []byte, size int64, maxRanges int) ([]ByteRange, RangeResult) {
	panic("skeleton")
}

// AppendContentRange appends "bytes start-end/size".
func AppendContentRange(dst []byte, r ByteRange, size int64) []byte { panic("skeleton") }

// MatchETag reports whether an If-Match (weak false: strong comparison) or
// If-None-Match (weak true) value names etag (with its quotes and W/), or is "*".
func MatchETag(list, etag []byte, weak bool) bool { panic("skeleton") }

// IfRange reports whether a Range may be served under this If-Range value, which
// is an entity tag (strong comparison) or a date (exact). lastModified < 0: unknown.
func IfRange(value, etag []byte, lastModified int64) bool { panic("skeleton") }
