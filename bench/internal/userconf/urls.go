//go:build linux

package userconf

import (
	"bufio"
	"cmp"
	"fmt"
	"io"
	"net"
	"net/netip"
	"net/url"
	"regexp"
	"slices"
	"strconv"
	"strings"
)

// ask is one request of the comparison.
type ask struct {
	method string
	host   string // of the Host field, with the port if it was given
	target string // path and query, as they go on the wire
	weight int    // how often it is made, among the others
	secure bool   // https

	port     int // that the user named; 0: that of the first server
	to       endpoint
	failed   string // why it cannot be asked
	resolved bool
}

// String is how the user would write it.
func (a *ask) String() string {
	s := "http://" + a.host
	if a.secure {
		s = "https://" + a.host
	}
	if _, _, err := net.SplitHostPort(a.host); err != nil && a.resolved && a.to.unix == "" && a.to.port != 80 {
		s += ":" + strconv.Itoa(a.to.port)
	}
	s += a.target
	if a.method != "GET" {
		s = a.method + " " + s
	}
	return s
}

// list is what was read from a list of URLs or a log.
type list struct {
	asks []*ask // each request once, the most frequent first
	log  bool   // it was a log
	kept int    // requests that asks stand for
	lost []string
}

const maxLine = 1 << 20

// method, client, user, time, request and status of nginx's combined format; what follows does not matter.
var combined = regexp.MustCompile(`^\S+ \S+ .*?\[[^\]]+\] "([^"]*)" ([0-9]{3}) `)

// readList reads a list of URLs or an access log in the combined format, whichever it is. host is that of requests that
// name none, "" for the one of the configuration. At most limit different requests are kept, the most frequent.
func readList(in io.Reader, host string, limit int) (*list, error) {
	l := &list{}
	seen := map[string]*ask{}
	skipped := map[string]int{}
	scanner := bufio.NewScanner(in)
	scanner.Buffer(nil, maxLine)
	current := host
	for n, first := 1, true; scanner.Scan(); n++ {
		line := strings.TrimSpace(scanner.Text())
		if line == "" || line[0] == '#' {
			continue
		}
		if first {
			l.log, first = combined.MatchString(line), false
		}
		var a *ask
		var why string
		if l.log {
			a, why = parseLogLine(line)
		} else if value, ok := cutFold(line, "host:"); ok {
			if current = strings.TrimSpace(value); strings.ContainsAny(current, " \t\r\n/") {
				return nil, fmt.Errorf("line %d: %q is no host", n, current)
			}
			continue
		} else {
			a, why = parseURL(line)
			if a == nil {
				return nil, fmt.Errorf("line %d: %s", n, why)
			}
		}
		if a == nil {
			skipped[why]++
			continue
		}
		if a.host == "" && current != "" {
			a.setHost(current)
		}
		key := a.method + " " + a.host + " " + a.target
		if other := seen[key]; other != nil {
			other.weight++
			continue
		}
		seen[key] = a
		l.asks = append(l.asks, a)
	}
	if err := scanner.Err(); err != nil {
		return nil, err
	}
	if len(l.asks) == 0 {
		return nil, fmt.Errorf("no request is in it")
	}
	for why, n := range skipped {
		l.lost = append(l.lost, fmt.Sprintf("%s: %s", count(n, "line"), why))
	}
	slices.Sort(l.lost)
	l.cut(limit)
	return l, nil
}

// cut keeps the most frequent requests.
func (l *list) cut(limit int) {
	slices.SortStableFunc(l.asks, func(a, b *ask) int { return cmp.Compare(b.weight, a.weight) })
	if len(l.asks) > limit {
		requests := 0
		for _, a := range l.asks[limit:] {
			requests += a.weight
		}
		l.lost = append(l.lost, fmt.Sprintf("%d of %d different requests (%d in all): only the %d most frequent are asked, see -limit",
			len(l.asks)-limit, len(l.asks), requests, limit))
		l.asks = l.asks[:limit]
	}
	for _, a := range l.asks {
		l.kept += a.weight
	}
}

func cutFold(s, prefix string) (string, bool) {
	if len(s) >= len(prefix) && strings.EqualFold(s[:len(prefix)], prefix) {
		return s[len(prefix):], true
	}
	return "", false
}

// parseURL reads "/path", "http://host:port/path", either with GET or HEAD before it.
func parseURL(line string) (a *ask, why string) {
	a = &ask{method: "GET", weight: 1}
	fields := strings.Fields(line)
	if len(fields) == 2 {
		a.method, line = fields[0], fields[1]
	}
	switch {
	case len(fields) > 2:
		return nil, fmt.Sprintf("%q is more than a method and a URL", line)
	case a.method != "GET" && a.method != "HEAD":
		return nil, fmt.Sprintf("method %s: only GET and HEAD can be repeated without changing anything", a.method)
	case strings.HasPrefix(line, "/"):
		a.target = line
		return a, ""
	}
	u, err := url.Parse(line)
	if err != nil || u.Host == "" || u.Scheme != "http" && u.Scheme != "https" {
		return nil, fmt.Sprintf("%q is neither a path nor a URL", line)
	}
	a.setHost(u.Host)
	a.target = "/"
	_, rest, _ := strings.Cut(line, "://")
	if i := strings.IndexAny(rest, "/?"); i >= 0 { // as it was written: what is escaped how may matter
		rest, _, _ = strings.Cut(rest[i:], "#")
		a.target = "/" + strings.TrimPrefix(rest, "/")
	}
	if a.secure = u.Scheme == "https"; a.secure {
		a.failed = "https is not compared"
	}
	if a.port == 0 {
		a.port = 80
	}
	return a, ""
}

// setHost takes a Host field; its port says which server is meant.
func (a *ask) setHost(host string) {
	a.host = host
	if _, port, err := net.SplitHostPort(host); err == nil {
		a.port, _ = strconv.Atoi(port)
	}
}

// parseLogLine reads a line of an access log.
func parseLogLine(line string) (a *ask, why string) {
	m := combined.FindStringSubmatch(line)
	if m == nil {
		return nil, "not in the combined format"
	}
	fields := strings.Fields(m[1])
	if len(fields) != 3 || !strings.HasPrefix(fields[2], "HTTP/") {
		return nil, "no whole request (" + m[2] + ")"
	}
	if fields[0] != "GET" && fields[0] != "HEAD" {
		return nil, "method " + fields[0] + ", which is not to be repeated"
	}
	target := unescapeLog(fields[1])
	if absolute, ok := strings.CutPrefix(target, "http://"); ok {
		_, path, _ := strings.Cut(absolute, "/")
		target = "/" + path
	}
	if target == "" || target[0] != '/' || strings.ContainsAny(target, " \r\n") {
		return nil, "no path"
	}
	return &ask{method: fields[0], target: target, weight: 1}, ""
}

var hexEscape = regexp.MustCompile(`\\x[0-9A-F]{2}`)

// unescapeLog takes back the \xHH of nginx's logs.
func unescapeLog(s string) string {
	return hexEscape.ReplaceAllStringFunc(s, func(e string) string {
		n, _ := strconv.ParseUint(e[2:], 16, 8) // two hex digits
		return string([]byte{byte(n)})
	})
}

// defaultList asks every server of the configuration for "/".
func defaultList(servers []virtual) *list {
	l := &list{}
	seen := map[string]bool{}
	for i := range servers {
		v := &servers[i]
		host := v.usableName()
		if host == "" {
			host = "localhost"
		}
		for _, n := range v.listens {
			if n.ssl || n.unix != "" || seen[host+" "+n.String()] {
				continue
			}
			seen[host+" "+n.String()] = true
			a := &ask{method: "GET", host: host, target: "/", weight: 1, to: n.endpoint, resolved: true}
			if n.port != 80 {
				a.host = net.JoinHostPort(host, strconv.Itoa(n.port))
			}
			l.asks = append(l.asks, a)
			break
		}
	}
	l.kept = len(l.asks)
	return l
}

// resolve finds out which address each request goes to.
func (l *list) resolve(servers []virtual) {
	for _, a := range l.asks {
		if a.failed != "" || a.resolved {
			continue
		}
		a.to, a.failed = addressOf(servers, a.port, a.host)
		a.resolved = a.failed == ""
		if a.host == "" && a.resolved {
			a.host = hostAt(servers, a.to)
		}
	}
}

// hostAt is a name by which the default server of an address can be asked.
func hostAt(servers []virtual, to endpoint) string {
	name, chosen := "", false
	for i := range servers {
		for _, n := range servers[i].listens {
			if n.endpoint == to && (!chosen || n.byDefault) {
				name, chosen = servers[i].usableName(), true
			}
		}
	}
	if name == "" {
		name = "localhost"
	}
	if to.port != 80 {
		name = net.JoinHostPort(name, strconv.Itoa(to.port))
	}
	return name
}

// addressOf finds the listener for a port, 0 for the first of all; one of the very address comes before one of any.
func addressOf(servers []virtual, port int, host string) (best endpoint, why string) {
	name := host
	if h, _, err := net.SplitHostPort(host); err == nil {
		name = h
	}
	rank, secure := 0, false
	for i := range servers {
		for _, n := range servers[i].listens {
			if n.unix != "" || port != 0 && n.port != port {
				continue
			}
			if n.ssl {
				secure = true
				continue
			}
			r := 1
			_, err := netip.ParseAddr(name)
			switch {
			case n.host == name:
				r = 4
			case n.any() && !strings.Contains(n.host, ":"):
				r = 3
			case n.any() || err != nil:
				r = 2
			}
			if r > rank {
				rank, best = r, n.endpoint
			}
		}
	}
	switch {
	case rank > 0:
		return best, ""
	case secure:
		return best, "its port is one of TLS, which is not compared"
	case port == 0:
		return best, "the configuration has no server to ask"
	}
	return best, fmt.Sprintf("no server of the configuration listens on port %d", port)
}
