//go:build linux

package load

import (
	"context"
	"io"
	"net/http"
	"strings"
	"testing"
	"time"
)

func TestParseH2load(t *testing.T) {
	window := Job{Pages: []Page{{Path: "/1k", Size: 1024}}, Connections: 8, Pipeline: 16}
	for _, c := range []struct {
		file  string
		size  int
		want  Totals // but for Latency
		wrong string
	}{
		{"h2load-window.txt", 1024, Totals{Requests: 32074, Bytes: 36660582, Window: 501250 * time.Microsecond}, ""},
		{"h2load-window.txt", 1000, Totals{Requests: 32074, Bytes: 36660582, Window: 501250 * time.Microsecond}, "32074 bodies of 1000 bytes"},
		{"h2load-window.txt", 1030, Totals{Requests: 32074, Bytes: 36660582, Window: 501250 * time.Microsecond}, "32074 bodies of 1030 bytes"},
		{"h2load-requests.txt", 1024, Totals{Requests: 2000, Bytes: 2286000, Window: 46420 * time.Microsecond}, ""},
		{"h2load-404.txt", 1024, Totals{Requests: 52, Errors: 48, Bytes: 65868, Window: 2380 * time.Microsecond}, "48 4xx"},
		{"h2load-closed.txt", 1024, Totals{Errors: 20, Window: 928 * time.Microsecond}, "20 without an answer, 0 of them late"},
		{"h2load-timeout.txt", 1024, Totals{Errors: 20, Window: time.Second}, "16 of them late"},
	} {
		report, err := parseH2load(sample(t, c.file))
		if err != nil {
			t.Errorf("%s: %v", c.file, err)
			continue
		}
		j := window
		j.Pages = []Page{{Path: "/1k", Size: c.size}}
		got, err := report.judge(j)
		if (err == nil) != (c.wrong == "") || (err != nil && !strings.Contains(err.Error(), c.wrong)) {
			t.Errorf("%s: %v", c.file, err)
		}
		if got.Requests != c.want.Requests || got.Errors != c.want.Errors || got.Bytes != c.want.Bytes || got.Window != c.want.Window {
			t.Errorf("%s: %+v", c.file, got)
		}
	}
	report, err := parseH2load(sample(t, "h2load-window.txt"))
	if err != nil || report.fastest != 55*time.Microsecond || report.slowest != 43990*time.Microsecond || report.mean != 1990*time.Microsecond {
		t.Errorf("%+v, %v", report, err)
	}
}

func TestParseH2loadRefusesWhatItDoesNotKnow(t *testing.T) {
	ok := sample(t, "h2load-window.txt")
	for name, out := range map[string]string{
		"nothing":          "",
		"another count":    strings.Replace(ok, "0 errored", "0 broken", 1),
		"a line less":      strings.Replace(ok, "status codes", "codes", 1),
		"another unit":     strings.Replace(ok, "501.25ms", "501.25", 1),
		"a column less":    strings.Replace(ok, "93.44%", "", 1),
		"no data":          strings.Replace(ok, " data", "", 1),
		"text in brackets": strings.Replace(ok, "(36660582)", "(many)", 1),
	} {
		if r, err := parseH2load(out); err == nil {
			t.Errorf("%s: taken as %+v", name, r)
		}
	}
}

func TestH2loadRuns(t *testing.T) {
	at := serveHTTP(t, func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path != "/1k" {
			http.NotFound(w, r)
			return
		}
		_, _ = io.WriteString(w, letters(1024))
	})
	j := Job{Target: at, Connections: 4, Pipeline: 16, Pages: []Page{{Path: "/1k", Size: 1024}}, Requests: 200, Warm: 50 * time.Millisecond}
	began := false
	j.Begin = func() error { began = true; return nil }
	totals, err := H2load(context.Background(), theLab, j)
	if err != nil || !began || totals.Requests != 200 || totals.Latency.Max <= 0 {
		t.Errorf("%+v, %v", totals, err)
	}
	j.Requests, j.Warm, j.Window = 0, 0, 200*time.Millisecond
	if totals, err := H2load(context.Background(), theLab, j); err != nil || totals.Requests == 0 || totals.Window < j.Window/2 {
		t.Errorf("%+v, %v", totals, err)
	}
	j.Pages = []Page{{Path: "/no", Size: 1024}}
	if totals, err := H2load(context.Background(), theLab, j); err == nil {
		t.Errorf("a 404 was taken: %+v", totals)
	}
}
