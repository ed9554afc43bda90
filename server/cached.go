package server

import (
	"bytes"
	"errors"
	"strconv"

	"seawall/cache"
	"seawall/conf"
	"seawall/engine"
	"seawall/httpparse"
	"seawall/upstream"
)

// serveProxy answers from the cache, or asks the backend.
func (r *Request) serveProxy() verdict {
	h := r.loc.proxy
	c := h.cache
	if c == nil || !c.methodCached(r.method) {
		// An earlier location's dealings with its cache are not this one's.
		r.caching, r.cacheStatus = false, cacheNone
		return r.askBackend()
	}
	if r.uncached {
		return r.askBackend()
	}
	r.cacheStatus = cacheNone
	if r.body.unasked() { // first, as in nginx: others may come to wait for this request
		r.readBodyFirst()
		return done
	}
	if h.dynamic != nil {
		if _, ok := r.evalDynamic(h); !ok { // the key may have $proxy_host in it
			return r.fail(500, "")
		}
	}
	zone := c.zone
	if zone == nil {
		name := c.zoneName.eval(r)
		if len(name) == 0 || string(name) == "off" {
			return r.askBackend()
		}
		if zone = r.site.zones[string(name)]; zone == nil {
			r.logClient(levelError, "cache \"%s\" not found", name)
			return r.fail(500, "")
		}
	}
	r.caching = true
	// The default key needs no more than views; the text lives in scratch
	// until a miss needs it longer.
	text := c.key.append(r, r.loop.keyText[:0])
	r.loop.keyText = text
	k := zone.MakeKey(text)
	if len(c.bypass) > 0 && anyTruthy(r, c.bypass) {
		r.cacheStatus = cacheBypass
		return r.refill(zone, k, nil)
	}
	obj, st := zone.Lookup(r.loop.hot, k, r, r.now())
	if st != cache.Miss && isBodiless(obj) && r.method != httpparse.MethodHead {
		r.cacheStatus = cacheMiss
		return r.refill(zone, k, nil)
	}
	switch st {
	case cache.Fresh:
		return r.serveStored(obj, cacheHit)
	case cache.Stale:
		return r.serveExpired(zone, k, obj)
	}
	r.cacheStatus = cacheMiss
	if c.minUses > 1 && zone.Uses(k, r.now()) < c.minUses {
		return r.askBackend()
	}
	return r.fill(zone, k, nil)
}

// fill asks the backend for what is to be stored, together with others where
// proxy_cache_lock says so and the request can be shared: it is there in
// whole, and it is not a HEAD that is asked as such.
func (r *Request) fill(zone *cache.Zone, k cache.Key, stale *cache.Object) verdict {
	c := r.loc.proxy.cache
	if c.maxRangeOffset >= 0 && r.rangeBegins(c.maxRangeOffset) {
		return r.askBackend() // as the client asked, and not stored
	}
	if c.lock && r.body.whole && (r.method != httpparse.MethodHead || c.convertHead) {
		return r.fillTogether(zone, k, stale)
	}
	return r.refill(zone, k, stale)
}

// rangeBegins tells whether a range is asked for that begins at offset or
// later (proxy_cache_max_range_offset).
func (r *Request) rangeBegins(offset int64) bool {
	const unit = "bytes="
	v := r.header(httpparse.HeaderRange)
	if len(v) <= len(unit) || !httpparse.EqualFold(v[:len(unit)], []byte(unit)) {
		return false
	}
	v = bytes.TrimLeft(v[len(unit):], " ")
	first, _, _ := bytes.Cut(v, []byte("-"))
	if len(first) == 0 {
		return true // counted from the end, wherever that is
	}
	n, err := strconv.ParseInt(string(first), 10, 64)
	return err != nil || n >= offset
}

// serveExpired deals with a stored response that is past its lifetime.
func (r *Request) serveExpired(zone *cache.Zone, k cache.Key, obj *cache.Object) verdict {
	c := r.loc.proxy.cache
	now := r.now()
	whileUpdating := c.useStale&conf.OnUpdating != 0 || obj.StaleWhileUpdating(now)
	if !whileUpdating {
		r.cacheStatus = cacheExpired
		return r.fill(zone, k, obj)
	}
	if len(c.noCache) > 0 && anyTruthy(r, c.noCache) {
		r.cacheStatus = cacheExpired
		return r.refill(zone, k, obj)
	}
	t := zone.Begin(r.loop.hot, k, r, nil, nil, now)
	switch t.Role {
	case cache.RoleServed:
		if isBodiless(t.Object) && r.method != httpparse.MethodHead {
			return r.refill(zone, k, obj)
		}
		return r.serveStored(t.Object, cacheHit)
	case cache.RoleLeader, cache.RoleAlone:
	default:
		return r.serveStored(obj, cacheUpdating)
	}
	if (c.background || obj.StaleWhileUpdating(now)) && r.refreshable() {
		ex := r.loop.newExchange(nil)
		ex.lead(t.Fill, r, zone, k, obj)
		r.refreshInBackground(ex)
		return r.serveStored(obj, cacheStale)
	}
	r.cacheStatus = cacheExpired
	r.ownExchange().lead(t.Fill, r, zone, k, obj)
	return r.askBackend()
}

// refreshable tells whether the backend can be asked anew without the client:
// what it is asked has no body, it will answer with one, and it needs no
// client's request to know whether the answer may be stored.
func (r *Request) refreshable() bool {
	c := r.loc.proxy.cache
	return !r.body.present() && r.loc.proxy.setBody == nil && (r.method != httpparse.MethodHead || c.convertHead) &&
		len(c.noCache) == 0
}

// ownExchange gives the request's exchange: a new one, or that of an earlier location.
func (r *Request) ownExchange() *exchange {
	if r.ex == nil {
		r.ex = r.loop.newExchange(r)
	}
	return r.ex
}

// lead makes the exchange leader of a fill.
func (ex *exchange) lead(f *cache.Fill, r *Request, zone *cache.Zone, k cache.Key, stale *cache.Object) {
	ex.take(r, zone, k, stale)
	ex.fill = f
	f.LedBy(ex)
}

// refreshInBackground asks the backend on the cache's behalf
// (proxy_cache_background_update, stale-while-revalidate).
func (r *Request) refreshInBackground(ex *exchange) {
	h := r.loc.proxy
	own := r.ex
	if ex.group = h.group; h.dynamic != nil {
		if ex.group = r.groupForUpdate(h); ex.group == nil {
			ex.abandonFill(errNoGroup)
			ex.free()
			return
		}
	}
	r.buildBackendHead(ex)
	r.ex = own
	req := upstream.RequestBytes{Head: ex.head, Idempotent: ex.idempotent, HeadRequest: ex.headRequest}
	ex.start(req)
}

// take makes the exchange one whose response is to be stored under k.
func (ex *exchange) take(r *Request, zone *cache.Zone, k cache.Key, stale *cache.Object) {
	ex.loc = r.loc
	ex.zone = zone
	ex.keyText = append(ex.keyText[:0], k.Text...)
	ex.key = cache.Key{Text: ex.keyText, Hash: k.Hash}
	ex.asker.take(r)
	ex.stale = stale
}

// refill asks the backend and stores what it answers, without regard to
// others who ask for the same.
func (r *Request) refill(zone *cache.Zone, k cache.Key, stale *cache.Object) verdict {
	c := r.loc.proxy.cache
	ex := r.ownExchange()
	if len(c.noCache) == 0 || !anyTruthy(r, c.noCache) {
		ex.lead(zone.Alone(k, r.now()), r, zone, k, stale)
	} else {
		ex.take(r, zone, k, stale)
	}
	return r.askBackend()
}

// fillTogether lets one request ask the backend; the others read its response
// as it arrives (proxy_cache_lock).
func (r *Request) fillTogether(zone *cache.Zone, k cache.Key, stale *cache.Object) verdict {
	c := r.loc.proxy.cache
	if len(c.noCache) > 0 && anyTruthy(r, c.noCache) {
		return r.refill(zone, k, stale)
	}
	if r.ex != nil { // an earlier group's exchange, kept for the log
		return r.refill(zone, k, stale)
	}
	t := zone.Begin(r.loop.hot, k, r, &r.reader, r, r.now())
	switch t.Role {
	case cache.RoleServed:
		if isBodiless(t.Object) && r.method != httpparse.MethodHead {
			return r.refill(zone, k, stale)
		}
		return r.serveStored(t.Object, cacheHit)
	case cache.RoleFollower:
		until := r.followed.until
		if until == 0 { // one time-out for all that the request waits for, as in nginx
			until = r.now() + c.lockTimeout
		}
		r.followed = followed{zone: zone, stale: stale, until: until}
		r.cacheKey = r.keep(k.Text)
		r.handlerState = contentWaiting
		r.loop.l.SetTimer(&r.lockTimer, until, r)
		r.loop.stats.coalesced++
		r.pumpFill()
		return done
	}
	r.ownExchange().lead(t.Fill, r, zone, k, stale)
	return r.askBackend()
}

// followed is the fill that a request reads but does not lead.
type followed struct {
	zone  *cache.Zone
	stale *cache.Object
	until int64 // loop time until which the request waits for others, ns
}

// FillProgress implements cache.Waiter for a follower. It comes from any loop.
func (r *Request) FillProgress(*cache.Fill) { r.loop.l.Post(r.wakeFromFill) }

// pumpFill sends what has arrived of the fill that the request reads.
func (r *Request) pumpFill() {
	for r.reader.Fill() != nil {
		if r.resp.headSent && r.queued() >= outputHigh {
			if r.client.flush(r); r.queued() >= outputHigh {
				return // the client's turn: outputDrained comes back here
			}
		}
		obj, chunk, state := r.reader.Next()
		if obj != nil && !r.resp.headSent {
			if !r.reader.Matches(r) {
				r.reader.Leave()
				r.followAgain()
				return
			}
			r.loop.l.StopTimer(&r.lockTimer)
			r.headFromFill(obj)
			if r.headerOnly {
				r.reader.Leave()
				r.endResponse()
				return
			}
		}
		if len(chunk) > 0 {
			r.sendBody(chunk, true)
			continue
		}
		switch state {
		case cache.FillPending:
			return
		case cache.FillStreaming:
			r.flushIfIdle()
			return
		case cache.FillComplete:
			r.reader.Leave()
			r.endResponse()
			return
		default:
			r.fillEnded(state)
			return
		}
	}
	r.flushIfIdle()
}

// headFromFill answers with the head of a response that is on its way.
func (r *Request) headFromFill(obj *cache.Object) {
	if r.ex == nil && r.cacheStatus != cacheUpdating {
		r.cacheStatus = cacheHit
	}
	r.handlerState = contentStreaming
	r.adoptObject(obj)
	if !isBodiless(obj) {
		r.resp.length = r.reader.Fill().Length()
	}
	r.resp.singleRange = true
	r.sendHead()
}

// replyFromFill makes the client whose request leads the fill its first reader.
func (r *Request) replyFromFill() {
	r.ex.fill.Follow(&r.reader, nil)
	r.pumpFill()
}

// fillEnded deals with a fill that will not give the response.
func (r *Request) fillEnded(state cache.FillState) {
	f := r.reader.Fill()
	r.reader.Leave()
	r.loop.l.StopTimer(&r.lockTimer)
	if r.resp.headSent {
		r.client.abort(r)
		return
	}
	if state == cache.FillReleased {
		// Not to be shared. For a page that never is, Begin lets all go at
		// once, and each response may still be stored; after an error of the
		// backend's they go on one by one, to spare it.
		r.settle(r.serveProxy())
		r.flushIfIdle()
		return
	}
	var e *upstream.Error
	if err := f.Err(); errors.As(err, &e) {
		if r.serveStale(e) {
			return
		}
		if e.Kind == upstream.KindTimeout || r.attempts > 0 {
			r.settle(r.fail(e.Status, ""))
			r.flushIfIdle()
			return
		}
		// One failure may be an accident: the first to come back leads, the
		// others follow it once more. A second one is everybody's answer, so
		// that a dead backend is not asked by each in turn.
	}
	r.followAgain()
}

// followAgain looks the key up once more.
func (r *Request) followAgain() {
	r.loop.l.StopTimer(&r.lockTimer)
	if r.attempts++; r.attempts > 3 {
		r.settle(r.askBackend())
	} else {
		r.settle(r.serveProxy())
	}
	r.flushIfIdle()
}

// lockExpired is reached when a follower has waited long enough: another
// request is let through when the leader has taken proxy_cache_lock_age, else
// this one alone, without storing the response (proxy_cache_lock_timeout).
func (r *Request) lockExpired() {
	fill := r.reader.Fill()
	if fill == nil || r.resp.headSent || r.handlerState != contentWaiting {
		return
	}
	c := r.loc.proxy.cache
	r.reader.Leave()
	ex := r.loop.newExchange(r)
	k := r.followed.zone.MakeKey(r.cacheKey)
	ex.take(r, r.followed.zone, k, r.followed.stale)
	ex.fill = r.followed.zone.TakeOver(fill, ex, c.lockAge, r.now())
	r.ex = ex
	r.settle(r.askBackend())
	r.flushIfIdle()
}

// serveStale answers with an expired response because the backend failed and
// the location, or the response, allows it. false: it may not.
func (r *Request) serveStale(e *upstream.Error) bool {
	if r.loc.proxy == nil || r.loc.proxy.cache == nil {
		return false
	}
	obj := r.followed.stale
	if r.ex != nil {
		obj = r.ex.stale
	}
	if obj == nil || !r.mayServeStale(obj, staleCondition(e)) {
		return false
	}
	if r.ex != nil {
		r.ex.over()
	}
	r.settle(r.serveStored(obj, cacheStale))
	r.flushIfIdle()
	return true
}

func (r *Request) mayServeStale(obj *cache.Object, cond conf.Conditions) bool {
	return r.loc.proxy.cache.useStale&cond != 0 || obj.StaleOnError(r.now())
}

// staleCondition is the parameter of proxy_cache_use_stale that a failure falls under.
func staleCondition(e *upstream.Error) conf.Conditions {
	switch e.Kind {
	case upstream.KindTimeout:
		return conf.OnTimeout
	case upstream.KindInvalidHead, upstream.KindHeadTooBig, upstream.KindInvalidBody:
		return conf.OnInvalidHeader
	}
	return conf.OnError
}

// staleStatus is the parameter of proxy_cache_use_stale for a backend's status.
func staleStatus(status int) conf.Conditions {
	switch status {
	case 403:
		return conf.OnHTTP403
	case 404:
		return conf.OnHTTP404
	case 429:
		return conf.OnHTTP429
	case 500:
		return conf.OnHTTP500
	case 502:
		return conf.OnHTTP502
	case 503:
		return conf.OnHTTP503
	case 504:
		return conf.OnHTTP504
	}
	return 0
}

// isBodiless tells whether obj is the stored answer to a HEAD request.
func isBodiless(obj *cache.Object) bool {
	return len(obj.Head) > 0 && obj.Head[0] == '@' && bytes.HasPrefix(obj.Head, []byte(storedLength))
}

// keep lockTimer's owner next to its handler: see Expired in pace.go.
var _ engine.Expirer = (*Request)(nil)
