package httpparse

import "bytes"

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
	Detail detail // how the log shows the offending text, Head.Culprit
}

// detail is how the offending bytes are shown, as nginx shows them.
type detail uint8

const (
	detailNone  detail = iota
	detailWhole        // the text: "Transfer-Encoding: gzip"
	detailByte         // the line up to the byte that it cannot have: "X-A: a\x00..."
	detailCut          // the line as far as it is there: "X: aaaa..."
	detailPair         // two lines and what is between them: the last one, then the one before it
)

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
	dst = e.AppendReason(dst, culprit)
	if e.Action != "" {
		dst = append(dst, " while "...)
		dst = append(dst, e.Action...)
	}
	return dst
}

// AppendReason is AppendLog without the action.
func (e *Error) AppendReason(dst, culprit []byte) []byte {
	dst = append(dst, e.Reason...)
	if e.Detail == detailNone {
		return dst
	}
	if e.Detail == detailPair {
		first, _, _ := bytes.Cut(culprit, lineFeed)
		dst = appendQuoted(dst, `: "`, culprit[bytes.LastIndexByte(culprit, '\n')+1:])
		return appendQuoted(dst, `, previous value: "`, bytes.TrimSuffix(first, carriageReturn))
	}
	if e.Detail == detailByte && len(culprit) > 0 {
		const hex = "0123456789abcdef"
		last := culprit[len(culprit)-1]
		dst = append(append(dst, `: "`...), culprit[:len(culprit)-1]...)
		return append(dst, '\\', 'x', hex[last>>4], hex[last&15], '.', '.', '.', '"')
	}
	dst = append(append(dst, `: "`...), culprit...)
	if e.Detail == detailCut {
		dst = append(dst, "..."...)
	}
	return append(dst, '"')
}

var lineFeed = []byte{'\n'}

func appendQuoted(dst []byte, open string, text []byte) []byte {
	return append(append(append(dst, open...), text...), '"')
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
	ErrInvalidMethod     = &Error{SideClient, 400, 400, "client sent invalid method", readingLine, detailNone}
	ErrInvalidRequest    = &Error{SideClient, 400, 400, "client sent invalid request", readingLine, detailNone}
	ErrInvalidVersion    = &Error{SideClient, 505, 505, "client sent invalid version", readingLine, detailNone}
	ErrInvalidMethod09   = &Error{SideClient, 400, 400, "client sent invalid method in HTTP/0.9 request", readingLine, detailNone}
	ErrInvalidURI        = &Error{SideClient, 400, 400, "client sent invalid request", readingLine, detailNone}
	ErrInvalidHostInLine = &Error{SideClient, 400, 400, "client sent invalid host in request line", readingLine, detailNone}
	ErrURITooLong        = &Error{SideClient, 414, 414, "client sent too long URI", readingLine, detailNone}
	ErrHeaderTooLong     = &Error{SideClient, 400, 494, "client sent too long header line", readingHeaders, detailCut}
	ErrTooManyFields     = &Error{SideClient, 400, 494, "client sent too many header lines", readingHeaders, detailNone}
	ErrInvalidHeader     = &Error{SideClient, 400, 400, "client sent invalid header line", readingHeaders, detailByte}
	ErrDuplicateHeader   = &Error{SideClient, 400, 400, "client sent duplicate header line", readingHeaders, detailPair}
	ErrDuplicateHost     = &Error{SideClient, 400, 400, "client sent duplicate host header", readingHeaders, detailPair}
	ErrNoHost            = &Error{SideClient, 400, 400, `client sent HTTP/1.1 request without "Host" header`, readingHeaders, detailNone}
	ErrInvalidHost       = &Error{SideClient, 400, 400, "client sent invalid host header", readingHeaders, detailNone}
	ErrInvalidLength     = &Error{SideClient, 400, 400, `client sent invalid "Content-Length" header`, readingHeaders, detailNone}
	ErrLengthAndChunked  = &Error{SideClient, 400, 400, `client sent "Content-Length" and "Transfer-Encoding" headers at the same time`, readingHeaders, detailNone}
	ErrChunked10         = &Error{SideClient, 400, 400, `client sent HTTP/1.0 request with "Transfer-Encoding" header`, readingHeaders, detailNone}
	ErrUnknownEncoding   = &Error{SideClient, 501, 501, `client sent unknown "Transfer-Encoding"`, readingHeaders, detailWhole}
	ErrConnect           = &Error{SideClient, 405, 405, "client sent CONNECT method", readingHeaders, detailNone}
	ErrTrace             = &Error{SideClient, 405, 405, "client sent TRACE method", readingHeaders, detailNone}
	ErrChunked           = &Error{SideClient, 400, 400, "client sent invalid chunked body", readingBody, detailNone}
)

// Refusals of a response.
var (
	ErrNoStatusLine          = &Error{SideUpstream, 502, 502, "upstream sent no valid HTTP/1.0 header", readingAnswer, detailNone}
	ErrUpstreamHeader        = &Error{SideUpstream, 502, 502, "upstream sent invalid header", readingAnswer, detailByte}
	ErrUpstreamHeadTooBig    = &Error{SideUpstream, 502, 502, "upstream sent too big header", readingAnswer, detailNone}
	ErrUpstreamLength        = &Error{SideUpstream, 502, 502, `upstream sent invalid "Content-Length" header`, readingAnswer, detailWhole}
	ErrUpstreamDuplicate     = &Error{SideUpstream, 502, 502, "upstream sent duplicate header line", readingAnswer, detailPair}
	ErrUpstreamLengthChunked = &Error{SideUpstream, 502, 502, `upstream sent "Content-Length" and "Transfer-Encoding" headers at the same time`, readingAnswer, detailNone}
	ErrUpstreamUnknownCoding = &Error{SideUpstream, 502, 502, `upstream sent unknown "Transfer-Encoding"`, readingAnswer, detailWhole}
	ErrUpstreamChunked       = &Error{SideUpstream, 502, 502, "upstream sent invalid chunked response", readingPipe, detailNone}
)
