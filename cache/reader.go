package cache

// Reader is a request's place in a Fill that another request leads. It is
// embedded in the request; the zero value is ready for Begin, and again after
// Leave. Its methods are called on the request's own loop.
type Reader struct {
	fill *Fill
}

// Fill is what the reader is attached to; nil: nothing.
func (rd *Reader) Fill() *Fill { return rd.fill }

// Next returns the next bytes of the body, an immutable view, and advances past
// them. With no bytes to return it says why: FillPending and FillStreaming mean
// that the Waiter will be called, once, when there is more; the others are final.
// obj is the response's head from FillStreaming on.
func (rd *Reader) Next() (obj *Object, chunk []byte, state FillState) { panic("skeleton") }

// Matches reports, once the head is there, whether the response is the variant
// that this request asks for (Vary). When it is not: Leave, and Begin anew.
func (rd *Reader) Matches(req VaryRequest) bool { panic("skeleton") }

// Leave detaches the reader. Harmless when it is not attached.
func (rd *Reader) Leave() { panic("skeleton") }
