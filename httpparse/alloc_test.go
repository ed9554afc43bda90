package httpparse

import "testing"

// TestNoAllocations guards the hot path: once the field lists have their memory,
// nothing here allocates.
func TestNoAllocations(t *testing.T) {
	request := []byte("\r\nGET http://www.example.com/a/b?c=d HTTP/1.1\r\nHost: www.example.com\r\nConnection: keep-alive, Upgrade\r\nUpgrade: h2c\r\n" +
		"X-Own: v\r\nbad_name: v\r\nCookie: a=b; c=d\r\nTE:\t trailers \r\nContent-Length: 5\r\nExpect: 100-continue\r\n\r\n")
	broken := []byte("GET / HTTP/1.1\r\nHost: a\r\nX: \x00\r\n\r\n")
	response := []byte("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nX-Own: v\r\nServer: x\r\n\r\n")
	body := []byte("5;a=b\r\nhello\r\n0\r\nA: b\r\n\r\n")
	var r Request
	var resp Response
	var c Chunked
	lim := DefaultLimits
	dst := make([]byte, 0, 128)
	ranges := make([]ByteRange, 0, 4)
	for name, f := range map[string]func(){
		"request": func() {
			r.Reset()
			if done, err := r.Parse(request, &lim); !done || err != nil {
				t.Fatal(done, err)
			}
			r.Find(request, []byte("x-own"))
			r.Get(request, HeaderCookie)
		},
		"request in two": func() {
			r.Reset()
			_, _ = r.Parse(request[:60], &lim)
			if done, err := r.Parse(request, &lim); !done || err != nil {
				t.Fatal(done, err)
			}
		},
		"refused": func() {
			r.Reset()
			if _, err := r.Parse(broken, &lim); err == nil {
				t.Fatal("accepted")
			}
		},
		"response": func() {
			resp.Reset()
			if done, err := resp.Parse(response, &lim); !done || err != nil {
				t.Fatal(done, err)
			}
		},
		"chunked": func() {
			c.Reset()
			for rest, done := body, false; !done; {
				_, n, d, err := c.Next(rest)
				if err != nil {
					t.Fatal(err)
				}
				rest, done = rest[n:], d
			}
		},
		"values": func() {
			dst = AppendDate(dst[:0], 784111777)
			ParseDate(dst)
			out, _ := NormalizePath(dst[:0], []byte("/a/../b%20c//d"), true)
			dst = EscapeURI(dst[:0], out)
			ranges, _ = ParseRange(ranges[:0], []byte("bytes=0-1,5-"), 100, -1)
			MatchETag([]byte(`"a", W/"b"`), []byte(`"b"`), true)
			HasToken([]byte("a, b"), []byte("b"))
			SplitHost([]byte("a.b:80"))
		},
	} {
		f()
		if n := testing.AllocsPerRun(100, f); n != 0 {
			t.Errorf("%s: %v allocations", name, n)
		}
	}
}
