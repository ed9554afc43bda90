package itest

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// sampleResponse is an answer with everything that the comparison makes exceptions for.
func sampleResponse() string {
	body := "<html>\r\n<center>nginx/1.22.1</center>\r\n</html>"
	return "HTTP/1.1 404 Not Found\r\nServer: nginx/1.22.1\r\nDate: " + time.Now().UTC().Format("Mon, 02 Jan 2006 15:04:05 GMT") +
		"\r\nContent-Type: text/html\r\nContent-Length: " + itoa(len(body)) + "\r\nX-Port: 12345\r\n\r\n" + body
}

// TestComparisonSeesEveryByte changes, drops and doubles every byte of a sample: outside of the named exceptions the rendered
// transcript must change.
func TestComparisonSeesEveryByte(t *testing.T) {
	p := places{"port": "12345"}
	render := func(raw string) string {
		return normalResponses(Heard{Raw: []byte(raw), End: EndClosed, Methods: []string{"GET"}}, p, nil)
	}
	sample := sampleResponse()
	want := render(sample)
	excepted := func(i int) bool {
		for _, span := range []string{headerValue(sample, "Date"), "1.22.1\r\nDate", "1.22.1</center>"} {
			at := strings.Index(sample, span)
			if i >= at && i < at+len(span) {
				return true
			}
		}
		return false
	}
	for i := range len(sample) {
		if excepted(i) {
			continue
		}
		for what, mutant := range map[string]string{
			"changed": sample[:i] + string(sample[i]^1) + sample[i+1:],
			"dropped": sample[:i] + sample[i+1:],
			"doubled": sample[:i+1] + sample[i:],
		} {
			if render(mutant) == want {
				t.Errorf("byte %d (%q) %s goes unnoticed in %q", i, sample[i], what, sample[max(0, i-20):min(len(sample), i+20)])
			}
		}
	}
	for name, heard := range map[string]Heard{
		"left open":      {Raw: []byte(sample), End: EndOpen},
		"cut short":      {Raw: []byte(sample[:len(sample)-1]), End: EndClosed},
		"surplus at end": {Raw: []byte(sample + "x"), End: EndClosed},
		"second answer":  {Raw: []byte(sample + sample), End: EndClosed},
		"nothing":        {End: EndClosed},
	} {
		if normalResponses(heard, p, nil) == want {
			t.Errorf("%s: goes unnoticed", name)
		}
	}
}

func TestComparisonExceptions(t *testing.T) {
	render := func(raw, method string, p places) string {
		return normalResponses(Heard{Raw: []byte(raw), End: EndClosed, Methods: []string{method}}, p, nil)
	}
	sample := sampleResponse()
	other := strings.ReplaceAll(sample, "nginx/1.22.1", "seawall/0.1")
	other = strings.Replace(other, "Content-Length: "+headerValue(sample, "Content-Length"), "Content-Length: "+itoa(len(other)-strings.Index(other, "<html>")), 1)
	other = strings.Replace(other, "12345", "54321", 1)
	if a, b := render(sample, "GET", places{"port": "12345"}), render(other, "GET", places{"port": "54321"}); a != b {
		t.Errorf("product and port must not matter:\n%s", lineDiff(a, b))
	}
	head := func(s string) string { return s[:strings.Index(s, "\r\n\r\n")+4] }
	if a, b := render(head(sample), "HEAD", places{"port": "12345"}), render(head(other), "HEAD", places{"port": "54321"}); a != b {
		t.Errorf("product and port must not matter for HEAD:\n%s", lineDiff(a, b))
	}
	chunks := func(parts ...string) string {
		s := "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"
		for _, part := range parts {
			s += hex(len(part)) + "\r\n" + part + "\r\n"
		}
		return s + "0\r\n\r\n"
	}
	if a, b := render(chunks("abc", "def"), "GET", nil), render(chunks("abcdef"), "GET", nil); a != b {
		t.Errorf("chunk boundaries must not matter:\n%s", lineDiff(a, b))
	}
	if render(chunks("abc"), "GET", nil) == render(strings.TrimSuffix(chunks("abc"), "0\r\n\r\n"), "GET", nil) {
		t.Error("a missing last chunk goes unnoticed")
	}
	old := strings.Replace(sample, headerValue(sample, "Date"), "Mon, 01 Jan 2024 00:00:00 GMT", 1)
	if render(old, "GET", nil) == render(sample, "GET", nil) {
		t.Error("a Date that is not the server's own goes unnoticed")
	}
}

func TestComparisonOfRequestsSeesEveryByte(t *testing.T) {
	r := Received{Head: "POST /x HTTP/1.1\r\nHost: a\r\nX-B: c\r\n\r\n", Body: []byte("hello")}
	want := normalRequest(r, nil, nil)
	for i := range len(r.Head) {
		m := r
		m.Head = r.Head[:i] + string(r.Head[i]^1) + r.Head[i+1:]
		if normalRequest(m, nil, nil) == want {
			t.Errorf("byte %d of the head goes unnoticed", i)
		}
	}
	for name, m := range map[string]Received{
		"body":     {Head: r.Head, Body: []byte("hellO")},
		"chunked":  {Head: r.Head, Body: r.Body, Chunked: true},
		"short":    {Head: r.Head, Body: r.Body, Short: true},
		"trailers": {Head: r.Head, Body: r.Body, Chunked: true, Trailers: "X: y\r\n"},
	} {
		if normalRequest(m, nil, nil) == want {
			t.Errorf("%s: goes unnoticed", name)
		}
	}
}

// TestDifferencesAreTested holds docs/differences.md to what this package knows about: no entry without a place that tests it.
func TestDifferencesAreTested(t *testing.T) {
	files, err := filepath.Glob("*.go")
	if err != nil {
		t.Fatal(err)
	}
	var all strings.Builder
	for _, name := range files {
		text, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		all.Write(text)
	}
	for _, name := range documentedDifferences(t) {
		if !strings.Contains(all.String(), name) {
			t.Errorf("docs/differences.md: nothing here mentions %q", name)
		}
	}
}
