package server

import (
	"regexp"
	"strings"

	"seawall/conf"
)

// nameTable finds the virtual server for a host name among those of one
// address, in nginx's order (https://nginx.org/en/docs/http/server_names.html):
// exact name, longest wildcard at the head, longest at the tail, first
// regular expression. It is immutable.
type nameTable struct {
	exact map[string]*vhost
	head  map[string]*vhost // "*.example.com" under "example.com"
	tail  map[string]*vhost // "www.example.*" under "www.example"
	regex []namePattern
	sole  bool // there is one server and nothing to capture: whatever the name, it answers
}

type namePattern struct {
	re    *regexp.Regexp
	vhost *vhost
}

// namedServer is a virtual server with the names it goes by.
type namedServer struct {
	vhost *vhost
	names []conf.ServerName
}

func newNameTable(servers []namedServer) nameTable {
	t := nameTable{exact: map[string]*vhost{}, head: map[string]*vhost{}, tail: map[string]*vhost{}}
	// The first server that claims a name keeps it, as in nginx.
	claim := func(m map[string]*vhost, name string, v *vhost) {
		if m[name] == nil {
			m[name] = v
		}
	}
	for _, s := range servers {
		for _, n := range s.names {
			switch n.Kind {
			case conf.NameExact:
				claim(t.exact, n.Name, s.vhost)
			case conf.NameDotPrefix:
				claim(t.exact, n.Name, s.vhost)
				claim(t.head, n.Name, s.vhost)
			case conf.NameHead:
				claim(t.head, n.Name, s.vhost)
			case conf.NameTail:
				claim(t.tail, n.Name, s.vhost)
			case conf.NameRegex:
				t.regex = append(t.regex, namePattern{n.Regexp, s.vhost})
			}
		}
	}
	t.sole = len(servers) == 1 && len(t.regex) == 0
	return t
}

// find returns the virtual server for host (lower case, no port), nil when
// none has that name. re and captures are the regular expression that
// matched, if one did.
func (t *nameTable) find(host []byte) (v *vhost, re *regexp.Regexp, captures []int) {
	if v := t.exact[string(host)]; v != nil {
		return v, nil, nil
	}
	if len(t.head) > 0 {
		for i := 0; i < len(host); i++ {
			if host[i] == '.' && i > 0 {
				if v := t.head[string(host[i+1:])]; v != nil {
					return v, nil, nil
				}
			}
		}
	}
	if len(t.tail) > 0 {
		for i := len(host) - 1; i > 0; i-- {
			if host[i] == '.' {
				if v := t.tail[string(host[:i])]; v != nil {
					return v, nil, nil
				}
			}
		}
	}
	if len(host) == 0 {
		return nil, nil, nil // nginx does not try regular expressions on an empty name
	}
	for _, p := range t.regex {
		if c := p.re.FindSubmatchIndex(host); c != nil {
			return p.vhost, p.re, c
		}
	}
	return nil, nil, nil
}

// namedGroups adds the names of re's groups to names: each is a variable.
func namedGroups(names map[string]struct{}, re *regexp.Regexp) {
	if re == nil {
		return
	}
	for _, n := range re.SubexpNames() {
		if n != "" {
			names[strings.ToLower(n)] = struct{}{}
		}
	}
}

// displayName is $server_name for a server's first name.
func displayName(n conf.ServerName) string {
	if n.Kind == conf.NameDotPrefix {
		return n.Name
	}
	return n.Text
}
