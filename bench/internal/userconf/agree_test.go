//go:build linux

package userconf

import (
	"errors"
	"net/http"
	"slices"
	"strings"
	"testing"
)

// reply makes an answer of lines "Name: value".
func reply(status int, body string, fields ...string) *answer {
	r := &answer{status: status, header: http.Header{}, body: []byte(body)}
	for _, f := range fields {
		name, value, _ := strings.Cut(f, ": ")
		r.header.Add(name, value)
	}
	return r
}

func twice(r *answer) pair { return pair{r, r} }

func TestAnswersThatAgree(t *testing.T) {
	const date = "Date: Sun, 22 Nov 2026 16:00:00 GMT"
	failed := &answer{err: errors.New("closed")}
	for name, c := range map[string]struct{ nginx, seawall pair }{
		"alike":              {twice(reply(200, "x", "Content-Type: a")), twice(reply(200, "x", "Content-Type: a"))},
		"server and date":    {twice(reply(200, "x", "Server: nginx", date)), twice(reply(200, "x", "Server: seawall"))},
		"cookies' values":    {twice(reply(200, "", "Set-Cookie: a=1", "Set-Cookie: b=2")), twice(reply(200, "", "Set-Cookie: a=3", "Set-Cookie: b=4"))},
		"a second later":     {twice(reply(200, "", date, "Expires: Sun, 22 Nov 2026 17:00:00 GMT")), twice(reply(200, "", "Date: Sun, 22 Nov 2026 16:00:01 GMT", "Expires: Sun, 22 Nov 2026 17:00:01 GMT"))},
		"a cache that fills": {pair{reply(200, "x", "X-Cache: MISS"), reply(200, "x", "X-Cache: HIT")}, pair{reply(200, "x", "X-Cache: MISS"), reply(200, "x", "X-Cache: HIT")}},
		"both close":         {twice(failed), twice(failed)},
	} {
		if d, varies := compare(c.nginx, c.seawall); d != nil || varies != nil {
			t.Errorf("%s: %v %v", name, d, varies)
		}
	}
}

func TestAnswersThatDiffer(t *testing.T) {
	cut := &answer{err: errors.New("closes the connection without an answer")}
	for name, c := range map[string]struct {
		nginx, seawall pair
		want           string
	}{
		"status":       {twice(reply(200, "")), twice(reply(404, "")), `status: nginx "200", Seawall "404"`},
		"body":         {twice(reply(200, "abcd")), twice(reply(200, "abX")), `body: nginx 4 bytes, "cd" from byte 2 on, Seawall 3 bytes, "X" from byte 2 on`},
		"field":        {twice(reply(200, "", "Location: /a")), twice(reply(200, "", "Location: /b")), `Location: nginx "/a", Seawall "/b"`},
		"lacking":      {twice(reply(200, "", "Etag: x")), twice(reply(200, "")), `Etag: nginx "x", Seawall none`},
		"cookie":       {twice(reply(200, "", "Set-Cookie: a=1")), twice(reply(200, "", "Set-Cookie: b=1")), `Set-Cookie: nginx "a", Seawall "b"`},
		"not cached":   {pair{reply(200, "", "X: 1"), reply(200, "", "X: 2")}, pair{reply(200, ""), reply(200, "")}, `X: nginx "1", Seawall none`},
		"second time":  {twice(reply(200, "a")), pair{reply(200, "a"), reply(200, "b")}, `body: nginx 1 bytes, "a" from byte 0 on the second time, Seawall 1 bytes, "b" from byte 0 on`},
		"no answer":    {twice(reply(200, "")), twice(cut), "answer: nginx answers 200, Seawall closes the connection without an answer"},
		"long expires": {twice(reply(200, "", "Expires: 0")), twice(reply(200, "", "Expires: 1")), `Expires: nginx "0", Seawall "1"`},
	} {
		d, _ := compare(c.nginx, c.seawall)
		if len(d) != 1 || d[0].String() != c.want {
			t.Errorf("%s: got %v, want %s", name, d, c.want)
		}
	}
}

func TestWhatNginxChangesItselfIsNotCompared(t *testing.T) {
	nginx := pair{reply(200, "a1", "X-Id: 1"), reply(200, "a2", "X-Id: 2")}
	seawall := pair{reply(200, "a3", "X-Id: 3"), reply(200, "a4", "X-Id: 4")}
	d, varies := compare(nginx, seawall)
	if d != nil || !slices.Equal(varies, []string{"body", "X-Id"}) {
		t.Errorf("%v %v", d, varies)
	}
}

func TestPortsAndSignaturesAreGeneral(t *testing.T) {
	ports := map[string]string{"20001": "80", "20002": "80"}
	nginx := reply(301, "<center>nginx/1.22.1</center> 20001", "Location: http://a:20001/x?20001", "Content-Length: 35")
	seawall := reply(301, "<center>seawall</center> 20002", "Location: http://a:20002/x?20002", "Content-Length: 30")
	nginx.generalize(ports, "GET")
	seawall.generalize(ports, "GET")
	if d, _ := compare(twice(nginx), twice(seawall)); d != nil {
		t.Error(d)
	}
	data := reply(200, "120001 200012", "Content-Length: 13")
	data.generalize(ports, "GET")
	if string(data.body) != "120001 200012" || data.header.Get("Content-Length") == "" {
		t.Errorf("%q", data.body)
	}
}
