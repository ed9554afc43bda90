package server

import "strconv"

// statusLines are the reason phrases as nginx sends them.
var statusLines = map[int]string{
	200: "200 OK", 201: "201 Created", 202: "202 Accepted", 204: "204 No Content", 206: "206 Partial Content",
	301: "301 Moved Permanently", 302: "302 Moved Temporarily", 303: "303 See Other", 304: "304 Not Modified",
	307: "307 Temporary Redirect", 308: "308 Permanent Redirect",
	400: "400 Bad Request", 401: "401 Unauthorized", 402: "402 Payment Required", 403: "403 Forbidden",
	404: "404 Not Found", 405: "405 Not Allowed", 406: "406 Not Acceptable", 408: "408 Request Time-out",
	409: "409 Conflict", 410: "410 Gone", 411: "411 Length Required", 412: "412 Precondition Failed",
	413: "413 Request Entity Too Large", 414: "414 Request-URI Too Large", 415: "415 Unsupported Media Type",
	416: "416 Requested Range Not Satisfiable", 421: "421 Misdirected Request", 429: "429 Too Many Requests",
	500: "500 Internal Server Error", 501: "501 Not Implemented", 502: "502 Bad Gateway",
	503: "503 Service Temporarily Unavailable", 504: "504 Gateway Time-out", 505: "505 HTTP Version Not Supported",
	507: "507 Insufficient Storage",
}

// pageTitles are the texts of nginx's own pages where they differ from the
// status line, and the statuses that have no page ("").
var pageTitles = map[int]string{
	302: "302 Found",
	401: "401 Authorization Required",
	494: "400 Request Header Or Cookie Too Large",
	495: "400 The SSL certificate error",
	496: "400 No required SSL certificate was sent",
	497: "400 The plain HTTP request was sent to HTTPS port",
}

const (
	tooLargeHead = 494 // nginx's inner code: answered as 400 with a page of its own
	closeSilent  = 444 // return 444: close without an answer
	clientClosed = 499 // the client went away before the response began; only ever logged
)

// appendStatusLine appends the line that a response begins with. text is the
// backend's "200 Fine", nil for the standard one; a code without a reason
// phrase is sent as nginx does, with a space behind it.
func appendStatusLine(dst []byte, code int, text []byte) []byte {
	if text != nil {
		dst = append(dst, "HTTP/1.1 "...)
		dst = append(dst, text...)
		return append(dst, '\r', '\n')
	}
	if code > 0 && code < len(standardStatus) && standardStatus[code] != "" {
		return append(dst, standardStatus[code]...)
	}
	dst = append(dst, "HTTP/1.1 "...)
	dst = strconv.AppendInt(dst, int64(code), 10)
	return append(dst, ' ', '\r', '\n')
}

// page returns nginx's own page for a status, nil where it has none.
// signature stands under it; padded adds the comment that keeps old browsers
// from showing a page of theirs (msie_padding).
func page(dst []byte, code int, signature []byte, padded bool) []byte {
	title, ok := pageTitles[code]
	if !ok {
		title, ok = statusLines[code]
	}
	if !ok || code < 300 || code == 304 {
		return nil
	}
	heading := title
	if wireStatus(code) != code {
		heading = statusLines[400]
	}
	dst = append(dst, "<html>\r\n<head><title>"...)
	dst = append(dst, title...)
	dst = append(dst, "</title></head>\r\n<body>\r\n<center><h1>"...)
	dst = append(dst, heading...)
	dst = append(dst, "</h1></center>\r\n"...)
	if wireStatus(code) != code {
		dst = append(dst, "<center>"...)
		dst = append(dst, title[len("400 "):]...)
		dst = append(dst, "</center>\r\n"...)
	}
	dst = append(dst, "<hr><center>"...)
	dst = append(dst, signature...)
	dst = append(dst, "</center>\r\n</body>\r\n</html>\r\n"...)
	if padded {
		for range 6 {
			dst = append(dst, "<!-- a padding to disable MSIE and Chrome friendly error page -->\r\n"...)
		}
	}
	return dst
}

// standardStatus holds "HTTP/1.1 200 OK\r\n" by code: statusLines for the hot path.
var standardStatus = func() (t [512]string) {
	for code, text := range statusLines {
		t[code] = "HTTP/1.1 " + text + "\r\n"
	}
	return t
}()

// wireStatus is the status that the client sees for nginx's inner codes.
func wireStatus(code int) int {
	switch code {
	case tooLargeHead, 495, 496, 497:
		return 400
	}
	return code
}
