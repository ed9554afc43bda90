package conf

import (
	"net/netip"
	"strings"
)

func setNames(field func(*level) *[]string) setter {
	return func(l *level, s *stmt) error {
		list := field(l)
		if l.first(s.name) {
			*list = nil
		}
		*list = append(*list, s.args[0])
		return nil
	}
}

func setProxyHeader(l *level, s *stmt) error {
	set := l.set()
	if l.first(s.name) {
		set.ProxySetHeaders = nil
	}
	value, err := s.template(1)
	set.ProxySetHeaders = append(set.ProxySetHeaders, HeaderTemplate{Name: s.args[0], Value: value})
	return err
}

func setProxyHTTPVersion(l *level, s *stmt) error {
	switch s.args[0] {
	case "1.0":
		l.set().ProxyHttpVersion = 10
	case "1.1":
		l.set().ProxyHttpVersion = 11
	case "2":
		return s.errorf(`HTTP/2 to backends is not built in yet`)
	default:
		return s.errorf(`invalid value "%s"`, s.args[0])
	}
	return nil
}

// setProxyBind is proxy_bind (ngx_http_upstream_bind_set_slot).
func setProxyBind(l *level, s *stmt) error {
	transparent := false
	if len(s.args) == 2 {
		if s.args[1] != "transparent" {
			return s.errorf(`invalid parameter "%s"`, s.args[1])
		}
		transparent = true
	}
	if s.args[0] == "off" {
		l.set().ProxyBind = nil
		return nil
	}
	t, err := s.template(0)
	if err != nil {
		return err
	}
	bind := &ProxyBind{Addr: t, Transparent: transparent}
	if t.IsStatic() {
		addr, ok := ParseAddrPort(s.args[0])
		if !ok {
			return s.errorf(`invalid address "%s"`, s.args[0])
		}
		bind.AddrPort = addr
	}
	l.set().ProxyBind = bind
	return nil
}

// ParseAddrPort reads an address with or without a port (0 without), as proxy_bind has it.
func ParseAddrPort(text string) (netip.AddrPort, bool) {
	if addr, err := netip.ParseAddr(text); err == nil {
		return netip.AddrPortFrom(addr, 0), addr.Zone() == ""
	}
	if inner, ok := strings.CutPrefix(text, "["); ok && strings.HasSuffix(inner, "]") {
		addr, err := netip.ParseAddr(inner[:len(inner)-1])
		return netip.AddrPortFrom(addr, 0), err == nil && addr.Is6()
	}
	addr, err := netip.ParseAddrPort(text)
	return addr, err == nil
}

// pattern is the first argument of a rewriting: a text, or a regular expression behind ~ or ~*.
func (s *stmt) pattern(i int) (r ProxyRedirect, err error) {
	r.Pos = s.pos
	if expr, ok := strings.CutPrefix(s.args[i], "~"); ok {
		expr, fold := strings.CutPrefix(expr, "*")
		r.Regexp, err = compile(s, expr, fold)
		return r, err
	}
	r.From, err = s.template(i)
	return r, err
}

// setProxyRedirect is proxy_redirect (ngx_http_proxy_redirect).
func setProxyRedirect(l *level, s *stmt) error {
	set := l.set()
	if l.first(s.name) {
		set.ProxyRedirects, set.redirectOff = nil, false
	}
	switch {
	case set.redirectOff:
		return s.wrong("is duplicate")
	case len(s.args) == 1 && s.args[0] == "off":
		if len(set.ProxyRedirects) > 0 {
			return s.wrong("is duplicate")
		}
		set.redirectOff = true
		return nil
	case len(s.args) == 1 && s.args[0] == "default":
		r, err := l.defaultRedirect(s)
		set.ProxyRedirects = append(set.ProxyRedirects, r)
		return err
	case len(s.args) == 1:
		return s.errorf(`invalid parameter "%s"`, s.args[0])
	}
	r, err := s.pattern(0)
	if err != nil {
		return err
	}
	if r.To, err = s.template(1); err != nil {
		return err
	}
	set.ProxyRedirects = append(set.ProxyRedirects, r)
	return nil
}

// defaultRedirect is what "default" stands for: from where the location's proxy_pass leads to where the location is.
func (l *level) defaultRedirect(s *stmt) (ProxyRedirect, error) {
	pass := l.set().ProxyPass
	switch {
	case pass != nil && pass.Dynamic:
		return ProxyRedirect{}, s.errorf(`"proxy_redirect default" cannot be used with "proxy_pass" directive with variables`)
	case pass == nil || !l.has("proxy_pass"):
		return ProxyRedirect{}, s.errorf(`"proxy_redirect default" should be placed after the "proxy_pass" directive`)
	}
	return spellDefault(pass, l.loc, s.pos), nil
}

func spellDefault(pass *ProxyPass, loc *Location, pos Pos) ProxyRedirect {
	if loc.Kind == Level { // limit_except
		loc = loc.Parent
	}
	if pass.HasURI {
		return ProxyRedirect{From: literal(pass.URL.Source, pos), To: literal(loc.Pattern, pos), Pos: pos}
	}
	return ProxyRedirect{From: literal(pass.URL.Source+"/", pos), To: literal("/", pos), Pos: pos}
}

// setCookieRewrite is proxy_cookie_domain and proxy_cookie_path.
func setCookieRewrite(field func(*level) *[]CookieRewrite, domain bool) setter {
	return func(l *level, s *stmt) error {
		list := field(l)
		if l.first(s.name) {
			*list = nil
		} else if len(l.given[s.name][0].args) == 1 || len(s.args) == 1 { // off goes with nothing else
			return s.wrong("is duplicate")
		}
		if len(s.args) == 1 {
			if s.args[0] != "off" {
				return s.errorf(`invalid parameter "%s"`, s.args[0])
			}
			return nil
		}
		var r CookieRewrite
		if expr, ok := strings.CutPrefix(s.args[0], "~"); ok && domain {
			// A domain is compared without regard to case: there is no ~* for it.
			re, err := compile(s, expr, true)
			if err != nil {
				return err
			}
			r.Regexp, r.Pos = re, s.pos
		} else {
			p, err := s.pattern(0)
			if err != nil {
				return err
			}
			if domain {
				p.From = p.From.withoutDot()
			}
			r = CookieRewrite{From: p.From, Regexp: p.Regexp, Pos: p.Pos}
		}
		to, err := s.template(1)
		if err != nil {
			return err
		}
		if domain && r.Regexp == nil {
			to = to.withoutDot()
		}
		r.To = to
		*list = append(*list, r)
		return nil
	}
}

// withoutDot drops a dot at the start: cookies' domains are compared without.
func (t Template) withoutDot() Template {
	if len(t.Parts) == 0 || !strings.HasPrefix(t.Parts[0].Literal, ".") {
		return t
	}
	parts := append([]Part(nil), t.Parts...)
	if parts[0].Literal = parts[0].Literal[1:]; parts[0].Literal == "" {
		parts = parts[1:]
	}
	t.Parts = parts
	return t
}

// setCookieFlags is proxy_cookie_flags (ngx_http_proxy_cookie_flags).
func setCookieFlags(l *level, s *stmt) error {
	set := l.set()
	if l.first(s.name) {
		set.ProxyCookieFlags = nil
	} else if len(l.given[s.name][0].args) == 1 || len(s.args) == 1 {
		return s.wrong("is duplicate")
	}
	if len(s.args) == 1 {
		if s.args[0] != "off" {
			return s.errorf(`invalid parameter "%s"`, s.args[0])
		}
		return nil
	}
	var c CookieFlags
	if expr, ok := strings.CutPrefix(s.args[0], "~"); ok {
		re, err := compile(s, expr, true) // nginx: without regard to case
		if err != nil {
			return err
		}
		c.Regexp = re
	} else {
		name, err := s.template(0)
		if err != nil {
			return err
		}
		c.Name = name
	}
	flags, err := s.templates()
	if err != nil {
		return err
	}
	c.Flags = flags[1:]
	set.ProxyCookieFlags = append(set.ProxyCookieFlags, c)
	return nil
}

// mergeProxy works out what depends on several settings, as ngx_http_proxy_merge_loc_conf does.
func (l *level) mergeProxy(block *stmt) error {
	set := l.set()
	larger := max(set.ProxyBufferSize, set.ProxyBuffers.Size)
	orDefault := func(given, otherwise int64) int64 {
		if given < 0 {
			return otherwise
		}
		return given
	}
	set.ProxyBusyBuffersSize = orDefault(set.busyBuffersSize, 2*larger)
	set.ProxyTempFileWriteSize = orDefault(set.tempFileWriteSize, 2*larger)
	set.ProxyMaxTempFileSize = orDefault(set.maxTempFileSize, 1024<<20)

	const than = `the maximum of the value of "proxy_buffer_size" and one of the "proxy_buffers"`
	what := ""
	switch {
	case set.ProxyBuffers.Num < 2:
		what = `there must be at least 2 "proxy_buffers"`
	case set.ProxyBusyBuffersSize < larger:
		what = `"proxy_busy_buffers_size" must be equal to or greater than ` + than
	case set.ProxyBusyBuffersSize > int64(set.ProxyBuffers.Num-1)*set.ProxyBuffers.Size:
		what = `"proxy_busy_buffers_size" must be less than the size of all "proxy_buffers" minus one buffer`
	case set.ProxyTempFileWriteSize < larger:
		what = `"proxy_temp_file_write_size" must be equal to or greater than ` + than
	case set.ProxyMaxTempFileSize != 0 && set.ProxyMaxTempFileSize < larger:
		what = `"proxy_max_temp_file_size" must be equal to zero to disable temporary files usage or must be equal to or greater than ` + than
	}
	if what != "" {
		pos := l.where(block.pos, "proxy_busy_buffers_size", "proxy_temp_file_write_size", "proxy_max_temp_file_size",
			"proxy_buffers", "proxy_buffer_size")
		return errorAt(pos, "%s", what)
	}
	switch pass := set.ProxyPass; {
	case set.redirectOff:
		set.ProxyRedirects = nil
	case set.ProxyRedirects == nil && pass != nil && !pass.Dynamic:
		set.ProxyRedirects = []ProxyRedirect{spellDefault(pass, l.loc, pass.Pos)}
	}
	return nil
}
