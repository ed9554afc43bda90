package httpparse

import (
	"slices"
	"strings"
	"testing"
)

// line is a header line of n bytes, its end included.
func line(name string, n int) string {
	return name + ": " + strings.Repeat("v", n-len(name)-4) + "\r\n"
}

// TestLinesFillBuffers: client_header_buffer_size 100, large_client_header_buffers 2 200. A line lies in one buffer.
func TestLinesFillBuffers(t *testing.T) {
	lim := Limits{RequestLine: 200, Field: 200, Total: 500, FirstBuffer: 100, Buffers: 2, IgnoreInvalidHeaders: true}
	const start = "GET / HTTP/1.1\r\nHost: a\r\n" // 25 bytes
	for _, c := range []struct {
		name    string
		lines   []string
		refused string // name of the line; "": none
		shown   int    // bytes of it: what its buffer had room for
	}{
		{"all in the first", []string{line("A", 73)}, "", 0},
		{"one large each", []string{line("A", 75), line("B", 200), line("C", 198)}, "", 0},
		{"a line moves as a whole", []string{line("A", 80), line("B", 120), line("C", 198)}, "", 0},
		{"rest of a buffer is lost", []string{line("A", 110), line("B", 110), line("C", 100)}, "C", 90},
		{"sum that would fit", []string{line("A", 150), line("B", 150), line("C", 60)}, "C", 50},
		{"the last line end counts", []string{line("A", 75), line("B", 200), line("C", 199)}, "\r\n", 1},
	} {
		raw := []byte(start + strings.Join(c.lines, "") + "\r\nbody that is no part of the head")
		for what, run := range map[string]requestRun{"whole": feedRequest(raw, &lim), "in pieces": feedRequest(raw, &lim, everyByte(len(raw))...)} {
			if c.refused == "" {
				if run.err != nil || !run.done {
					t.Errorf("%s, %s: %v", c.name, what, run.err)
				}
				continue
			}
			shown := string(run.r.Culprit.In(raw))
			if run.err != error(ErrHeaderTooLong) || !strings.HasPrefix(shown, c.refused[:1]) || len(shown) != c.shown {
				t.Errorf("%s, %s: %v, %d bytes shown of %q", c.name, what, run.err, len(shown), shown)
			}
		}
	}
}

// TestRefusalsInLogs: what nginx 1.22 shows of lines that it refuses.
func TestRefusalsInLogs(t *testing.T) {
	for raw, want := range map[string]string{
		"A B: c\r\n":          `client sent invalid header line: "A\x20..."`,
		"X-A : 1\r\n":         `client sent invalid header line: "X-A\x20..."`,
		"X-A: a\x00b\r\n":     `client sent invalid header line: "X-A: a\x00..."`,
		"X-A: a\rb\r\n":       `client sent invalid header line: "X-A: a\x0d..."`,
		": v\r\n":             `client sent invalid header line: "\x3a..."`,
		" folded\r\n":         `client sent invalid header line: "\x20..."`,
		"No-Colon\r\n":        `client sent invalid header line: "No-Colon\x0d..."`,
		"Host: b\r\n":         `client sent duplicate host header: "Host: b", previous value: "Host: a"`,
		"X: y\r\nHost: a\r\n": `client sent duplicate host header: "Host: a", previous value: "Host: a"`,
		"Content-Length: 1\r\nX: y\r\nContent-Length: 2\r\n": `client sent duplicate header line: "Content-Length: 2", previous value: "Content-Length: 1"`,
		"Transfer-Encoding: gzip\r\n":                        `client sent unknown "Transfer-Encoding": "gzip"`,
	} {
		head := []byte("GET / HTTP/1.1\r\nHost: a\r\n" + raw + "\r\n")
		run := feedRequest(head, &DefaultLimits)
		e, ok := run.err.(*Error)
		if !ok {
			t.Errorf("%q is taken", raw)
			continue
		}
		if got := string(e.AppendReason(nil, run.r.Culprit.In(head))); got != want {
			t.Errorf("%q:\n got %s\nwant %s", raw, got, want)
		}
	}
}

// TestTaken: nginx's $request_length of what it refuses.
func TestTaken(t *testing.T) {
	const host = "Host: example.com\r\n"
	for raw, want := range map[string]int{
		"G:T / HTTP/1.1\r\n" + host + "\r\n":             0,
		"\r\n\r\nTRACE / HTTP/1.1\r\n" + host + "\r\n":   39,
		"GET / HTTP/1.1\r\n" + host + "A B: c\r\n\r\n":   35,
		"GET / HTTP/1.1\r\n" + host + "Host: x\r\n\r\n":  44,
		"GET / HTTP/1.1\r\n" + host + "X: y\r\nHalf: li": 41,
	} {
		var r Request
		if _, err := r.Parse([]byte(raw), &DefaultLimits); r.Taken() != want {
			t.Errorf("%q: %d, want %d (%v)", raw, r.Taken(), want, err)
		}
	}
}

func TestDroppedLines(t *testing.T) {
	raw := []byte("\r\nGET / HTTP/1.1\r\na_b: 1\r\nHost: a\r\nX@y: 2\n\xff: no\r\nX: y\r\nz_: \r\n\r\nbody: 1\r\n")
	run := feedRequest(raw, &DefaultLimits)
	if !run.done {
		t.Fatal(run.err)
	}
	var got []string
	for l := range run.r.DroppedLines(raw) {
		got = append(got, string(l))
	}
	if want := []string{"a_b: 1", "X@y: 2", "\xff: no", "z_: "}; !slices.Equal(got, want) || run.r.Dropped != len(want) {
		t.Errorf("%q, %d dropped", got, run.r.Dropped)
	}
	for l := range run.r.DroppedLines(raw) {
		if string(l) != "a_b: 1" {
			t.Errorf("%q first", l)
		}
		break
	}
}
