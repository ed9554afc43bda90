package conf

import (
	"fmt"
	"net/netip"
	"os"
	"strconv"
	"strings"
	"time"
)

// endpoint is an address as nginx's ngx_parse_url takes it apart.
type endpoint struct {
	unix    string
	host    string // without brackets; "" for a wildcard
	addr    netip.Addr
	port    uint16
	portEnd uint16 // of a range
	noPort  bool
	uri     string
	hasURI  bool
}

// parseEndpoint takes text apart. A lone number is a port if listen is set. err is nginx's word for what is wrong.
func parseEndpoint(text string, listen, uriPart bool, defaultPort uint16) (e endpoint, err string) {
	if rest, ok := cutPrefixFold(text, "unix:"); ok {
		path := rest
		if uriPart {
			if i := strings.IndexByte(rest, ':'); i >= 0 {
				path, e.uri, e.hasURI = rest[:i], rest[i+1:], true
			}
		}
		switch {
		case path == "":
			return e, "no path in the unix domain socket"
		case len(path) > 107:
			return e, "too long path in the unix domain socket"
		}
		e.unix = path
		return e, ""
	}
	host := text
	if i := strings.IndexAny(host, "/?"); i >= 0 && !strings.HasPrefix(host, "[") || strings.HasPrefix(host, "[") && i > 0 {
		if listen || !uriPart {
			return e, "invalid host"
		}
		host, e.uri, e.hasURI = host[:i], host[i:], true
	}
	var port string
	if rest, ok := strings.CutPrefix(host, "["); ok {
		end := strings.IndexByte(rest, ']')
		if end < 0 {
			return e, "invalid host"
		}
		addr, perr := netip.ParseAddr(rest[:end])
		if perr != nil || !addr.Is6() || addr.Zone() != "" {
			return e, "invalid IPv6 address"
		}
		e.host, e.addr = rest[:end], addr
		after := rest[end+1:]
		switch {
		case after == "":
			e.noPort = true
		case after[0] != ':':
			return e, "invalid host"
		default:
			port = after[1:]
		}
	} else if name, p, ok := strings.Cut(host, ":"); ok {
		e.host, port = name, p
	} else if listen && isPorts(host) {
		e.host, port = "*", host
	} else {
		e.host, e.noPort = host, true
	}
	if e.noPort {
		e.port, e.portEnd = defaultPort, defaultPort
	} else {
		if e.port, e.portEnd, err = parsePort(port, listen); err != "" {
			return e, err
		}
	}
	switch {
	case e.host == "":
		return e, "no host"
	case e.host == "*":
		if !listen {
			return e, "invalid host"
		}
		e.host, e.addr = "", netip.IPv4Unspecified()
	case !e.addr.IsValid() && e.host[0] >= '0' && e.host[0] <= '9':
		if addr, perr := netip.ParseAddr(e.host); perr == nil && addr.Is4() {
			e.addr = addr
		}
	}
	return e, ""
}

func cutPrefixFold(s, prefix string) (string, bool) {
	if len(s) >= len(prefix) && strings.EqualFold(s[:len(prefix)], prefix) {
		return s[len(prefix):], true
	}
	return s, false
}

// isPorts tells whether s is a port or begins a range of ports.
func isPorts(s string) bool {
	first, _, _ := strings.Cut(s, "-")
	_, ok := parseNumber(first)
	return ok
}

func parsePort(s string, ranges bool) (first, last uint16, err string) {
	const invalid = "invalid port"
	a, b, isRange := strings.Cut(s, "-")
	n, ok := parseNumber(a)
	m := n
	if isRange && ok {
		if !ranges {
			return 0, 0, invalid
		}
		if m, ok = parseNumber(b); ok && m < n {
			return 0, 0, "invalid port range"
		}
	}
	if !ok || n < 1 || m > 65535 {
		return 0, 0, invalid
	}
	return uint16(n), uint16(m), ""
}

// defaultListen is what a server without listen listens on: *:80, or *:8000 for who may not bind port 80.
func defaultListen(pos Pos) Listen {
	port := uint16(80)
	if os.Geteuid() != 0 {
		port = 8000
	}
	ln := Listen{Text: fmt.Sprintf("*:%d", port), Pos: pos}
	ln.IPv6Only = true
	ln.setAddr(endpoint{addr: netip.IPv4Unspecified()}, port)
	return ln
}

func (ln *Listen) setAddr(e endpoint, port uint16) {
	ln.Port = port
	switch {
	case e.unix != "":
		ln.Network, ln.Addr, ln.Port = "unix", e.unix, 0
	case !e.addr.IsValid():
		ln.Network, ln.Host = "tcp", strings.ToLower(e.host)
		ln.Addr = ln.Host + ":" + strconv.Itoa(int(port))
	default:
		ln.Network = "tcp4"
		if e.addr.Is6() {
			ln.Network = "tcp6"
		}
		ln.AddrPort = netip.AddrPortFrom(e.addr, port)
		ln.Addr = ln.AddrPort.String()
	}
}

// display is how nginx's messages name the address.
func (ln *Listen) display() string {
	if ln.Network == "unix" {
		return "unix:" + ln.Addr
	}
	return ln.Addr
}

// setListen is listen (ngx_http_core_listen).
func setListen(l *level, s *stmt) error {
	e, bad := parseEndpoint(s.args[0], true, false, 80)
	if bad != "" {
		return s.errorf(`%s in "%s" of the "listen" directive`, bad, s.args[0])
	}
	ln := Listen{Text: s.args[0], Pos: s.pos}
	ln.IPv6Only = true
	given := false // one of the socket's options is
	for _, arg := range s.args[1:] {
		option, err := ln.parameter(s, arg)
		if err != nil {
			return err
		}
		given = given || option
	}
	for port := int(e.port); port <= int(e.portEnd); port++ {
		each := ln
		each.given = given
		each.setAddr(e, uint16(port))
		for _, other := range l.server.Listens {
			if other.Addr == each.Addr && other.Network == each.Network {
				return s.errorf("a duplicate listen %s", each.display())
			}
		}
		l.server.Listens = append(l.server.Listens, each)
	}
	return nil
}

// parameter sets what one parameter says; socket tells whether it is an option of the socket.
func (ln *Listen) parameter(s *stmt, arg string) (socket bool, err error) {
	switch arg {
	case "default_server", "default":
		ln.DefaultServer = true
		return false, nil
	case "bind":
		return true, nil
	case "deferred":
		ln.Deferred = true
		return true, nil
	case "reuseport":
		ln.ReusePort = true
		return true, nil
	case "ssl", "http2", "quic", "proxy_protocol", "multipath":
		return false, s.errorf(`the "%s" parameter of the "listen" directive is not built in yet`, arg)
	}
	name, value, ok := strings.Cut(arg, "=")
	if !ok {
		return false, s.errorf(`invalid parameter "%s"`, arg)
	}
	switch name {
	case "setfib", "accept_filter":
		return true, nil
	case "fastopen":
		n, ok := parseNumber(value)
		if !ok {
			return false, s.errorf(`invalid fastopen "%s"`, arg)
		}
		ln.FastOpen = n
	case "backlog":
		n, ok := parseNumber(value)
		if !ok || n == 0 {
			return false, s.errorf(`invalid backlog "%s"`, arg)
		}
		ln.Backlog = n
	case "rcvbuf", "sndbuf":
		n, ok := parseSize(value, false)
		if !ok || n > 1<<30 {
			return false, s.errorf(`invalid %s "%s"`, name, arg)
		}
		if name == "rcvbuf" {
			ln.RcvBuf = int(n)
		} else {
			ln.SndBuf = int(n)
		}
	case "ipv6only":
		on, ok := parseFlag(value)
		if !strings.HasPrefix(value, "o") {
			return false, s.errorf(`invalid parameter "%s"`, arg)
		}
		if !ok {
			return false, s.errorf(`invalid ipv6only flags "%s"`, value)
		}
		ln.IPv6Only = on
	case "so_keepalive":
		if !ln.KeepAlive.parse(value) {
			return false, s.errorf(`invalid so_keepalive value: "%s"`, value)
		}
	default:
		return false, s.errorf(`invalid parameter "%s"`, arg)
	}
	return true, nil
}

// parse reads on, off, or idle:interval:count with any but not all of them left out.
func (k *SoKeepAlive) parse(value string) bool {
	k.Set, k.On = true, true
	if on, ok := parseFlag(value); ok {
		k.On = on
		return true
	}
	parts := strings.Split(value, ":")
	if len(parts) > 3 || strings.Trim(value, ":") == "" {
		return false
	}
	for i, part := range parts {
		if part == "" {
			continue
		}
		if i == 2 {
			n, ok := parseNumber(part)
			if !ok || n == 0 {
				return false
			}
			k.Count = n
			continue
		}
		d, ok := parseTime(part, true)
		if !ok || d < time.Second {
			return false
		}
		if i == 0 {
			k.Idle = d
		} else {
			k.Interval = d
		}
	}
	return true
}

// joinListens brings together the listens of all servers: one set of socket options and one default server per
// address, and a warning for names that clash.
func (b *builder) joinListens() error {
	type address struct {
		listens   []*Listen
		servers   []*Server // of listens
		options   *Listen
		byDefault *Listen
	}
	addresses := make(map[string]*address)
	var order []*address
	for _, srv := range b.cfg.HTTP.Servers {
		for i := range srv.Listens {
			ln := &srv.Listens[i]
			a := addresses[ln.Network+" "+ln.Addr]
			if a == nil {
				a = new(address)
				addresses[ln.Network+" "+ln.Addr] = a
				order = append(order, a)
			}
			a.listens = append(a.listens, ln)
			a.servers = append(a.servers, srv)
			if ln.given {
				if a.options != nil {
					return errorAt(ln.Pos, "duplicate listen options for %s", ln.display())
				}
				a.options = ln
			}
			if ln.DefaultServer {
				if a.byDefault != nil {
					return errorAt(ln.Pos, "a duplicate default server for %s", ln.display())
				}
				a.byDefault = ln
			}
		}
	}
	for _, a := range order {
		if a.byDefault == nil {
			a.listens[0].DefaultServer = true
		}
		if a.options != nil {
			for _, ln := range a.listens {
				ln.SocketOptions = a.options.SocketOptions
			}
		}
		if len(a.servers) > 1 { // one alone gets every request: nginx then does not look at its names
			if err := b.checkNames(a.listens[0], a.servers); err != nil {
				return err
			}
		}
	}
	return nil
}

// checkNames refuses malformed names and warns of names that clash on an address.
func (b *builder) checkNames(ln *Listen, servers []*Server) error {
	taken := make(map[string]bool)
	for _, srv := range servers {
		for _, name := range srv.Names {
			if !name.valid() {
				return errorAt(srv.Pos, `invalid server name or wildcard "%s" on %s`, name.Text, ln.display())
			}
			for _, key := range name.conflicts() {
				if taken[key] {
					b.warn(Pos{}, `conflicting server name "%s" on %s, ignored`, name.Text, ln.display())
					break
				}
				taken[key] = true
			}
		}
	}
	return nil
}
