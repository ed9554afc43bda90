//go:build linux

package peer

import (
	"bytes"
	"fmt"
	"io"
	"net"
	"net/netip"
	"strings"
	"testing"
	"time"
)

// exchange sends bytes and returns all that comes until the server closes.
func exchange(t *testing.T, at netip.AddrPort, requests ...string) string {
	t.Helper()
	c, err := net.Dial("tcp4", at.String())
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	if err := c.SetDeadline(time.Now().Add(10 * time.Second)); err != nil {
		t.Fatal(err)
	}
	for i, r := range requests {
		if i > 0 {
			time.Sleep(10 * time.Millisecond) // so that they are read one by one; nothing depends on it
		}
		if _, err := io.WriteString(c, r); err != nil {
			t.Fatal(err)
		}
	}
	answer, err := io.ReadAll(c)
	if err != nil {
		t.Fatalf("after %d bytes: %v", len(answer), err)
	}
	return string(answer)
}

// bodies splits answers into "status length connection" and checks that each body has its length.
func bodies(t *testing.T, text string) []string {
	t.Helper()
	var found []string
	for text != "" {
		head, rest, ok := strings.Cut(text, "\r\n\r\n")
		var status, length int
		_, err := fmt.Sscanf(head, "HTTP/1.1 %d", &status)
		_, after, has := strings.Cut(head, "Content-Length: ")
		if has && err == nil {
			_, err = fmt.Sscan(after, &length)
		}
		if !ok || !has || err != nil || len(rest) < length {
			t.Fatalf("not an answer: %.100q (%v)", text, err)
		}
		found = append(found, fmt.Sprint(status, " ", length, " ", strings.Contains(head, "close")))
		text = rest[length:]
	}
	return found
}

func get1(path string) string { return "GET " + path + " HTTP/1.1\r\nHost: a\r\n\r\n" }

const last = "GET /return HTTP/1.1\r\nConnection: close\r\n\r\n"

func TestTheFloorKeepsTheOrderOfPipelinedRequests(t *testing.T) {
	_, origin, _ := openLab(t)
	post := "POST /10k HTTP/1.1\r\ncontent-length: 5\r\n\r\n"
	for name, c := range map[string]struct {
		requests []string
		want     string
	}{
		"ready":          {[]string{get1("/1k") + get1("/2m?x=1") + get1("/missing") + last}, "200 1024 false,200 2097152 false,404 10 false,200 3 true"},
		"behind a slow":  {[]string{get1("/1k") + get1("/slow") + get1("/10k") + last}, "200 1024 false,200 1024 false,200 10240 false,200 3 true"},
		"behind a body":  {[]string{post + "hello" + get1("/100k") + last}, "200 10240 false,200 102400 false,200 3 true"},
		"a body in two":  {[]string{post + "he", "llo" + last}, "200 10240 false,200 3 true"},
		"a head in two":  {[]string{get1("/1m")[:9], get1("/1m")[9:] + last}, "200 1048576 false,200 3 true"},
		"more than ends": {[]string{last + get1("/1k")}, "200 3 true"},
	} {
		if got := strings.Join(bodies(t, exchange(t, origin.Address, c.requests...)), ","); got != c.want {
			t.Errorf("%s: %s instead of %s", name, got, c.want)
		}
	}
	many := bodies(t, exchange(t, origin.Address, strings.Repeat(get1("/10k"), 500)+last))
	if len(many) != 501 {
		t.Errorf("%d answers to 501 requests", len(many))
	}
}

func TestTheFloorsAnswerSlowReadersWhole(t *testing.T) {
	l, origin, files := openLab(t)
	k, _ := ByName("forwarder")
	r := startKind(t, l, k, origin, files)
	for _, at := range []netip.AddrPort{origin.Address, r.Address} {
		c, err := net.Dial("tcp4", at.String())
		if err != nil {
			t.Fatal(err)
		}
		if err := c.(*net.TCPConn).SetReadBuffer(64 << 10); err != nil {
			t.Fatal(err)
		}
		if _, err := io.WriteString(c, strings.Replace(last, "/return", "/2m", 1)); err != nil {
			t.Fatal(err)
		}
		var answer bytes.Buffer
		piece := make([]byte, 30_000)
		for err == nil {
			var n int
			n, err = c.Read(piece)
			answer.Write(piece[:n])
		}
		c.Close()
		if _, body, _ := strings.Cut(answer.String(), "\r\n\r\n"); err != io.EOF || body != alphabet(2<<20) {
			t.Errorf("%d bytes of a body, %v", len(body), err)
		}
	}
}

func TestTheForwarderKeepsBackendConnectionsWhenClientsClose(t *testing.T) {
	l, origin, files := openLab(t)
	k, _ := ByName("forwarder")
	r := startKind(t, l, k, origin, files)
	_, before, err := origin.Counts()
	if err != nil {
		t.Fatal(err)
	}
	for range 20 {
		if got := strings.Join(bodies(t, exchange(t, r.Address, last)), ","); got != "200 3 true" {
			t.Fatalf("got %s", got)
		}
	}
	post := "POST /proxied/post HTTP/1.1\r\nConnection: close\r\nContent-Length: 65536\r\n\r\n"
	body := alphabet(65536)
	if got := strings.Join(bodies(t, exchange(t, r.Address, post+body[:10], body[10:40000], body[40000:])), ","); got != "200 1024 true" {
		t.Errorf("got %s", got)
	}
	if _, after, err := origin.Counts(); err != nil || after > before+1 {
		t.Errorf("%d connections were opened (%v)", after-before, err)
	}
}
