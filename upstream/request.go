package upstream

// RequestBytes is a request as it is to be sent. The caller keeps what it points
// to unchanged until the call ends (done, failed or cancelled).
type RequestBytes struct {
	Head []byte     // the complete head, final empty line included; without Expect
	Body BodySource // nil: no body

	// Chunked: the head says Transfer-Encoding: chunked, and the body is put in
	// chunks here. Otherwise it says Content-Length and the source must give
	// exactly as much.
	Chunked bool

	// Idempotent: the request may be sent twice (RFC 9110 section 9.2.2). nginx
	// counts every method but POST, LOCK and PATCH as such.
	Idempotent bool

	HeadRequest  bool // HEAD: the response has no body whatever its head says
	WantsUpgrade bool // the head asks for an upgrade: 101 makes the connection a tunnel

	// Again: a further group for the same client request, as after
	// X-Accel-Redirect or error_page. Earlier tries are kept, so that
	// $upstream_addr and its like read "a, b : c".
	Again bool
}

// BodyState says how a body source stands after a Next.
type BodyState uint8

const (
	// BodyMore: ask again, there is more without waiting.
	BodyMore BodyState = iota
	// BodyWait: nothing further now; the owner of the source says Call.BodyReady.
	BodyWait
	// BodyEnd: the bytes given with it were the last.
	BodyEnd
)

// BodySource gives a request body in pieces.
type BodySource interface {
	// Next returns up to max bytes, valid until the next Next or Rewind. None with
	// BodyMore counts as BodyWait. After BodyEnd it is not called again unless rewound.
	Next(max int) (p []byte, state BodyState)
	// Rewind starts the body over for another attempt; false: it cannot be sent again.
	Rewind() bool
}
