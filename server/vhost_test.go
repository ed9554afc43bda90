package server

import (
	"regexp"
	"testing"

	"seawall/conf"
)

func TestNameTable(t *testing.T) {
	servers := map[string]*vhost{}
	var named []namedServer
	add := func(id string, names ...conf.ServerName) {
		servers[id] = &vhost{name: []byte(id)}
		named = append(named, namedServer{servers[id], names})
	}
	add("exact", conf.ServerName{Kind: conf.NameExact, Name: "example.com"}, conf.ServerName{Kind: conf.NameExact, Name: "www.example.org"})
	add("later", conf.ServerName{Kind: conf.NameExact, Name: "example.com"})
	add("head", conf.ServerName{Kind: conf.NameHead, Name: "example.com"})
	add("deeper head", conf.ServerName{Kind: conf.NameHead, Name: "sub.example.com"})
	add("both", conf.ServerName{Kind: conf.NameDotPrefix, Name: "example.net"})
	add("tail", conf.ServerName{Kind: conf.NameTail, Name: "www.example"})
	add("longer tail", conf.ServerName{Kind: conf.NameTail, Name: "www.example.co"})
	add("regex", conf.ServerName{Kind: conf.NameRegex, Regexp: regexp.MustCompile(`^(?P<who>\w+)\.dyn$`)})
	add("second regex", conf.ServerName{Kind: conf.NameRegex, Regexp: regexp.MustCompile(`dyn`)})
	add("none", conf.ServerName{Kind: conf.NameExact, Name: ""})
	table := newNameTable(named)
	for host, want := range map[string]string{
		"example.com": "exact", "www.example.org": "exact",
		"a.example.com": "head", "b.a.example.com": "head", "x.sub.example.com": "deeper head", "sub.example.com": "head",
		"example.net": "both", "a.example.net": "both", "xexample.net": "",
		"www.example.de": "tail", "www.example.co.uk": "longer tail", "www.example": "", "www.example.": "tail",
		"joe.dyn": "regex", "joe.dyndns": "second regex", "": "none", ".example.com": "",
	} {
		v, re, groups := table.find([]byte(host))
		got := ""
		if v != nil {
			got = string(v.name)
		}
		if got != want {
			t.Errorf("%q: %q, want %q", host, got, want)
		}
		if want == "regex" && (re == nil || host[groups[2]:groups[3]] != "joe") {
			t.Errorf("%q: groups %v", host, groups)
		}
	}
	host := []byte("b.a.example.com")
	if n := testing.AllocsPerRun(100, func() { table.find(host) }); n > 0 {
		t.Errorf("%v allocations", n)
	}
}
