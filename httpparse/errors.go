package httpparse

// Side says whose bytes were refused.
type Side uint8

const (
	// SideClient: the request is at fault; Status is what the client gets.
	SideClient Side = iota
	// SideUpstream: the response is at fault; the client gets 502 unless a retry helps.
	SideUpstream
)

// Error is a refusal. All values are preallocated package variables, so an error
// can be compared by identity and costs nothing to return.
type Error struct {
	Side   Side
	Status int    // status on the wire: 400, 405, 414, 501, 505; 502 for SideUpstream
	Page   int    // code as error_page and nginx's own pages know it: 494 for a too large head, else Status
	Reason string // for the error log, worded as nginx words it where nginx has a wording
	Detail bool   // nginx appends the offending text: `Reason: "..."`; see Request.Culprit
}

// Error is the log text without the detail.
func (e *Error) Error() string { return e.Reason }

// AppendLog appends the log text: the reason, and if nginx shows it the offending
// text (culprit) in quotes.
func (e *Error) AppendLog(dst, culprit []byte) []byte {
	dst = append(dst, e.Reason...)
	if e.Detail {
		dst = append(dst, ": \""...)
		dst = append(dst, culprit...)
		dst = append(dst, '"')
	}
	return dst
}

func clientError(status int, reason string) *Error {
	return &Error{Side: SideClient, Status: status, Page: status, Reason: reason}
}

func clientErrorDetail(status int, reason string) *Error {
	return &Error{Side: SideClient, Status: status, Page: status, Reason: reason, Detail: true}
}

func upstreamError(reason string) *Error {
	return &Error{Side: SideUpstream, Status: 502, Page: 502, Reason: reason}
}

func upstreamErrorDetail(reason string) *Error {
	return &Error{Side: SideUpstream, Status: 502, Page: 502, Reason: reason, Detail: true}
}

// Refusals of a request.
var (
	ErrInvalidMethod     = clientError(400, "client sent invalid method while reading client request line")
	ErrInvalidRequest    = clientError(400, "client sent invalid request while reading client request line")
	ErrInvalidVersion    = clientError(505, "client sent invalid version while reading client request line")
	ErrInvalidMethod09   = clientError(400, "client sent invalid method in HTTP/0.9 request while reading client request line")
	ErrInvalidURI        = clientErrorDetail(400, "client sent invalid request URI")
	ErrURITooLong        = clientError(414, "client sent too long URI while reading client request line")
	ErrHeaderTooLong     = &Error{SideClient, 400, 494, "client sent too long header line", true}
	ErrHeadTooLarge      = &Error{SideClient, 400, 494, "client sent too large request", false}
	ErrTooManyFields     = &Error{SideClient, 400, 494, "client sent too many header lines", false}
	ErrInvalidHeader     = clientErrorDetail(400, "client sent invalid header line")
	ErrDuplicateHeader   = clientErrorDetail(400, "client sent duplicate header line")
	ErrNoHost            = clientError(400, "client sent HTTP/1.1 request without \"Host\" header while reading client request headers")
	ErrInvalidHost       = clientError(400, "client sent invalid host header while reading client request headers")
	ErrInvalidHostInLine = clientError(400, "client sent invalid host in request line while reading client request line")
	ErrInvalidLength     = clientError(400, "client sent invalid \"Content-Length\" header while reading client request headers")
	ErrLengthAndChunked  = clientError(400, "client sent \"Content-Length\" and \"Transfer-Encoding\" headers at the same time while reading client request headers")
	ErrChunked10         = clientError(400, "client sent HTTP/1.0 request with \"Transfer-Encoding\" header while reading client request headers")
	ErrUnknownEncoding   = clientErrorDetail(501, "client sent unknown \"Transfer-Encoding\"")
	ErrConnect           = clientError(405, "client sent CONNECT method while reading client request headers")
	ErrTrace             = clientError(405, "client sent TRACE method while reading client request headers")
)

// Refusals of a response.
var (
	ErrNoStatusLine           = upstreamError("upstream sent no valid HTTP/1.0 header")
	ErrUpstreamHeader         = upstreamError("upstream sent invalid header")
	ErrUpstreamHeadTooBig     = upstreamError("upstream sent too big header")
	ErrUpstreamLength         = upstreamErrorDetail("upstream sent invalid \"Content-Length\" header")
	ErrUpstreamDuplicate      = upstreamErrorDetail("upstream sent duplicate header line")
	ErrUpstreamLengthChunked  = upstreamError("upstream sent \"Content-Length\" and \"Transfer-Encoding\" headers at the same time")
	ErrUpstreamUnknownCoding  = upstreamErrorDetail("upstream sent unknown \"Transfer-Encoding\"")
	ErrUpstreamUnexpectedBody = upstreamError("upstream sent a transfer coding with a status that has no body")
)

// Refusals of a chunked body; both sides use them, the text takes the side's subject.
var (
	ErrChunked         = clientError(400, "client sent invalid chunked body")
	ErrUpstreamChunked = upstreamError("upstream sent invalid chunked response")
)
