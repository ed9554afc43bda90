package server

import (
	"bytes"
	"regexp"

	"seawall/conf"
	"seawall/httpparse"
)

// redirectRule is one proxy_redirect: the start of a Location that equals
// from, or what re matches, becomes to.
// (https://nginx.org/en/docs/http/ngx_http_proxy_module.html#proxy_redirect)
type redirectRule struct {
	from value
	re   *regexp.Regexp
	to   rewriteValue
}

// rewriteValue is a replacement that may refer to the groups of the regular
// expression that matched.
type rewriteValue struct{ value }

func (b *builder) compileRedirects(rs []conf.ProxyRedirect) []redirectRule {
	var rules []redirectRule
	for _, p := range rs {
		rules = append(rules, redirectRule{b.compile(p.From), p.Regexp, rewriteValue{b.compile(p.To)}})
	}
	return rules
}

// expand evaluates the replacement with re's groups in subject as $1 and so on.
func (v *rewriteValue) expand(r *Request, re *regexp.Regexp, groups []int, subject []byte) []byte {
	if re == nil {
		return v.eval(r)
	}
	keptRe, kept, keptIn := r.capturesOf, r.captures, r.captured
	r.capturesOf, r.captures, r.captured = re, groups, subject
	out := v.eval(r)
	r.capturesOf, r.captures, r.captured = keptRe, kept, keptIn
	return out
}

// rewriteLocation applies the first rule that fits to a Location (prefix 0)
// or to the URL within a Refresh that begins at byte prefix.
func (r *Request) rewriteLocation(v []byte, prefix int) (out []byte, rewritten bool) {
	rules := r.loc.proxy.redirects
	url := v[prefix:]
	for i := range rules {
		rule := &rules[i]
		var rest []byte
		var to []byte
		if rule.re != nil {
			groups := rule.re.FindSubmatchIndex(url)
			if groups == nil {
				continue
			}
			to = rule.to.expand(r, rule.re, groups, url)
		} else {
			from := rule.from.eval(r)
			if !bytes.HasPrefix(url, from) {
				continue
			}
			rest = url[len(from):]
			to = rule.to.expand(r, nil, nil, nil)
		}
		out = make([]byte, 0, prefix+len(to)+len(rest))
		return append(append(append(out, v[:prefix]...), to...), rest...), true
	}
	return v, false
}

// rewritesAlike tells whether what a stored response's fields are rewritten to
// is the same for every request.
func (h *proxyHandler) rewritesAlike() bool {
	for i := range h.redirects {
		if rule := &h.redirects[i]; !rule.from.isStatic() || !rule.to.isStatic() {
			return false
		}
	}
	return h.cookies == nil
}

// rewriteRefresh applies the rules to the URL of a Refresh field.
func (r *Request) rewriteRefresh(v []byte) []byte {
	at := bytes.Index(bytes.ToLower(v), []byte("url="))
	if at < 0 {
		return v
	}
	v, _ = r.rewriteLocation(v, at+4)
	return v
}

// cookieRules are proxy_cookie_domain, proxy_cookie_path and proxy_cookie_flags.
type cookieRules struct {
	domains, paths []cookieRule
	flags          []cookieFlags
}

type cookieRule struct {
	from value
	re   *regexp.Regexp
	to   rewriteValue
}

type cookieFlags struct {
	name  value
	re    *regexp.Regexp
	flags []value
}

func (b *builder) compileCookies(s *conf.Settings) *cookieRules {
	if len(s.ProxyCookieDomain)+len(s.ProxyCookiePath)+len(s.ProxyCookieFlags) == 0 {
		return nil
	}
	c := &cookieRules{}
	for _, p := range s.ProxyCookieDomain {
		c.domains = append(c.domains, cookieRule{b.compile(p.From), p.Regexp, rewriteValue{b.compile(p.To)}})
	}
	for _, p := range s.ProxyCookiePath {
		c.paths = append(c.paths, cookieRule{b.compile(p.From), p.Regexp, rewriteValue{b.compile(p.To)}})
	}
	for _, p := range s.ProxyCookieFlags {
		c.flags = append(c.flags, cookieFlags{b.compile(p.Name), p.Regexp, b.compileAll(p.Flags)})
	}
	return c
}

// rewriteCookie applies the rules to a Set-Cookie value.
func (r *Request) rewriteCookie(v []byte) []byte {
	c := r.loc.proxy.cookies
	attrs := bytes.Split(v, []byte(";"))
	changed := false
	for i := 1; i < len(attrs); i++ {
		name, val, ok := bytes.Cut(attrs[i], []byte("="))
		if !ok {
			continue
		}
		trimmed := bytes.TrimLeft(name, " \t")
		var to []byte
		var hit bool
		switch {
		case httpparse.EqualFold(trimmed, []byte("domain")):
			to, hit = r.rewriteCookieDomain(c.domains, val)
		case httpparse.EqualFold(trimmed, []byte("path")):
			to, hit = r.rewriteCookiePath(c.paths, val)
		}
		if hit {
			attrs[i] = append(append(append([]byte(nil), name...), '='), to...)
			changed = true
		}
	}
	if flagged, ok := r.flagCookie(c, attrs); ok {
		attrs, changed = flagged, true
	}
	if !changed {
		return v
	}
	return bytes.Join(attrs, []byte(";"))
}

func (r *Request) rewriteCookieDomain(rules []cookieRule, val []byte) ([]byte, bool) {
	for i := range rules {
		rule := &rules[i]
		dotless := bytes.TrimPrefix(val, []byte("."))
		if rule.re != nil {
			if groups := rule.re.FindSubmatchIndex(dotless); groups != nil {
				return rule.to.expand(r, rule.re, groups, dotless), true
			}
			continue
		}
		from := bytes.TrimPrefix(rule.from.eval(r), []byte("."))
		if httpparse.EqualFold(dotless, from) {
			to := bytes.TrimPrefix(rule.to.expand(r, nil, nil, nil), []byte("."))
			if len(dotless) < len(val) { // the value's own dot stays
				to = append([]byte("."), to...)
			}
			return to, true
		}
	}
	return nil, false
}

func (r *Request) rewriteCookiePath(rules []cookieRule, val []byte) ([]byte, bool) {
	for i := range rules {
		rule := &rules[i]
		if rule.re != nil {
			if groups := rule.re.FindSubmatchIndex(val); groups != nil {
				return rule.to.expand(r, rule.re, groups, val), true
			}
			continue
		}
		if from := rule.from.eval(r); bytes.HasPrefix(val, from) {
			return append(append([]byte(nil), rule.to.expand(r, nil, nil, nil)...), val[len(from):]...), true
		}
	}
	return nil, false
}

// flagCookie applies the first proxy_cookie_flags that names the cookie.
func (r *Request) flagCookie(c *cookieRules, attrs [][]byte) ([][]byte, bool) {
	name, _, _ := bytes.Cut(attrs[0], []byte("="))
	name = bytes.TrimSpace(name)
	for i := range c.flags {
		rule := &c.flags[i]
		if rule.re != nil && !rule.re.Match(name) || rule.re == nil && !httpparse.EqualFold(rule.name.eval(r), name) {
			continue
		}
		set := make([]string, len(rule.flags))
		for j := range rule.flags {
			set[j] = string(rule.flags[j].eval(r))
		}
		attrs = applyCookieFlags(attrs, set)
		return attrs, true
	}
	return attrs, false
}

// applyCookieFlags removes the attributes that the flags concern, and appends
// those that they set, in nginx's order.
func applyCookieFlags(attrs [][]byte, flags []string) [][]byte {
	for _, kind := range []struct {
		name string
		text map[string]string // what a flag appends; "": nothing
	}{
		{"Secure", map[string]string{"secure": " Secure", "nosecure": ""}},
		{"HttpOnly", map[string]string{"httponly": " HttpOnly", "nohttponly": ""}},
		{"SameSite", map[string]string{"samesite=strict": " SameSite=Strict", "samesite=lax": " SameSite=Lax",
			"samesite=none": " SameSite=None", "nosamesite": ""}},
	} {
		for _, flag := range flags {
			text, concerns := kind.text[flag]
			if !concerns {
				continue
			}
			attrs = withoutAttribute(attrs, kind.name)
			if text != "" {
				attrs = append(attrs, []byte(text))
			}
		}
	}
	return attrs
}

func withoutAttribute(attrs [][]byte, name string) [][]byte {
	kept := attrs[:1:1]
	for _, a := range attrs[1:] {
		n, _, _ := bytes.Cut(bytes.TrimSpace(a), []byte("="))
		if !httpparse.EqualFold(n, []byte(name)) {
			kept = append(kept, a)
		}
	}
	return kept
}
