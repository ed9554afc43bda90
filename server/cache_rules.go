package server

import (
	"strings"

	"seawall/cache"
	"seawall/conf"
	"seawall/httpparse"
)

// cacheStatus is $upstream_cache_status.
type cacheStatus uint8

const (
	cacheNone cacheStatus = iota
	cacheMiss
	cacheBypass
	cacheExpired
	cacheStale
	cacheUpdating
	cacheRevalidated
	cacheHit
	numCacheStatuses
)

var cacheStatusNames = [numCacheStatuses]string{
	"", "MISS", "BYPASS", "EXPIRED", "STALE", "UPDATING", "REVALIDATED", "HIT",
}

// cacheRules are the proxy_cache* settings of a location, compiled.
type cacheRules struct {
	zone        *cache.Zone // nil when named by a variable
	zoneName    *value
	key         value
	rules       cache.Rules
	methods     conf.CacheMethods
	minUses     int
	lock        bool
	lockTimeout int64 // ns
	lockAge     int64 // ns
	useStale    conf.Conditions
	bypass      []value
	noCache     []value
	// noCacheByReply: noCache depends on the backend's response, so that only a
	// client's request can tell.
	noCacheByReply bool
	maxRangeOffset int64 // proxy_cache_max_range_offset, -1 without
	convertHead    bool
	revalidate     bool
	background     bool
}

func (b *builder) compileCache(s *conf.Settings) *cacheRules {
	c := &cacheRules{
		methods:        s.ProxyCacheMethods,
		minUses:        s.ProxyCacheMinUses,
		lock:           s.ProxyCacheLock,
		lockTimeout:    int64(s.ProxyCacheLockTimeout),
		lockAge:        int64(s.ProxyCacheLockAge),
		useStale:       s.ProxyCacheUseStale,
		bypass:         b.compileAll(s.ProxyCacheBypass),
		noCache:        b.compileAll(s.ProxyNoCache),
		convertHead:    s.ProxyCacheConvertHead,
		revalidate:     s.ProxyCacheRevalidate,
		background:     s.ProxyCacheBackgroundUpdate,
		maxRangeOffset: s.ProxyCacheMaxRangeOffset,
		key:            b.compile(s.ProxyCacheKey),
	}
	c.noCacheByReply = dependOnReply(s.ProxyNoCache)
	if s.ProxyCache.Zone != nil {
		c.zone = b.zone(s.ProxyCache.Zone)
	} else {
		v := b.compile(s.ProxyCache.Name)
		c.zoneName = &v
	}
	for _, v := range s.ProxyCacheValid {
		c.rules.Valid = append(c.rules.Valid, cache.ValidRule{Status: v.Status, TTL: int64(v.Time)})
	}
	for _, p := range []struct {
		from conf.IgnoreHeaders
		to   cache.Ignore
	}{
		{conf.IgnoreXAccelExpires, cache.IgnoreAccelExpires}, {conf.IgnoreCacheControl, cache.IgnoreCacheControl},
		{conf.IgnoreExpires, cache.IgnoreExpires}, {conf.IgnoreSetCookie, cache.IgnoreSetCookie},
		{conf.IgnoreVary, cache.IgnoreVary},
	} {
		if s.ProxyIgnoreHeaders&p.from != 0 {
			c.rules.Ignore |= p.to
		}
	}
	return c
}

// dependOnReply tells whether one of ts has a variable that a backend's response gives.
func dependOnReply(ts []conf.Template) bool {
	for _, t := range ts {
		for _, p := range t.Parts {
			if strings.HasPrefix(p.Var, "upstream_") || strings.HasPrefix(p.Var, "sent_http_") || p.Var == "status" {
				return true
			}
		}
	}
	return false
}

// methodCached tells whether responses to m are served from the cache.
func (c *cacheRules) methodCached(m httpparse.Method) bool {
	switch m {
	case httpparse.MethodGet:
		return c.methods&conf.CacheGET != 0
	case httpparse.MethodHead:
		return c.methods&conf.CacheHEAD != 0
	case httpparse.MethodPost:
		return c.methods&conf.CachePOST != 0
	}
	return false
}
