package cache

// VaryRequest gives the cache the request's fields, for Vary. A *httpparse.Request
// with its buffer is easily made one; it is called on the caller's goroutine only.
type VaryRequest interface {
	// HeaderValue returns the i-th field (0, 1, ...) of this name, in any letter
	// case; ok is false when there are no more.
	HeaderValue(name []byte, i int) (value []byte, ok bool)
}
