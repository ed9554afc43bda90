//go:build linux

package userconf

import (
	"path/filepath"
	"strings"
	"testing"
)

// blamed gives what a message of Seawall's leads to, with the lines of nginx.conf that are left out.
func blamed(t *testing.T, src *source, l *layout, message string, before []*lack) []*lack {
	t.Helper()
	found, err := blame(src, l, strings.ReplaceAll(message, "nginx.conf", l.mainFile(src)), before)
	if err != nil {
		t.Fatal(err)
	}
	return found
}

func TestUnknownDirectivesAreLeftOutEverywhere(t *testing.T) {
	src := tree(t, map[string]string{"nginx.conf": "http {\n gzip on;\n types { gzip x; }\n server {\n  gzip off; } }\n"})
	l := moved(t, src)
	found := blamed(t, src, l, `unknown directive "gzip" in nginx.conf:2; nginx has this directive, Seawall has it not yet`, nil)
	if len(found) != 2 || len(l.leftOut) != 2 || found[1].where.line != 5 {
		t.Errorf("%d found, %d left out", len(found), len(l.leftOut))
	}
	src.given = "nginx.conf"
	if got := found[0].text(src); got != `nginx.conf:2: directive "gzip": Seawall does not have it` {
		t.Error(got)
	}
}

func TestCulpritOnALine(t *testing.T) {
	src := tree(t, map[string]string{"nginx.conf": "http { upstream a { server b; }\n server { location / { proxy_pass http://app; etag on; } }\n location ~ (?!x) {\n return 200; } }\n"})
	for _, c := range []struct {
		line       int
		text, want string
	}{
		{2, `host not found in upstream "app"`, "proxy_pass"},
		{2, `"etag" directive is not allowed here`, "etag"},
		{3, `regexp: missing argument`, "location"},
		{1, `invalid parameter "b"`, "server"},
	} {
		p, ok := culprit(src, moved(t, src), src.main, c.line, c.text)
		if !ok || p.name() != c.want {
			t.Errorf("%s: blamed %v", c.text, p.statement)
		}
	}
}

func TestListenThatIsLackingTakesItsServerAlong(t *testing.T) {
	src := tree(t, map[string]string{"nginx.conf": `http {
 server { listen 80;
  listen 443 ssl; }
 server {
  listen 8443 ssl; }
 server {
  listen 8080 http2; }
}`})
	l := moved(t, src)
	message := `the "ssl" parameter of the "listen" directive is not built in yet in nginx.conf:`
	one := blamed(t, src, l, message+"3", nil)[0]
	other := blamed(t, src, l, message+"5", nil)[0]
	kept := blamed(t, src, l, strings.ReplaceAll(message, "ssl", "http2")+"7", nil)[0]
	for k, want := range map[*lack]string{one: "nothing listens", other: "whole server", kept: "kept without"} {
		if !strings.Contains(k.outcome, want) {
			t.Errorf("line %d: %q", k.where.line, k.outcome)
		}
	}
	got := rewritten(t, src, l, "nginx.conf")
	if strings.Contains(got, "ssl") || strings.Contains(got, "http2") || strings.Count(got, "server {") != 2 || strings.Count(got, "listen") != 2 {
		t.Error(got)
	}
}

func TestWhatFollowsNamesItsCause(t *testing.T) {
	src := tree(t, map[string]string{"nginx.conf": "http {\n map $uri $kind { a b; }\n server { listen 80;\n add_header X $kind; }\n}"})
	l := moved(t, src)
	first := blamed(t, src, l, `unknown directive "map" in nginx.conf:2`, nil)
	next := blamed(t, src, l, `unknown "kind" variable in nginx.conf:4`, first)[0]
	if next.follows != first[0] || next.where.name() != "add_header" {
		t.Fatalf("%+v", next)
	}
	want := ": directive \"add_header\": falls with line 2 of " + src.main + ` (unknown "kind" variable)`
	if got := next.text(src); got != src.main+":4"+want {
		t.Error(got)
	}
}

func TestMessagesWithoutAPlaceAreErrors(t *testing.T) {
	src := tree(t, map[string]string{"nginx.conf": "events { }\nhttp { }\n"})
	l := moved(t, src)
	for _, message := range []string{`open() "` + filepath.Join(l.dir, "files/x") + `" failed`, `no "events" section in configuration`} {
		if found, err := blame(src, l, message, nil); err == nil {
			t.Errorf("%s: %v", message, found)
		} else if strings.Contains(err.Error(), l.dir) {
			t.Errorf("%v names our own directory", err)
		}
	}
}

func TestRepeatedDirectivesAreToldInOneLine(t *testing.T) {
	src := tree(t, map[string]string{"nginx.conf": "http {" + strings.Repeat("\n fastcgi_param a b;", 10) + "\n gzip on; }"})
	src.given = "nginx.conf"
	l := moved(t, src)
	found := blamed(t, src, l, `unknown directive "fastcgi_param" in nginx.conf:2`, nil)
	found = append(found, blamed(t, src, l, `unknown directive "gzip" in nginx.conf:12`, nil)...)
	got := lines(found, src)
	if len(got) != 5 || !strings.HasSuffix(got[3], "and the same 6 times more up to line 11") || !strings.Contains(got[4], "gzip") {
		t.Error(strings.Join(got, "\n"))
	}
}
