package server

import (
	"fmt"
	"net/netip"
	"regexp"

	"seawall/cache"
	"seawall/conf"
	"seawall/httpparse"
	"seawall/logs"
	"seawall/upstream"
)

// site is a configuration made ready to serve: virtual servers, locations,
// backends, caches. It is immutable; a reload builds another one and every
// request keeps the one it began with.
type site struct {
	cfg       *conf.Config
	listeners []*listenAddr
	groups    map[string]*upstream.Group
	resolved  *resolved // backends that only requests name
	zones     map[string]*cache.Zone
	sinks     map[*logSink]struct{} // access logs in use
	errorLogs []*logs.ErrorLog      // opened for locations of this site
	active    []int                 // requests that began with it, by loop; each is its loop's own
	serial    uint64                // differs between sites: what was rendered for one is not used for another
	pid       []byte                // $pid
	hostname  []byte                // $hostname
}

// listenAddr is one address that virtual servers listen on.
type listenAddr struct {
	site      *site
	fallback  *vhost // the default server
	names     nameTable
	specifics map[netip.AddrPort]*listenAddr // addresses with servers of their own, behind a wildcard socket
	spec      conf.Listen
}

// vhost is a virtual server.
type vhost struct {
	name      []byte // $server_name
	root      *location
	locations *locationTree
	named     map[string]*location
	limits    httpparse.Limits
	conf      *conf.Server
	headBuf   int // client_header_buffer_size
}

// location is a location block, or the server level outside of all of them.
type location struct {
	kind         conf.LocationKind
	pattern      string
	regex        *regexp.Regexp
	children     *locationTree
	shorter      *location // the next shorter prefix, see locationTree
	set          *conf.Settings
	server       *vhost
	ret          *returnRule
	proxy        *proxyHandler
	limitExcept  *limitExcept
	errorPages   map[int]*errorPage
	addHeaders   []headerRule
	expires      *expiresRule
	accessLogs   []accessLog
	errorLog     *logs.ErrorLog
	serverHeader value // the Server field's value; empty: none
	signature    []byte
	defaultType  []byte
	earlyHints   []value
	limitRate    *value // nil: set.LimitRate.Value
	limitAfter   *value
	// staticHit: no added header of a stored response depends on the
	// request, so that a rendered head may be sent again.
	staticHit bool
}

// redirectsToSlash tells whether a request that lacks only the slash at the
// end of the pattern is redirected: nginx does so for proxied prefixes.
func (l *location) redirectsToSlash() bool {
	n := len(l.pattern)
	return l.proxy != nil && n > 1 && l.pattern[n-1] == '/'
}

// builder makes a site. The first error ends it.
type builder struct {
	cfg      *conf.Config
	site     *site
	prev     *site // the site that a reload replaces, nil at start
	srv      *Server
	captures map[string]struct{} // names of the groups of every regular expression: they are variables
	err      error
}

// fail notes the first error. Without a position it is not the text's: a file
// that cannot be opened.
func (b *builder) fail(pos conf.Pos, format string, args ...any) {
	if b.err == nil {
		b.err = &conf.Error{File: pos.File, Line: pos.Line, Text: fmt.Sprintf(format, args...), Late: pos.File == ""}
	}
}

// buildServers makes the virtual servers and hangs them under their addresses.
func (b *builder) buildServers() {
	type group struct {
		spec    conf.Listen
		servers []namedServer
		def     *vhost
	}
	var order []string
	groups := map[string]*group{}
	for _, cs := range b.cfg.HTTP.Servers {
		v := b.buildServer(cs)
		for _, ln := range cs.Listens {
			key := ln.Network + " " + ln.Addr
			g := groups[key]
			if g == nil {
				g = &group{spec: ln}
				groups[key] = g
				order = append(order, key)
			}
			if ln.DefaultServer || g.def == nil {
				g.def = v
			}
			if ln.DefaultServer {
				g.spec = ln
			}
			g.servers = append(g.servers, namedServer{v, cs.Names})
		}
	}
	byKey := map[string]*listenAddr{}
	for _, key := range order {
		g := groups[key]
		byKey[key] = &listenAddr{site: b.site, fallback: g.def, names: newNameTable(g.servers), spec: g.spec}
	}
	// A wildcard socket takes the connections of every address of its port:
	// the others are told apart by the local address, as in nginx.
	for _, key := range order {
		la := byKey[key]
		if w := byKey[wildcardKey(la.spec)]; w != nil && w != la {
			if w.specifics == nil {
				w.specifics = map[netip.AddrPort]*listenAddr{}
			}
			w.specifics[la.spec.AddrPort] = la
			continue
		}
		b.site.listeners = append(b.site.listeners, la)
	}
}

// wildcardKey names the wildcard address with ln's family and port.
func wildcardKey(ln conf.Listen) string {
	if !ln.AddrPort.IsValid() {
		return ""
	}
	any := netip.IPv4Unspecified()
	if ln.AddrPort.Addr().Is6() {
		any = netip.IPv6Unspecified()
	}
	return ln.Network + " " + netip.AddrPortFrom(any, ln.AddrPort.Port()).String()
}

func (b *builder) buildServer(cs *conf.Server) *vhost {
	large := cs.LargeClientHeaderBuffers
	v := &vhost{
		name:  []byte(displayName(cs.Names[0])),
		conf:  cs,
		named: map[string]*location{},
		limits: httpparse.Limits{
			RequestLine:          int(large.Size),
			Field:                int(large.Size),
			Total:                int(large.Size)*large.Num + int(cs.ClientHeaderBufferSize),
			FirstBuffer:          int(cs.ClientHeaderBufferSize),
			Buffers:              large.Num,
			MaxFields:            cs.MaxHeaders,
			UnderscoresInHeaders: cs.UnderscoresInHeaders,
			IgnoreInvalidHeaders: cs.IgnoreInvalidHeaders,
		},
		headBuf: int(cs.ClientHeaderBufferSize),
	}
	v.root = b.buildLocation(cs.Location, v, nil)
	v.locations = v.root.children
	if v.locations == nil {
		v.locations = newLocationTree(v.root, nil)
	}
	return v
}

// buildLocation makes a location with all that is nested in it.
func (b *builder) buildLocation(cl *conf.Location, v *vhost, parent *location) *location {
	l := &location{
		kind:    cl.Kind,
		pattern: cl.Pattern,
		regex:   cl.Regexp,
		set:     &cl.Settings,
		server:  v,
	}
	b.compileLocation(l, cl)
	var children []*location
	for _, cc := range cl.Locations {
		child := b.buildLocation(cc, v, l)
		if child.kind == conf.Named {
			v.named[child.pattern] = child
			continue
		}
		children = append(children, child)
	}
	if len(children) > 0 {
		l.children = newLocationTree(l, children)
	}
	return l
}

// compileLocation binds all that a location's settings say.
func (b *builder) compileLocation(l *location, cl *conf.Location) {
	s := l.set
	l.defaultType = []byte(s.DefaultType)
	l.ret = b.compileReturn(s.Return)
	l.errorPages = b.compileErrorPages(s.ErrorPages)
	l.addHeaders = b.compileAddHeaders(s.AddHeaders)
	l.expires = b.compileExpires(s.Expires)
	l.accessLogs = b.compileAccessLogs(s.AccessLogs)
	l.errorLog = b.openErrorLog(s.ErrorLogs)
	l.earlyHints = b.compileAll(s.EarlyHints)
	l.limitRate = b.compileSize(s.LimitRate)
	l.limitAfter = b.compileSize(s.LimitRateAfter)
	b.compileTokens(l)
	if s.LimitExcept != nil {
		l.limitExcept = &limitExcept{
			methods:  s.LimitExcept.Methods,
			location: b.buildLocation(s.LimitExcept.Location, l.server, l),
		}
	}
	if s.ProxyPass != nil {
		l.proxy = b.compileProxy(l, cl)
	} else {
		b.checkProxy(s)
	}
	l.staticHit = (l.proxy == nil || l.proxy.rewritesAlike()) && l.expires == nil && l.serverHeader.isStatic() && headersAreStatic(l.addHeaders)
}

// compileSize binds a size that comes from a variable.
func (b *builder) compileSize(s conf.Size) *value {
	if s.Template.IsStatic() {
		return nil
	}
	v := b.compile(s.Template)
	return &v
}

// compileTokens makes the Server field and the line under nginx's own pages.
func (b *builder) compileTokens(l *location) {
	name := productName
	switch t := l.set.ServerTokens; t.Kind {
	case conf.TokensOn:
		name = productName + "/" + Version
	case conf.TokensBuild:
		name = productName + "/" + Version + buildSuffix()
	case conf.TokensText:
		l.serverHeader = b.compile(t.Text)
		l.signature = []byte(productName)
		return
	}
	l.serverHeader = value{static: []byte(name)}
	l.signature = []byte(name)
}

// openErrorLog gives the error log for a list of targets.
func (b *builder) openErrorLog(targets []conf.ErrorLog) *logs.ErrorLog {
	if len(targets) == 0 || sameTargets(targets, b.cfg.Main.ErrorLogs) {
		return b.srv.log
	}
	log, err := openErrorLog(b.srv.log.Registry(), targets)
	if err != nil {
		b.fail(conf.Pos{}, "%v", err)
		return nil
	}
	b.site.errorLogs = append(b.site.errorLogs, log)
	return log
}

func sameTargets(a, b []conf.ErrorLog) bool {
	if len(a) != len(b) {
		return false
	}
	for i := range a {
		if a[i].Path != b[i].Path || a[i].Level != b[i].Level {
			return false
		}
	}
	return true
}
