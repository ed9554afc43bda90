package cache

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"strings"
	"testing"
	"time"

	"seawall/httpparse"
)

const sec = int64(time.Second)

// headersOf makes Headers of lines "Name: value".
func headersOf(lines ...string) Headers {
	var buf []byte
	for _, l := range lines {
		buf = append(buf, l...)
		buf = append(buf, "\r\n"...)
	}
	fields, ok := scanFields(buf)
	if !ok {
		panic(fmt.Sprintf("not field lines: %q", lines))
	}
	return Headers{Buf: buf, Fields: fields}
}

// request is a VaryRequest of lines "Name: value".
type request []string

func (r request) HeaderValue(name []byte, i int) ([]byte, bool) {
	for _, line := range r {
		n, v, _ := strings.Cut(line, ":")
		if strings.EqualFold(n, string(name)) {
			if i == 0 {
				return []byte(strings.TrimSpace(v)), true
			}
			i--
		}
	}
	return nil, false
}

// response makes an object that is fresh for ttl from now, with a body.
func response(now, ttl int64, body []byte, lines ...string) *Object {
	h := headersOf(lines...)
	v := Verdict{Cacheable: true, TTL: ttl, Age: -1, Varies: true}
	o := NewObject(200, h.Buf, h, &v, now, 1000)
	o.Body = BodyOf(body)
	return o
}

func bodyBytes(o *Object) []byte { return bytes.Join(o.Body.Chunks(), nil) }

// pattern is n bytes that differ by seed and position.
func pattern(n int, seed byte) []byte {
	p := make([]byte, n+8)
	x := uint64(seed)*prime3 + 1
	for i := 0; i < n; i += 8 {
		x = x*6364136223846793005 + 1442695040888963407
		binary.LittleEndian.PutUint64(p[i:], x^x>>32)
	}
	return p[:n:n]
}

func newTestZone(tb testing.TB, memory int64) *Zone {
	tb.Helper()
	return NewZone("test", memory, time.Minute)
}

func mustStore(tb testing.TB, z *Zone, h *HotTable, key string, req VaryRequest, o *Object, now int64) {
	tb.Helper()
	if why := z.Store(h, z.MakeKey([]byte(key)), req, o, now); why != Storable {
		tb.Fatalf("Store(%q): %v", key, why)
	}
}

func date(unix int64) string { return string(httpparse.AppendDate(nil, unix)) }
