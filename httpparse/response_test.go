package httpparse

import "testing"

func TestResponse(t *testing.T) {
	for _, v := range []struct {
		name, raw string
		err       *Error
		status    int
		body      BodyForm
		keep      bool
	}{
		{name: "length", raw: "HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\n", status: 200, body: BodyLength, keep: true},
		{name: "chunked", raw: "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n", status: 200, body: BodyChunked, keep: true},
		{name: "until close", raw: "HTTP/1.1 200 OK\r\n\r\n", status: 200, body: BodyUntilClose, keep: true},
		{name: "close", raw: "HTTP/1.1 200 OK\r\nConnection: x, Close\r\nContent-Length: 0\r\n\r\n", status: 200, body: BodyLength},
		{name: "HTTP/1.0", raw: "HTTP/1.0 200 OK\r\nContent-Length: 0\r\n\r\n", status: 200, body: BodyLength},
		{name: "HTTP/1.0 kept", raw: "HTTP/1.0 200 OK\r\nConnection: keep-alive\r\nContent-Length: 0\r\n\r\n", status: 200, body: BodyLength, keep: true},
		{name: "HTTP/1.0 chunked", raw: "HTTP/1.0 200 OK\r\nConnection: keep-alive\r\nTransfer-Encoding: chunked\r\n\r\n", status: 200, body: BodyChunked},
		{name: "204", raw: "HTTP/1.1 204 No Content\r\n\r\n", status: 204, body: BodyNone, keep: true},
		{name: "204 with a body announced", raw: "HTTP/1.1 204 No Content\r\nContent-Length: 5\r\n\r\n", status: 204, body: BodyNone},
		{name: "304 with a length", raw: "HTTP/1.1 304 Not Modified\r\nContent-Length: 5\r\n\r\n", status: 304, body: BodyNone, keep: true},
		{name: "100", raw: "HTTP/1.1 100 Continue\r\n\r\n", status: 100, body: BodyNone, keep: true},
		{name: "no reason", raw: "HTTP/1.1 200\r\nContent-Length: 0\r\n\r\n", status: 200, body: BodyLength, keep: true},
		{name: "empty reason", raw: "HTTP/1.1 200 \r\nContent-Length: 0\r\n\r\n", status: 200, body: BodyLength, keep: true},
		{name: "IIS substatus", raw: "HTTP/1.1 403.1 No\r\nContent-Length: 0\r\n\r\n", status: 403, body: BodyLength, keep: true},
		{name: "IIS repeats itself", raw: "HTTP/1.1 200 OK\r\nHTTP/1.1 200 OK: x\r\nContent-Length: 0\r\n\r\n", status: 200, body: BodyLength, keep: true},
		{name: "LF line ends", raw: "HTTP/1.1 200 OK\nContent-Length: 0\n\n", status: 200, body: BodyLength, keep: true},
		{name: "two spaces", raw: "HTTP/1.1  200 OK\r\nContent-Length: 0\r\n\r\n", status: 200, body: BodyLength, keep: true},
		{name: "odd names", raw: "HTTP/1.1 200 OK\r\nX_y: 1\r\nX@y: 1\r\nNoColon\r\nContent-Length: 0\r\n\r\n", status: 200, body: BodyLength, keep: true},
		{name: "garbage", raw: "hello", err: ErrNoStatusLine},
		{name: "lower case", raw: "http/1.1 200 OK\r\n\r\n", err: ErrNoStatusLine},
		{name: "empty line first", raw: "\r\nHTTP/1.1 200 OK\r\n\r\n", err: ErrNoStatusLine},
		{name: "no minor version", raw: "HTTP/2 200\r\n\r\n", err: ErrNoStatusLine},
		{name: "version 0", raw: "HTTP/0.9 200 OK\r\n\r\n", err: ErrNoStatusLine},
		{name: "two digits", raw: "HTTP/1.1 20 OK\r\n\r\n", err: ErrNoStatusLine},
		{name: "four digits", raw: "HTTP/1.1 2000 OK\r\n\r\n", err: ErrNoStatusLine},
		{name: "status 099", raw: "HTTP/1.1 099 OK\r\n\r\n", err: ErrNoStatusLine},
		{name: "bare CR in reason", raw: "HTTP/1.1 200 O\rK\r\n\r\n", err: ErrNoStatusLine},
		{name: "NUL in reason", raw: "HTTP/1.1 200 O\x00K\r\n\r\n", err: ErrNoStatusLine},
		{name: "both framings", raw: "HTTP/1.1 200 OK\r\nContent-Length: 3\r\nTransfer-Encoding: chunked\r\n\r\n", err: ErrUpstreamLengthChunked},
		{name: "two lengths", raw: "HTTP/1.1 200 OK\r\nContent-Length: 3\r\nContent-Length: 4\r\n\r\n", err: ErrUpstreamDuplicate},
		{name: "bad length", raw: "HTTP/1.1 200 OK\r\nContent-Length: 3x\r\n\r\n", err: ErrUpstreamLength},
		{name: "two codings", raw: "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n\r\n", err: ErrUpstreamDuplicate},
		{name: "unknown coding", raw: "HTTP/1.1 200 OK\r\nTransfer-Encoding: gzip\r\n\r\n", err: ErrUpstreamUnknownCoding},
		{name: "space before colon", raw: "HTTP/1.1 200 OK\r\nContent-Length : 3\r\n\r\n", err: ErrUpstreamHeader},
		{name: "obs-fold", raw: "HTTP/1.1 200 OK\r\nX: y\r\n z\r\n\r\n", err: ErrUpstreamHeader},
		{name: "bare CR", raw: "HTTP/1.1 200 OK\r\nX: y\rz\r\n\r\n", err: ErrUpstreamHeader},
		{name: "NUL", raw: "HTTP/1.1 200 OK\r\nServer: y\x00z\r\n\r\n", err: ErrUpstreamHeader},
		{name: "too big", raw: "HTTP/1.1 200 OK\r\nX: " + string(make([]byte, 40<<10)), err: ErrUpstreamHeadTooBig},
		{name: "endless status line", raw: "HTTP/1.1 200 " + string(make([]byte, 40<<10)), err: ErrUpstreamHeadTooBig},
	} {
		t.Run(v.name, func(t *testing.T) {
			run := feedResponse([]byte(v.raw), &DefaultLimits)
			done, err, r := run.done, run.err, &run.r
			switch {
			case v.err != nil:
				if err != error(v.err) {
					t.Fatalf("got %v, want %v", err, v.err)
				}
			case err != nil || !done:
				t.Fatal(done, err)
			case r.Status != v.status || r.Body(false) != v.body || r.KeepAlive != v.keep:
				t.Fatalf("status %d, body %d, keep-alive %v", r.Status, r.Body(false), r.KeepAlive)
			case r.Body(true) != BodyNone:
				t.Fatal("an answer to HEAD with a body")
			}
			if len(v.raw) < 1000 {
				checkResponseSplits(t, []byte(v.raw), &DefaultLimits)
			}
		})
	}
}

func TestUpgradeAndExpect(t *testing.T) {
	raw := []byte("GET /chat HTTP/1.1\r\nHost: a\r\nConnection: keep-alive, Upgrade\r\nUpgrade: websocket\r\nExpect: 100-Continue\r\n\r\n")
	r := feedRequest(raw, &DefaultLimits).r
	if !r.Upgrade || !r.KeepAlive || !r.Expect100 {
		t.Fatalf("%+v", r)
	}
	resp := feedResponse([]byte("HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\r\n"), &DefaultLimits)
	if !resp.done || !resp.r.Upgrade {
		t.Fatalf("%+v", resp)
	}
	r = feedRequest([]byte("GET / HTTP/1.0\r\nConnection: Keep-Alive\r\nExpect: 100-continue\r\n\r\n"), &DefaultLimits).r
	if r.Expect100 || !r.KeepAlive {
		t.Fatalf("%+v", r)
	}
}

func TestPipelined(t *testing.T) {
	buf := []byte("GET /1 HTTP/1.1\r\nHost: a\r\n\r\nGET /2 HTTP/1.1\r\nHost: a\r\n\r\n\r\nGET /3 HTTP/1.1\r\nHost: a\r\n\r\n")
	var r Request
	for _, want := range []string{"/1", "/2", "/3"} {
		r.Reset()
		if done, err := r.Parse(buf, &DefaultLimits); !done || err != nil {
			t.Fatal(done, err)
		}
		if got := string(r.Path.In(buf)); got != want {
			t.Fatalf("%q, want %q", got, want)
		}
		buf = buf[r.HeadLen:]
	}
	if len(buf) != 0 {
		t.Fatalf("%q left", buf)
	}
}

func TestLimits(t *testing.T) {
	for _, v := range []struct {
		raw string
		lim Limits
		err *Error
	}{
		{"GET / HTTP/1.1\r\nHost: a\r\n\r\n", Limits{RequestLine: 16, Field: 9, Total: 27}, nil},
		{"GET / HTTP/1.1\r\nHost: a\r\n\r\n", Limits{RequestLine: 15}, ErrURITooLong},
		{"GET / HTTP/1.1\r\nHost: a\r\n\r\n", Limits{Field: 8}, ErrHeaderTooLong},
		{"GET / HTTP/1.1\r\nHost: a\r\n\r\n", Limits{Total: 26}, ErrHeaderTooLong},
		{"GET / HTTP/1.1\r\nHost: a\r\nX: y\r\n\r\n", Limits{MaxFields: 2}, nil},
		{"GET / HTTP/1.1\r\nHost: a\r\nX: y\r\n\r\n", Limits{MaxFields: 1}, ErrTooManyFields},
		{"GET / HTTP/1.1\r\nHost: a\r\nTE: y\r\n\r\n", Limits{MaxFields: 1}, ErrTooManyFields},
		{"GET / HTTP/1.1\r\nHost: a\r\nX_: y\r\n\r\n", Limits{MaxFields: 1, IgnoreInvalidHeaders: true}, ErrTooManyFields},
		{"\n\n\n\n\n\n\n\n", Limits{RequestLine: 8}, ErrInvalidRequest},
	} {
		run := feedRequest([]byte(v.raw), &v.lim)
		if v.err == nil && (!run.done || run.err != nil) || v.err != nil && run.err != error(v.err) {
			t.Errorf("%q %+v: %v %v", v.raw, v.lim, run.done, run.err)
		}
		checkRequestSplits(t, []byte(v.raw), &v.lim)
	}
	if ErrHeaderTooLong.Page != 494 || ErrHeaderTooLong.Status != 400 {
		t.Error("nginx shows 400 and calls it 494")
	}
}
