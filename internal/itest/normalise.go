package itest

import (
	"fmt"
	"regexp"
	"strconv"
	"strings"
	"time"
)

// The exceptions to "byte for byte", all of them:
//   - the product's name and version in Server and in the signature of built-in pages, and what they do to Content-Length;
//   - a Date that is today's;
//   - counts of bytes sent in access log lines, where the name and version in an answer change them;
//   - the boundary of multipart ranges, which is a counter;
//   - where chunks begin and end (the joined body and the trailers are compared);
//   - ports, paths and process ids, which differ from world to world;
//   - time, pid, tid and connection number of error log lines.

var (
	signaturePattern = regexp.MustCompile(`<center>(nginx|seawall)(/[0-9A-Za-z.+-]+)?</center>`)
	productPattern   = regexp.MustCompile(`^(nginx|seawall)(/[0-9A-Za-z.+-]+)?$`)
	boundaryPattern  = regexp.MustCompile(`(boundary=|--)\d{20}`)
	logLinePattern   = regexp.MustCompile(`^\d{4}/\d\d/\d\d \d\d:\d\d:\d\d \[(\w+)\] \d+#\d+: (\*\d+ )?(.*)$`)
)

// generic rewrites a product token: the version is kept as a fact, not as a value.
func generic(product string) string {
	m := productPattern.FindStringSubmatch(product)
	if m == nil {
		return product
	}
	if m[2] != "" {
		return "PRODUCT/VERSION"
	}
	return "PRODUCT"
}

// normalResponses renders what a client heard so that two servers' answers can be compared as text.
func normalResponses(h Heard, p places, ignored []string) string {
	return renderResponses(h, p, ignored, map[string]string{})
}

// wholeAnswer marks the counts of whole answers in the sizes of renderResponses; they only matter to formats with $bytes_sent.
const wholeAnswer = "whole "

// renderResponses is normalResponses; it also notes in sizes which byte counts (of a body, of a whole answer) the rendering
// changed, for normalAccessLog.
func renderResponses(h Heard, p places, ignored []string, sizes map[string]string) string {
	var b strings.Builder
	for _, m := range splitMessages(h.Raw, h.Methods) {
		head := m.head
		signatureLength := 0
		if server := headerValue(head, "Server"); server != "" {
			if generic(server) != server {
				signatureLength = len(server)
			}
			head = setHeader(head, "Server", generic(server))
		}
		if date := headerValue(head, "Date"); isToday(date) {
			head = setHeader(head, "Date", "NOW")
		}
		for _, name := range ignored {
			head = dropHeader(head, name)
		}
		body := signaturePattern.ReplaceAllStringFunc(string(m.body), func(s string) string {
			product := strings.TrimSuffix(strings.TrimPrefix(s, "<center>"), "</center>")
			return "<center>" + generic(product) + "</center>"
		})
		shrunk := len(m.body) - len(body)
		if m.headOnly && m.status >= 300 && headerValue(head, "Content-Type") == "text/html" {
			shrunk = signatureLength - len("PRODUCT/VERSION")
		}
		if shrunk != 0 {
			if n, err := strconv.Atoi(headerValue(head, "Content-Length")); err == nil {
				head = setHeader(head, "Content-Length", strconv.Itoa(n-shrunk))
			}
		}
		if shrunk != 0 && !m.headOnly {
			sizes[strconv.Itoa(len(m.body))] = strconv.Itoa(len(body))
		}
		if signatureLength > 0 {
			sizes[wholeAnswer+strconv.Itoa(m.raw)] = strconv.Itoa(m.raw - len(m.body) + len(body) - signatureLength + len("PRODUCT/VERSION"))
		}
		b.WriteString(boundaryPattern.ReplaceAllString(visible(p.hide(head)), "${1}BOUNDARY"))
		b.WriteString(boundaryPattern.ReplaceAllString(visible(p.hide(body)), "${1}BOUNDARY"))
		if m.chunked {
			fmt.Fprintf(&b, "[end of chunks, trailers %q]", m.trailers)
		}
		if m.missing != 0 {
			fmt.Fprintf(&b, "[cut short, %d bytes missing]", m.missing)
		}
		b.WriteString("\n")
	}
	fmt.Fprintf(&b, "[%s]\n", h.End)
	return b.String()
}

// normalRequest renders one request that an origin received.
func normalRequest(r Received, p places, ignored []string) string {
	head := r.Head
	for _, name := range ignored {
		head = dropHeader(head, name)
	}
	out := visible(p.hide(head)) + visible(p.hide(string(r.Body)))
	if r.Chunked {
		out += fmt.Sprintf("[end of chunks, trailers %q]", r.Trailers)
	}
	if r.Short {
		out += "[request cut short]"
	}
	return out + "\n"
}

// numberPattern also matches what is no count (parts of addresses), to leave it alone.
var numberPattern = regexp.MustCompile(`[\d.]+`)

// normalAccessLog renders access log lines; sizes comes from renderResponses, whole says that the format has $bytes_sent.
func normalAccessLog(lines string, p places, sizes map[string]string, whole bool) string {
	return visible(numberPattern.ReplaceAllStringFunc(p.hide(lines), func(number string) string {
		if normal, ok := sizes[number]; ok {
			return normal
		}
		if normal, ok := sizes[wholeAnswer+number]; ok && whole {
			return normal
		}
		return number
	}))
}

// normalLogLine strips what differs from run to run of an error log line: "[error] *N text".
func normalLogLine(line string, p places) (level, text string, ok bool) {
	m := logLinePattern.FindStringSubmatch(line)
	if m == nil {
		return "", "", false
	}
	number := ""
	if m[2] != "" {
		number = "*N "
	}
	return m[1], p.hide(number + m[3]), true
}

// isToday reports whether an IMF-fixdate is within a day of now: the server's own Date, not one that an origin made up.
func isToday(date string) bool {
	when, err := time.Parse("Mon, 02 Jan 2006 15:04:05 GMT", date)
	return err == nil && time.Since(when).Abs() < 24*time.Hour
}

// visible shows line ends, so that CRLF against LF is a difference one can see, and cuts long bodies (their length and hash
// remain compared).
func visible(text string) string {
	if len(text) > 6000 {
		text = fmt.Sprintf("%s[... %d bytes, hash %x ...]%s", text[:500], len(text), hashText(text), text[len(text)-100:])
	}
	text = strings.ReplaceAll(text, "\r\n", "␍\n")
	text = strings.ReplaceAll(text, "\r", "␍")
	return strings.ReplaceAll(text, "\x00", "␀")
}

// hashText is FNV-1a.
func hashText(text string) uint64 {
	h := uint64(14695981039346656037)
	for i := range len(text) {
		h = (h ^ uint64(text[i])) * 1099511628211
	}
	return h
}
