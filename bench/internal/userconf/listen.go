//go:build linux

package userconf

import (
	"net"
	"os"
	"strconv"
	"strings"
)

// endpoint is where a server of the user's configuration listens: comparable, so that equal addresses are one.
type endpoint struct {
	host string // "*", an address or a name; IPv6 without brackets
	port int
	unix string // path, when it is a socket
}

func (e endpoint) String() string {
	if e.unix != "" {
		return "unix:" + e.unix
	}
	return net.JoinHostPort(e.host, strconv.Itoa(e.port))
}

// any tells whether an endpoint takes connections to all addresses.
func (e endpoint) any() bool { return e.host == "*" || e.host == "0.0.0.0" || e.host == "::" }

const maxRange = 64 // ports of one listen

// parseListen reads the address of a listen directive: a port, a range of ports, an address with or without port, a
// socket. nil: nginx will say what is wrong.
func parseListen(text string) []endpoint {
	if len(text) > 5 && strings.EqualFold(text[:5], "unix:") {
		return []endpoint{{unix: text[5:]}}
	}
	host, port, found := "*", text, true
	switch {
	case strings.HasPrefix(text, "["):
		end := strings.IndexByte(text, ']')
		if end < 0 {
			return nil
		}
		host = text[1:end]
		port, found = strings.CutPrefix(text[end+1:], ":")
	case strings.Contains(text, ":"):
		host, port, _ = strings.Cut(text, ":")
	case strings.Trim(text, "0123456789-") != "":
		host, found = text, false
	}
	switch host {
	case "0.0.0.0":
		host = "*"
	case "localhost": // nginx looks names up: these are one address
		host = "127.0.0.1"
	}
	if !found {
		return []endpoint{{host: strings.ToLower(host), port: 80}}
	}
	first, last, isRange := strings.Cut(port, "-")
	from, err := strconv.Atoi(first)
	if err != nil || from < 1 || from > 65535 {
		return nil
	}
	to := from
	if isRange {
		if to, err = strconv.Atoi(last); err != nil || to < from || to > 65535 || to-from >= maxRange {
			return nil
		}
	}
	var list []endpoint
	for ; from <= to; from++ {
		list = append(list, endpoint{host: strings.ToLower(host), port: from})
	}
	return list
}

// defaultListen is where a server without listen listens.
func defaultListen() endpoint {
	if os.Geteuid() != 0 {
		return endpoint{host: "*", port: 8000}
	}
	return endpoint{host: "*", port: 80}
}

// virtual is one server block of http.
type virtual struct {
	place
	names   []string
	listens []listening
}

// listening is one address of a server.
type listening struct {
	endpoint
	statement *statement // nil: the server has no listen and gets nginx's default
	byDefault bool       // default_server
	ssl       bool
}

// servers are the server blocks of http, in the order of reading. Those of stream and mail are not among them.
func (src *source) servers() []virtual {
	var all []virtual
	src.each(func(p place) bool {
		if p.name() != "server" || !p.isBlock || p.in() != "http" {
			return p.in() != "upstream"
		}
		v := virtual{place: p}
		src.inside(p, func(q place) bool {
			if len(q.around) != len(p.around)+1 {
				return false
			}
			switch q.name() {
			case "server_name":
				for _, w := range q.args() {
					v.names = append(v.names, w.text)
				}
			case "listen":
				for _, e := range parseListen(q.arg(0)) {
					l := listening{endpoint: e, statement: q.statement}
					for _, w := range q.args()[1:] {
						l.byDefault = l.byDefault || w.text == "default_server" || w.text == "default"
						l.ssl = l.ssl || w.text == "ssl" || w.text == "quic"
					}
					v.listens = append(v.listens, l)
				}
			}
			return true
		})
		if len(v.listens) == 0 {
			v.listens = []listening{{endpoint: defaultListen()}}
		}
		all = append(all, v)
		return false
	})
	return all
}

// usableName is a name that the server can be asked by, or "".
func (v *virtual) usableName() string {
	for _, name := range v.names {
		name = strings.TrimPrefix(name, ".")
		if name != "" && name != "_" && !strings.ContainsAny(name, "*~$\"") {
			return name
		}
	}
	return ""
}
