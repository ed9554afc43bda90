package server

import (
	"seawall/conf"
	"seawall/httpparse"
)

// limitExcept is the limit_except block: what holds for all methods but those named.
type limitExcept struct {
	methods  []string
	location *location
}

func (l *limitExcept) lets(r *Request) bool {
	m := r.method.String()
	if r.method == httpparse.MethodOther {
		m = string(r.head.MethodText.In(r.raw))
	}
	for _, name := range l.methods {
		if name == m {
			return true
		}
	}
	return false
}

// checkAccess applies allow and deny.
func (r *Request) checkAccess() verdict {
	rules := r.loc.set.AccessRules
	if len(rules) == 0 {
		return next
	}
	if rule := firstMatch(rules, r); rule != nil && rule.Deny {
		r.logClient(levelError, "access forbidden by rule")
		return r.fail(403, "")
	}
	return next
}

// firstMatch is the first rule for the client's address.
func firstMatch(rules []conf.AccessRule, r *Request) *conf.AccessRule {
	c := r.conn()
	addr := c.RemoteAddr().Addr().Unmap()
	for i := range rules {
		rule := &rules[i]
		switch {
		case rule.All, rule.Unix && c.IsUnix():
			return rule
		case rule.Prefix.IsValid() && addr.IsValid() && rule.Prefix.Contains(addr):
			return rule
		}
	}
	return nil
}
