//go:build linux

package load

import (
	"context"
	"errors"
	"fmt"
	"io"
	"math"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"
)

func sample(t *testing.T, name string) string {
	t.Helper()
	text, err := os.ReadFile(filepath.Join("testdata", name))
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

func TestParseWrk(t *testing.T) {
	j := Job{Pages: []Page{{Path: "/1k", Size: 1024}}, Connections: 4}
	missing := Job{Pages: []Page{{Path: "/missing", Status: 404}}, Connections: 4}
	mixed := Job{Pages: []Page{{Path: "/1k", Size: 1024}, {Path: "/missing", Status: 404}}, Connections: 4}
	for _, c := range []struct {
		file             string
		job              Job
		requests, errors int
		first            string
	}{
		{"wrk-ok.txt", j, 58151, 0, ""},
		{"wrk-404.txt", missing, -1, 0, ""},
		{"wrk-404.txt", j, 0, -1, "wrong status"},
		{"wrk-404.txt", mixed, -1, -1, "wrong status"}, // half of them were expected
		{"wrk-ok.txt", missing, 0, -1, "wrong status"},
		{"wrk-read-errors.txt", j, 0, 22981, "read 22981"},
		{"wrk-timeout.txt", j, -1, 4, "timeout 4"},
	} {
		report, err := parseWrk(sample(t, c.file))
		if err != nil {
			t.Errorf("%s: %v", c.file, err)
			continue
		}
		totals, err := report.judge(c.job, 1, 0)
		if (err != nil) != (c.errors != 0) || !strings.Contains(totals.FirstError, c.first) ||
			(c.requests >= 0 && totals.Requests != c.requests) || (c.errors >= 0 && totals.Errors != c.errors) {
			t.Errorf("%s: %+v, %v", c.file, totals, err)
		}
	}
	report, err := parseWrk(sample(t, "wrk-ok.txt"))
	if err != nil {
		t.Fatal(err)
	}
	totals, err := report.judge(j, 1, 1143)
	if err != nil || totals.Bytes != 66466593 || totals.Window != 1099428*time.Microsecond || totals.Latency.P99 != 3.157 ||
		totals.Latency.Max != 7.499 || totals.Latency.Curve[1] != (Percentile{58.51, 0.062}) {
		t.Errorf("%+v, %v", totals, err)
	}
	for _, answerBytes := range []int{1100, 1200} {
		if _, err := report.judge(j, 1, answerBytes); err == nil {
			t.Errorf("answers of %d bytes were taken for others", answerBytes)
		}
	}
}

func TestParseWrkRefusesWhatItDoesNotKnow(t *testing.T) {
	ok := sample(t, "wrk-ok.txt")
	for name, out := range map[string]string{
		"nothing":       "",
		"refused":       sample(t, "wrk-refused.txt"),
		"no report":     ok[:strings.Index(ok, "{")],
		"cut":           ok[:len(ok)-20],
		"a count less":  strings.Replace(ok, `"timeout": 0, `, "", 1),
		"no seconds":    strings.Replace(ok, `"seconds"`, `"minutes"`, 1),
		"text as count": strings.Replace(ok, `"read": 0`, `"read": "none"`, 1),
	} {
		if r, err := parseWrk(out); err == nil {
			t.Errorf("%s: taken as %+v", name, r)
		}
	}
}

func TestWrkScriptHasARequestFunctionOnlyWhenNeeded(t *testing.T) {
	page := Page{Path: "/1k", Size: 1024}
	unique, post := page, page
	unique.Unique, post.Post = true, 10
	for _, c := range []struct {
		job   Job
		wants bool
		has   string
	}{
		{Job{Pages: []Page{page}}, false, ""},
		{Job{Pages: []Page{post}, NewConnections: true}, false, `wrk.headers["Connection"] = "close"`},
		{Job{Pages: []Page{unique}}, true, `{"GET", "/1k", nil, "?"}`},
		{Job{Pages: []Page{page, post}}, true, `{"POST", "/1k", "abcdefghij", nil}`},
	} {
		script := wrkScript(c.job, "x")
		if strings.Contains(script, "function request()") != c.wants || !strings.Contains(script, c.has) {
			t.Errorf("%+v:\n%s", c.job, script)
		}
	}
}

func TestSequenceSpreadsPagesByWeight(t *testing.T) {
	var order string
	for _, p := range sequence([]Page{{Path: "a", Weight: 5}, {Path: "b"}, {Path: "c"}}) {
		order += p.Path
	}
	if order != "aabacaa" { // as nginx's upstream does it
		t.Errorf("got %s", order)
	}
}

func TestWrkRuns(t *testing.T) {
	var paths sync.Map
	var broken atomic.Bool
	at := serveHTTP(t, func(w http.ResponseWriter, r *http.Request) {
		paths.Store(r.URL.String(), true)
		body, _ := io.ReadAll(r.Body)
		switch {
		case broken.Load():
			w.WriteHeader(http.StatusInternalServerError)
		case r.URL.Path == "/missing":
			http.Error(w, "not found", http.StatusNotFound)
		case r.URL.Path == "/post" && string(body) != letters(10000):
			panic(http.ErrAbortHandler)
		default:
			_, _ = io.WriteString(w, letters(1024))
		}
	})
	run := func(j Job, answerBytes int) (Totals, error) {
		j.Target, j.Connections, j.Window = at, 4, 300*time.Millisecond
		return Wrk(context.Background(), theLab, j, answerBytes)
	}
	page := Page{Path: "/1k", Size: 1024}
	answer, err := Probe(at, page)
	if err != nil {
		t.Fatal(err)
	}
	began := false
	totals, err := run(Job{Pages: []Page{page}, Warm: 100 * time.Millisecond, Begin: func() error { began = true; return nil }}, answer.Bytes)
	if err != nil || !began || totals.Requests == 0 || math.Abs(totals.Window.Seconds()-0.3) > 0.25 {
		t.Errorf("%+v, %v", totals, err)
	}
	for name, j := range map[string]Job{
		"post":            {Pages: []Page{{Path: "/post", Size: 1024, Post: 10000}}},
		"new connections": {Pages: []Page{page}, NewConnections: true},
		"mixed": {Pages: []Page{{Path: "/1k", Size: 1024, Weight: 90}, {Path: "/u", Size: 1024, Unique: true, Weight: 8},
			{Path: "/missing", Status: 404, Weight: 2}}},
	} {
		if totals, err := run(j, 0); err != nil || totals.Requests == 0 {
			t.Errorf("%s: %+v, %v", name, totals, err)
		}
	}
	queries := 0
	paths.Range(func(path, _ any) bool {
		if strings.HasPrefix(path.(string), "/u?n=") {
			queries++
		}
		return true
	})
	if queries < 2 {
		t.Errorf("%d queries", queries)
	}
	broken.Store(true)
	var wrong *WrongAnswers
	if totals, err := run(Job{Pages: []Page{page}}, 0); !errors.As(err, &wrong) || totals.Errors == 0 {
		t.Errorf("%+v, %v", totals, err)
	}
}

func TestProbe(t *testing.T) {
	at := serveHTTP(t, func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		switch r.URL.Path {
		case "/missing":
			http.Error(w, "not found", http.StatusNotFound)
		case "/post":
			fmt.Fprint(w, len(body))
		default:
			_, _ = io.WriteString(w, letters(1024))
		}
	})
	for _, p := range []Page{{Path: "/", Size: 1024}, {Path: "/u", Size: 1024, Unique: true}, {Path: "/missing", Status: 404},
		{Path: "/missing", Status: 404, Body: "not found\n"}, {Path: "/post", Post: 300_000, Body: "300000"}} {
		if a, err := Probe(at, p); err != nil || a.Bytes <= len(a.Body) || a.Closes || a.Header.Get("Date") == "" {
			t.Errorf("%+v: %+v, %v", p, a, err)
		}
	}
	for _, p := range []Page{{Path: "/", Size: 1023}, {Path: "/", Size: 1024, Status: 404}, {Path: "/", Body: "x"}, {Path: "/missing", Size: 10}} {
		if _, err := Probe(at, p); err == nil {
			t.Errorf("%+v: a wrong answer was taken", p)
		}
	}
}
