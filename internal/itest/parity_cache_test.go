package itest

import (
	"strings"
	"testing"
	"time"
)

// cacheHTTP is a zone, with its files in the world's prefix directory, and a log that shows what the cache did.
const cacheHTTP = `
proxy_cache_path {{prefix}}/temp/cache keys_zone=cache:1m;
` + statusLog

// cacheServer are the settings that nearly all locations share.
const cacheServer = `
proxy_cache cache;
add_header X-Cache $upstream_cache_status always;
proxy_next_upstream off;
`

// times gives n steps that ask for the same thing.
func times(n int, text string) []Step {
	var steps []Step
	for range n {
		steps = append(steps, Ask(text))
	}
	return steps
}

// numbered are replies whose bodies tell them apart.
func numbered(headers ...string) []Reply {
	var out []Reply
	for _, body := range []string{"first", "second", "third", "fourth"} {
		out = append(out, Answer(reply("200 OK", body, headers...)))
	}
	return out
}

func status(line string, headers ...string) []Reply {
	out := numbered(headers...)
	for i := range out {
		out[i].Acts[0].text = strings.Replace(out[i].Acts[0].text, "200 OK", line, 1)
	}
	return out
}

func TestParityCacheFreshness(t *testing.T) {
	const past = "Expires: Mon, 01 Jan 2024 00:00:00 GMT"
	const future = "Expires: Fri, 01 Jan 2038 00:00:00 GMT"
	twice := func(name string, want string, headers ...string) Case {
		return Case{Name: name, Steps: times(2, get("/headers/"+strings.ReplaceAll(name, " ", "-"))), AccessLines: 2, Origin: numbered(headers...), Want: want}
	}
	// valid asks twice for a target whose backend answers with another status line.
	valid := func(name, target, line, want string, headers ...string) Case {
		return Case{Name: name, Steps: times(2, get(target)), AccessLines: 2, Origin: status(line, headers...), Want: want}
	}
	newer := func(c Case) Case {
		c.Differs, c.Seawall = "order-of-freshness-headers", "X-Cache: HIT"
		return c
	}
	stillborn := func(c Case) Case {
		c.Differs, c.Seawall = "expired-on-arrival-is-not-stored", "[200] [MISS] 6"
		return c
	}
	const hit, miss = "X-Cache: HIT", "[200] [MISS] 6"
	Suite{
		Config: Config{HTTP: cacheHTTP, Server: cacheServer + `
location / { proxy_cache_valid 200 10s; proxy_pass http://127.0.0.1:{{origin}}; }
location /headers/ { proxy_pass http://127.0.0.1:{{origin}}; }
location /default/ { proxy_cache_valid 10s; proxy_pass http://127.0.0.1:{{origin}}; }
location /codes/ { proxy_cache_valid 404 500 10s; proxy_cache_valid 302 10s; proxy_pass http://127.0.0.1:{{origin}}; }
location /any/ { proxy_cache_valid any 10s; proxy_pass http://127.0.0.1:{{origin}}; }
location /anybut/ { proxy_cache_valid 200 0; proxy_cache_valid any 10s; proxy_pass http://127.0.0.1:{{origin}}; }
location /ignore/ { proxy_cache_valid 200 10s; proxy_ignore_headers Cache-Control Expires X-Accel-Expires Set-Cookie Vary; proxy_pass http://127.0.0.1:{{origin}}; }
location /ignoreone/ { proxy_ignore_headers Cache-Control; proxy_pass http://127.0.0.1:{{origin}}; }
location /off/ { proxy_cache off; proxy_pass http://127.0.0.1:{{origin}}; }
location /second/ { proxy_cache_valid 200 1s; proxy_pass http://127.0.0.1:{{origin}}; }
`},
		Cases: []Case{
			{Name: "miss then hit", Steps: times(3, get("/a")), AccessLines: 3, Origin: numbered(), Want: hit},
			{Name: "hit has the stored headers", Steps: times(2, get("/b")), AccessLines: 2, Origin: numbered("Content-Type: a/b; charset=x", "X-A: 1", "x-b: 2", "ETag: \"e\"", "Last-Modified: Mon, 01 Jan 2024 00:00:00 GMT", "Link: <l>", "Link: <m>", "Age: 5", "Date: Mon, 01 Jan 2024 00:00:00 GMT", "Server: b", "Content-Language: de", "X-Accel-Foo: x"), Want: hit},
			{Name: "query is part of the key", Steps: []Step{Ask(get("/q?a")), Ask(get("/q?b")), Ask(get("/q?a"))}, AccessLines: 3, Origin: numbered(), Want: hit},
			{Name: "key is of the decoded uri", Steps: []Step{Ask(get("/k%61")), Ask(get("/ka"))}, AccessLines: 2, Origin: numbered(), Want: "second"},
			{Name: "host is not part of the default key", Steps: []Step{Ask(get("/host", "Host: a.test")), Ask(get("/host", "Host: b.test"))}, AccessLines: 2, Origin: numbered(), Want: hit},
			{Name: "expired after a second", Steps: []Step{Ask(get("/second/x")), Ask(get("/second/x")), After(2100*time.Millisecond, get("/second/x")), Ask(get("/second/x"))}, AccessLines: 4, Origin: numbered(), Want: "X-Cache: EXPIRED"},
			{Name: "cache off", Steps: times(2, get("/off/x")), AccessLines: 2, Origin: numbered(), Want: "[200] [-] 6"},
			{Name: "no rule, no headers", Steps: times(2, get("/headers/none")), AccessLines: 2, Origin: numbered(), Want: miss},
			twice("max-age", hit, "Cache-Control: max-age=10"),
			twice("max-age zero", miss, "Cache-Control: max-age=0"),
			twice("max-age with other directives", hit, "Cache-Control: public, max-age=10, foo=bar"),
			twice("max-age in capitals", hit, "Cache-Control: MAX-AGE=10"),
			twice("max-age that is no number", miss, "Cache-Control: max-age=abc"),
			twice("max-age in quotes", "[MISS]", "Cache-Control: max-age=\"10\""),
			twice("s-maxage before max-age", hit, "Cache-Control: max-age=0, s-maxage=10"),
			twice("s-maxage zero", miss, "Cache-Control: max-age=10, s-maxage=0"),
			twice("private", miss, "Cache-Control: private, max-age=10"),
			twice("no-store", miss, "Cache-Control: no-store, max-age=10"),
			twice("no-cache", miss, "Cache-Control: no-cache, max-age=10"),
			twice("two Cache-Control lines", miss, "Cache-Control: max-age=10", "Cache-Control: private"),
			twice("Expires in the future", hit, future),
			twice("Expires in the past", miss, past),
			twice("Expires is no date", miss, "Expires: 0"),
			newer(twice("Expires against max-age", "[MISS]", past, "Cache-Control: max-age=10")),
			twice("max-age against Expires", "[MISS]", "Cache-Control: max-age=10", past),
			twice("max-age zero against Expires", "[MISS]", "Cache-Control: max-age=0", future),
			twice("X-Accel-Expires", hit, "X-Accel-Expires: 10"),
			newer(twice("X-Accel-Expires wins over no-store", "[MISS]", "Cache-Control: no-store", "X-Accel-Expires: 10")),
			twice("X-Accel-Expires zero wins over max-age", miss, "Cache-Control: max-age=10", "X-Accel-Expires: 0"),
			twice("X-Accel-Expires first, then no-store", "[MISS]", "X-Accel-Expires: 10", "Cache-Control: no-store"),
			twice("X-Accel-Expires as a time", hit, "X-Accel-Expires: @4102444800"),
			stillborn(twice("X-Accel-Expires as a past time", "EXPIRED", "X-Accel-Expires: @1000000000")),
			twice("X-Accel-Expires is no number", "[MISS]", "X-Accel-Expires: soon"),
			twice("Set-Cookie", miss, "Cache-Control: max-age=10", "Set-Cookie: a=1"),
			twice("Vary star", miss, "Cache-Control: max-age=10", "Vary: *"),
			twice("Pragma is not looked at", hit, "Cache-Control: max-age=10", "Pragma: no-cache"),
			twice("must-revalidate", hit, "Cache-Control: max-age=10, must-revalidate"),
			{Name: "Age is taken off", Steps: times(2, get("/headers/age")), AccessLines: 2, Origin: numbered("Cache-Control: max-age=10", "Age: 20"), Want: hit, Differs: "age-counts-against-freshness", Seawall: "[200] [MISS] 6"},
			valid("headers go before valid", "/noheader", "200 OK", miss, "Cache-Control: no-store"),
			valid("default codes: 200", "/default/200", "200 OK", hit),
			valid("default codes: 301", "/default/301", "301 Moved", "X-Cache: HIT", "Location: /x"),
			valid("default codes: 302", "/default/302", "302 Found", "X-Cache: HIT", "Location: /x"),
			valid("default codes: not 404", "/default/404", "404 Not Found", "[404] [MISS] 6"),
			valid("codes: 404", "/codes/404", "404 Not Found", "X-Cache: HIT"),
			valid("codes: 500", "/codes/500", "500 Oops", "X-Cache: HIT"),
			valid("codes: 302", "/codes/302", "302 Found", "X-Cache: HIT"),
			valid("codes: not 200", "/codes/200", "200 OK", miss),
			valid("codes: max-age on a status without rule", "/codes/203", "203 Odd", "X-Cache: HIT", "Cache-Control: max-age=10"),
			valid("any", "/any/418", "418 Tea", "X-Cache: HIT"),
			valid("any: 204", "/any/204", "200 OK", "X-Cache: HIT"),
			valid("zero for 200, any for the rest", "/anybut/200", "200 OK", miss),
			valid("any for the rest", "/anybut/404", "404 Not Found", "X-Cache: HIT"),
			valid("ignored headers", "/ignore/x", "200 OK", hit, "Cache-Control: no-store", past, "X-Accel-Expires: 0", "Set-Cookie: a=1", "Vary: *"),
			valid("one ignored header", "/ignoreone/x", "200 OK", hit, "Cache-Control: no-store", future),
		},
	}.Run(t)
}

func TestParityCacheRequests(t *testing.T) {
	entity := []Reply{Answer(reply("200 OK", "0123456789", "Content-Type: text/plain", `ETag: "tag"`, "Last-Modified: Mon, 01 Jan 2024 00:00:00 GMT", "Accept-Ranges: bytes", "X-A: 1")), Answer(reply("200 OK", "other body"))}
	noRanges := []Reply{Answer(reply("200 OK", "0123456789", `ETag: "tag"`))}
	weak := []Reply{Answer(reply("200 OK", "0123456789", `ETag: W/"tag"`))}
	cached := func(name, want string, headers ...string) Case {
		target := "/" + strings.ReplaceAll(name, " ", "-")
		return Case{Name: name, Steps: []Step{Ask(get(target)), Ask(get(target, headers...))}, AccessLines: 2, Origin: entity, Want: want}
	}
	// The fields of a refused range: ours has X-Cache between the two others once.
	once := func(c Case) Case {
		c.Differs, c.Seawall = "added-headers-once-in-416", "X-A: 1␍\nX-Cache: HIT␍\nContent-Range: bytes */10␍\n␍\n"
		return c
	}
	first := func(name, want string, headers ...string) Case {
		target := "/" + strings.ReplaceAll(name, " ", "-")
		return Case{Name: name, Steps: []Step{Ask(get(target, headers...)), Ask(get(target))}, AccessLines: 2, Origin: entity, Want: want}
	}
	Suite{
		Config: Config{HTTP: cacheHTTP, Server: cacheServer + `
proxy_cache_valid 200 10s;
location / { proxy_pass http://127.0.0.1:{{origin}}; }
location /post/ { proxy_cache_methods POST; proxy_cache_key "$request_method$uri$request_body"; proxy_pass http://127.0.0.1:{{origin}}; }
location /noconvert/ { proxy_cache_convert_head off; proxy_cache_key "$scheme$request_method$uri"; proxy_pass http://127.0.0.1:{{origin}}; }
location /key/ { proxy_cache_key "$host|$arg_k|$cookie_c|$http_x_k"; proxy_pass http://127.0.0.1:{{origin}}; }
location /uses/ { proxy_cache_min_uses 3; proxy_pass http://127.0.0.1:{{origin}}; }
location /bypass/ { proxy_cache_bypass $arg_nocache $http_x_nocache; proxy_pass http://127.0.0.1:{{origin}}; }
location /nostore/ { proxy_no_cache $arg_nostore; proxy_pass http://127.0.0.1:{{origin}}; }
location /both/ { proxy_cache_bypass $cookie_u; proxy_no_cache $cookie_u; proxy_pass http://127.0.0.1:{{origin}}; }
location /maxranges/ { max_ranges 1; proxy_pass http://127.0.0.1:{{origin}}; }
location /noranges/ { max_ranges 0; proxy_pass http://127.0.0.1:{{origin}}; }
location /before/ { if_modified_since before; proxy_pass http://127.0.0.1:{{origin}}; }
location /imsoff/ { if_modified_since off; proxy_pass http://127.0.0.1:{{origin}}; }
location /etagoff/ { etag off; proxy_pass http://127.0.0.1:{{origin}}; }
location /unbuffered/ { proxy_buffering off; proxy_pass http://127.0.0.1:{{origin}}; }
location /addheader/ { add_header X-Own 1; proxy_hide_header X-A; proxy_pass http://127.0.0.1:{{origin}}; }
location /redirected/ { proxy_cache_valid any 10s; proxy_redirect http://internal.test/ http://public.test/; proxy_pass http://127.0.0.1:{{origin}}; }
location /sethost/ { proxy_set_header Host $host; proxy_set_header If-None-Match $http_if_none_match; proxy_set_header Connection ""; proxy_pass http://127.0.0.1:{{origin}}; }
`},
		Cases: []Case{
			{Name: "HEAD from a stored GET", Steps: []Step{Ask(get("/h1")), Ask(request("HEAD", "/h1", ""))}, AccessLines: 2, Origin: entity, Want: "X-Cache: HIT"},
			{Name: "HEAD first is turned into GET", Steps: []Step{Ask(request("HEAD", "/h2", "")), Ask(get("/h2"))}, AccessLines: 2, Origin: entity, Want: "GET /h2 HTTP/1.1"},
			{Name: "HEAD is not converted", Steps: []Step{Ask(request("HEAD", "/noconvert/h", "")), Ask(get("/noconvert/h"))}, AccessLines: 2, Origin: []Reply{Answer("HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\n"), entity[0]}, Want: "HEAD /noconvert/h HTTP/1.1"},
			{Name: "POST is not cached", Steps: times(2, request("POST", "/p", "x")), AccessLines: 2, Origin: entity, Want: "[200] [-] 10"},
			{Name: "POST goes past a stored GET", Steps: []Step{Ask(get("/p2")), Ask(request("POST", "/p2", "x")), Ask(get("/p2"))}, AccessLines: 3, Origin: entity, Want: "other body"},
			{Name: "DELETE does not purge", Steps: []Step{Ask(get("/p3")), Ask(request("DELETE", "/p3", "")), Ask(get("/p3"))}, AccessLines: 3, Origin: entity, Want: "X-Cache: HIT"},
			{Name: "OPTIONS is not cached", Steps: times(2, request("OPTIONS", "/p4", "")), AccessLines: 2, Origin: entity, Want: "OPTIONS /p4"},
			{Name: "POST by proxy_cache_methods", Steps: []Step{Ask(request("POST", "/post/", "a")), Ask(request("POST", "/post/", "a")), Ask(request("POST", "/post/", "b"))}, AccessLines: 3, Origin: entity, Want: "X-Cache: HIT"},
			{Name: "own key", Steps: []Step{Ask(get("/key/1?k=1&x=1")), Ask(get("/key/2?k=1&x=2")), Ask(get("/key/1?k=1", "Cookie: c=2")), Ask(get("/key/9?k=1", "X-K: v")), Ask(get("/key/9?k=1", "X-K: v"))}, AccessLines: 5, Origin: entity, Want: "X-Cache: HIT"},
			{Name: "long key", Steps: times(2, get("/long?"+strings.Repeat("k", 3000))), AccessLines: 2, Origin: entity, Want: "X-Cache: HIT"},
			{Name: "min_uses", Steps: times(4, get("/uses/x")), AccessLines: 4, Origin: numbered(), Want: "third"},
			{Name: "bypass", Steps: []Step{Ask(get("/bypass/x")), Ask(get("/bypass/x?nocache=1")), Ask(get("/bypass/x?nocache=0")), Ask(get("/bypass/x?nocache=")), Ask(get("/bypass/x", "X-Nocache: yes")), Ask(get("/bypass/x"))}, AccessLines: 6, Origin: numbered(), Want: "X-Cache: BYPASS"},
			{Name: "no_cache", Steps: append(times(2, get("/nostore/x?nostore=1")), times(2, get("/nostore/x?nostore=0"))...), AccessLines: 4, Origin: numbered(), Want: "X-Cache: HIT"},
			{Name: "bypass and no_cache", Steps: []Step{Ask(get("/both/x")), Ask(get("/both/x", "Cookie: u=1")), Ask(get("/both/x"))}, AccessLines: 3, Origin: numbered(), Want: "X-Cache: HIT"},
			cached("condition by tag", "304 Not Modified", `If-None-Match: "tag"`),
			cached("condition by another tag", "X-Cache: HIT", `If-None-Match: "other"`),
			cached("condition by a list of tags", "304 Not Modified", `If-None-Match: "a", W/"tag", "b"`),
			cached("condition by a star", "304 Not Modified", `If-None-Match: *`),
			cached("condition by equal date", "304 Not Modified", "If-Modified-Since: Mon, 01 Jan 2024 00:00:00 GMT"),
			cached("condition by later date", "X-Cache: HIT", "If-Modified-Since: Tue, 02 Jan 2024 00:00:00 GMT"),
			cached("condition by earlier date", "200 OK", "If-Modified-Since: Sun, 31 Dec 2023 00:00:00 GMT"),
			cached("condition by bad date", "200 OK", "If-Modified-Since: yesterday"),
			cached("tag and date", "200 OK", `If-None-Match: "other"`, "If-Modified-Since: Mon, 01 Jan 2024 00:00:00 GMT"),
			cached("If-Match", "200 OK", `If-Match: "tag"`),
			cached("If-Match fails", "412 Precondition Failed", `If-Match: "other"`),
			cached("If-Unmodified-Since", "200 OK", "If-Unmodified-Since: Mon, 01 Jan 2024 00:00:00 GMT"),
			cached("If-Unmodified-Since fails", "412 Precondition Failed", "If-Unmodified-Since: Sun, 31 Dec 2023 00:00:00 GMT"),
			cached("range", "206 Partial Content", "Range: bytes=2-4"),
			cached("range from", "206 Partial Content", "Range: bytes=7-"),
			cached("range of the end", "206 Partial Content", "Range: bytes=-3"),
			cached("range beyond the end", "206 Partial Content", "Range: bytes=5-99"),
			once(cached("range too late", "416 Requested Range Not Satisfiable", "Range: bytes=10-")),
			cached("range of the whole", "HTTP/1.1", "Range: bytes=0-"),
			cached("two ranges", "multipart/byteranges", "Range: bytes=0-1,4-5"),
			once(cached("bad range", "416 Requested Range Not Satisfiable", "Range: bytes=a-b")),
			once(cached("range backwards", "416 Requested Range Not Satisfiable", "Range: bytes=5-2")),
			cached("other unit", "200 OK", "Range: lines=1-2"),
			once(cached("range of zero from the end", "416 Requested Range Not Satisfiable", "Range: bytes=-0")),
			cached("If-Range with the tag", "206 Partial Content", "Range: bytes=0-1", `If-Range: "tag"`),
			cached("If-Range with another tag", "200 OK", "Range: bytes=0-1", `If-Range: "other"`),
			cached("If-Range with the date", "206 Partial Content", "Range: bytes=0-1", "If-Range: Mon, 01 Jan 2024 00:00:00 GMT"),
			cached("condition and range", "304 Not Modified", "Range: bytes=0-1", `If-None-Match: "tag"`),
			cached("client says no-cache", "X-Cache: HIT", "Cache-Control: no-cache", "Pragma: no-cache"),
			cached("client says max-age zero", "X-Cache: HIT", "Cache-Control: max-age=0"),
			cached("authorised client", "X-Cache: HIT", "Authorization: Basic eDp5"),
			first("condition on a miss is not passed", "X-Cache: HIT", `If-None-Match: "tag"`),
			first("date on a miss is not passed", "X-Cache: HIT", "If-Modified-Since: Mon, 01 Jan 2024 00:00:00 GMT"),
			first("range on a miss is not passed", "X-Cache: HIT", "Range: bytes=2-4"),
			{Name: "weak tag", Steps: []Step{Ask(get("/weak")), Ask(get("/weak", `If-None-Match: "tag"`)), Ask(get("/weak", `If-None-Match: W/"tag"`)), Ask(get("/weak", "Range: bytes=0-1", `If-Range: W/"tag"`)), Ask(get("/weak"))}, AccessLines: 5, Origin: weak, Want: "304 Not Modified"},
			{Name: "If-Match with a weak tag", Steps: []Step{Ask(get("/weakmatch")), Ask(get("/weakmatch", `If-Match: W/"tag"`))}, AccessLines: 2, Origin: weak, Want: "X-Cache: HIT", Differs: "if-match-compares-strongly", Seawall: "412 Precondition Failed"},
			{Name: "no range where the backend does not offer any", Steps: []Step{Ask(get("/nr")), Ask(get("/nr", "Range: bytes=0-1"))}, AccessLines: 2, Origin: noRanges, Want: "X-Cache: HIT"},
			{Name: "HEAD with range", Steps: []Step{Ask(get("/hr")), Ask(request("HEAD", "/hr", "", "Range: bytes=0-1"))}, AccessLines: 2, Origin: entity, Want: "X-Cache: HIT"},
			{Name: "max_ranges 1", Steps: []Step{Ask(get("/maxranges/x")), Ask(get("/maxranges/x", "Range: bytes=0-1")), Ask(get("/maxranges/x", "Range: bytes=0-1,3-4"))}, AccessLines: 3, Origin: entity, Want: "206"},
			{Name: "max_ranges 0", Steps: []Step{Ask(get("/noranges/x")), Ask(get("/noranges/x", "Range: bytes=0-1"))}, AccessLines: 2, Origin: entity, Want: "200 OK"},
			{Name: "if_modified_since before", Steps: []Step{Ask(get("/before/x")), Ask(get("/before/x", "If-Modified-Since: Tue, 02 Jan 2024 00:00:00 GMT"))}, AccessLines: 2, Origin: entity, Want: "304 Not Modified"},
			{Name: "if_modified_since off", Steps: []Step{Ask(get("/imsoff/x")), Ask(get("/imsoff/x", "If-Modified-Since: Mon, 01 Jan 2024 00:00:00 GMT"))}, AccessLines: 2, Origin: entity, Want: "X-Cache: HIT"},
			{Name: "without buffering nothing is cached", Steps: times(2, get("/unbuffered/x")), AccessLines: 2, Origin: entity, Want: "200 OK"},
			{Name: "headers added and hidden on a hit", Steps: times(2, get("/addheader/x")), AccessLines: 2, Origin: entity, Want: "X-Own: 1"},
			{Name: "proxy_redirect on a hit", Steps: times(2, get("/redirected/x")), AccessLines: 2, Origin: []Reply{Answer(reply("302 Found", "", "Location: http://internal.test/y"))}, Want: "Location: http://public.test/y"},
			{Name: "condition that the configuration passes", Steps: []Step{Ask(get("/sethost/x", `If-None-Match: "tag"`)), Ask(get("/sethost/x"))}, AccessLines: 2, Origin: []Reply{Answer("HTTP/1.1 304 Not Modified\r\nETag: \"tag\"\r\n\r\n"), entity[0]}, Want: "304 Not Modified"},
			{Name: "hit for a 1.0 client", Steps: []Step{Ask(get("/old")), Ask("GET /old HTTP/1.0\r\n\r\n"), Ask("GET /old\r\n")}, AccessLines: 3, Origin: entity, Want: "0123456789"},
			{Name: "chunked answer is stored", Steps: []Step{Ask(get("/chunked")), Ask(get("/chunked")), Ask(get("/chunked", "Range: bytes=0-1"))}, AccessLines: 3, Origin: []Reply{Answer("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nX-A: 1\r\n\r\n5\r\nhello\r\n0\r\n\r\n")}, Want: "X-Cache: HIT", Differs: "hits-have-a-length", Seawall: "Content-Length: 5"},
			{Name: "answer until close is stored", Steps: times(2, get("/close")), AccessLines: 2, Origin: []Reply{AnswerClose("HTTP/1.1 200 OK\r\nX-A: 1\r\n\r\nuntil close")}, Want: "X-Cache: HIT", Differs: "hits-have-a-length", Seawall: "Content-Length: 11"},
			{Name: "short answer is not stored", Steps: times(2, get("/short")), AccessLines: 2, Origin: []Reply{AnswerClose("HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nhalf"), entity[0]}, Want: "0123456789"},
			{Name: "short chunked answer is not stored", Steps: times(2, get("/shortchunk")), AccessLines: 2, Origin: []Reply{AnswerClose("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n9\r\nhalf"), entity[0]}, Want: "0123456789"},
			{Name: "empty body is stored", Steps: times(2, get("/empty")), AccessLines: 2, Origin: []Reply{Answer(reply("200 OK", ""))}, Want: "X-Cache: HIT"},
			{Name: "large body is stored", Steps: append(times(2, get("/large")), Ask(get("/large", "Range: bytes=100000-100003"))), AccessLines: 3, Origin: []Reply{Answer(reply("200 OK", strings.Repeat("0123456789abcdef", 30000)))}, Want: "X-Cache: HIT"},
			{Name: "hits on one connection", Steps: []Step{Ask(get("/keep")), On(Send(keep("GET", "/keep", "") + keep("GET", "/keep", "", `If-None-Match: "tag"`) + keep("HEAD", "/keep", "") + get("/keep")))}, AccessLines: 5, Origin: entity, Want: "304 Not Modified"},
			{Name: "X-Accel-Redirect with a cache", Steps: times(2, get("/accel")), AccessLines: 2, Origin: []Reply{Answer(reply("200 OK", "x", "X-Accel-Redirect: /target")), entity[0], entity[0]}, Want: "0123456789"},
		},
	}.Run(t)
}

func TestParityCacheVary(t *testing.T) {
	vary := numbered("Cache-Control: max-age=10", "Vary: Accept-Encoding")
	two := numbered("Cache-Control: max-age=10", "Vary: Accept-Language, X-Kind")
	Suite{
		Config: Config{HTTP: cacheHTTP, Server: cacheServer + `location / { proxy_pass http://127.0.0.1:{{origin}}; }`},
		Cases: []Case{
			{Name: "variants", Steps: []Step{Ask(get("/v", "Accept-Encoding: gzip")), Ask(get("/v", "Accept-Encoding: br")), Ask(get("/v")), Ask(get("/v", "Accept-Encoding: gzip")), Ask(get("/v", "Accept-Encoding: br")), Ask(get("/v"))}, AccessLines: 6, Origin: vary, Want: "X-Cache: HIT"},
			{Name: "spaces and case of a list", Steps: []Step{Ask(get("/s", "Accept-Encoding: gzip, br")), Ask(get("/s", "Accept-Encoding: gzip,br")), Ask(get("/s", "Accept-Encoding: GZIP, BR"))}, AccessLines: 3, Origin: vary, Want: "[MISS]"},
			{Name: "two headers", Steps: []Step{Ask(get("/t", "Accept-Language: de", "X-Kind: a")), Ask(get("/t", "Accept-Language: de", "X-Kind: b")), Ask(get("/t", "Accept-Language: de", "X-Kind: a")), Ask(get("/t", "Accept-Language: de", "X-Kind: b"))}, AccessLines: 4, Origin: two, Want: "X-Cache: HIT"},
			{Name: "header in other case", Steps: []Step{Ask(get("/c", "accept-encoding: gzip")), Ask(get("/c", "ACCEPT-ENCODING: gzip"))}, AccessLines: 2, Origin: vary, Want: "X-Cache: HIT"},
		},
	}.Run(t)
}

func TestParityCacheStale(t *testing.T) {
	const wait = 2100 * time.Millisecond // one second of freshness; nginx counts whole seconds
	// The connection is not kept: a retry on a fresh one is not what these cases are about.
	fresh := AnswerClose(reply("200 OK", "stored", "X-A: 1", "Connection: close"))
	broken := Does(Close())
	stale := func(name, target string, second Reply, want string) Case {
		return Case{Name: name, Steps: []Step{Ask(get(target)), After(wait, get(target)), Ask(get(target))}, AccessLines: 3, Origin: []Reply{fresh, second, second}, Want: want}
	}
	config := Config{HTTP: cacheHTTP, Server: cacheServer + `
proxy_cache_valid 200 1s;
location /stale/ { proxy_cache_use_stale error timeout invalid_header http_500 http_502; proxy_read_timeout 400ms; proxy_pass http://127.0.0.1:{{origin}}; }
location /plain/ { proxy_pass http://127.0.0.1:{{origin}}; }
`}
	strict := func(c Case) Case {
		c.Differs, c.Seawall = "backends-must-speak-http", "X-Cache: STALE"
		return c
	}
	cases := []Case{
		stale("error", "/stale/1", broken, "X-Cache: STALE"),
		stale("500", "/stale/2", Answer(reply("500 Oops", "oops")), "X-Cache: STALE"),
		stale("404 is an answer", "/stale/3", Answer(reply("404 Gone", "gone")), "404 Gone"),
		stale("502", "/stale/4", Answer(reply("502 Bad", "bad")), "X-Cache: STALE"),
		strict(stale("invalid header", "/stale/5", AnswerClose("garbage \x00\r\n\r\n"), "garbage")),
		stale("error without use_stale", "/plain/1", broken, "502 Bad Gateway"),
		stale("500 without use_stale", "/plain/2", Answer(reply("500 Oops", "oops")), "500 Oops"),
		stale("fresh answer", "/plain/3", Answer(reply("200 OK", "renewed")), "X-Cache: EXPIRED"),
		stale("timeout", "/stale/6", Does(Stall()), "X-Cache: STALE"),
		{Name: "stale-if-error", Steps: []Step{Ask(get("/plain/4")), After(wait, get("/plain/4"))}, AccessLines: 2, Origin: []Reply{AnswerClose(reply("200 OK", "stored", "Connection: close", "Cache-Control: max-age=1, stale-if-error=60")), broken}, Want: "X-Cache: STALE"},
		{Name: "stale-if-error is over", Steps: []Step{Ask(get("/plain/5")), After(wait, get("/plain/5"))}, AccessLines: 2, Origin: []Reply{AnswerClose(reply("200 OK", "stored", "Connection: close", "Cache-Control: max-age=1, stale-if-error=0")), broken}, Want: "502"},
		{Name: "expired answer is not stored again when uncacheable", Steps: []Step{Ask(get("/plain/6")), After(wait, get("/plain/6")), Ask(get("/plain/6"))}, AccessLines: 3, Origin: []Reply{fresh, Answer(reply("200 OK", "private", "Cache-Control: private")), Answer(reply("200 OK", "later"))}, Want: "private"},
	}
	// Each case waits for an expiry: a pair of servers each lets them all wait at once.
	t.Parallel()
	for _, c := range cases {
		t.Run(c.Name, func(t *testing.T) {
			Suite{Config: config, Cases: []Case{c}}.Run(t)
		})
	}
}
