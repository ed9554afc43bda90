package conf

import (
	"net/netip"
	"strings"
)

// setErrorPage is error_page (ngx_http_core_error_page).
func setErrorPage(l *level, s *stmt) error {
	set := l.set()
	if l.first(s.name) {
		set.ErrorPages = nil
	}
	last := len(s.args) - 1
	page := ErrorPage{Override: -1, Pos: s.pos}
	codes := s.args[:last]
	if over, ok := strings.CutPrefix(codes[last-1], "="); ok {
		if last == 1 {
			return s.errorf(`invalid value "%s"`, codes[0])
		}
		page.Override = 0
		if over != "" {
			n, ok := parseNumber(over)
			if !ok {
				return s.errorf(`invalid value "%s"`, codes[last-1])
			}
			page.Override = n
		}
		codes = codes[:last-1]
	}
	for _, code := range codes {
		n, ok := parseNumber(code)
		if !ok || n == 499 {
			return s.errorf(`invalid value "%s"`, code)
		}
		if n < 300 || n > 599 {
			return s.errorf(`value "%s" must be between 300 and 599`, code)
		}
		page.Statuses = append(page.Statuses, n)
	}
	target, err := s.template(last)
	if err != nil {
		return err
	}
	page.Target = target
	switch {
	case strings.HasPrefix(s.args[last], "@"):
		page.Kind = ErrorNamed
	case !strings.HasPrefix(s.args[last], "/") && target.IsStatic():
		page.Kind = ErrorRedirect
	}
	set.ErrorPages = append(set.ErrorPages, page)
	return nil
}

// setKeepaliveTimeout is keepalive_timeout (ngx_http_core_keepalive).
func setKeepaliveTimeout(l *level, s *stmt) error {
	d, ok := parseTime(s.args[0], false)
	if !ok {
		return s.wrong("invalid value")
	}
	l.set().KeepaliveTimeout, l.set().KeepaliveHeader = d, 0
	if len(s.args) > 1 {
		if l.set().KeepaliveHeader, ok = parseTime(s.args[1], true); !ok {
			return s.wrong("invalid value")
		}
	}
	return nil
}

// setServerTokens is server_tokens; a text of one's own is what nginx sells in its commercial edition.
func setServerTokens(l *level, s *stmt) error {
	t := &l.set().ServerTokens
	switch s.args[0] {
	case "off":
		*t = ServerTokens{Kind: TokensOff}
	case "on":
		*t = ServerTokens{Kind: TokensOn}
	case "build":
		*t = ServerTokens{Kind: TokensBuild}
	default:
		text, err := s.template(0)
		if err != nil {
			return err
		}
		*t = ServerTokens{Kind: TokensText, Text: text}
	}
	return nil
}

// setResolver is resolver (ngx_resolver_create).
func setResolver(l *level, s *stmt) error {
	r := &Resolver{IPv4: true, IPv6: true, Pos: s.pos}
	for _, arg := range s.args {
		name, value, _ := strings.Cut(arg, "=")
		switch name + "=" {
		case "valid=":
			d, ok := parseTime(value, true)
			if !ok {
				return s.errorf(`invalid parameter: %s`, arg)
			}
			r.Valid = d
			continue
		case "ipv4=", "ipv6=":
			on, ok := parseFlag(value)
			if !ok {
				return s.errorf(`invalid parameter: %s`, arg)
			}
			if name == "ipv4" {
				r.IPv4 = on
			} else {
				r.IPv6 = on
			}
			continue
		case "status_zone=":
			continue
		}
		e, bad := parseEndpoint(arg, false, false, 53)
		if bad != "" {
			return s.errorf(`%s in resolver "%s"`, bad, arg)
		}
		addr := ResolverAddr{Host: e.host, Port: e.port}
		if e.addr.IsValid() {
			addr.AddrPort = netip.AddrPortFrom(e.addr, e.port)
		}
		r.Addrs = append(r.Addrs, addr)
	}
	if !r.IPv4 && !r.IPv6 {
		return s.errorf(`"ipv4" and "ipv6" cannot both be "off"`)
	}
	if len(r.Addrs) == 0 {
		return s.errorf(`no name servers defined`)
	}
	l.set().Resolver = r
	return nil
}

// accessRows is ngx_http_access_module, https://nginx.org/en/docs/http/ngx_http_access_module.html.
func accessRows() []Row {
	const syntax = "address | CIDR | unix: | all"
	return []Row{
		{Name: "allow", In: inHTTPAny | InLimitExcept, Args: Take1, Syntax: syntax, multi: true,
			Doc: "Allows clients; the first rule that matches decides.", set: setAccess},
		{Name: "deny", In: inHTTPAny | InLimitExcept, Args: Take1, Syntax: syntax, multi: true,
			Doc: "Denies clients: 403.", set: setAccess},
	}
}

func setAccess(l *level, s *stmt) error {
	set := l.set()
	if len(l.given["allow"])+len(l.given["deny"]) == 1 {
		set.AccessRules = nil
	}
	rule := AccessRule{Deny: s.name == "deny"}
	switch s.args[0] {
	case "all":
		rule.All = true
	case "unix:":
		rule.Unix = true
	default:
		prefix, low, ok := parsePrefix(s.args[0])
		if !ok {
			return s.errorf(`invalid parameter "%s"`, s.args[0])
		}
		if low {
			l.b.warn(s.pos, "low address bits of %s are meaningless", s.args[0])
		}
		rule.Prefix = prefix
	}
	set.AccessRules = append(set.AccessRules, rule)
	return nil
}

// rewriteRows is what there is of ngx_http_rewrite_module, https://nginx.org/en/docs/http/ngx_http_rewrite_module.html.
func rewriteRows() []Row {
	return []Row{
		{Name: "return", In: InServer | InLocation, Args: take12, Syntax: "code [text] | code URL | URL", multi: true,
			Doc: "Answers at once; 444 closes the connection without an answer.", set: setReturn},
	}
}

// setReturn is return (ngx_http_rewrite_return). Of several in a block the first counts.
func setReturn(l *level, s *stmt) error {
	r := &Return{Pos: s.pos}
	text := -1
	code, ok := parseNumber(s.args[0])
	switch {
	case ok && code <= 999:
		r.Code = code
		text = len(s.args) - 1
	case len(s.args) == 1 && (isURL(s.args[0])):
		r.Code, text = 302, 0
	default:
		return s.errorf(`invalid return code "%s"`, s.args[0])
	}
	if ok && text == 0 {
		text = -1
	}
	if text >= 0 {
		t, err := s.template(text)
		if err != nil {
			return err
		}
		r.Text = &t
		switch r.Code {
		case 301, 302, 303, 307, 308:
			r.Redirect = true
		}
	}
	if l.set().Return == nil {
		l.set().Return = r
	}
	return nil
}

func isURL(s string) bool {
	return strings.HasPrefix(s, "http://") || strings.HasPrefix(s, "https://") || strings.HasPrefix(s, "$scheme")
}
