package upstream

// retry is what follows a failed attempt.
type retry uint8

const (
	retryNo   retry = iota
	retrySame       // the same peer, over a new connection
	retryNext       // another peer
)

// shouldRetry decides what follows the failure e of the attempt in progress, at
// now. It is ngx_http_upstream_next and ngx_http_upstream_test_next in one place.
// A yes has rewound the request's body.
func (c *Call) shouldRetry(e *Error, now int64) retry {
	sent := c.ex != nil && c.ex.Started()
	p := c.policy

	// The client already has a part of this response.
	if c.state == callAnswering {
		return retryNo
	}
	// Nothing was asked of a peer: another would not be better (no live ones,
	// queue, descriptors), or the response head says so itself.
	if e.Condition == 0 {
		return retryNo
	}
	// What a POST did is not known once it was sent; a second one is the user's
	// choice (RFC 9110 section 9.2.2).
	if sent && !c.req.Idempotent && p.Next&NextNonIdempotent == 0 {
		return retryNo
	}
	// A kept connection that the peer closed while idle says nothing about the
	// peer: that was decided before this request was sent (RFC 9112 section
	// 9.3.1). It takes no try, and the configuration need not ask for it.
	if e.Kind == KindStale {
		if !c.rewound(sent) {
			return retryNo
		}
		return retrySame
	}
	// Every peer was tried, or as many as proxy_next_upstream_tries allows. A
	// group of one peer has no other.
	if c.sel.left <= 1 || c.group.single {
		return retryNo
	}
	// The configuration does not ask for another peer in this case.
	if p.Next&e.Condition == 0 {
		return retryNo
	}
	// The client has waited long enough (proxy_next_upstream_timeout).
	if p.NextTimeout > 0 && now-c.began >= int64(p.NextTimeout) {
		return retryNo
	}
	// The body went by and was not kept (proxy_request_buffering off).
	if !c.rewound(sent) {
		return retryNo
	}
	return retryNext
}

// rewound makes the body ready for another attempt; false if that cannot be.
func (c *Call) rewound(sent bool) bool {
	return !sent || c.req.Body == nil || c.req.Body.Rewind()
}
