// Package httpparse turns bytes into views of HTTP/1.x messages: request heads,
// response heads, chunked bodies, and the small languages inside header fields
// (token lists, dates, ranges, entity tags) and request targets.
//
// It is pure: bytes in; views, incomplete or error out. No I/O, no clock, no
// lock, and no allocation once a Request or Response has grown its field list.
//
// # Views
//
// A [Span] is a pair of offsets into the buffer that was handed to Parse. It
// stays right when that buffer is moved or grown, as long as the head's bytes
// keep their offsets; it says nothing once the buffer is reused.
//
// # Resuming
//
// [Request.Parse] and [Response.Parse] are called with the same buffer and ever
// more bytes in it until they report done or an error. What was scanned is not
// scanned again, and feeding byte by byte gives the same result as feeding whole.
//
// # Strictness
//
// RFC 9112 as a careful proxy reads it, with nginx as the oracle for statuses and
// for what may be tolerated. Where nginx lets through what could mean different
// things to two readers (a bare CR, a header line without a colon, a bare LF in
// chunked coding), this package refuses.
package httpparse
