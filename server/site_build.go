package server

import (
	"cmp"
	"fmt"
	"maps"
	"net"
	"net/netip"
	"runtime"
	"slices"
	"strings"

	"seawall/cache"
	"seawall/conf"
	"seawall/engine"
	"seawall/logs"
	"seawall/upstream"
)

// build makes the runtime tree of cfg. The error is a *conf.Error.
func (s *Server) build(cfg *conf.Config) (*site, error) {
	s.serial++
	st := &site{cfg: cfg, groups: map[string]*upstream.Group{}, zones: map[string]*cache.Zone{}, serial: s.serial,
		sinks: map[*logSink]struct{}{}, active: make([]int, len(s.loops))}
	st.resolved = newResolved(s)
	st.pid, st.hostname = processVariables()
	b := &builder{cfg: cfg, site: st, prev: s.current.Load(), srv: s, captures: map[string]struct{}{}}
	if cfg.HTTP == nil {
		return st, nil
	}
	for _, cp := range cfg.HTTP.CachePaths {
		b.zone(cp)
	}
	for _, u := range cfg.HTTP.Upstreams {
		b.group(u)
	}
	b.collectCaptures()
	b.checkLogFormats()
	b.buildLocation(cfg.HTTP.Location, nil, nil) // for its errors, should no server inherit them
	b.buildServers()
	if b.err != nil {
		s.discard(st)
		return nil, b.err
	}
	return st, nil
}

// checkLogFormats finds unknown variables in formats, used or not.
func (b *builder) checkLogFormats() {
	byPlace := func(x, y *conf.LogFormat) int {
		return cmp.Or(strings.Compare(x.Pos.File, y.Pos.File), x.Pos.Line-y.Pos.Line)
	}
	for _, f := range slices.SortedFunc(maps.Values(b.cfg.HTTP.LogFormats), byPlace) {
		b.compile(f.Format)
	}
}

// collectCaptures notes the names of all groups before anything refers to them.
func (b *builder) collectCaptures() {
	var walk func(l *conf.Location)
	walk = func(l *conf.Location) {
		namedGroups(b.captures, l.Regexp)
		for _, p := range l.ProxyRedirects {
			namedGroups(b.captures, p.Regexp)
		}
		for _, p := range slices.Concat(l.ProxyCookieDomain, l.ProxyCookiePath) {
			namedGroups(b.captures, p.Regexp)
		}
		for _, c := range l.Locations {
			walk(c)
		}
	}
	walk(b.cfg.HTTP.Location)
	for _, cs := range b.cfg.HTTP.Servers {
		for _, n := range cs.Names {
			namedGroups(b.captures, n.Regexp)
		}
		walk(cs.Location)
	}
}

// zone gives the cache of a proxy_cache_path. One that a reload does not
// change keeps what it holds.
func (b *builder) zone(cp *conf.CachePath) *cache.Zone {
	if z := b.site.zones[cp.Name]; z != nil {
		return z
	}
	var zone *cache.Zone
	if b.prev != nil && b.prev.zoneIs(cp) {
		zone = b.prev.zones[cp.Name]
	} else {
		zone = cache.NewZone(cp.Name, cp.Memory, cp.Inactive)
	}
	b.site.zones[cp.Name] = zone
	return zone
}

// zoneIs tells whether the site has the cache that cp describes.
func (st *site) zoneIs(cp *conf.CachePath) bool {
	if st.cfg.HTTP == nil {
		return false
	}
	was := st.cfg.HTTP.CacheByName[cp.Name]
	return was != nil && was.Memory == cp.Memory && was.Inactive == cp.Inactive
}

// group gives the backends of an upstream block, or of the address in a
// proxy_pass. Health survives a reload by name.
func (b *builder) group(u *conf.Upstream) *upstream.Group {
	if g := b.site.groups[u.Name]; g != nil {
		return g
	}
	cfg := upstream.GroupConfig{
		Name: u.Name, Keepalive: u.Keepalive, KeepaliveRequests: u.KeepaliveRequests,
		KeepaliveTimeout: u.KeepaliveTimeout, KeepaliveTime: u.KeepaliveTime,
		QueueSize: u.QueueSize, QueueTimeout: u.QueueTimeout,
	}
	for i := range u.Servers {
		cfg.Peers = append(cfg.Peers, b.peers(&u.Servers[i])...)
	}
	var prev *upstream.Group
	if b.prev != nil {
		prev = b.prev.groups[u.Name]
	}
	if b.err != nil {
		return nil
	}
	g := upstream.NewGroup(cfg, len(b.srv.loops), prev)
	b.site.groups[u.Name] = g
	return g
}

// peers gives a server of an upstream: one peer for each of its addresses.
func (b *builder) peers(us *conf.UpstreamServer) []upstream.PeerConfig {
	peer := upstream.PeerConfig{
		Weight: us.Weight, MaxFails: us.MaxFails, FailTimeout: us.FailTimeout, MaxConns: us.MaxConns,
		Backup: us.Backup, Down: us.Down,
	}
	if us.Unix != "" {
		peer.Name, peer.Addr = us.Name, engine.UnixAddr(us.Unix)
		return []upstream.PeerConfig{peer}
	}
	if us.AddrPort.IsValid() {
		peer.Name, peer.Addr = us.AddrPort.String(), engine.TCPAddr(us.AddrPort)
		return []upstream.PeerConfig{peer}
	}
	ips, err := net.LookupIP(us.Host)
	if err != nil || len(ips) == 0 {
		b.fail(us.Pos, "host not found in upstream \"%s\"", us.Name)
		return nil
	}
	var peers []upstream.PeerConfig
	for _, ip := range ips {
		addr, _ := netip.AddrFromSlice(ip)
		ap := netip.AddrPortFrom(addr.Unmap(), us.Port)
		peer.Name, peer.Addr = ap.String(), engine.TCPAddr(ap)
		peers = append(peers, peer)
	}
	return peers
}

// openSink gives the access log file at path.
func (s *Server) openSink(path string, buffering logs.Buffering) (*logSink, error) {
	if sink := s.sinks[path]; sink != nil {
		if f, err := s.log.Registry().Open(path, buffering); err == nil {
			f.Release() // opened once more only to take over the buffering
		}
		return sink, nil
	}
	f, err := s.log.Registry().Open(path, buffering)
	if err != nil {
		return nil, err
	}
	sink := &logSink{file: f, slot: s.slots}
	s.slots++
	s.sinks[path] = sink
	return sink, nil
}

// buildSuffix is what `server_tokens build` adds.
func buildSuffix() string { return " (" + runtime.Version() + ")" }

// failNear notes the first error, with the name that was probably meant.
func (b *builder) failNear(pos conf.Pos, near, format string, args ...any) {
	if b.err == nil {
		b.err = &conf.Error{File: pos.File, Line: pos.Line, Text: fmt.Sprintf(format, args...), Near: near}
	}
}
