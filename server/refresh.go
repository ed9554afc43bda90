package server

import (
	"bytes"

	"seawall/httpparse"
)

// isMSIE tells whether a User-Agent is what nginx takes for MSIE's: the name
// with a version of three characters at least, and no word of Opera.
func isMSIE(agent []byte) bool {
	i := bytes.Index(agent, []byte("MSIE "))
	return i >= 0 && i+len("MSIE 6.") < len(agent) && !bytes.Contains(agent, []byte("Opera"))
}

// redirectPage answers with nginx's page for a redirect to the response's
// Location; where msie_refresh says so, with one that MSIE goes on from by itself.
// (https://nginx.org/en/docs/http/ngx_http_core_module.html#msie_refresh)
func (r *Request) redirectPage(status int) verdict {
	p := &r.resp
	if !r.loc.set.MsieRefresh || p.location == 0 || !isMSIE(r.header(httpparse.HeaderUserAgent)) {
		return r.ownPage(status)
	}
	r.discardBody()
	body := append(r.loop.scratch[:0], `<html><head><meta http-equiv="Refresh" content="0; URL=`...)
	body = appendRefreshURL(body, p.fields[p.location-1].value)
	body = append(body, "\"></head><body></body></html>\r\n"...)
	r.loop.scratch = keepLarger(r.loop.scratch, body)
	p.clearLocation()
	p.status, p.statusText = 200, nil
	p.contentType = []byte("text/html")
	return r.answer(body, false)
}

// appendRefreshURL appends u, escaped so that it cannot end the attribute that
// it stands in: nginx's NGX_ESCAPE_REFRESH.
func appendRefreshURL(dst, u []byte) []byte {
	const hex = "0123456789ABCDEF"
	for _, c := range u {
		if c <= ' ' || c >= 0x7f || bytes.IndexByte([]byte("\"'<>\\^`{|~"), c) >= 0 {
			dst = append(dst, '%', hex[c>>4], hex[c&15])
		} else {
			dst = append(dst, c)
		}
	}
	return dst
}
