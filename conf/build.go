package conf

import (
	"fmt"
	"maps"
	"path/filepath"
	"slices"
	"strings"
)

// builder turns statements into the tree. Each block is gone through twice: its simple directives first, then the
// blocks in it, which start as a copy of the settings around them.
type builder struct {
	cfg      *Config
	defaults bool // the statements are the table's defaults

	passes []*pendingPass  // proxy_pass, to be bound to upstreams at the end
	caches []*pendingCache // proxy_cache, to be bound to zones at the end
}

type pendingPass struct {
	pass *ProxyPass
	url  ProxyURL
	stmt *stmt
}

type pendingCache struct {
	cache *ProxyCache
	stmt  *stmt
}

// level is a block being built. Only the parts that exist in its context are set; in an inner block main, events and
// http are those around it.
type level struct {
	b      *builder
	in     Context
	parent *level
	given  map[string][]*stmt // what was given in this block, by name

	main   *Main
	events *Events
	http   *HTTP
	server *Server
	srv    *ServerSettings
	loc    *Location
	up     *Upstream

	accessOff bool // access_log off was among the access_logs
	inherit   inheritance
}

func (l *level) set() *Settings { return &l.loc.Settings }

// first tells whether the statement now being set is the first of its name in its block. A list then starts anew, for
// a block that gives a list directive inherits none of the list.
func (l *level) first(name string) bool { return len(l.given[name]) == 1 }

// has tells whether the block itself gave a directive.
func (l *level) has(name string) bool { return len(l.given[name]) > 0 }

// where finds the place nearest to the block where one of the directives was given, or else pos.
func (l *level) where(pos Pos, names ...string) Pos {
	for ; l != nil; l = l.parent {
		for _, n := range names {
			if list := l.given[n]; len(list) > 0 {
				return list[len(list)-1].pos
			}
		}
	}
	return pos
}

func (b *builder) warn(pos Pos, format string, args ...any) {
	b.cfg.Notices = append(b.cfg.Notices, Notice{Pos: pos, Level: NoticeWarning, Text: fmt.Sprintf(format, args...)})
}

func (b *builder) info(pos Pos, format string, args ...any) {
	if !b.defaults {
		b.cfg.Notices = append(b.cfg.Notices, Notice{Pos: pos, Text: fmt.Sprintf(format, args...)})
	}
}

// fullPath joins a relative path to the prefix.
func (b *builder) fullPath(path string) string {
	if filepath.IsAbs(path) || b.cfg.Prefix == "" || path == "" {
		return path
	}
	return filepath.Join(b.cfg.Prefix, path)
}

// applyDefaults runs the defaults of the table's rows for a context.
func (l *level) applyDefaults(in Context) error {
	l.b.defaults = true
	defer func() { l.b.defaults = false }()
	for _, name := range slices.Sorted(maps.Keys(table())) {
		for _, row := range table()[name] {
			if row.In&in == 0 || row.Default == "" || row.NoEffect || row.set == nil {
				continue
			}
			s := &stmt{row: row, name: name, args: strings.Fields(row.Default)}
			l.given = map[string][]*stmt{name: {s}}
			if err := row.set(l, s); err != nil {
				return err
			}
		}
	}
	l.given = nil
	return nil
}

// simple sets the directives of a block that are no blocks.
func (l *level) simple(list []*stmt) error {
	l.given = make(map[string][]*stmt)
	for _, s := range list {
		if s.row.set == nil {
			continue
		}
		if l.has(s.name) && !s.row.multi {
			return s.wrong("is duplicate")
		}
		l.given[s.name] = append(l.given[s.name], s)
		if err := s.row.set(l, s); err != nil {
			return err
		}
		if s.row.NoEffect {
			l.b.info(s.pos, `"%s" has no effect`, s.name)
		}
		if s.row.NotYet {
			l.b.info(s.pos, `"%s" is not acted on yet`, s.name)
		}
	}
	return nil
}

// blocks calls build for each block of a name.
func blocks(list []*stmt, name string, build func(*stmt) error) error {
	for _, s := range list {
		if s.name == name && s.row.set == nil {
			if err := build(s); err != nil {
				return err
			}
		}
	}
	return nil
}

// build makes the whole tree.
func (b *builder) build(list []*stmt) error {
	main := &level{b: b, in: InMain, main: &b.cfg.Main}
	main.main.WorkerRlimitCore = -1
	if err := main.applyDefaults(InMain); err != nil {
		return err
	}
	if err := main.simple(list); err != nil {
		return err
	}
	var events, http *stmt
	for _, s := range list {
		block := &events
		switch s.name {
		case "http":
			block = &http
		case "events":
		default:
			continue
		}
		if *block != nil {
			return s.wrong("is duplicate")
		}
		*block = s
	}
	if events != nil {
		l := &level{b: b, in: InEvents, parent: main, events: &b.cfg.Events}
		if err := l.applyDefaults(InEvents); err != nil {
			return err
		}
		if err := l.simple(events.block); err != nil {
			return err
		}
	}
	if http != nil {
		if err := b.httpBlock(main, http); err != nil {
			return err
		}
	}
	if events == nil {
		return &Error{Text: `no "events" section in configuration`, Late: true}
	}
	return nil
}

// httpBlock builds the http block and everything in it.
func (b *builder) httpBlock(main *level, s *stmt) error {
	h := &HTTP{
		Location:       &Location{Pos: s.pos},
		UpstreamByName: make(map[string]*Upstream),
		CacheByName:    make(map[string]*CachePath),
		LogFormats:     make(map[string]*LogFormat),
	}
	b.cfg.HTTP = h
	h.LogFormats["combined"] = combinedFormat()
	l := &level{b: b, in: InHTTP, parent: main, http: h, loc: h.Location, srv: new(ServerSettings)}
	l.set().busyBuffersSize, l.set().maxTempFileSize, l.set().tempFileWriteSize = -1, -1, -1
	l.set().MaxRanges, l.set().ProxyCacheMaxRangeOffset = -1, -1
	l.set().Types = defaultTypes()
	if err := l.applyDefaults(InHTTP); err != nil {
		return err
	}
	l.set().ErrorLogs = main.main.ErrorLogs
	if err := l.httpLevel(s); err != nil {
		return err
	}
	err := blocks(s.block, "upstream", func(s *stmt) error { return l.upstreamBlock(s) })
	if err != nil {
		return err
	}
	if err := blocks(s.block, "server", func(s *stmt) error { return l.serverBlock(s) }); err != nil {
		return err
	}
	if err := b.joinListens(); err != nil {
		return err
	}
	if err := b.bindCaches(); err != nil {
		return err
	}
	return b.bindPasses()
}

// httpLevel sets the settings of a block whose settings are a Location's: the simple directives, the types, and what
// follows from several of them.
func (l *level) httpLevel(s *stmt) error {
	if err := l.simple(s.block); err != nil {
		return err
	}
	if err := l.types(s.block); err != nil {
		return err
	}
	l.mergeLogs()
	l.mergeHeaders()
	if l.in == InHTTP {
		return nil // nginx checks what follows only where a server uses it
	}
	if l.in == InServer {
		if err := l.checkServer(s); err != nil {
			return err
		}
	}
	return l.mergeProxy(s)
}

// child makes the level of a block inside l, whose settings start as l's but for what is not inherited.
func (l *level) child(in Context, loc *Location) *level {
	loc.Parent = l.loc
	loc.Settings = l.loc.Settings
	set := &loc.Settings
	set.Internal, set.LimitExcept, set.Return = false, nil, nil
	if in != InLimitExcept {
		set.ProxyPass = nil
	}
	return &level{b: l.b, in: in, parent: l, main: l.main, http: l.http, server: l.server, loc: loc, inherit: l.inherit}
}
