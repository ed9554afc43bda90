package cache

import (
	"seawall/httpparse"
)

// Object is a stored response. It is immutable from the moment it is handed out
// and may be referenced by any number of connections on any number of loops.
type Object struct {
	Status int
	// Head holds the field lines "Name: value\r\n"..., end-to-end fields only,
	// as to be sent; without Date, Server, Age, Connection, Content-Length and
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

	// serial stands in the pieces of a large body in the shared store, and slot
	// names them; 0: it has none there. Set before the object is handed out.
	serial, slot uint64
}

// NewObject makes an Object, as yet without a body, for a response that came at
// now. head is kept, not copied: it must not change any more. resp is the whole
// response head, of which Vary and Date are read (head may lack them). Freshness
// comes from v. wallUnix is the wall clock in seconds, the Date of a response
// that has none.
func NewObject(status int, head []byte, resp Headers, v *Verdict, now, wallUnix int64) *Object {
	o := &Object{Status: status, Head: head}
	o.Fields, _ = scanFields(head) // the server wrote these lines; a malformed rest has no fields
	o.setFreshness(v, now)
	o.setViews()
	o.DateUnix = wallUnix
	if date, ok := resp.first(httpparse.HeaderDate); ok {
		if t, ok := httpparse.ParseDate(date); ok {
			o.DateUnix = t
		}
	}
	if v.Varies {
		o.Vary = resp.joinVary()
	}
	return o
}

func (o *Object) setFreshness(v *Verdict, now int64) {
	o.StoredAt = now
	o.FreshUntil = now + v.TTL
	o.StaleWhileRevalidate = v.StaleWhileRevalidate
	o.StaleIfError = v.StaleIfError
	o.AgeAtStore = v.Age
}

// setViews finds the validators and the type in Head.
func (o *Object) setViews() {
	o.LastModifiedUnix = -1
	o.ETag, _ = o.Field(httpparse.HeaderETag)
	o.ContentType, _ = o.Field(httpparse.HeaderContentType)
	var ok bool
	if o.LastModified, ok = o.Field(httpparse.HeaderLastModified); ok {
		if t, ok := httpparse.ParseDate(o.LastModified); ok {
			o.LastModifiedUnix = t
		}
	}
}

// Age is the response's current age in seconds (RFC 9111 section 4.2.3), to be
// sent as Age when the origin sent one; ok is false when it did not.
func (o *Object) Age(now int64) (seconds int64, ok bool) {
	if o.AgeAtStore < 0 {
		return 0, false
	}
	return o.AgeAtStore + max(now-o.StoredAt, 0)/int64(second), true
}

// Fresh reports whether the object is fresh at now.
func (o *Object) Fresh(now int64) bool { return now < o.FreshUntil }

// StaleWhileUpdating reports whether Cache-Control: stale-while-revalidate lets
// a stale object be served while another request updates it (RFC 5861 section 3).
func (o *Object) StaleWhileUpdating(now int64) bool {
	return now-o.FreshUntil < o.StaleWhileRevalidate
}

// StaleOnError reports whether Cache-Control: stale-if-error (or
// stale-while-revalidate, as nginx reads it) lets a stale object be served when
// the backend fails (RFC 5861 section 4).
func (o *Object) StaleOnError(now int64) bool { return now-o.FreshUntil < o.StaleIfError }

// Field returns the value of the first field with this ID, a view into Head.
func (o *Object) Field(id httpparse.HeaderID) (value []byte, ok bool) {
	return o.headers().first(id)
}

func (o *Object) headers() Headers { return Headers{Buf: o.Head, Fields: o.Fields} }

// Refresh makes the object that a 304 leads to: the stored body (shared, not
// copied) with a new freshness. head replaces the field lines; nil keeps them,
// as nginx does. See AppendUpdatedHead for RFC 9111 section 3.2.
func (o *Object) Refresh(head []byte, v *Verdict, now, wallUnix int64) *Object {
	n := *o
	n.DateUnix = wallUnix
	if head != nil {
		n.Head = head
		n.Fields, _ = scanFields(head)
		n.setViews()
	}
	n.setFreshness(v, now)
	return &n
}

// withBody is a copy of o that has this body.
func (o *Object) withBody(b Body) *Object {
	n := *o
	n.Body = b
	return &n
}

// memory is about what the object takes in the heap, in bytes.
func (o *Object) memory() int64 {
	return int64(len(o.Head)+len(o.Key)+len(o.Vary)+len(o.Fields)*20+len(o.Body.chunks)*24) + o.Body.size + objectOverhead
}

const objectOverhead = 384 // the struct itself, its hot entry and their share of the tables

// Body is a response body in immutable pieces. The zero value is empty.
type Body struct {
	chunks [][]byte
	size   int64
}

// BodyOf makes a body of immutable pieces, which are kept, not copied.
func BodyOf(chunks ...[]byte) Body {
	var b Body
	for _, c := range chunks {
		if len(c) > 0 {
			b.chunks = append(b.chunks, c)
			b.size += int64(len(c))
		}
	}
	return b
}

// Len is the body's length in bytes.
func (b *Body) Len() int64 { return b.size }

// Chunks are the body's pieces in order, none empty. Not to be changed.
func (b *Body) Chunks() [][]byte { return b.chunks }

// AppendRange appends to dst the views that make up bytes from <= i < to.
// Nothing is copied. The range is cut to the body.
func (b *Body) AppendRange(dst [][]byte, from, to int64) [][]byte {
	from, to = max(from, 0), min(to, b.size)
	for _, c := range b.chunks {
		if to <= 0 || from >= to {
			break
		}
		n := int64(len(c))
		if from < n {
			dst = append(dst, c[from:min(n, to)])
		}
		from, to = max(from-n, 0), to-n
	}
	return dst
}
