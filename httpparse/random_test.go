package httpparse

import (
	"math/rand/v2"
	"strings"
	"testing"
)

// TestRandomHeads puts heads together from usual and unusual lines and holds what
// the fast and the thorough reader of lines make of them against one another (by
// cutting) and against net/http.
func TestRandomHeads(t *testing.T) {
	rnd := rand.New(rand.NewPCG(3, 4))
	pick := func(from ...string) string { return from[rnd.IntN(len(from))] }
	for range 2000 {
		var b strings.Builder
		b.WriteString(pick("", "", "\r\n", "\n"))
		b.WriteString(pick("GET", "GET", "POST", "HEAD", "X-Y_Z") + " ")
		b.WriteString(pick("/", "/a?b=c", "/a/../b#c", "http://h/x", "http://h:80", "/"+strings.Repeat("p", rnd.IntN(30))))
		b.WriteString(pick(" HTTP/1.1\r\n", " HTTP/1.1\r\n", " HTTP/1.0\n", " HTTP/1.1 \r\n"))
		if rnd.IntN(10) > 0 {
			b.WriteString("Host: a" + strings.Repeat("b", rnd.IntN(20)) + "\r\n")
		}
		for range rnd.IntN(8) {
			name := pick("Accept", "TE", "Cookie", "Connection", "Content-Length", "Transfer-Encoding", "If-Modified-Since", "X-Own", "x_y",
				"Access-Control-Request-Headers", "Upgrade-Insecure-Requests", strings.Repeat("n", 1+rnd.IntN(40)), "A@b")
			value := pick("", "v", "close", "keep-alive", "5", "chunked", strings.Repeat("w", rnd.IntN(40)), "a b", "\xff\x01", "a\tb")
			if rnd.IntN(60) == 0 {
				value += pick("\r", "\x00", "\r\r", " \r", "\n")
			}
			b.WriteString(name + pick(":", ": ", ": ", ": ", ":  ", ":\t", ": ", " :") + value + pick("", "", "", " ", "\t") + pick("\r\n", "\r\n", "\r\n", "\n"))
		}
		b.WriteString(pick("\r\n", "\r\n", "\n", "", "\r\nbody\nbody"))
		input := []byte(b.String())
		knobs := byte(rnd.IntN(64))
		lim := limitsFor(knobs & byte(rnd.IntN(64))) // few at a time
		checkRequestSplits(t, input, lim)
		run := feedRequest(input, lim)
		if run.done {
			checkSpans(t, input, run.r.HeadLen, run.r.Fields, run.r.Target, run.r.Host, run.r.HostName)
			compareWithNetHTTP(t, input, &run.r)
		}
		// The same lines as a response.
		if _, lines, ok := strings.Cut(b.String(), " HTTP/1.1\r\n"); ok {
			checkResponseSplits(t, []byte("HTTP/1.1 200 OK\r\n"+lines), lim)
		}
	}
}
