package httpparse

// Limits bounds a head. Sizes are bytes; zero means no limit of that kind.
type Limits struct {
	// RequestLine is the longest request or status line, its line end included
	// (one buffer of large_client_header_buffers): beyond it ErrURITooLong.
	RequestLine int
	// Field is the longest header line, its line end included: beyond it ErrHeaderTooLong.
	Field int
	// Total is the longest head, leading empty lines included: beyond it
	// ErrHeaderTooLong, for a response ErrUpstreamHeadTooBig (proxy_buffer_size).
	Total int
	// FirstBuffer and Buffers are nginx's client_header_buffer_size and the number in
	// large_client_header_buffers, of whose size Field is: a line lies in one buffer,
	// and a head that needs more is ErrHeaderTooLong. Buffers 0: no such limit.
	FirstBuffer, Buffers int
	// MaxFields is the largest number of header lines, dropped ones included:
	// beyond it ErrTooManyFields.
	MaxFields int
	// UnderscoresInHeaders (underscores_in_headers): '_' is valid in a request's field names.
	UnderscoresInHeaders bool
	// IgnoreInvalidHeaders (ignore_invalid_headers): a request field with an
	// invalid name is left out of Fields; off, it is taken like any other. Names
	// with control characters or spaces are refused always.
	IgnoreInvalidHeaders bool
}

// DefaultLimits are nginx's defaults (large_client_header_buffers 4 8k,
// ignore_invalid_headers on, underscores_in_headers off).
var DefaultLimits = Limits{RequestLine: 8 << 10, Field: 8 << 10, Total: 32 << 10, IgnoreInvalidHeaders: true}
