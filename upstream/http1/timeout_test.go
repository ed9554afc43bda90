package http1_test

import (
	"net"
	"strings"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"seawall/upstream"
	"seawall/upstream/internal/rig"
)

const short = 60 * time.Millisecond

func TestTimeouts(t *testing.T) {
	r := rig.New(t, 1)
	for name, c := range map[string]struct {
		script func(*rig.Client)
		req    upstream.RequestBytes
		want   string
		status int
	}{
		"no head": {func(c *rig.Client) { c.Rest() }, rig.Get,
			"upstream timed out (110: Connection timed out) while reading response header from upstream", 0},
		// As in nginx, the whole head has to come in proxy_read_timeout.
		"a head that trickles": {func(c *rig.Client) {
			c.Say("HTTP/1.1 200 OK\r\nA: ")
			for c.Say("x") {
				time.Sleep(short / 6)
			}
		}, rig.Get, "upstream timed out (110: Connection timed out) while reading response header from upstream", 0},
		"a body that stalls": {func(c *rig.Client) {
			c.Head()
			c.Say("HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nab")
			c.Rest()
		}, rig.Get, "upstream timed out (110: Connection timed out) while reading upstream", 200},
		"a request that is not read": {nil, upstream.RequestBytes{Head: rig.Get.Head, Body: &rig.Body{Pieces: []string{strings.Repeat("x", 32<<20)}}},
			"upstream timed out (110: Connection timed out) while sending request to upstream", 0},
	} {
		t.Run(name, func(t *testing.T) {
			stop := make(chan struct{})
			o := rig.NewOrigin(t, func(cl *rig.Client) {
				if c.script == nil {
					<-stop
					return
				}
				c.script(cl)
			})
			p := policy()
			p.ReadTimeout, p.SendTimeout = short, short
			j := r.Do(group(r, o), p, c.req)
			close(stop)
			if j.Failure() != c.want || j.Status != c.status {
				t.Errorf("status %d, %q", j.Status, j.Failure())
			}
			if j.Err != nil && j.Err.Kind == upstream.KindTimeout && (j.Err.Status != 504 || c.status == 0 && j.List(upstream.TryStatus) != "504") {
				t.Errorf("status %d, tries %s", j.Err.Status, j.List(upstream.TryStatus))
			}
		})
	}
}

// TestBodySlowerThanTheTimeoutInAll: proxy_read_timeout is between two reads.
func TestBodySlowerThanTheTimeoutInAll(t *testing.T) {
	r := rig.New(t, 1)
	o := rig.NewOrigin(t, func(c *rig.Client) {
		c.Head()
		c.Say("HTTP/1.1 200 OK\r\nContent-Length: 8\r\n\r\n")
		for range 8 {
			time.Sleep(short / 2)
			c.Say("x")
		}
		c.Rest()
	})
	p := policy()
	p.ReadTimeout = 2 * short
	if j := r.Do(group(r, o), p, rig.Get); !j.Done || j.Body.String() != "xxxxxxxx" {
		t.Error(j.Failure())
	}
}

// TestConnectTimeout dials a socket whose queue is full: the kernel drops the SYN.
func TestConnectTimeout(t *testing.T) {
	r := rig.New(t, 1)
	fd, err := unix.Socket(unix.AF_INET, unix.SOCK_STREAM, 0)
	if err != nil {
		t.Fatal(err)
	}
	defer unix.Close(fd)
	if err := unix.Bind(fd, &unix.SockaddrInet4{Addr: [4]byte{127, 0, 0, 1}}); err != nil {
		t.Fatal(err)
	}
	if err := unix.Listen(fd, 0); err != nil {
		t.Fatal(err)
	}
	sa, err := unix.Getsockname(fd)
	if err != nil {
		t.Fatal(err)
	}
	addr := net.TCPAddr{IP: net.IPv4(127, 0, 0, 1), Port: sa.(*unix.SockaddrInet4).Port}
	first, err := net.Dial("tcp", addr.String()) // fills the queue of one
	if err != nil {
		t.Fatal(err)
	}
	defer first.Close()
	p := policy()
	p.ConnectTimeout = short
	g := r.Group(upstream.GroupConfig{Peers: []upstream.PeerConfig{rig.PeerAt(addr.String())}})
	j := r.Do(g, p, rig.Post("hello"))
	if want := "upstream timed out (110: Connection timed out) while connecting to upstream"; j.Failure() != want || j.Err.Status != 504 {
		t.Error(j.Failure())
	}
}

// TestPausedIsNotTimedOut: while we do not read, the peer is not to blame.
func TestPausedIsNotTimedOut(t *testing.T) {
	r := rig.New(t, 1)
	o := rig.NewOrigin(t, answer("HTTP/1.1 200 OK\r\nContent-Length: 400000\r\n\r\n"+strings.Repeat("x", 400000)))
	p := policy()
	p.ReadTimeout = short
	j := &rig.Job{Rig: r, Group: group(r, o), Policy: p, Req: rig.Get}
	paused := make(chan struct{})
	pieces := 0
	j.OnBody = func(j *rig.Job, _ []byte) {
		if j.Pieces == 1 {
			j.Pause()
			close(paused)
		}
	}
	j.Go()
	r.Wait(paused, "the first piece")
	time.Sleep(3 * short) // the timeout must not happen
	r.On(0, func() { pieces = j.Pieces; j.Resume() })
	if j.Wait(); !j.Done || pieces != 1 || j.Body.Len() != 400000 {
		t.Errorf("%q after %d pieces, %d bytes", j.Failure(), pieces, j.Body.Len())
	}
}
