package httpparse

// AppendDate appends an IMF-fixdate, "Sun, 06 Nov 1994 08:49:37 GMT" (RFC 9110
// section 5.6.7). unix is in seconds, 0 <= unix <= year 9999.
func AppendDate(dst []byte, unix int64) []byte { panic("skeleton") }

// ParseDate reads any of the three HTTP date forms. unix is in seconds.
func ParseDate(b []byte) (unix int64, ok bool) { panic("skeleton") }
