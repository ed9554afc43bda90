package server

import (
	"bytes"
	"path"

	"seawall/conf"
)

// returnRule is the return directive, see
// https://nginx.org/en/docs/http/ngx_http_rewrite_module.html#return.
type returnRule struct {
	code     int
	text     *value         // nil: nginx's own page
	redirect bool           // text is a URL
	ready    []renderedHead // of each loop, by index; nil: not always the same answer of status 200
}

func (b *builder) compileReturn(c *conf.Return) *returnRule {
	if c == nil {
		return nil
	}
	ret := &returnRule{code: c.Code, redirect: c.Redirect}
	if c.Text != nil {
		v := b.compile(*c.Text)
		ret.text = &v
		if v.isStatic() && c.Code == 200 && !c.Redirect {
			ret.ready = make([]renderedHead, len(b.srv.loops))
		}
	}
	return ret
}

// serveReturn answers as the rule says.
func (r *Request) serveReturn(ret *returnRule) verdict {
	if ret.code == closeSilent {
		r.closeSilently()
		return done
	}
	var text []byte
	r.resp.status = ret.code
	if ret.text != nil {
		text = ret.text.eval(r)
	}
	switch {
	case ret.redirect || isRedirect(ret.code):
		return r.redirect(ret.code, text)
	case ret.code >= 400 && len(text) == 0:
		return r.fail(ret.code, "")
	}
	r.discardBody()
	kind := r.contentTypeFor(r.uri)
	if ret.ready != nil && r.takesRendered() && !r.body.present() {
		ready := &ret.ready[r.loop.index]
		if ready.fits(r) && bytes.Equal(ready.contentType, kind) {
			r.sendReady(ready, ret.code)
			r.client.sendBody(r, text, false)
			r.endResponse()
			return done
		}
		ready.contentType = kind
		r.rendering = ready
	}
	r.resp.begin(ret.code)
	if r.resp.contentType == nil {
		r.resp.contentType = kind
	}
	return r.answer(text, false)
}

// redirect answers with a Location and nginx's page for the code. An
// error_page for the code applies.
func (r *Request) redirect(code int, target []byte) verdict {
	r.resp.begin(code)
	r.resp.setLocation(target)
	return r.specialResponse(code)
}

// contentTypeFor gives the media type for the extension of uri, as `types`
// and default_type say.
func (r *Request) contentTypeFor(uri []byte) []byte {
	types := r.loc.set.Types
	if i := bytes.LastIndexByte(uri, '.'); i >= 0 && len(types) > 0 && bytes.IndexByte(uri[i:], '/') < 0 {
		ext := path.Ext(string(uri))
		if t, ok := types[string(bytes.ToLower([]byte(ext[1:])))]; ok {
			return []byte(t)
		}
	}
	return r.loc.defaultType
}

// isRedirect tells whether a return with this code gives a Location even
// without a text.
func isRedirect(code int) bool {
	switch code {
	case 301, 302, 303, 307, 308:
		return true
	}
	return false
}
