package httpparse

// NormalizePath makes nginx's $uri of an undecoded path (Request.Path): percent
// escapes decoded, dot segments removed, and with mergeSlashes runs of slashes
// made one. It returns path itself when there is nothing to do, else dst with
// the result appended: dst's old contents come first. ErrInvalidURI for a bad
// escape, %00, or a path that climbs over its root.
func NormalizePath(dst, path []byte, mergeSlashes bool) ([]byte, error) { panic("skeleton") }

// EscapeURI appends path with the bytes escaped that nginx escapes when it sends
// a normalised path to a backend (proxy_pass with a URI part).
func EscapeURI(dst, path []byte) []byte { panic("skeleton") }

// EscapeArgs appends text escaped as nginx escapes query arguments.
func EscapeArgs(dst, text []byte) []byte { panic("skeleton") }
