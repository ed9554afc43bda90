package httpparse_test

import (
	"bufio"
	"bytes"
	"net/http"
	"testing"

	"github.com/valyala/fasthttp"

	"seawall/httpparse"
)

// browserRequest is what a current browser sends for a page, about 700 bytes.
const browserRequest = "GET /articles/2026/why-proxies-cache?utm_source=feed&page=2 HTTP/1.1\r\n" +
	"Host: www.example.com\r\n" +
	"Connection: keep-alive\r\n" +
	"sec-ch-ua: \"Chromium\";v=\"130\", \"Not?A_Brand\";v=\"99\"\r\n" +
	"sec-ch-ua-mobile: ?0\r\n" +
	"sec-ch-ua-platform: \"Linux\"\r\n" +
	"Upgrade-Insecure-Requests: 1\r\n" +
	"User-Agent: Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/130.0.0.0 Safari/537.36\r\n" +
	"Accept: text/html,application/xhtml+xml,application/xml;q=0.9,image/avif,image/webp,*/*;q=0.8\r\n" +
	"Sec-Fetch-Site: same-origin\r\n" +
	"Sec-Fetch-Mode: navigate\r\n" +
	"Sec-Fetch-Dest: document\r\n" +
	"Accept-Encoding: gzip, deflate, br\r\n" +
	"Accept-Language: en-US,en;q=0.9\r\n" +
	"\r\n"

// The three below read the same bytes from memory, each the way its own server
// would: net/http and fasthttp from a bufio.Reader, this package from the buffer.
// fasthttp parses its fields when the head is read (DisableSpecialHeader off), but
// copies them; net/http makes a Request and a map, which is what using it costs.

func BenchmarkRequestSeawall(b *testing.B) {
	buf := []byte(browserRequest)
	lim := httpparse.DefaultLimits
	var r httpparse.Request
	b.SetBytes(int64(len(buf)))
	b.ReportAllocs()
	for b.Loop() {
		r.Reset()
		if done, err := r.Parse(buf, &lim); !done || err != nil || len(r.Fields) != 13 {
			b.Fatal(done, err, len(r.Fields))
		}
	}
}

func BenchmarkRequestFasthttp(b *testing.B) {
	buf := []byte(browserRequest)
	src := bytes.NewReader(buf)
	br := bufio.NewReaderSize(src, 4096)
	var h fasthttp.RequestHeader
	b.SetBytes(int64(len(buf)))
	b.ReportAllocs()
	for b.Loop() {
		src.Reset(buf)
		br.Reset(src)
		if err := h.Read(br); err != nil {
			b.Fatal(err)
		}
	}
	if h.Len() != 13 {
		b.Fatal(h.Len())
	}
}

func BenchmarkRequestNetHTTP(b *testing.B) {
	buf := []byte(browserRequest)
	src := bytes.NewReader(buf)
	br := bufio.NewReaderSize(src, 4096)
	b.SetBytes(int64(len(buf)))
	b.ReportAllocs()
	for b.Loop() {
		src.Reset(buf)
		br.Reset(src)
		r, err := http.ReadRequest(br)
		if err != nil || len(r.Header) != 12 {
			b.Fatal(err)
		}
	}
}

// BenchmarkRequestShort is the head load generators send.
func BenchmarkRequestShort(b *testing.B) {
	buf := []byte("GET /index.html HTTP/1.1\r\nHost: 127.0.0.1:8080\r\nUser-Agent: wrk\r\n\r\n")
	lim := httpparse.DefaultLimits
	var r httpparse.Request
	b.SetBytes(int64(len(buf)))
	b.ReportAllocs()
	for b.Loop() {
		r.Reset()
		if done, err := r.Parse(buf, &lim); !done || err != nil {
			b.Fatal(done, err)
		}
	}
}

// BenchmarkRequestBody: a head with some of its body behind it.
func BenchmarkRequestBody(b *testing.B) {
	buf := append([]byte("POST"+browserRequest[3:]), bytes.Repeat([]byte("{\n\"a\": 1}"), 200)...)
	lim := httpparse.DefaultLimits
	var r httpparse.Request
	b.SetBytes(int64(len(browserRequest)))
	b.ReportAllocs()
	for b.Loop() {
		r.Reset()
		if done, err := r.Parse(buf, &lim); !done || err != nil {
			b.Fatal(done, err)
		}
	}
}

func BenchmarkResponse(b *testing.B) {
	buf := []byte("HTTP/1.1 200 OK\r\nServer: gunicorn\r\nDate: Sun, 06 Nov 1994 08:49:37 GMT\r\nConnection: keep-alive\r\n" +
		"Content-Type: text/html; charset=utf-8\r\nX-Frame-Options: DENY\r\nContent-Length: 1024\r\nVary: Cookie\r\n" +
		"X-Content-Type-Options: nosniff\r\nReferrer-Policy: same-origin\r\n\r\n")
	lim := httpparse.DefaultLimits
	var r httpparse.Response
	b.SetBytes(int64(len(buf)))
	b.ReportAllocs()
	for b.Loop() {
		r.Reset()
		if done, err := r.Parse(buf, &lim); !done || err != nil {
			b.Fatal(done, err)
		}
	}
}

func BenchmarkChunked(b *testing.B) {
	var body []byte
	for range 16 {
		body = append(body, "400\r\n"...)
		body = append(body, bytes.Repeat([]byte{'x'}, 1024)...)
		body = append(body, "\r\n"...)
	}
	body = append(body, "0\r\n\r\n"...)
	b.SetBytes(int64(len(body)))
	b.ReportAllocs()
	var c httpparse.Chunked
	for b.Loop() {
		c.Reset()
		for rest := body; ; {
			_, n, done, err := c.Next(rest)
			if err != nil {
				b.Fatal(err)
			}
			if rest = rest[n:]; done {
				break
			}
		}
	}
}

func BenchmarkNormalizePath(b *testing.B) {
	path := []byte("/a/b/../c%20d/./e//f.html")
	dst := make([]byte, 0, 64)
	b.ReportAllocs()
	for b.Loop() {
		if _, err := httpparse.NormalizePath(dst, path, true); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkDate(b *testing.B) {
	dst := make([]byte, 0, 32)
	b.ReportAllocs()
	for b.Loop() {
		dst = httpparse.AppendDate(dst[:0], 784111777)
		if _, ok := httpparse.ParseDate(dst); !ok {
			b.Fatal("not a date")
		}
	}
}
