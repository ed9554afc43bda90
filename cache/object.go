package cache

import (
	"seawall/httpparse"
)

// Object is a stored response. It is immutable from the moment it is handed out
// and may be referenced by any number of connections on any number of loops.
type Object struct {
	Status int
	// Head holds the field lines "Name: value\r\n"..., end-to-end fields only,
	// as to be sent; without Date, Server, Connection, Content-Length and
	// Transfer-Encoding.
	Head   []byte
	Fields []httpparse.Field // views into Head
	Body   Body

	StoredAt   int64 // ns: when the response came
	FreshUntil int64 // ns
	// How long after FreshUntil it may be served while it is being updated, and
	// when the backend fails: ns, from Cache-Control (RFC 5861), 0 if not given.
	StaleWhileRevalidate, StaleIfError int64

	AgeAtStore       int64 // s: the Age the origin sent; -1: none sent
	DateUnix         int64 // s: the origin's Date, or the wall clock when it sent none
	LastModifiedUnix int64 // s; -1: none or unreadable

	// Views into Head; nil if not sent.
	ETag, LastModified, ContentType []byte

	Key     []byte // own copy of the key's text
	Vary    []byte // the Vary fields joined by ", "; nil: does not vary
	Variant uint64 // hash of the request fields that Vary names; 0 without Vary

	keyHash uint64
}

// NewObject makes an Object for a response that began at now. head is kept, not
// copied: it must be immutable from now on. Freshness comes from v. wallUnix is
// the wall clock in seconds, used when the response has no Date.
func NewObject(status int, head []byte, v *Verdict, now, wallUnix int64) *Object {
	panic("skeleton")
}

// Age is the response's current age in seconds (RFC 9111 section 4.2.3), to be
// sent as Age when the origin sent one; ok is false when it did not.
func (o *Object) Age(now int64) (seconds int64, ok bool) { panic("skeleton") }

// Fresh reports whether the object is fresh at now.
func (o *Object) Fresh(now int64) bool { return now < o.FreshUntil }

// StaleWhileUpdating reports whether Cache-Control: stale-while-revalidate lets
// a stale object be served while another request updates it (RFC 5861 section 3).
func (o *Object) StaleWhileUpdating(now int64) bool { return now < o.FreshUntil+o.StaleWhileRevalidate }

// StaleOnError reports whether Cache-Control: stale-if-error (or
// stale-while-revalidate, as nginx reads it) lets a stale object be served when
// the backend fails (RFC 5861 section 4).
func (o *Object) StaleOnError(now int64) bool { return now < o.FreshUntil+o.StaleIfError }

// Field returns the value of the first field with this ID, a view into Head.
func (o *Object) Field(id httpparse.HeaderID) (value []byte, ok bool) { panic("skeleton") }

// Refresh makes the object that a 304 leads to: the stored body (shared, not
// copied) with a new freshness. head replaces the field lines; nil keeps them,
// as nginx does. See AppendUpdatedHead for RFC 9111 section 3.2.
func (o *Object) Refresh(head []byte, v *Verdict, now, wallUnix int64) *Object { panic("skeleton") }

// AppendUpdatedHead appends the object's field lines updated by those of a 304
// (RFC 9111 section 3.2): fields that the 304 has replace those of the same name.
func (o *Object) AppendUpdatedHead(dst []byte, h Headers) []byte { panic("skeleton") }

// Body is a response body in immutable pieces. The zero value is empty.
type Body struct {
	chunks [][]byte
	size   int64
}

// BodyOf makes a body of immutable pieces, which are kept, not copied.
func BodyOf(chunks ...[]byte) Body { panic("skeleton") }

// Len is the body's length in bytes.
func (b *Body) Len() int64 { return b.size }

// Chunks are the body's pieces in order, none empty. Not to be changed.
func (b *Body) Chunks() [][]byte { return b.chunks }

// AppendRange appends to dst the views that make up bytes from <= i < to.
// Nothing is copied. The range is cut to the body.
func (b *Body) AppendRange(dst [][]byte, from, to int64) [][]byte { panic("skeleton") }
