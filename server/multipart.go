package server

import (
	"strconv"

	"seawall/httpparse"
)

// multipart is a response with several ranges (RFC 9110 section 14.6): what
// stands before each part, and the end.
type multipart struct {
	heads [][]byte
	tail  []byte
}

// prepareMultipart makes the response of r.resp.ranges, two or more, a
// multipart/byteranges one.
func (r *Request) prepareMultipart() {
	p := &r.resp
	r.loop.boundary++
	boundary := strconv.FormatUint(r.loop.boundary, 10)
	boundary = "00000000000000000000"[:20-len(boundary)] + boundary
	m := &multipart{tail: []byte("\r\n--" + boundary + "--\r\n")}
	total := int64(len(m.tail))
	for _, g := range p.ranges {
		head := []byte("\r\n--" + boundary + "\r\n")
		if len(p.contentType) > 0 {
			head = appendField(head, "Content-Type: ", p.contentType)
		}
		head = append(head, "Content-Range: "...)
		head = httpparse.AppendContentRange(head, g, p.length)
		head = append(head, "\r\n\r\n"...)
		m.heads = append(m.heads, head)
		total += int64(len(head)) + g.End - g.Start
	}
	p.contentType = []byte("multipart/byteranges; boundary=" + boundary)
	p.length = total
	r.parts = m
}
