package server

import (
	"bytes"

	"seawall/conf"
	"seawall/httpparse"
)

// errorPage is one error_page for one status.
type errorPage struct {
	target   value
	override int // -1: the error's status is kept; 0: the target's counts; else this one
}

func (b *builder) compileErrorPages(pages []conf.ErrorPage) map[int]*errorPage {
	if len(pages) == 0 {
		return nil
	}
	m := map[int]*errorPage{}
	for _, p := range pages {
		e := &errorPage{target: b.compile(p.Target), override: p.Override}
		for _, s := range p.Statuses {
			if m[s] == nil { // the first one counts, as in nginx
				m[s] = e
			}
		}
	}
	return m
}

// maxRedirects is how often a request may be redirected internally: nginx's
// NGX_HTTP_MAX_URI_CHANGES.
const maxRedirects = 10

// fail ends the request with an error's page. reason, if any, is logged.
func (r *Request) fail(status int, reason string) verdict {
	if reason != "" {
		r.logClient(levelError, "%s", reason)
	}
	if r.resp.headSent {
		r.client.abort(r)
		return done
	}
	r.resp.begin(status)
	return r.specialResponse(status)
}

// specialResponse answers with what error_page names for code, else with
// nginx's own page. The response's Location, if it has one, is kept.
func (r *Request) specialResponse(code int) verdict {
	switch code {
	case 400, 413, 414, tooLargeHead, 495, 496, 497, 500, 501:
		r.keepalive = false
	}
	if r.loc == nil { // the head could not be read: the default server answers
		r.loc = r.vhost.root
	}
	r.resp.overrides = 0
	if e := r.loc.errorPages[code]; e != nil && !r.errorPage && r.redirects <= maxRedirects {
		if !r.loc.set.RecursiveErrorPages {
			r.errorPage = true
		}
		return r.serveErrorPage(code, e)
	}
	if code == 301 || code == 302 {
		return r.redirectPage(code)
	}
	return r.ownPage(code)
}

// serveErrorPage goes where error_page leads.
func (r *Request) serveErrorPage(code int, e *errorPage) verdict {
	target := e.target.eval(r)
	status := code
	if e.override >= 0 {
		status = e.override
	}
	switch {
	case len(target) > 0 && target[0] == '/':
		r.overrideStatus(status)
		if r.method != httpparse.MethodHead {
			r.method = httpparse.MethodGet
		}
		uri, args := splitArgs(target)
		return r.internalRedirect(uri, args)
	case len(target) > 0 && target[0] == '@':
		r.overrideStatus(status)
		return r.namedLocation(string(target))
	}
	switch status {
	case 301, 302, 303, 307, 308:
	default:
		status = 302
	}
	r.resp.begin(status)
	r.resp.setLocation(target)
	return r.redirectPage(status)
}

// overrideStatus makes status what the response will carry; 0: what the
// target says.
func (r *Request) overrideStatus(status int) {
	r.resp.overrides = status
}

// ownPage answers with nginx's page for code.
func (r *Request) ownPage(code int) verdict {
	r.discardBody()
	if code == 408 || code == clientClosed { // as nginx: closed without an answer
		r.resp.status = code
		r.keepalive = false
		r.client.drop(r)
		return done
	}
	r.resp.status = wireStatus(code)
	r.resp.statusText = nil
	var body []byte
	if code >= 300 {
		body = page(r.loop.scratch[:0], code, r.loc.signature, r.padsPages() && code >= 400)
		r.loop.scratch = keepLarger(r.loop.scratch, body)
	}
	if body != nil {
		r.resp.contentType = []byte("text/html")
	} else {
		r.resp.contentType = nil
	}
	if code == 204 {
		body = nil
	}
	return r.answer(body, false)
}

// padsPages tells whether msie_padding applies to this client.
func (r *Request) padsPages() bool {
	if !r.loc.set.MsiePadding || r.head.Major == 0 {
		return false
	}
	agent := r.header(httpparse.HeaderUserAgent)
	return isMSIE(agent) || bytes.Contains(agent, []byte("Chrome/")) && !bytes.Contains(agent, []byte("Opera")) &&
		!bytes.Contains(agent, []byte("Gecko/"))
}

// internalRedirect starts the request over with another URI.
func (r *Request) internalRedirect(uri, args []byte) verdict {
	r.redirects++
	if r.redirects > maxRedirects {
		r.logClient(levelError, "rewrite or internal redirection cycle while internally redirecting to \"%s\"", uri)
		return r.fail(500, "")
	}
	r.uri, r.args = uri, args
	r.internal = true
	r.redirected = true
	r.captures = nil
	r.phase = phaseServerRewrite
	return next
}

// namedLocation goes on in a named location.
func (r *Request) namedLocation(name string) verdict {
	r.redirects++
	if r.redirects > maxRedirects {
		r.logClient(levelError, "rewrite or internal redirection cycle while redirect to named location \"%s\"", name)
		return r.fail(500, "")
	}
	l := r.vhost.named[name]
	if l == nil {
		r.logClient(levelError, "could not find named location \"%s\"", name)
		return r.fail(500, "")
	}
	r.internal = true
	r.setLocation(l)
	r.phase = phaseLocationRewrite
	return next
}

// splitArgs cuts "path?args".
func splitArgs(target []byte) (uri, args []byte) {
	if i := bytes.IndexByte(target, '?'); i >= 0 {
		return target[:i:i], target[i+1:]
	}
	return target, nil
}

// keepLarger returns whichever of two scratch buffers has more room.
func keepLarger(scratch, used []byte) []byte {
	if cap(used) > cap(scratch) {
		return used
	}
	return scratch
}
