package conf

import (
	"net/netip"
	"strings"
	"time"
)

// upstreamRows is ngx_http_upstream_module, https://nginx.org/en/docs/http/ngx_http_upstream_module.html.
func upstreamRows() []Row {
	return []Row{
		{Name: "keepalive", In: InUpstream, Args: take12, Syntax: "connections [local]", Default: "32 local",
			Doc: "The number of idle connections to the group each loop keeps, 0: none.",
			set: setKeepalive},
		{Name: "keepalive_requests", In: InUpstream, Args: Take1, Syntax: "number", Default: "1000",
			Doc: "The number of requests on one connection.",
			set: setNumber(func(l *level) *int { return &l.up.KeepaliveRequests })},
		{Name: "keepalive_time", In: InUpstream, Args: Take1, Syntax: "time", Default: "1h",
			Doc: "The time a connection may be used for.",
			set: setTime(func(l *level) *time.Duration { return &l.up.KeepaliveTime })},
		{Name: "keepalive_timeout", In: InUpstream, Args: Take1, Syntax: "timeout", Default: "60s",
			Doc: "How long an idle connection is kept.",
			set: setTime(func(l *level) *time.Duration { return &l.up.KeepaliveTimeout })},
		{Name: "queue", In: InUpstream, Args: take12, Syntax: "number [timeout=time]",
			Doc: "How many requests may wait while every server is at max_conns, and how long (60s); beyond: 502.",
			set: setQueue},
		{Name: "server", In: InUpstream, Args: More1, multi: true,
			Syntax: "address[:port] | unix:path [weight=number] [max_conns=number] [max_fails=number] [fail_timeout=time] [backup] [down]",
			Doc:    "A server of the group; requests go round by weight.",
			set:    setUpstreamServer},
		{Name: "upstream", In: InHTTP, Args: Block | Take1, Syntax: "name { ... }",
			Doc: "A group of servers for proxy_pass."},
		{Name: "zone", In: InUpstream, Args: take12, Syntax: "name [size]", NoEffect: true,
			Doc: "All loops share the group's state anyway.", set: anyValue},
	}
}

// upstreamBlock builds an upstream (ngx_http_upstream).
func (l *level) upstreamBlock(s *stmt) error {
	key := strings.ToLower(s.args[0])
	if l.http.UpstreamByName[key] != nil {
		return s.errorf(`duplicate upstream "%s"`, s.args[0])
	}
	up := &Upstream{Name: s.args[0], Pos: s.pos}
	in := &level{b: l.b, in: InUpstream, parent: l, up: up}
	if err := in.applyDefaults(InUpstream); err != nil {
		return err
	}
	if err := in.simple(s.block); err != nil {
		return err
	}
	if len(up.Servers) == 0 {
		return errorAt(s.end, "no servers are inside upstream")
	}
	primary := false
	for _, server := range up.Servers {
		primary = primary || !server.Backup
	}
	if !primary {
		return s.errorf(`no servers in upstream "%s"`, up.Name)
	}
	l.http.UpstreamByName[key] = up
	l.http.Upstreams = append(l.http.Upstreams, up)
	return nil
}

// upstreamDefaults sets what a group without a block has.
func (b *builder) upstreamDefaults(up *Upstream) error {
	l := &level{b: b, in: InUpstream, up: up}
	return l.applyDefaults(InUpstream)
}

func setKeepalive(l *level, s *stmt) error {
	n, ok := parseNumber(s.args[0])
	if !ok {
		return s.errorf(`invalid value "%s" in "%s" directive`, s.args[0], s.name)
	}
	l.up.Keepalive, l.up.KeepaliveLocal = n, false
	if len(s.args) == 2 {
		if s.args[1] != "local" {
			return s.errorf(`invalid parameter "%s"`, s.args[1])
		}
		l.up.KeepaliveLocal = true
	}
	return nil
}

// setQueue is queue (https://nginx.org/en/docs/http/ngx_http_upstream_module.html#queue).
func setQueue(l *level, s *stmt) error {
	n, ok := parseNumber(s.args[0])
	if !ok || n == 0 {
		return s.errorf(`invalid value "%s" in "%s" directive`, s.args[0], s.name)
	}
	l.up.QueueSize, l.up.QueueTimeout = n, time.Minute
	if len(s.args) == 1 {
		return nil
	}
	text, ok := strings.CutPrefix(s.args[1], "timeout=")
	if !ok {
		return s.errorf(`invalid parameter "%s"`, s.args[1])
	}
	timeout, ok := parseTime(text, false)
	if !ok {
		return s.errorf(`invalid value "%s"`, s.args[1])
	}
	l.up.QueueTimeout = timeout
	return nil
}

func (u *UpstreamServer) setDefaults() {
	u.Weight, u.MaxFails, u.FailTimeout = 1, 1, 10*time.Second
}

// setUpstreamServer is server in an upstream (ngx_http_upstream_server).
func setUpstreamServer(l *level, s *stmt) error {
	u := UpstreamServer{Name: s.args[0], Pos: s.pos}
	u.setDefaults()
	for _, arg := range s.args[1:] {
		if !u.parameter(arg) {
			return s.errorf(`invalid parameter "%s"`, arg)
		}
	}
	e, bad := parseEndpoint(s.args[0], false, false, 80)
	if bad != "" {
		return s.errorf(`%s in upstream "%s"`, bad, s.args[0])
	}
	u.Unix, u.Host, u.Port = e.unix, e.host, e.port
	if e.unix != "" {
		u.Port = 0
	}
	if e.addr.IsValid() {
		u.AddrPort = netip.AddrPortFrom(e.addr, e.port)
	}
	l.up.Servers = append(l.up.Servers, u)
	return nil
}

func (u *UpstreamServer) parameter(arg string) bool {
	switch arg {
	case "backup":
		u.Backup = true
		return true
	case "down":
		u.Down = true
		return true
	}
	name, value, ok := strings.Cut(arg, "=")
	if !ok {
		return false
	}
	switch name {
	case "weight":
		u.Weight, ok = parseNumber(value)
		return ok && u.Weight > 0
	case "max_conns":
		u.MaxConns, ok = parseNumber(value)
	case "max_fails":
		u.MaxFails, ok = parseNumber(value)
	case "fail_timeout":
		u.FailTimeout, ok = parseTime(value, true)
	default:
		return false
	}
	return ok
}
