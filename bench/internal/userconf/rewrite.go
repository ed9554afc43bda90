//go:build linux

package userconf

import (
	"cmp"
	"fmt"
	"maps"
	"net/netip"
	"os"
	"os/user"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
)

// layout is where one server gets the user's configuration: the same files with the same lines below dir/conf, whatever
// it writes below dir/files, and other addresses.
type layout struct {
	dir        string // absolute
	addresses  map[endpoint]netip.AddrPort
	workers    int
	tempPaths  []string // directives that keep the server from writing where it was built to
	leftOut    map[*statement]bool
	withoutArg map[*statement]string // a parameter of listen that is left out
	origin     string                // address in the place of every backend; "": the user's own are asked
}

// edit replaces the bytes from start to end of a file.
type edit struct {
	start, end int
	text       string
}

// confDir is where the files go.
func (l *layout) confDir() string { return filepath.Join(l.dir, "conf") }

// mainFile is the configuration to start with.
func (l *layout) mainFile(src *source) string { return l.confDir() + src.main }

// socket is where a unix socket goes: its path may have 107 bytes, so it keeps nothing of the user's.
func (l *layout) socket(e endpoint) string {
	keys := slices.SortedFunc(maps.Keys(l.addresses), func(a, b endpoint) int { return cmp.Compare(a.String(), b.String()) })
	return filepath.Join(l.dir, fmt.Sprintf("s%d.sock", slices.Index(keys, e)))
}

// write puts the configuration into the layout's directory.
func (l *layout) write(src *source) error {
	if err := os.RemoveAll(l.confDir()); err != nil {
		return err
	}
	edits, writes := l.edits(src)
	for _, path := range writes {
		if err := makeWritable(l.dir, filepath.Dir(path)); err != nil {
			return err
		}
	}
	for _, path := range src.order {
		to := l.confDir() + path
		if err := os.MkdirAll(filepath.Dir(to), 0o755); err != nil {
			return err
		}
		if err := os.WriteFile(to, apply(src.files[path].text, edits[path]), 0o644); err != nil {
			return err
		}
	}
	return l.linkRest(src)
}

// makeWritable makes the directories down to path, which a worker that has become another user may write to.
func makeWritable(base, path string) error {
	if err := os.MkdirAll(path, 0o755); err != nil {
		return err
	}
	for ; len(path) > len(base); path = filepath.Dir(path) {
		if err := os.Chmod(path, 0o777); err != nil {
			return err
		}
	}
	return nil
}

// linkRest makes what else lies beside the user's files (certificates, password files, ...) reachable by the same
// relative names.
func (l *layout) linkRest(src *source) error {
	top := filepath.Dir(src.main)
	dirs := map[string]bool{}
	for _, path := range src.order {
		for dir := filepath.Dir(path); dir == top || strings.HasPrefix(dir, top+"/"); dir = filepath.Dir(dir) {
			dirs[dir] = true
		}
	}
	for _, dir := range slices.Sorted(maps.Keys(dirs)) {
		entries, err := os.ReadDir(dir)
		if err != nil {
			return err
		}
		for _, e := range entries {
			from := filepath.Join(dir, e.Name())
			to := l.confDir() + from
			if _, err := os.Lstat(to); err == nil || dirs[from] {
				continue
			}
			if err := os.Symlink(from, to); err != nil {
				return err
			}
		}
	}
	return nil
}

// apply makes the edits of one file; a span keeps its number of lines.
func apply(text []byte, edits []edit) []byte {
	slices.SortFunc(edits, func(a, b edit) int {
		return cmp.Or(cmp.Compare(a.start, b.start), cmp.Compare(a.end, b.end), cmp.Compare(a.text, b.text))
	})
	edits = slices.Compact(edits) // a file that is included twice was gone through twice
	var out []byte
	at := 0
	for _, e := range edits {
		if e.start < at {
			continue // within what is left out
		}
		out = append(out, text[at:e.start]...)
		out = append(out, e.text...)
		for _, c := range text[e.start:e.end] {
			if c == '\n' {
				out = append(out, c)
			}
		}
		at = e.end
	}
	return append(out, text[at:]...)
}

// edits are the changes by file, and the paths that the server will write.
func (l *layout) edits(src *source) (edits map[string][]edit, writes []string) {
	r := &rewriter{layout: l, src: src, edits: map[string][]edit{}, upstreams: map[string]bool{}}
	src.each(func(p place) bool {
		if p.name() == "upstream" && p.isBlock {
			r.upstreams[strings.ToLower(p.arg(0))] = true
		}
		return !isMap(p.name())
	})
	given := map[string]bool{} // "main worker_processes", "http access_log"
	var http *place
	src.each(func(p place) bool {
		if l.leftOut[p.statement] {
			r.replace(p, "")
			return false
		}
		if p.name() == "include" {
			r.include(p)
			return true
		}
		if isMap(p.in()) {
			return false
		}
		if len(p.around) < 2 {
			given[p.in()+" "+p.name()] = true
		}
		if p.name() == "http" && p.in() == "" {
			http = &p
		}
		r.statement(p)
		return true
	})
	for _, v := range src.servers() {
		if v.listens[0].statement == nil && !l.leftOut[v.statement] {
			r.insert(v.file, v.inside, fmt.Sprintf(" listen %s;", l.addresses[v.listens[0].endpoint]))
		}
	}
	r.additions(given, http)
	return r.edits, r.writes
}

type rewriter struct {
	*layout
	src       *source
	edits     map[string][]edit
	writes    []string
	upstreams map[string]bool // names of upstream blocks, lower case
}

func (r *rewriter) replace(p place, text string) {
	r.edits[p.file.path] = append(r.edits[p.file.path], edit{p.start, p.end, text})
}

func (r *rewriter) replaceWord(p place, w word, text string) {
	r.edits[p.file.path] = append(r.edits[p.file.path], edit{w.start, w.end, text})
}

func (r *rewriter) insert(f *file, at int, text string) {
	r.edits[f.path] = append(r.edits[f.path], edit{at, at, text})
}

// additions are what the configuration does not say itself: without them the servers would daemonize or write where
// they were built to.
func (r *rewriter) additions(given map[string]bool, http *place) {
	main := r.src.files[r.src.main]
	var add []string
	for _, d := range [][2]string{
		{"daemon", "off"}, {"worker_processes", strconv.Itoa(r.workers)},
		{"pid", r.written("run.pid")}, {"error_log", r.written("error.log")},
	} {
		if !given[" "+d[0]] {
			add = append(add, d[0]+" "+d[1]+";")
		}
	}
	if len(add) > 0 {
		r.insert(main, 0, strings.Join(add, " ")+" ")
	}
	if http == nil {
		return
	}
	add = nil
	if !given["http access_log"] {
		add = append(add, "access_log "+r.written("access.log")+";")
	}
	for _, name := range r.tempPaths {
		if !given["http "+name] {
			add = append(add, name+" "+r.written(name)+";")
		}
	}
	if len(add) > 0 {
		r.insert(http.file, http.inside, " "+strings.Join(add, " "))
	}
}

// written gives the path below the server's directory in the place of one that the server writes to.
func (r *rewriter) written(path string) string {
	if !filepath.IsAbs(path) {
		path = filepath.Join(r.src.prefix, path)
	}
	path = filepath.Join(r.dir, "files", path)
	static := path
	if i := strings.IndexByte(path, '$'); i >= 0 {
		static = path[:i] + "x" // the directories before the first variable
	}
	r.writes = append(r.writes, static)
	return path
}

func (r *rewriter) include(p place) {
	if len(p.words) == 2 {
		r.replaceWord(p, p.words[1], quote(r.includeTarget(p.statement)))
	}
}

// includeTarget is an include's new path. One that names nothing keeps its own, for nginx to say so.
func (r *rewriter) includeTarget(s *statement) string {
	pattern := r.src.pattern(s)
	if !isGlob(pattern) && r.src.files[pattern] == nil {
		return pattern
	}
	return r.confDir() + pattern
}

// statement changes one directive.
func (r *rewriter) statement(p place) {
	name := p.name()
	main := p.in() == ""
	switch {
	case main && name == "daemon":
		r.replace(p, "daemon off;")
	case main && name == "worker_processes":
		r.replace(p, fmt.Sprintf("worker_processes %d;", r.workers))
	case main && name == "worker_cpu_affinity": // would undo the pinning
		r.replace(p, "")
	case main && name == "user" && !canBecome(p):
		r.replace(p, "")
	case len(p.words) < 2:
	case name == "listen" && p.in() == "server" && p.up(2) != "upstream":
		r.listen(p)
	case name == "server" && p.in() == "upstream" && r.origin != "":
		r.replaceWord(p, p.words[1], r.origin)
	case name == "proxy_pass" && r.origin != "":
		r.replaceWord(p, p.words[1], quote(passTo(p.arg(0), r.origin, r.upstreams)))
	case main && (name == "pid" || name == "lock_file"), strings.HasSuffix(name, "_cache_path"),
		strings.HasSuffix(name, "_temp_path"), name == "access_log", name == "error_log":
		r.path(p)
	}
}

// path changes the path of a directive that names what is written.
func (r *rewriter) path(p place) {
	path := p.arg(0)
	switch {
	case path == "off", path == "stderr", strings.HasPrefix(path, "/dev/"), strings.HasPrefix(path, "memory:"):
		return
	case strings.HasPrefix(path, "syslog:"):
		path = "syslog.log" // the machine's log is not to be flooded
	}
	r.replaceWord(p, p.words[1], quote(r.written(path)))
}

// listen moves a listen directive; a range of ports becomes one directive each, for free ports are not in a row.
func (r *rewriter) listen(p place) {
	var parameters []string
	for _, w := range p.args()[1:] {
		if !strings.HasPrefix(w.text, "ipv6only=") && r.withoutArg[p.statement] != w.text {
			parameters = append(parameters, " "+quote(w.text))
		}
	}
	var list []string
	for _, e := range parseListen(p.arg(0)) {
		to := r.addresses[e].String()
		if e.unix != "" {
			to = "unix:" + r.socket(e)
		}
		list = append(list, "listen "+to+strings.Join(parameters, "")+";")
	}
	if len(list) > 0 {
		r.replace(p, strings.Join(list, " "))
	}
}

// canBecome tells whether the servers can become the user that the configuration names.
func canBecome(p place) bool {
	if os.Geteuid() != 0 {
		return false
	}
	if _, err := user.Lookup(p.arg(0)); err != nil {
		return false
	}
	if group := p.arg(1); group != "" {
		_, err := user.LookupGroup(group)
		return err == nil
	}
	return true
}

// passTo puts an origin in the place of the host of a proxy_pass; one that names an upstream block stays, for the
// block's servers are replaced.
func passTo(url, origin string, upstreams map[string]bool) string {
	_, rest, ok := strings.Cut(url, "://")
	if !ok { // all of it in variables
		return "http://" + origin + "$request_uri"
	}
	host, path := rest, ""
	if i := strings.IndexAny(rest, "/?"); i >= 0 {
		host, path = rest[:i], rest[i:]
	}
	if strings.HasPrefix(rest, "unix:") {
		_, path, _ = strings.Cut(strings.TrimPrefix(rest, "unix:"), ":")
	} else if i := strings.Index(host, "$request_uri"); i > 0 {
		host, path = host[:i], host[i:]+path
	} else if i := strings.Index(host, "$uri"); i > 0 {
		host, path = host[:i], host[i:]+path
	}
	if upstreams[strings.ToLower(host)] {
		return "http://" + host + path
	}
	return "http://" + origin + path
}

// quote writes a value as one word of a configuration.
func quote(text string) string {
	if text != "" && !strings.ContainsAny(text, " \t\r\n;{}\"'\\#") {
		return text
	}
	return `"` + strings.NewReplacer(`\`, `\\`, `"`, `\"`).Replace(text) + `"`
}
