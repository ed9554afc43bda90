package conf

import (
	"os"
	"strings"
)

// serverBlock builds a server with its locations.
func (l *level) serverBlock(s *stmt) error {
	srv := &Server{Location: &Location{Pos: s.pos}, ServerSettings: *l.srv}
	in := l.child(InServer, srv.Location)
	in.server, in.srv = srv, &srv.ServerSettings
	if err := in.httpLevel(s); err != nil {
		return err
	}
	if len(srv.Listens) == 0 {
		srv.Listens = []Listen{defaultListen(s.pos)}
	}
	if len(srv.Names) == 0 {
		srv.Names = []ServerName{{}}
	}
	l.http.Servers = append(l.http.Servers, srv)
	return in.innerLocations(s)
}

// checkServer checks what nginx checks when it merges the settings of a server.
func (l *level) checkServer(s *stmt) error {
	const poolSize = 512 // connection_pool_size, which has no effect here, at its default
	if l.srv.LargeClientHeaderBuffers.Size < poolSize {
		return errorAt(l.where(s.pos, "large_client_header_buffers"),
			`the "large_client_header_buffers" size must be equal to or greater than "connection_pool_size"`)
	}
	return nil
}

// setServerName is server_name (ngx_http_core_server_name).
func setServerName(l *level, s *stmt) error {
	for _, text := range s.args {
		name, err := parseServerName(l, s, text)
		if err != nil {
			return err
		}
		l.server.Names = append(l.server.Names, name)
	}
	return nil
}

func parseServerName(l *level, s *stmt, text string) (ServerName, error) {
	if strings.EqualFold(text, "$hostname") {
		host, err := os.Hostname()
		if err != nil {
			return ServerName{}, s.errorf("gethostname() failed (%v)", err)
		}
		text = host
	}
	if strings.HasPrefix(text, "*") && (len(text) < 3 || text[1] != '.') || text == "." {
		return ServerName{}, s.errorf(`server name "%s" is invalid`, text)
	}
	if strings.ContainsRune(text, '/') && !strings.HasPrefix(text, "~") {
		l.b.warn(s.pos, `server name "%s" has suspicious symbols`, text)
	}
	if pattern, ok := strings.CutPrefix(text, "~"); ok {
		if pattern == "" {
			return ServerName{}, s.errorf(`empty regex in server name "%s"`, text)
		}
		// A request's host is in lower case, so nginx ignores case where the pattern has a capital letter, which
		// comes to ignoring it always.
		re, err := compile(s, pattern, true)
		return ServerName{Kind: NameRegex, Name: pattern, Text: text, Regexp: re}, err
	}
	lower := strings.ToLower(text)
	n := ServerName{Name: lower, Text: lower}
	switch {
	case strings.HasPrefix(lower, "*."):
		n.Kind, n.Name = NameHead, lower[2:]
	case strings.HasPrefix(lower, "."):
		n.Kind, n.Name = NameDotPrefix, lower[1:]
	case strings.HasSuffix(lower, ".*"):
		n.Kind, n.Name = NameTail, lower[:len(lower)-2]
	}
	return n, nil
}

// valid tells whether nginx would take the name into its hash (ngx_hash_add_key).
func (n ServerName) valid() bool {
	return n.Kind == NameRegex ||
		!strings.ContainsRune(n.Name, '*') && !strings.Contains(n.Text, "..") && !strings.ContainsRune(n.Text, 0)
}

// conflicts gives the keys under which a name can clash with another one: ".a" takes both "a" and "*.a".
func (n ServerName) conflicts() []string {
	switch n.Kind {
	case NameExact:
		return []string{n.Name}
	case NameDotPrefix:
		return []string{n.Name, "*." + n.Name}
	case NameHead:
		return []string{"*." + n.Name}
	case NameTail:
		return []string{n.Name + ".*"}
	}
	return nil
}
