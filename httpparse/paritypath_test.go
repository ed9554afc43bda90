package httpparse

import (
	"bufio"
	"fmt"
	"io"
	"math/rand/v2"
	"net"
	"strings"
	"testing"
	"time"
)

// TestNginxPaths compares $uri, $request_uri and $args with nginx's over targets
// by hand and random ones made of the bytes that matter.
func TestNginxPaths(t *testing.T) {
	n := startNginx(t)
	targets := []string{
		"/", "//", "///a", "/a//b", "/a/./b", "/a/../b", "/a/b/../../c", "/./", "/../", "/..", "/.", "/a/.", "/a/..", "/a/../..",
		"/...", "/a/...", "/.a", "/..a", "/a./b", "/a../b", "/.../b", "/%2e%2e/", "/a/%2e%2e/b", "/a/.%2e/b", "/a/%2e./b", "/%2e/a", "/a/%2E",
		"/%41", "/%4a%4B", "/%20", "/%25", "/%2541", "/%23", "/%3f", "/%3F?x", "/%2f", "/a%2f%2fb", "/a%2f..%2fb", "/a/%2f/b",
		"/%00", "/a%00b", "/%", "/%4", "/%4?x", "/%g1", "/%1g", "/%%41", "/a%", "/?%", "/?%00", "/?a#b", "/#a", "/a#b?c", "/a#", "/a?", "/a?#",
		"/a?b?c", "/a+b", "/a%2bb", "/?a=/../b", "/?//", "/a?b/./c", "/\xff", "/%ff%80", "/%c3%a4", "/%0b", "/%7f", "/\"<>\\^`{|}", "/a;b=c", "/:a", "/a:80",
		"//..", "//../a", "/a//..", "/a//../b", "/a/b//../c", "/a//./b", "//./", "/.//", "/a/..//b", "/..//",
	}
	rnd := rand.New(rand.NewPCG(1, 2))
	pieces := []string{"/", "/", "/", ".", ".", "..", "a", "b", "%2e", "%2F", "%41", "%25", "%3f", "%23", "%2", "%00", "?", "#", "+", "/../", "/./", "//"}
	for range 1500 {
		target := "/"
		for range 1 + rnd.IntN(9) {
			target += pieces[rnd.IntN(len(pieces))]
		}
		targets = append(targets, target)
	}
	for _, setting := range []string{"", "merge_slashes off;"} {
		for _, target := range targets {
			raw := "GET " + target + " HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n"
			status, body := n.quick(setting, raw)
			got := judge(setting, raw)
			if got.status != status {
				t.Errorf("%s %q: got %d (%q), nginx %d", setting, target, got.status, got.lines[0], status)
				continue
			}
			if status != 200 {
				continue
			}
			for i, name := range []string{"$uri", "$request_uri", "$args"} {
				if got.lines[i] != body[i] {
					t.Errorf("%s %q: %s: got %q, nginx %q", setting, target, name, got.lines[i], body[i])
				}
			}
		}
	}
}

// quick is ask without the log, for well-formed answers.
func (n *nginx) quick(setting, raw string) (status int, body []string) {
	n.t.Helper()
	c, err := net.Dial("tcp", n.ports[setting])
	if err != nil {
		n.t.Fatal(err)
	}
	defer c.Close()
	_ = c.SetDeadline(time.Now().Add(5 * time.Second))
	_, _ = io.WriteString(c, raw)
	answer, _ := io.ReadAll(c)
	_, _ = fmt.Sscanf(string(answer), "HTTP/1.1 %d", &status)
	_, rest, _ := strings.Cut(string(answer), "\r\n\r\n")
	return status, strings.Split(rest, "\n")
}

// TestNginxEscapes lets nginx pass every byte on to a backend and compares what it
// escapes in a path (proxy_pass with a URI part).
func TestNginxEscapes(t *testing.T) {
	backend, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer backend.Close()
	lines := make(chan string, 1)
	go func() {
		for {
			c, err := backend.Accept()
			if err != nil {
				return
			}
			line, _ := bufio.NewReader(c).ReadString('\n')
			lines <- line
			_, _ = io.WriteString(c, "HTTP/1.1 200 OK\r\nContent-Length: 0\r\nConnection: close\r\n\r\n")
			c.Close()
		}
	}()
	n := startNginx(t, "location /x/ { proxy_pass http://"+backend.Addr().String()+"/y/; }")
	path := "/x/"
	for c := 1; c < 256; c++ {
		if c != '/' && c != '.' {
			path += fmt.Sprintf("%%%02x", c)
		}
	}
	if status, _ := n.quick("", "GET "+path+" HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n"); status != 200 {
		t.Fatal(status)
	}
	normal, err := NormalizePath(nil, []byte(path), true)
	if err != nil {
		t.Fatal(err)
	}
	want := <-lines
	got := "GET /y/" + string(EscapeURI(nil, normal[3:])) + " HTTP/1.0\r\n"
	if got != want {
		t.Fatalf("got  %q\nnginx %q", got, want)
	}
}
