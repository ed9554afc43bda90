package httpparse

// Side says whose bytes were refused.
type Side uint8

const (
	// SideClient: the request is at fault; Status is what the client gets.
	SideClient Side = iota
	// SideUpstream: the response is at fault; the client gets 502 unless another try helps.
	SideUpstream
)

// Error is a refusal. All values are preallocated package variables, so an error
// can be compared by identity and costs nothing to return.
type Error struct {
	Side   Side
	Status int    // on the wire: 400, 405, 414, 501, 505; 502 for SideUpstream
	Page   int    // as error_page and nginx's own pages know it: 494 for a too large head, else Status
	Reason string // what was wrong, in nginx's words where it has some
	Action string // what was being done, nginx's log->action: "reading client request line"
	Detail bool   // the log shows the offending text: Head.Culprit
}

// Error is the log text without the offending bytes.
func (e *Error) Error() string {
	if e.Action == "" {
		return e.Reason
	}
	return e.Reason + " while " + e.Action
}

// AppendLog appends the log text: the reason, for those with Detail the offending
// bytes (culprit) in quotes, and the action.
func (e *Error) AppendLog(dst, culprit []byte) []byte {
	dst = append(dst, e.Reason...)
	if e.Detail {
		dst = append(dst, `: "`...)
		dst = append(dst, culprit...)
		dst = append(dst, '"')
	}
	if e.Action != "" {
		dst = append(dst, " while "...)
		dst = append(dst, e.Action...)
	}
	return dst
}

const (
	readingLine    = "reading client request line"
	readingHeaders = "reading client request headers"
	readingBody    = "reading client request body"
	readingAnswer  = "reading response header from upstream"
	readingPipe    = "reading upstream"
)

// Refusals of a request. 494 is nginx's internal code for a head that is too
// large: error_page may name it, the client sees 400.
var (
	ErrInvalidMethod     = &Error{SideClient, 400, 400, "client sent invalid method", readingLine, false}
	ErrInvalidRequest    = &Error{SideClient, 400, 400, "client sent invalid request", readingLine, false}
	ErrInvalidVersion    = &Error{SideClient, 505, 505, "client sent invalid version", readingLine, false}
	ErrInvalidMethod09   = &Error{SideClient, 400, 400, "client sent invalid method in HTTP/0.9 request", readingLine, false}
	ErrInvalidURI        = &Error{SideClient, 400, 400, "client sent invalid request", readingLine, false}
	ErrInvalidHostInLine = &Error{SideClient, 400, 400, "client sent invalid host in request line", readingLine, false}
	ErrURITooLong        = &Error{SideClient, 414, 414, "client sent too long URI", readingLine, false}
	ErrHeaderTooLong     = &Error{SideClient, 400, 494, "client sent too long header line", readingHeaders, true}
	ErrTooManyFields     = &Error{SideClient, 400, 494, "client sent too many header lines", readingHeaders, false}
	ErrInvalidHeader     = &Error{SideClient, 400, 400, "client sent invalid header line", readingHeaders, true}
	ErrDuplicateHeader   = &Error{SideClient, 400, 400, "client sent duplicate header line", readingHeaders, true}
	ErrDuplicateHost     = &Error{SideClient, 400, 400, "client sent duplicate host header", readingHeaders, true}
	ErrNoHost            = &Error{SideClient, 400, 400, `client sent HTTP/1.1 request without "Host" header`, readingHeaders, false}
	ErrInvalidHost       = &Error{SideClient, 400, 400, "client sent invalid host header", readingHeaders, false}
	ErrInvalidLength     = &Error{SideClient, 400, 400, `client sent invalid "Content-Length" header`, readingHeaders, false}
	ErrLengthAndChunked  = &Error{SideClient, 400, 400, `client sent "Content-Length" and "Transfer-Encoding" headers at the same time`, readingHeaders, false}
	ErrChunked10         = &Error{SideClient, 400, 400, `client sent HTTP/1.0 request with "Transfer-Encoding" header`, readingHeaders, false}
	ErrUnknownEncoding   = &Error{SideClient, 501, 501, `client sent unknown "Transfer-Encoding"`, readingHeaders, true}
	ErrConnect           = &Error{SideClient, 405, 405, "client sent CONNECT method", readingHeaders, false}
	ErrTrace             = &Error{SideClient, 405, 405, "client sent TRACE method", readingHeaders, false}
	ErrChunked           = &Error{SideClient, 400, 400, "client sent invalid chunked body", readingBody, false}
)

// Refusals of a response.
var (
	ErrNoStatusLine          = &Error{SideUpstream, 502, 502, "upstream sent no valid HTTP/1.0 header", readingAnswer, false}
	ErrUpstreamHeader        = &Error{SideUpstream, 502, 502, "upstream sent invalid header", readingAnswer, true}
	ErrUpstreamHeadTooBig    = &Error{SideUpstream, 502, 502, "upstream sent too big header", readingAnswer, false}
	ErrUpstreamLength        = &Error{SideUpstream, 502, 502, `upstream sent invalid "Content-Length" header`, readingAnswer, true}
	ErrUpstreamDuplicate     = &Error{SideUpstream, 502, 502, "upstream sent duplicate header line", readingAnswer, true}
	ErrUpstreamLengthChunked = &Error{SideUpstream, 502, 502, `upstream sent "Content-Length" and "Transfer-Encoding" headers at the same time`, readingAnswer, false}
	ErrUpstreamUnknownCoding = &Error{SideUpstream, 502, 502, `upstream sent unknown "Transfer-Encoding"`, readingAnswer, true}
	ErrUpstreamChunked       = &Error{SideUpstream, 502, 502, "upstream sent invalid chunked response", readingPipe, false}
)
