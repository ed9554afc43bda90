package conf

import (
	"fmt"
	"strings"
	"time"
)

const (
	minKeysZone   = 8 * 4096 // nginx's: eight pages
	defaultMemory = 64 << 20
)

// setCachePath is proxy_cache_path (ngx_http_file_cache_set_slot), and memory=, which is ours.
func setCachePath(l *level, s *stmt) error {
	c := &CachePath{
		Path: strings.TrimSuffix(l.b.fullPath(s.args[0]), "/"), UseTempPath: true, Inactive: 10 * time.Minute,
		ManagerFiles: 100, ManagerSleep: 50 * time.Millisecond, ManagerThreshold: 200 * time.Millisecond,
		LoaderFiles: 100, LoaderSleep: 50 * time.Millisecond, LoaderThreshold: 200 * time.Millisecond,
		Pos: s.pos,
	}
	for _, arg := range s.args[1:] {
		if what := c.parameter(arg); what != "" {
			return s.errorf("%s", what)
		}
	}
	if c.Name == "" || c.KeysZoneSize == 0 {
		return s.errorf(`"proxy_cache_path" must have "keys_zone" parameter`)
	}
	if l.http.CacheByName[c.Name] != nil {
		return s.errorf(`duplicate zone "%s"`, c.Name)
	}
	for _, other := range l.http.CachePaths {
		if other.Path == c.Path {
			return &Error{Text: fmt.Sprintf(`the same path name "%s" used in %s:%d and in %s:%d`,
				c.Path, other.Pos.File, other.Pos.Line, s.pos.File, s.pos.Line)}
		}
	}
	if !c.MemoryGiven {
		c.Memory = max(c.KeysZoneSize, defaultMemory)
		l.b.info(s.pos, `"proxy_cache_path" zone "%s" uses %dm of memory; set it with memory=`, c.Name, c.Memory>>20)
	}
	l.http.CachePaths = append(l.http.CachePaths, c)
	l.http.CacheByName[c.Name] = c
	return nil
}

// parameter sets one name=value; what is wrong comes back.
func (c *CachePath) parameter(arg string) (what string) {
	name, value, ok := strings.Cut(arg, "=")
	switch {
	case !ok:
		name = ""
	case name == "levels":
		ok = c.parseLevels(value)
		if !ok {
			return fmt.Sprintf(`invalid "levels" "%s"`, arg)
		}
		return ""
	case name == "use_temp_path":
		if c.UseTempPath, ok = parseFlag(value); !ok {
			return fmt.Sprintf(`invalid use_temp_path value "%s", it must be "on" or "off"`, arg)
		}
		return ""
	case name == "keys_zone":
		return c.parseZone(arg, value)
	}
	switch name {
	case "memory":
		c.Memory, ok = parseSize(value, true)
		c.MemoryGiven = true
		ok = ok && c.Memory > 0
	case "inactive":
		c.Inactive, ok = parseTime(value, true)
	case "max_size":
		c.MaxSize, ok = parseSize(value, true)
	case "min_free":
		c.MinFree, ok = parseSize(value, true)
	case "manager_files":
		c.ManagerFiles, ok = parseNumber(value)
	case "manager_sleep":
		c.ManagerSleep, ok = parseTime(value, false)
	case "manager_threshold":
		c.ManagerThreshold, ok = parseTime(value, false)
	case "loader_files":
		c.LoaderFiles, ok = parseNumber(value)
	case "loader_sleep":
		c.LoaderSleep, ok = parseTime(value, false)
	case "loader_threshold":
		c.LoaderThreshold, ok = parseTime(value, false)
	default:
		return fmt.Sprintf(`invalid parameter "%s"`, arg)
	}
	if !ok {
		return fmt.Sprintf(`invalid %s value "%s"`, name, arg)
	}
	return ""
}

// parseLevels reads up to three of 1 and 2 with colons between.
func (c *CachePath) parseLevels(value string) bool {
	if value == "" {
		return true
	}
	parts := strings.Split(value, ":")
	if len(parts) > 3 {
		return false
	}
	for _, p := range parts {
		if p != "1" && p != "2" {
			return false
		}
		c.Levels = append(c.Levels, int(p[0]-'0'))
	}
	return true
}

func (c *CachePath) parseZone(arg, value string) (what string) {
	name, size, ok := strings.Cut(value, ":")
	if ok {
		c.KeysZoneSize, ok = parseSize(size, false)
	}
	switch {
	case !ok:
		return fmt.Sprintf(`invalid keys zone size "%s"`, arg)
	case c.KeysZoneSize < minKeysZone:
		return fmt.Sprintf(`keys zone "%s" is too small`, arg)
	}
	c.Name = name
	return ""
}

// setProxyCache is proxy_cache (ngx_http_proxy_cache). Zones may be declared later.
func setProxyCache(l *level, s *stmt) error {
	l.set().ProxyCache = nil
	if s.args[0] == "off" {
		return nil
	}
	name, err := s.template(0)
	if err != nil {
		return err
	}
	cache := &ProxyCache{Name: name}
	l.set().ProxyCache = cache
	if name.IsStatic() {
		l.b.caches = append(l.b.caches, &pendingCache{cache: cache, stmt: s})
	}
	return nil
}

func (b *builder) bindCaches() error {
	for _, c := range b.caches {
		name := c.cache.Name.Text()
		if c.cache.Zone = b.cfg.HTTP.CacheByName[name]; c.cache.Zone == nil {
			return c.stmt.errorf(`"proxy_cache" zone "%s" is unknown`, name)
		}
	}
	return nil
}

// setCacheValid is proxy_cache_valid (ngx_http_file_cache_valid_set_slot).
func setCacheValid(l *level, s *stmt) error {
	set := l.set()
	if l.first(s.name) {
		set.ProxyCacheValid = nil
	}
	last := len(s.args) - 1
	d, ok := parseTime(s.args[last], true)
	if !ok {
		return s.errorf(`invalid time value "%s"`, s.args[last])
	}
	if last == 0 {
		for _, status := range []int{200, 301, 302} {
			set.ProxyCacheValid = append(set.ProxyCacheValid, CacheValid{Status: status, Time: d})
		}
	}
	for _, arg := range s.args[:last] {
		status := 0
		if arg != "any" {
			if status, ok = parseNumber(arg); !ok || status < 100 || status > 599 {
				return s.errorf(`invalid status "%s"`, arg)
			}
		}
		set.ProxyCacheValid = append(set.ProxyCacheValid, CacheValid{Status: status, Time: d})
	}
	return nil
}
