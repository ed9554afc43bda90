package http1

import (
	"seawall/engine"
	"seawall/httpparse"
	"seawall/upstream"
)

// The failures that a response can be, preallocated, worded as nginx words them
// where it has a wording.
var (
	errHeadTooBig = &upstream.Error{
		Kind: upstream.KindHeadTooBig, Status: 502, Log: httpparse.ErrUpstreamHeadTooBig.Reason,
		Phase: upstream.PhaseHead, Severity: engine.Err, Condition: upstream.NextInvalidHeader,
	}
	errTooManyInterim = invalidHead("upstream sent too many interim responses")
	errUnaskedUpgrade = invalidHead("upstream sent unexpected 101 response")

	errBadChunkHead = badChunk(upstream.PhaseHead)
	errBadChunkBody = badChunk(upstream.PhaseBody)

	errExcessHead  = excess("upstream sent more data than specified in \"Content-Length\" header", upstream.PhaseHead)
	errExcessBody  = excess("upstream sent more data than specified in \"Content-Length\" header", upstream.PhaseBody)
	errExcessChunk = excess("upstream sent data after final chunk", upstream.PhaseHead)
	errExcessLast  = excess("upstream sent data after final chunk", upstream.PhaseBody)
)

func invalidHead(text string) *upstream.Error {
	return &upstream.Error{
		Kind: upstream.KindInvalidHead, Status: 502, Log: text,
		Phase: upstream.PhaseHead, Severity: engine.Err, Condition: upstream.NextInvalidHeader,
	}
}

func badChunk(phase upstream.Phase) *upstream.Error {
	return &upstream.Error{
		Kind: upstream.KindInvalidBody, Status: 502, Log: httpparse.ErrUpstreamChunked.Reason,
		Phase: phase, Severity: engine.Err,
	}
}

func excess(text string, phase upstream.Phase) *upstream.Error {
	return &upstream.Error{Kind: upstream.KindExcess, Log: text, Phase: phase, Severity: engine.Warn}
}

// chunkFailure is a break of the chunked coding.
func (x *conn) chunkFailure() *upstream.Error {
	if x.phase == upstream.PhaseHead {
		return errBadChunkHead
	}
	return errBadChunkBody
}

// excess is what there is to log of a whole response that more bytes follow.
func (x *conn) excess() *upstream.Error {
	if x.buf == nil || x.pos == len(x.buf.B) {
		return nil
	}
	inHead := x.phase == upstream.PhaseHead
	switch {
	case x.in == recvChunked && inHead:
		return errExcessChunk
	case x.in == recvChunked:
		return errExcessLast
	case inHead:
		return errExcessHead
	}
	return errExcessBody
}

// maxCulprit is how much of an offending header line is logged, bytes.
const maxCulprit = 128

// headFailure makes the parser's refusal a failure. The text that nginx would
// quote is quoted, made harmless for a log.
func headFailure(err error, resp *httpparse.Response, head []byte) *upstream.Error {
	refusal, ok := err.(*httpparse.Error)
	switch {
	case !ok:
		return invalidHead("upstream sent invalid header")
	case refusal == httpparse.ErrUpstreamHeadTooBig:
		return errHeadTooBig
	case !refusal.Detail:
		return invalidHead(refusal.Reason)
	}
	culprit := resp.Culprit.In(head)
	return invalidHead(string(refusal.AppendLog(nil, appendPrintable(nil, culprit[:min(len(culprit), maxCulprit)]))))
}

// appendPrintable appends p with everything but plain ASCII as \xNN.
func appendPrintable(dst, p []byte) []byte {
	const hex = "0123456789abcdef"
	for _, b := range p {
		if b < ' ' || b >= 0x7f || b == '"' || b == '\\' {
			dst = append(dst, '\\', 'x', hex[b>>4], hex[b&15])
		} else {
			dst = append(dst, b)
		}
	}
	return dst
}
