package server

import (
	"errors"
	"strings"

	"seawall/conf"
	"seawall/engine"
	"seawall/upstream"
)

// proxy_pass with variables: which backends the URL of a request means.

// evalDynamic evaluates the URL and keeps $proxy_host, $proxy_port and the
// URI part. false: it is none, which is logged.
func (r *Request) evalDynamic(h *proxyHandler) (u conf.ProxyURL, ok bool) {
	text := h.dynamic.eval(r)
	u, bad := conf.ParseProxyURL(string(text))
	if bad != "" {
		if !strings.Contains(bad, " in upstream ") {
			bad += " in \"" + string(text) + "\""
		}
		r.logClient(levelError, "%s", bad)
		return u, false
	}
	r.dynamicHost, r.dynamicPort, r.dynamicURI = []byte(u.Host), []byte(u.Port), nil
	if u.HasURI {
		if u.URI[0] == '?' { // "http://host?args"
			u.URI = "/" + u.URI
		}
		r.dynamicURI = escapeControls([]byte(u.URI))
	}
	return u, true
}

// dynamicGroup finds the backends of u: an upstream block, an address that
// the configuration names, or one that u gives itself. What is left is a name,
// to be looked up as the target says.
func (r *Request) dynamicGroup(u *conf.ProxyURL) (*upstream.Group, target) {
	st := r.site
	if block := st.cfg.HTTP.UpstreamByName[strings.ToLower(u.Hostname)]; block == nil || u.Unix != "" {
		name := u.Host
		if u.Unix != "" {
			name = "unix:" + u.Unix
		}
		if g := st.groups[name]; g != nil {
			return g, target{}
		}
	} else if !u.HasPort {
		return st.groups[block.Name], target{}
	}
	switch {
	case u.Unix != "":
		to := target{host: "unix:" + u.Unix}
		return st.resolved.address(to, engine.UnixAddr(u.Unix), r.now()), to
	case u.AddrPort.IsValid():
		to := target{host: u.AddrPort.String()}
		return st.resolved.address(to, engine.TCPAddr(u.AddrPort), r.now()), to
	}
	return nil, target{r.loc.set.Resolver, strings.ToLower(u.Hostname), u.PortNum}
}

// groupWaiter is a request that waits for a lookup. The request may be gone,
// or wait for another one, when the answer comes.
type groupWaiter struct {
	r      *Request
	host   string // what is resolved, for the log
	loop   *loopState
	serial uint64
}

// callDynamic is startCall for a proxy_pass with variables. It goes on with
// callGroup, at once or when the name is resolved.
func (r *Request) callDynamic(h *proxyHandler) {
	u, ok := r.evalDynamic(h)
	if !ok {
		r.callNobody(500)
		return
	}
	group, to := r.dynamicGroup(&u)
	if group != nil {
		r.callGroup(group)
		return
	}
	if to.resolver == nil {
		r.logClient(levelError, "no resolver defined to resolve %s", u.Hostname)
		r.callNobody(502)
		return
	}
	w := &groupWaiter{r: r, host: u.Hostname, loop: r.loop, serial: r.serial}
	timeout := r.loc.set.ResolverTimeout
	if group = r.site.resolved.lookUp(r.loop.l, to, timeout, w); group != nil {
		r.callGroup(group)
		return
	}
	r.resolving = w
	r.body.taken = true // what comes of it meanwhile is collected for the call
	r.handlerState = contentWaiting
	if timeout > 0 {
		r.loop.l.SetTimer(&r.lockTimer, r.now()+int64(timeout), r)
	}
}

// wake goes on with a request when its lookup has ended. On the request's loop.
func (w *groupWaiter) wake(group *upstream.Group, err error) {
	r := w.r
	if r.serial != w.serial || r.resolving != w {
		return // it is over, or has gone on without
	}
	r.stopResolving()
	if err != nil {
		r.logClient(levelError, "%s could not be resolved (%s)", w.host, err)
		r.callNobody(502)
	} else {
		r.callGroup(group)
	}
	r.flushIfIdle()
}

// stopResolving makes the request wait for no lookup any more.
func (r *Request) stopResolving() {
	if r.resolving != nil {
		r.resolving = nil
		r.loop.l.StopTimer(&r.lockTimer)
	}
}

// callNobody answers a request that has no backend to go to; why is logged.
func (r *Request) callNobody(status int) {
	r.ex.abandonFill(errNoGroup)
	r.ex.forget()
	r.settle(r.fail(status, ""))
}

// groupForUpdate finds the backends for a background update. A name that is
// not known is looked up for the next one; this one has to be left out.
func (r *Request) groupForUpdate(h *proxyHandler) *upstream.Group {
	u, ok := r.evalDynamic(h)
	if !ok {
		return nil
	}
	group, to := r.dynamicGroup(&u)
	if group == nil && to.resolver != nil {
		group = r.site.resolved.lookUp(r.loop.l, to, r.loc.set.ResolverTimeout, nil)
	}
	return group
}

var errNoGroup = errors.New("no backend group of that name")
