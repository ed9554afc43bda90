package httpparse

// TargetForm is the form of a request target (RFC 9112 section 3.2).
type TargetForm uint8

const (
	// TargetOrigin is "/path?query".
	TargetOrigin TargetForm = iota
	// TargetAbsolute is "http://host/path?query".
	TargetAbsolute
)

// Request is a parsed request head. All Spans are views of the buffer given to
// Parse. Owned by whoever owns that buffer; the zero value is ready to use, and
// Reset makes it ready for the next request while keeping the field list's memory.
type Request struct {
	Method       Method
	Form         TargetForm
	Major, Minor uint8 // 1, 1; HTTP/0.9: 0, 9

	Line       Span // the request line without its end ($request); after an error, as much of it as is there
	MethodText Span
	Target     Span // the request target as sent, from the path on ($request_uri): no scheme, no authority
	Path       Span // undecoded path, up to '?' or '#'; for "http://host" it is the "/" of "://"
	Query      Span // after '?', up to '#' ($args)
	Scheme     Span // absolute form only
	Authority  Span // absolute form only: host[:port]

	// HasQuery tells "/a?" (an empty query) from "/a".
	HasQuery bool
	// PlainPath: the path is its own normal form, NormalizePath would return it as it is.
	PlainPath bool
	// Quoted: the path has a percent escape. nginx escapes the normalised path
	// again for a backend only then.
	Quoted bool

	// Host is the authority the request is for: that of an absolute target, else
	// the Host field's value. Empty when neither was sent.
	Host Span
	// HostName is Host without port and without one trailing dot, in the case as sent.
	HostName Span

	Fields []Field // in the order received, without those dropped as invalid

	ContentLength int64 // -1: none sent
	Chunked       bool  // Transfer-Encoding: chunked
	KeepAlive     bool  // as the version and Connection say
	Upgrade       bool  // Connection: upgrade with an Upgrade field
	Expect100     bool  // HTTP/1.1 and Expect: 100-continue
	HeadLen       int   // bytes of the head, leading empty lines and final empty line included; set when done

	// Culprit covers the text an Error with Detail is about; set with the error.
	Culprit Span
}

// Reset forgets the request; the memory of Fields is kept.
func (r *Request) Reset() { *r = Request{Fields: r.Fields[:0], ContentLength: -1} }

// Parse reads the head at the start of buf. Called again with the same bytes and
// more behind them until done. buf is only read. err is an *Error; after it, or
// after done, Reset must come before the next Parse.
func (r *Request) Parse(buf []byte, lim *Limits) (done bool, err error) { panic("skeleton") }

// HasBody reports whether a body follows the head (RFC 9112 section 6.3).
func (r *Request) HasBody() bool { return r.Chunked || r.ContentLength > 0 }

// Get returns the value of the first field with this ID. The value aliases buf.
func (r *Request) Get(buf []byte, id HeaderID) (value []byte, ok bool) { panic("skeleton") }

// Has reports whether there is a field with this ID, in constant time.
func (r *Request) Has(id HeaderID) bool { panic("skeleton") }

// Find returns the value of the first field with this name, in any case.
func (r *Request) Find(buf, name []byte) (value []byte, ok bool) { panic("skeleton") }
