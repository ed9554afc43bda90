//go:build linux

package userconf

import (
	"fmt"
	"slices"
	"strings"
	"testing"
)

func shownAsks(l *list) []string {
	var all []string
	for _, a := range l.asks {
		text := fmt.Sprintf("%dx %s", a.weight, a)
		if a.failed != "" {
			text += " -- " + a.failed
		}
		all = append(all, text)
	}
	return all
}

func expectAsks(t *testing.T, l *list, want ...string) {
	t.Helper()
	if got := shownAsks(l); !slices.Equal(got, want) {
		t.Errorf("got\n  %s\nwant\n  %s", strings.Join(got, "\n  "), strings.Join(want, "\n  "))
	}
}

const twoServers = `http {
    server { listen 127.0.0.1:80; server_name _ inner; }
    server { listen 80; server_name first www.first; }
    server { listen 80 default_server; server_name *.wild ~^x named; }
    server { listen 8080; listen [::]:8080; }
    server { listen 443 ssl; server_name first; }
    server { listen unix:/run/x; server_name sock; }
}
`

func TestListOfURLs(t *testing.T) {
	src := tree(t, map[string]string{"nginx.conf": twoServers})
	l, err := readList(strings.NewReader(`
# comment
/a?b=c%20d
Host: first
/a
HEAD /a
GET /a
http://first/%7Ea?x#part
http://other:8080
http://other:9090/
https://first/
http://first:443/
http://127.0.0.1/
http://[::1]:8080/six
`), "", 100)
	if err != nil {
		t.Fatal(err)
	}
	l.resolve(src.servers())
	expectAsks(t, l,
		"2x http://first/a",
		"1x http://named/a?b=c%20d",
		"1x HEAD http://first/a",
		"1x http://first/%7Ea?x",
		"1x http://other:8080/",
		"1x http://other:9090/ -- no server of the configuration listens on port 9090",
		"1x https://first/ -- https is not compared",
		"1x http://first:443/ -- its port is one of TLS, which is not compared",
		"1x http://127.0.0.1/",
		"1x http://[::1]:8080/six",
	)
	for i, want := range map[int]string{0: "*:80", 4: "*:8080", 8: "127.0.0.1:80"} {
		if got := l.asks[i].to.String(); got != want {
			t.Errorf("%s goes to %s, want %s", l.asks[i], got, want)
		}
	}
}

func TestListsThatAreNone(t *testing.T) {
	for text, want := range map[string]string{
		"":                  "no request is in it",
		"Host: a b\n/\n":    "line 1: \"a b\" is no host",
		"# only this\n":     "no request is in it",
		"/a\nPOST /b\n":     "line 2: method POST",
		"ftp://x/":          "line 1: \"ftp://x/\" is neither",
		"GET /a HTTP/1.1\n": "more than a method and a URL",
	} {
		if _, err := readList(strings.NewReader(text), "", 10); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%q: %v", text, err)
		}
	}
}

func TestAccessLog(t *testing.T) {
	src := tree(t, map[string]string{"nginx.conf": twoServers})
	l, err := readList(strings.NewReader(`10.0.0.1 - - [22/Nov/2026:16:00:00 +0000] "GET /a HTTP/1.1" 200 612 "-" "curl/7.88.1"
10.0.0.1 - bob [22/Nov/2026:16:00:01 +0000] "GET /b?q=\x22x\x22 HTTP/1.1" 404 153 "http://x/" "M [1] \x22y"
10.0.0.1 - - [22/Nov/2026:16:00:02 +0000] "GET /b?q=\x22x\x22 HTTP/2.0" 404 153 "-" "-"
10.0.0.1 - - [22/Nov/2026:16:00:03 +0000] "HEAD /a HTTP/1.1" 200 0 "-" "-"
10.0.0.1 - - [22/Nov/2026:16:00:03 +0000] "POST /a HTTP/1.1" 200 0 "-" "-"
10.0.0.1 - - [22/Nov/2026:16:00:03 +0000] "\x16\x03\x01" 400 157 "-" "-"
10.0.0.1 - - [22/Nov/2026:16:00:03 +0000] "GET http://elsewhere/c HTTP/1.1" 200 0 "-" "-"
something else
`), "named", 3)
	if err != nil {
		t.Fatal(err)
	}
	l.resolve(src.servers())
	if !l.log || l.kept != 4 {
		t.Errorf("log %t, %d requests", l.log, l.kept)
	}
	expectAsks(t, l, `2x http://named/b?q="x"`, "1x http://named/a", "1x HEAD http://named/a")
	want := []string{
		"1 line: method POST, which is not to be repeated",
		"1 line: no whole request (400)",
		"1 line: not in the combined format",
		"1 of 4 different requests (1 in all): only the 3 most frequent are asked, see -limit",
	}
	if !slices.Equal(l.lost, want) {
		t.Errorf("left out:\n%s", strings.Join(l.lost, "\n"))
	}
}

func TestWithoutListEachServerIsAsked(t *testing.T) {
	src := tree(t, map[string]string{"nginx.conf": twoServers})
	l := defaultList(src.servers())
	expectAsks(t, l, "1x http://inner/", "1x http://first/", "1x http://named/", "1x http://localhost:8080/")
}

func TestSequenceKeepsProportions(t *testing.T) {
	pages := []verdict{{ask: &ask{weight: 1_000_000}}, {ask: &ask{weight: 250_000}}, {ask: &ask{weight: 1}}}
	counts := make([]int, 3)
	for _, i := range sequence(pages) {
		counts[i]++
	}
	if counts[0] != 3200 || counts[1] != 800 || counts[2] != 1 {
		t.Error(counts)
	}
	if !slices.Equal(sequence(pages), sequence(pages)) {
		t.Error("two servers would be asked in different orders")
	}
}

func FuzzReadList(f *testing.F) {
	f.Add("Host: a\n/x\nHEAD http://b:80/y?z#w\n")
	f.Add(`1.1.1.1 - - [1] "GET /a\x22 HTTP/1.1" 200 1 "-" "-"`)
	f.Fuzz(func(t *testing.T, text string) {
		l, err := readList(strings.NewReader(text), "", 10)
		if err != nil {
			return
		}
		for _, a := range l.asks {
			if strings.ContainsAny(a.target, " \r\n") || strings.ContainsAny(a.host, " \r\n") || a.target == "" || a.weight < 1 {
				t.Fatalf("%q gives %q", text, a.request(nil))
			}
		}
	})
}
