package httpparse

// Response is a parsed response head, the same shape and life as a [Request].
type Response struct {
	Major, Minor uint8
	Status       int  // 100..999
	StatusText   Span // "200 OK" as sent: code and reason
	Reason       Span // may be empty

	Fields []Field // in the order received

	ContentLength int64 // -1: none sent
	Chunked       bool  // Transfer-Encoding: chunked
	KeepAlive     bool  // whether the backend offers to keep the connection
	Upgrade       bool  // Connection: upgrade with an Upgrade field
	HeadLen       int   // bytes of the head, the final empty line included; set when done

	Culprit Span // see Request.Culprit
}

// Reset forgets the response; the memory of Fields is kept.
func (r *Response) Reset() { *r = Response{Fields: r.Fields[:0], ContentLength: -1} }

// Parse is as Request.Parse.
func (r *Response) Parse(buf []byte, lim *Limits) (done bool, err error) { panic("skeleton") }

// BodyForm is how the end of a response's body is found (RFC 9112 section 6.3).
type BodyForm uint8

const (
	// BodyNone: the message ends with the head (1xx, 204, 304, answer to HEAD, length 0).
	BodyNone BodyForm = iota
	// BodyLength: ContentLength bytes follow.
	BodyLength
	// BodyChunked: chunks follow.
	BodyChunked
	// BodyUntilClose: everything until the connection is closed.
	BodyUntilClose
)

// Body tells how the body ends. head: the request was a HEAD.
func (r *Response) Body(head bool) BodyForm { panic("skeleton") }

// Get, Has and Find are as Request's.
func (r *Response) Get(buf []byte, id HeaderID) (value []byte, ok bool) { panic("skeleton") }

// Has reports whether there is a field with this ID, in constant time.
func (r *Response) Has(id HeaderID) bool { panic("skeleton") }

// Find returns the value of the first field with this name, in any case.
func (r *Response) Find(buf, name []byte) (value []byte, ok bool) { panic("skeleton") }
