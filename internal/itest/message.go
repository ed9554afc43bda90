package itest

import (
	"bytes"
	"strconv"
	"strings"
)

// message is one HTTP message cut out of a byte stream by its framing.
type message struct {
	head     string // start line and header lines, with the empty line
	status   int    // 0: a request, or no HTTP head at all (HTTP/0.9)
	body     []byte // de-chunked
	trailers string
	chunked  bool
	complete bool
	raw      int // bytes on the wire, chunk lines and all
	missing  int // bytes that Content-Length promised and that did not come
	toClose  bool
	headOnly bool
}

// splitMessages cuts raw into responses. methods are those of the requests in order, for HEAD. What cannot be framed is one
// incomplete message at the end.
func splitMessages(raw []byte, methods []string) []message {
	var out []message
	answered := 0
	for len(raw) > 0 {
		end := bytes.Index(raw, []byte("\r\n\r\n"))
		if !bytes.HasPrefix(raw, []byte("HTTP/")) || end < 0 {
			return append(out, message{body: raw, toClose: true})
		}
		m := message{head: string(raw[:end+4])}
		start := len(raw)
		raw = raw[end+4:]
		if f := strings.Fields(m.head); len(f) > 1 {
			m.status, _ = strconv.Atoi(f[1])
		}
		method := ""
		if answered < len(methods) {
			method = methods[answered]
		}
		switch {
		case m.status == 101:
			m.complete, m.headOnly = true, true
			out = append(out, m)
			if len(raw) > 0 {
				out = append(out, message{body: raw, toClose: true})
			}
			return out
		case m.status < 200:
			m.complete, m.headOnly = true, true
			out = append(out, m)
			continue
		case method == "HEAD" || m.status == 204 || m.status == 304:
			m.complete, m.headOnly = true, true
		default:
			raw = m.takeBody(raw)
		}
		answered++
		m.raw = start - len(raw)
		out = append(out, m)
	}
	return out
}

// takeBody moves the message's body from raw into m and returns the rest.
func (m *message) takeBody(raw []byte) []byte {
	if strings.EqualFold(headerValue(m.head, "Transfer-Encoding"), "chunked") {
		m.chunked = true
		return m.takeChunks(raw)
	}
	text := headerValue(m.head, "Content-Length")
	length, err := strconv.Atoi(text)
	if text == "" || err != nil {
		m.body, m.toClose = raw, true
		return nil
	}
	if length > len(raw) {
		m.body, m.missing = raw, length-len(raw)
		return nil
	}
	m.body, m.complete = raw[:length], true
	return raw[length:]
}

func (m *message) takeChunks(raw []byte) []byte {
	for {
		end := bytes.Index(raw, []byte("\r\n"))
		if end < 0 {
			break
		}
		size, err := strconv.ParseUint(strings.TrimSpace(strings.SplitN(string(raw[:end]), ";", 2)[0]), 16, 31)
		if err != nil || len(raw) < end+2+int(size)+2 {
			break
		}
		if size > 0 {
			m.body = append(m.body, raw[end+2:end+2+int(size)]...)
			raw = raw[end+2+int(size)+2:]
			continue
		}
		rest := raw[end+2:]
		if bytes.HasPrefix(rest, []byte("\r\n")) {
			m.complete = true
			return rest[2:]
		}
		stop := bytes.Index(rest, []byte("\r\n\r\n"))
		if stop < 0 {
			break
		}
		m.trailers, m.complete = string(rest[:stop+2]), true
		return rest[stop+4:]
	}
	m.missing = -1
	m.trailers = string(raw)
	return nil
}

// headerValue is the first value of a header of a raw head, trimmed; empty when it is absent.
func headerValue(head, name string) string {
	for line := range strings.SplitSeq(head, "\r\n") {
		n, v, ok := strings.Cut(line, ":")
		if ok && strings.EqualFold(n, name) {
			return strings.TrimSpace(v)
		}
	}
	return ""
}

// setHeader replaces the value of a header in a raw head and nothing around it; a head without that header stays as it is.
func setHeader(head, name, value string) string {
	lines := strings.SplitAfter(head, "\r\n")
	for i, line := range lines {
		n, v, ok := strings.Cut(strings.TrimSuffix(line, "\r\n"), ":")
		if old := strings.Trim(v, " \t\r"); ok && old != "" && strings.EqualFold(n, name) {
			lines[i] = n + ":" + strings.Replace(v, old, value, 1) + "\r\n"
		}
	}
	return strings.Join(lines, "")
}

// dropHeader removes every line with that name from a raw head.
func dropHeader(head, name string) string {
	lines := strings.SplitAfter(head, "\r\n")
	kept := lines[:0]
	for _, line := range lines {
		n, _, ok := strings.Cut(line, ":")
		if ok && strings.EqualFold(n, name) {
			continue
		}
		kept = append(kept, line)
	}
	return strings.Join(kept, "")
}
