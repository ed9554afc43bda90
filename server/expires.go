package server

import (
	"strconv"
	"time"

	"seawall/conf"
	"seawall/httpparse"
)

// expiresRule is the expires directive.
type expiresRule struct {
	conf.Expires
	text value // for conf.ExpiresVariable
}

func (b *builder) compileExpires(e conf.Expires) *expiresRule {
	if e.Kind == conf.ExpiresOff {
		return nil
	}
	rule := &expiresRule{Expires: e}
	if e.Kind == conf.ExpiresVariable {
		rule.text = b.compile(e.Template)
	}
	return rule
}

// filterExpires sets Expires and Cache-Control as the expires directive says
// (https://nginx.org/en/docs/http/ngx_http_headers_module.html#expires).
func (r *Request) filterExpires() {
	rule := r.loc.expires
	if rule == nil || !takesAddedHeaders(r.resp.status) {
		return
	}
	e := rule.Expires
	if e.Kind == conf.ExpiresVariable {
		var ok bool
		if e, ok = rule.Eval(string(rule.text.eval(r))); !ok || e.Kind == conf.ExpiresOff {
			return
		}
	}
	now := r.loop.l.Wall() / 1000
	var expires string
	control := ""
	switch e.Kind {
	case conf.ExpiresEpoch:
		expires, control = "Thu, 01 Jan 1970 00:00:01 GMT", "no-cache"
	case conf.ExpiresMax:
		expires, control = "Thu, 31 Dec 2037 23:55:55 GMT", "max-age=315360000"
	default:
		at, age := expiryOf(e, now, r.resp.lastModified)
		expires = string(httpparse.AppendDate(nil, at))
		control = "no-cache"
		if e.Kind == conf.ExpiresDaily || age >= 0 {
			control = "max-age=" + strconv.FormatInt(age, 10)
		}
	}
	r.resp.remove("Expires")
	r.resp.remove("Cache-Control")
	r.resp.add([]byte("Expires"), []byte(expires))
	r.resp.add([]byte("Cache-Control"), []byte(control))
}

// expiryOf gives the moment of expiry and the age until then, Unix seconds.
func expiryOf(e conf.Expires, now, lastModified int64) (at, age int64) {
	delta := int64(e.Delta / time.Second)
	switch {
	case e.Kind == conf.ExpiresDaily:
		t := time.Unix(now, 0)
		next := time.Date(t.Year(), t.Month(), t.Day(), 0, 0, 0, 0, t.Location()).Add(e.Delta)
		if next.Unix() <= now {
			next = next.AddDate(0, 0, 1)
		}
		return next.Unix(), next.Unix() - now
	case e.Kind == conf.ExpiresModified && lastModified >= 0:
		return lastModified + delta, lastModified + delta - now
	}
	return now + delta, delta
}
