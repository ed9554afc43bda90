package itest

import (
	"strings"
	"testing"
)

// TestConfigurationErrors holds the messages of -t against nginx's: text, file, line and exit code.
func TestConfigurationErrors(t *testing.T) {
	t.Parallel()
	args := []string{"-t", "-p", "{{prefix}}", "-c", "{{prefix}}/nginx.conf", "-e", "{{prefix}}/logs/early.log"}
	inHTTP := func(text string) string {
		return "{{nginx main}} pid {{prefix}}/logs/nginx.pid;\nevents {}\nhttp { {{nginx http}}\naccess_log off;\n" + text + "\n}\n"
	}
	inServer := func(text string) string {
		return inHTTP("server {\nlisten 127.0.0.1:{{port}};\n" + text + "\n}")
	}
	inLocation := func(text string) string { return inServer("location / {\n" + text + "\n}") }
	// expected names the documented difference, and what Seawall says instead.
	expected := map[string][2]string{
		"bad regular expression":           {"regular-expressions-are-re2", "invalid regular expression"},
		"lookahead":                        {"regular-expressions-are-re2", "invalid regular expression"},
		"unknown cache zone":               {"line-of-errors-found-late", "zone \"zzqqxx\" is unknown in {{prefix}}/nginx.conf:8"},
		"buffers smaller than buffer":      {"line-of-errors-found-late", "nginx.conf:9"},
		"unknown variable":                 {"line-of-unknown-variables", "\"zzqqxx\" variable in {{prefix}}/nginx.conf:8"},
		"unknown variable in a header":     {"line-of-unknown-variables", "\"zzqqxx\" variable in {{prefix}}/nginx.conf:8"},
		"unknown variable in a log format": {"line-of-unknown-variables", "\"zzqqxx\" variable in {{prefix}}/nginx.conf:5"},
	}
	for _, c := range []struct{ name, file, want string }{
		{"nothing", "", "no \"events\" section"},
		{"no events", "{{nginx main}} pid {{prefix}}/logs/nginx.pid;\nhttp { {{nginx http}} }\n", "no \"events\" section"},
		{"no http", "{{nginx main}} pid {{prefix}}/logs/nginx.pid;\nevents {}\n", "syntax is ok"},
		{"unknown directive", inServer("zzqqxx 1;"), "unknown directive \"zzqqxx\""},
		{"near directive", inLocation("proxy_pas http://127.0.0.1;"), "unknown directive \"proxy_pas\""},
		{"directive in the wrong block", inHTTP("location / {}"), "is not allowed here"},
		{"server in server", inServer("server {}"), "is not allowed here"},
		{"listen in location", inLocation("listen 80;"), "is not allowed here"},
		{"worker_processes in http", inHTTP("worker_processes 1;"), "is not allowed here"},
		{"duplicate", inServer("client_max_body_size 1m;\nclient_max_body_size 2m;"), "directive is duplicate"},
		{"too few arguments", inServer("client_max_body_size;"), "invalid number of arguments"},
		{"too many arguments", inServer("client_max_body_size 1 2;"), "invalid number of arguments"},
		{"flag that is neither", inServer("merge_slashes maybe;"), "it must be \"on\" or \"off\""},
		{"bad size", inServer("client_max_body_size 1x;"), "invalid value"},
		{"bad time", inServer("keepalive_timeout 1x;"), "invalid value"},
		{"bad number", inServer("keepalive_requests x;"), "invalid"},
		{"bad enum", inServer("if_modified_since never;"), "invalid value"},
		{"missing semicolon", inServer("merge_slashes on"), "unexpected \"}\""},
		{"missing semicolon before a brace", inHTTP("server {\nlisten 127.0.0.1:{{port}};\nserver_name a\n}"), "unexpected \"}\""},
		{"missing brace", "events {\n", "unexpected end of file, expecting \"}\""},
		{"surplus brace", inHTTP("") + "}\n", "unexpected \"}\""},
		{"block where none belongs", inServer("merge_slashes on {}"), "exit code"},
		{"semicolon where a block belongs", inServer("location /;"), "has no opening \"{\""},
		{"open quote", inServer("server_name \"a;"), "unexpected end of file"},
		{"text after a quote", inServer("server_name \"a\"b;"), "unexpected \"b\""},
		{"lonely semicolon", inServer(";"), "unexpected \";\""},
		{"lonely brace", inServer("{ }"), "unexpected \"{\""},
		{"missing include", inHTTP("include missing.conf;"), "open()"},
		{"include by pattern that matches nothing", inHTTP("include none/*.conf;"), "syntax is ok"},
		{"duplicate location", inServer("location /a { return 200; }\nlocation /a { return 200; }"), "duplicate location \"/a\""},
		{"duplicate exact location", inServer("location = /a { return 200; }\nlocation = /a { return 200; }"), "duplicate location"},
		{"location outside of its parent", inServer("location /a { location /b { return 200; } }"), "is outside location"},
		{"location in exact location", inServer("location = /a { location /a/b { return 200; } }"), "cannot be inside the exact location"},
		{"named location in a location", inServer("location /a { location @b { return 200; } }"), "can be on the server level only"},
		{"location in named location", inServer("location @a { location /b { return 200; } }"), "cannot be inside the named location"},
		{"unknown location modifier", inServer("location ! /a { return 200; }"), "invalid location modifier"},
		{"bad regular expression", inServer("location ~ ( { return 200; }"), "exit code"},
		{"lookahead", inServer("location ~ ^/(?!no) { return 200; }"), "syntax is ok"},
		{"bad listen port", inHTTP("server { listen 127.0.0.1:99999; }"), "invalid port"},
		{"bad listen parameter", inHTTP("server { listen 127.0.0.1:{{port}} zzqqxx; }"), "invalid parameter \"zzqqxx\""},
		{"duplicate listen", inHTTP("server { listen 127.0.0.1:{{port}}; listen 127.0.0.1:{{port}}; }"), "a duplicate listen"},
		{"two default servers", inHTTP("server { listen 127.0.0.1:{{port}} default_server; } server { listen 127.0.0.1:{{port}} default_server; }"), "a duplicate default server"},
		{"conflicting names", inHTTP("server { listen 127.0.0.1:{{port}}; server_name a; } server { listen 127.0.0.1:{{port}}; server_name a; }"), "conflicting server name"},
		{"bad server name", inServer("server_name a*b;"), "syntax is ok"},
		{"bad wildcard", inServer("server_name *a.test;"), "is invalid"},
		{"unknown variable", inLocation("return 200 $zzqqxx;"), "unknown \"zzqqxx\" variable"},
		{"unknown variable in a header", inLocation("proxy_set_header A $zzqqxx;"), "unknown \"zzqqxx\" variable"},
		{"unknown variable in a log format", inHTTP("log_format f '$zzqqxx';"), "unknown \"zzqqxx\" variable"},
		{"lonely dollar", inLocation("return 200 a$;"), "invalid variable name"},
		{"unknown log format", inServer("access_log logs/a.log zzqqxx;"), "unknown log format \"zzqqxx\""},
		{"duplicate log format", inHTTP("log_format f a;\nlog_format f b;"), "duplicate \"log_format\" name"},
		{"bad escape of a log format", inHTTP("log_format f escape=xml a;"), "escap"},
		{"bad return code", inLocation("return 1000;"), "invalid return code"},
		{"return code that is no number", inLocation("return abc;"), "invalid return code"},
		{"bad proxy_pass", inLocation("proxy_pass 127.0.0.1;"), "invalid URL prefix"},
		{"proxy_pass without host", inLocation("proxy_pass http://;"), "no host"},
		{"proxy_pass with a bad port", inLocation("proxy_pass http://127.0.0.1:99999;"), "invalid port"},
		{"proxy_pass twice", inLocation("proxy_pass http://127.0.0.1;\nproxy_pass http://127.0.0.1;"), "directive is duplicate"},
		{"proxy_pass with uri in a regex location", inServer("location ~ a { proxy_pass http://127.0.0.1/a; }"), "cannot have URI part"},
		{"proxy_pass with uri in a named location", inServer("location @a { proxy_pass http://127.0.0.1/a; }"), "cannot have URI part"},
		{"unknown cache zone", inLocation("proxy_cache zzqqxx;"), "\"proxy_cache\" zone \"zzqqxx\" is unknown"},
		{"cache path alone", inHTTP("proxy_cache_path {{prefix}}/temp/c;"), "invalid number of arguments"},
		{"cache path without zone", inHTTP("proxy_cache_path {{prefix}}/temp/c levels=1:2;"), "must have \"keys_zone\" parameter"},
		{"cache zone too small", inHTTP("proxy_cache_path {{prefix}}/temp/c keys_zone=a:1k;"), "is too small"},
		{"cache zone without size", inHTTP("proxy_cache_path {{prefix}}/temp/c keys_zone=a;"), "invalid keys zone size"},
		{"bad cache levels", inHTTP("proxy_cache_path {{prefix}}/temp/c keys_zone=a:1m levels=3;"), "invalid \"levels\""},
		{"bad cache status", inLocation("proxy_cache_valid 99 1m;"), "invalid status"},
		{"bad cache time", inLocation("proxy_cache_valid 200 soon;"), "invalid time value"},
		{"bad use_stale", inLocation("proxy_cache_use_stale sometimes;"), "invalid value \"sometimes\""},
		{"bad next_upstream", inLocation("proxy_next_upstream sometimes;"), "invalid value \"sometimes\""},
		{"bad ignore_headers", inLocation("proxy_ignore_headers X-Own;"), "invalid value \"X-Own\""},
		{"bad cache methods", inLocation("proxy_cache_methods BREW;"), "invalid value \"BREW\""},
		{"buffers smaller than buffer", inLocation("proxy_pass http://127.0.0.1;\nproxy_buffer_size 64k;"), "proxy_busy_buffers_size"},
		{"duplicate upstream", inHTTP("upstream u { server 127.0.0.1; }\nupstream u { server 127.0.0.1; }"), "duplicate upstream \"u\""},
		{"empty upstream", inHTTP("upstream u { }"), "no servers are inside upstream"},
		{"bad upstream parameter", inHTTP("upstream u { server 127.0.0.1 zzqqxx=1; }"), "invalid parameter \"zzqqxx=1\""},
		{"bad weight", inHTTP("upstream u { server 127.0.0.1 weight=0; }"), "invalid parameter \"weight=0\""},
		{"upstream with a port", inHTTP("upstream u { server 127.0.0.1; }\nserver { listen 127.0.0.1:{{port}}; location / { proxy_pass http://u:81; } }"), "may not have port 81"},
		{"bad error_page code", inServer("error_page 299 /x;"), "value \"299\" must be between 300 and 599"},
		{"error_page without uri", inServer("error_page 404;"), "invalid number of arguments"},
		{"bad error_page override", inServer("error_page 404 =abc /x;"), "invalid value \"=abc\""},
		{"bad limit_except method", inLocation("limit_except BREW { deny all; }"), "invalid method \"BREW\""},
		{"bad error_log level", inServer("error_log logs/e.log zzqqxx;"), "invalid log level \"zzqqxx\""},
		{"bad user", "user zzqqxx;\nevents {}\n", "getpwnam(\"zzqqxx\") failed"},
		{"bad worker_processes", "worker_processes zero;\nevents {}\n", "exit code"},
		{"large_client_header_buffers", inServer("client_header_buffer_size 1k;\nlarge_client_header_buffers 0 1k;"), "exit code"},
		{"types", inServer("types { text/x a b; text/y a; }"), "duplicate extension"},
		{"server_names_hash too small for a long name", inServer("server_name " + strings.Repeat("a", 60) + ".test;"), "exit code"},
		{"directory as log", inServer("access_log {{prefix}}/logs;"), "open()"},
		{"variable in the zone name", inHTTP("proxy_cache_path {{prefix}}/temp/c keys_zone=a:1m;\nserver { listen 127.0.0.1:{{port}}; proxy_cache $host; }"), "syntax is ok"},
		{"comments and quotes", inServer("# comment ; }\nlocation '/a b' { return 200 'it''s'; }"), "exit code"},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			judge := Case{Differs: expected[c.name][0], Seawall: expected[c.name][1]}
			compareCommand(t, judge, Config{Whole: c.file + " "}, c.want, args...)
		})
	}
}
