package conf

import (
	"net/netip"
	"strconv"
	"strings"
)

// ProxyURL is a proxy_pass URL taken apart.
type ProxyURL struct {
	Scheme   string         // "http"
	Unix     string         // path of a unix socket, else ""
	Hostname string         // address without brackets, or name; "" for unix
	AddrPort netip.AddrPort // valid if Hostname is an address
	PortNum  uint16         // 80 if not given; 0 for unix
	HasPort  bool           // a port was given
	Host     string         // $proxy_host: without the port if that is 80
	Port     string         // $proxy_port
	URI      string         // with its query; as written
	HasURI   bool
}

// ParseProxyURL takes a URL of proxy_pass apart. err is nginx's text, "" if there is none. It does not allocate but for
// $proxy_host of an IPv6 address or a port other than 80.
func ParseProxyURL(text string) (u ProxyURL, err string) {
	rest, ok := cutPrefixFold(text, "http://")
	if !ok {
		if _, https := cutPrefixFold(text, "https://"); https {
			return u, "https to backends is not built in yet"
		}
		return u, "invalid URL prefix"
	}
	e, bad := parseEndpoint(rest, false, true, 80)
	if bad != "" {
		return u, bad + " in upstream " + quoted(rest)
	}
	u = ProxyURL{Scheme: "http", URI: e.uri, HasURI: e.hasURI && e.uri != ""}
	if e.unix != "" {
		u.Unix, u.Host = e.unix, "localhost"
		return u, ""
	}
	u.Hostname, u.PortNum, u.HasPort = e.host, e.port, !e.noPort
	if e.addr.IsValid() {
		u.AddrPort = netip.AddrPortFrom(e.addr, e.port)
	}
	u.Host = u.Hostname
	if strings.ContainsRune(u.Host, ':') {
		u.Host = "[" + u.Host + "]"
	}
	u.Port = "80"
	if e.port != 80 {
		u.Port = strconv.Itoa(int(e.port))
		u.Host += ":" + u.Port
	}
	return u, ""
}

// setProxyPass is proxy_pass (ngx_http_proxy_pass).
func setProxyPass(l *level, s *stmt) error {
	t, err := s.template(0)
	if err != nil {
		return err
	}
	pass := &ProxyPass{URL: t, Pos: s.pos}
	l.set().ProxyPass = pass
	if !t.IsStatic() {
		pass.Dynamic = true
		return nil
	}
	u, bad := ParseProxyURL(s.args[0])
	if bad != "" {
		return s.errorf("%s", bad)
	}
	if u.HasURI && (l.loc.Regexp != nil || l.loc.Kind == Named || l.in == InLimitExcept) {
		return s.errorf(`"proxy_pass" cannot have URI part in location given by regular expression, ` +
			`or inside named location, or inside "if" statement, or inside "limit_except" block`)
	}
	pass.Scheme, pass.Host, pass.Port, pass.URI, pass.HasURI = u.Scheme, u.Host, u.Port, u.URI, u.HasURI
	l.b.passes = append(l.b.passes, &pendingPass{pass: pass, url: u, stmt: s})
	return nil
}

// bindPasses finds or makes the upstream of each proxy_pass.
func (b *builder) bindPasses() error {
	h := b.cfg.HTTP
	implicit := make(map[string]*Upstream)
	for _, p := range b.passes {
		if up := h.UpstreamByName[strings.ToLower(p.url.Hostname)]; up != nil && p.url.Unix == "" {
			if p.url.HasPort {
				return p.stmt.errorf(`upstream "%s" may not have port %d`, p.url.Hostname, p.url.PortNum)
			}
			p.pass.Upstream = up
			continue
		}
		server := UpstreamServer{Unix: p.url.Unix, Host: p.url.Hostname, Port: p.url.PortNum, AddrPort: p.url.AddrPort, Pos: p.stmt.pos}
		server.Name = p.url.Host
		if server.Unix != "" {
			server.Name = "unix:" + server.Unix
		}
		server.setDefaults()
		up := implicit[server.Name]
		if up == nil {
			up = &Upstream{Name: server.Name, Implicit: true, Servers: []UpstreamServer{server}, Pos: p.stmt.pos}
			if err := b.upstreamDefaults(up); err != nil {
				return err
			}
			implicit[server.Name] = up
			h.Upstreams = append(h.Upstreams, up)
		}
		p.pass.Upstream = up
	}
	return nil
}
