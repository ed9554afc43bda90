package httpparse

// Chunked decodes a chunked body (RFC 9112 section 7.1), in pieces as they
// come. The zero value decodes a client's body; Reset readies it again.
type Chunked struct {
	Upstream bool  // errors are the backend's: ErrUpstreamChunked
	Decoded  int64 // body bytes yielded so far
}

// Reset readies the decoder for the next body, keeping Upstream.
func (c *Chunked) Reset() { *c = Chunked{Upstream: c.Upstream} }

// Next decodes from the start of buf. data is the next piece of the body, a view
// of buf, perhaps empty; n bytes of buf are used up, data included, and must not
// be passed again. Call it in a loop with the rest while n > 0 and not done; n
// == 0 asks for more input. done: the trailer section has ended as well; bytes
// after n belong to the next message.
func (c *Chunked) Next(buf []byte) (data Span, n int, done bool, err error) { panic("skeleton") }
