package http1_test

import (
	"net/netip"
	"strings"
	"testing"
	"time"

	"seawall/upstream"
	"seawall/upstream/http1"
	"seawall/upstream/internal/rig"
)

// policy is what most tests speak to their origin with.
func policy() *upstream.Policy {
	return &upstream.Policy{
		Protocol:       http1.Protocol{},
		ConnectTimeout: 5 * time.Second, SendTimeout: 5 * time.Second, ReadTimeout: 5 * time.Second,
		Next: upstream.NextDefault,
	}
}

// group is a group of these origins that keeps connections.
func group(r *rig.Rig, origins ...*rig.Origin) *upstream.Group {
	cfg := upstream.GroupConfig{Keepalive: 4, KeepaliveTimeout: time.Minute}
	for _, o := range origins {
		cfg.Peers = append(cfg.Peers, o.Peer())
	}
	return r.Group(cfg)
}

// answer is a script that reads one request per answer and says it, then waits
// for the end.
func answer(answers ...string) func(*rig.Client) {
	return func(c *rig.Client) {
		for _, a := range answers {
			if c.Head() == "" || !c.Say(a) {
				return
			}
		}
		c.Rest()
	}
}

// answerAndClose is answer with the connection closed behind it.
func answerAndClose(a string) func(*rig.Client) {
	return func(c *rig.Client) {
		if c.Head() != "" {
			c.Say(a)
		}
	}
}

const ok2 = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"

// responses are whole byte streams of a backend, and what a call makes of them.
var responses = []struct {
	name   string
	head   bool // HEAD
	stream string
	close  bool // the backend closes behind it

	status int    // 0: no head is delivered
	body   string // what is delivered
	fails  string // error text; empty: the response is whole
	kind   upstream.Kind
	note   string
	reused bool // the connection is used again
}{
	{name: "length", stream: ok2, status: 200, body: "ok", reused: true},
	{name: "length 0", stream: "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n", status: 200, reused: true},
	{name: "chunked", stream: "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n2;x=y\r\nde\r\n0\r\nT: v\r\n\r\n",
		status: 200, body: "abcde", reused: true},
	{name: "chunked, empty", stream: "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n", status: 200, reused: true},
	{name: "until close", stream: "HTTP/1.1 200 OK\r\n\r\nabc", close: true, status: 200, body: "abc"},
	{name: "1.0 until close", stream: "HTTP/1.0 200 OK\r\n\r\nabc", close: true, status: 200, body: "abc"},
	{name: "1.0 with length", stream: "HTTP/1.0 200 OK\r\nContent-Length: 2\r\n\r\nok", status: 200, body: "ok"},
	{name: "1.0 kept alive", stream: "HTTP/1.0 200 OK\r\nConnection: keep-alive\r\nContent-Length: 2\r\n\r\nok", status: 200, body: "ok", reused: true},
	{name: "Connection: close", stream: "HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 2\r\n\r\nok", status: 200, body: "ok"},
	{name: "closed right behind", stream: ok2, close: true, status: 200, body: "ok"},
	{name: "answer to HEAD", head: true, stream: "HTTP/1.1 200 OK\r\nContent-Length: 999\r\n\r\n", status: 200, reused: true},
	{name: "chunked answer to HEAD", head: true, stream: "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n", status: 200, reused: true},
	{name: "204", stream: "HTTP/1.1 204 No Content\r\n\r\n", status: 204, reused: true},
	{name: "304 with length", stream: "HTTP/1.1 304 Not Modified\r\nContent-Length: 7\r\n\r\n", status: 304, reused: true},
	{name: "100 before", stream: "HTTP/1.1 100 Continue\r\n\r\n" + ok2, status: 200, body: "ok", reused: true},
	{name: "103 before", stream: "HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\n" + ok2, status: 200, body: "ok", reused: true},
	{name: "reason empty", stream: "HTTP/1.1 200\r\nContent-Length: 2\r\n\r\nok", status: 200, body: "ok", reused: true},
	{name: "500 is passed on", stream: "HTTP/1.1 500 Oops\r\nContent-Length: 2\r\n\r\nno", status: 500, body: "no", reused: true},

	{name: "more than the length", stream: ok2 + "HTTP/1.1 200 OK\r\n", status: 200, body: "ok",
		note: "upstream sent more data than specified in \"Content-Length\" header while reading response header from upstream"},
	{name: "body to HEAD", head: true, stream: ok2, status: 200,
		note: "upstream sent more data than specified in \"Content-Length\" header while reading response header from upstream"},
	{name: "more than the last chunk", stream: "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n1\r\na\r\n0\r\n\r\nx", status: 200, body: "a",
		note: "upstream sent data after final chunk while reading response header from upstream"},

	{name: "nothing", close: true, kind: upstream.KindClosedEarly,
		fails: "upstream prematurely closed connection while reading response header from upstream"},
	{name: "half a head", stream: "HTTP/1.1 200 OK\r\nContent-Le", close: true, kind: upstream.KindClosedEarly,
		fails: "upstream prematurely closed connection while reading response header from upstream"},
	{name: "100 only", stream: "HTTP/1.1 100 Continue\r\n\r\n", close: true, kind: upstream.KindClosedEarly,
		fails: "upstream prematurely closed connection while reading response header from upstream"},
	{name: "less than the length", stream: "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nabc", close: true, status: 200, body: "abc",
		kind: upstream.KindClosedEarly, fails: "upstream prematurely closed connection while reading upstream"},
	{name: "no last chunk", stream: "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n", close: true, status: 200, body: "abc",
		kind: upstream.KindClosedEarly, fails: "upstream prematurely closed connection while reading upstream"},
	{name: "no end of trailers", stream: "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\n", close: true, status: 200, body: "abc",
		kind: upstream.KindClosedEarly, fails: "upstream prematurely closed connection while reading upstream"},
	{name: "bad chunk size", stream: "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n", status: 200,
		kind: upstream.KindInvalidBody, fails: "upstream sent invalid chunked response while reading upstream"},
	{name: "garbage", stream: "SSH-2.0-OpenSSH_9.2p1\r\n", kind: upstream.KindInvalidHead,
		fails: "upstream sent no valid HTTP/1.0 header while reading response header from upstream"},
	{name: "NULs", stream: strings.Repeat("\x00", 100), kind: upstream.KindInvalidHead,
		fails: "upstream sent no valid HTTP/1.0 header while reading response header from upstream"},
	{name: "bad header line", stream: "HTTP/1.1 200 OK\r\nfoo bar\r\n\r\n", kind: upstream.KindInvalidHead, fails: "upstream sent invalid header"},
	{name: "length and chunked", stream: "HTTP/1.1 200 OK\r\nContent-Length: 3\r\nTransfer-Encoding: chunked\r\n\r\n", kind: upstream.KindInvalidHead,
		fails: "upstream sent \"Content-Length\" and \"Transfer-Encoding\" headers at the same time while reading response header from upstream"},
	{name: "two lengths", stream: "HTTP/1.1 200 OK\r\nContent-Length: 3\r\nContent-Length: 4\r\n\r\n", kind: upstream.KindInvalidHead,
		fails: "upstream sent duplicate header line"},
	{name: "negative length", stream: "HTTP/1.1 200 OK\r\nContent-Length: -3\r\n\r\n", kind: upstream.KindInvalidHead,
		fails: "upstream sent invalid \"Content-Length\" header"},
	{name: "too big head", stream: "HTTP/1.1 200 OK\r\nA: " + strings.Repeat("x", 5000) + "\r\n\r\n", kind: upstream.KindHeadTooBig,
		fails: "upstream sent too big header while reading response header from upstream"},
	{name: "endless head", stream: "HTTP/1.1 200 OK\r\n" + strings.Repeat("A: b\r\n", 20000), kind: upstream.KindHeadTooBig,
		fails: "upstream sent too big header while reading response header from upstream"},
	{name: "endless status line", stream: "HTTP/1.1 200 " + strings.Repeat("x", 70000), kind: upstream.KindHeadTooBig,
		fails: "upstream sent too big header while reading response header from upstream"},
	{name: "101 unasked", stream: "HTTP/1.1 101 Switching Protocols\r\nUpgrade: x\r\nConnection: upgrade\r\n\r\n", kind: upstream.KindInvalidHead,
		fails: "upstream sent unexpected 101 response while reading response header from upstream"},
	{name: "1xx without end", stream: strings.Repeat("HTTP/1.1 102 Processing\r\n\r\n", 40), kind: upstream.KindInvalidHead,
		fails: "upstream sent too many interim responses while reading response header from upstream"},
}

// TestInterimResponses: those of 103 are passed on, and the call can be
// cancelled or held back there.
func TestInterimResponses(t *testing.T) {
	r := rig.New(t, 1)
	const (
		first  = "HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\n"
		second = "HTTP/1.1 103 X\r\nLink: </b>\r\n\r\n"
		other  = "HTTP/1.1 102 Processing\r\n\r\n"
	)
	o := rig.NewOrigin(t, answer(other+first+other+second+ok2, ok2))
	g := group(r, o)
	if j := r.Do(g, policy(), rig.Get); !j.Done || j.Status != 200 || j.Body.String() != "ok" || j.Interim != first+second {
		t.Errorf("status %d body %q interim %q, %s", j.Status, j.Body.String(), j.Interim, j.Failure())
	}
	if again := r.Do(g, policy(), rig.Get); !again.Done || !again.Tries()[0].Reused {
		t.Errorf("not reused: %q", again.Failure())
	}

	o = rig.NewOrigin(t, answer(first+second+ok2))
	cancelled := &rig.Job{Rig: r, Group: group(r, o), Policy: policy(), Req: rig.Get}
	cancelled.OnInterim = func(j *rig.Job) {
		j.Cancel()
		close(j.Over)
	}
	if cancelled.Go().Wait(); cancelled.Interim != first || cancelled.Status != 0 {
		t.Errorf("after Cancel: status %d, interim %q", cancelled.Status, cancelled.Interim)
	}
	r.Eventually(0, "the cancelled connection's end", func() bool { return !cancelled.Active() })

	o = rig.NewOrigin(t, answer(first+ok2))
	held := &rig.Job{Rig: r, Group: group(r, o), Policy: policy(), Req: rig.Get}
	held.OnInterim = func(j *rig.Job) {
		j.Pause()
		j.Rig.Loop(0).Post(func() {
			if j.Status != 0 {
				t.Error("the head came though the call is paused")
			}
			j.Resume()
		})
	}
	if held.Go().Wait(); !held.Done || held.Body.String() != "ok" {
		t.Errorf("after Resume: %q, %s", held.Body.String(), held.Failure())
	}
}

func TestResponses(t *testing.T) {
	r := rig.New(t, 1)
	for _, c := range responses {
		t.Run(c.name, func(t *testing.T) {
			script := answer(c.stream, ok2)
			if c.close {
				script = answerAndClose(c.stream)
			}
			o := rig.NewOrigin(t, script)
			g := group(r, o)
			req := rig.Get
			req.HeadRequest = c.head
			j := r.Do(g, policy(), req)

			if j.Status != c.status || j.Body.String() != c.body {
				t.Errorf("status %d body %q, want %d %q", j.Status, j.Body.String(), c.status, c.body)
			}
			if (c.fails == "") != j.Done || !strings.HasPrefix(j.Failure(), c.fails) {
				t.Errorf("done %v failure %q, want %q", j.Done, j.Failure(), c.fails)
			}
			if j.Err != nil && (j.Err.Kind != c.kind || j.Err.Status != 502) {
				t.Errorf("kind %v status %d", j.Err.Kind, j.Err.Status)
			}
			note := ""
			if n := j.Note(); n != nil {
				note = n.Error()
			}
			if note != c.note {
				t.Errorf("note %q, want %q", note, c.note)
			}
			if c.reused {
				if again := r.Do(g, policy(), rig.Get); !again.Done || o.Served.Load() != 1 || !again.Tries()[0].Reused {
					t.Errorf("not reused: %d connections, failure %q", o.Served.Load(), again.Failure())
				}
			} else {
				r.Eventually(0, "the connection's end", func() bool { return r.Engine.Stats().Backends == 0 })
			}
		})
	}
}

// TestResponsesByteByByte feeds the same streams in single bytes.
func TestResponsesByteByByte(t *testing.T) {
	r := rig.New(t, 1)
	for _, c := range responses {
		if len(c.stream) > 1000 || c.note != "" {
			continue // what is behind the response is not seen when it comes later
		}
		t.Run(c.name, func(t *testing.T) {
			o := rig.NewOrigin(t, func(cl *rig.Client) {
				cl.Head()
				for i := range len(c.stream) {
					if !cl.Say(c.stream[i : i+1]) {
						return
					}
				}
				if !c.close {
					cl.Rest()
				}
			})
			req := rig.Get
			req.HeadRequest = c.head
			j := r.Do(group(r, o), policy(), req)
			if j.Status != c.status || j.Body.String() != c.body || (c.fails == "") != j.Done {
				t.Errorf("status %d body %q failure %q", j.Status, j.Body.String(), j.Failure())
			}
		})
	}
}

// TestLargeBodies passes bodies of many buffers through all framings, whole.
func TestLargeBodies(t *testing.T) {
	r := rig.New(t, 1)
	const size = 3 << 20
	body := strings.Repeat("0123456789abcdef", size/16)
	var chunked strings.Builder
	chunked.WriteString("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n")
	for i := 0; i < size; i += 8 { // very small chunks, to be joined
		chunked.WriteString("8\r\n" + body[i:i+8] + "\r\n")
	}
	chunked.WriteString("0\r\n\r\n")
	for name, stream := range map[string]string{
		"length":      "HTTP/1.1 200 OK\r\nContent-Length: 3145728\r\n\r\n" + body,
		"until close": "HTTP/1.1 200 OK\r\n\r\n" + body,
		"chunked":     chunked.String(),
	} {
		t.Run(name, func(t *testing.T) {
			o := rig.NewOrigin(t, answerAndClose(stream))
			j := r.Do(group(r, o), policy(), rig.Get)
			if !j.Done || j.Body.String() != body {
				t.Fatalf("done %v, %d bytes, failure %q", j.Done, j.Body.Len(), j.Failure())
			}
			if j.Pieces > 2000 {
				t.Errorf("the body came in %d pieces", j.Pieces)
			}
			if try := j.Tries()[0]; try.BytesReceived != int64(len(stream)) || try.BodyBytes != size || try.BytesSent != int64(len(rig.Get.Head)) {
				t.Errorf("counted %+v", try)
			}
		})
	}
}

func TestReset(t *testing.T) {
	r := rig.New(t, 1)
	for name, c := range map[string]struct{ said, want string }{
		"before the head": {"", "recv() failed (104: Connection reset by peer) while reading response header from upstream"},
		"in the head":     {"HTTP/1.1 200 OK\r\n", "recv() failed (104: Connection reset by peer) while reading response header from upstream"},
		"in the body":     {"HTTP/1.1 200 OK\r\n\r\nabc", "recv() failed (104: Connection reset by peer) while reading upstream"},
	} {
		t.Run(name, func(t *testing.T) {
			seen := make(chan struct{})
			o := rig.NewOrigin(t, func(cl *rig.Client) {
				cl.Head()
				cl.Say(c.said)
				if strings.HasSuffix(c.said, "abc") {
					<-seen // RST may overtake what was said
				}
				cl.Abort()
			})
			j := &rig.Job{Rig: r, Group: group(r, o), Policy: policy(), Req: rig.Get}
			j.OnHead = func(*rig.Job) { close(seen) }
			j.Go().Wait()
			if j.Failure() != c.want || j.Err.Kind != upstream.KindReset || j.Err.Status != 502 {
				t.Errorf("%q", j.Failure())
			}
		})
	}
}

func TestUnixSocket(t *testing.T) {
	r := rig.New(t, 1)
	o := rig.NewUnixOrigin(t, answer(ok2, ok2))
	g := group(r, o)
	for range 2 {
		if j := r.Do(g, policy(), rig.Get); !j.Done || j.Body.String() != "ok" || j.List(upstream.TryAddr) != o.Name() {
			t.Error(j.Failure())
		}
	}
	if o.Served.Load() != 1 {
		t.Errorf("%d connections", o.Served.Load())
	}
}

func TestRefused(t *testing.T) {
	r := rig.New(t, 1)
	o := rig.NewOrigin(t, answer())
	g := group(r, o)
	o.Close()
	j := r.Do(g, policy(), rig.Get)
	if want := "connect() failed (111: Connection refused) while connecting to upstream"; j.Failure() != want || j.Err.Kind != upstream.KindConnect {
		t.Errorf("%q", j.Failure())
	}
	if got := j.List(upstream.TryAddr) + "|" + j.List(upstream.TryStatus) + "|" + j.List(upstream.TryConnectTime) + "|" + j.List(upstream.TryHeaderTime); got != o.Name()+"|502|-|-" {
		t.Error(got)
	}
}

var loopback2 = netip.MustParseAddrPort("127.0.0.2:0")
