// Package upstream is the backend side of the proxy: groups of peers, choosing
// among them, their passive health, and the life of one client request's
// dealings with them ([Call]): pick a peer, reuse or dial, send, receive, retry.
//
// How bytes are put on the wire is a [Protocol]'s business; the ones there are
// stand in packages beside http1. Call sees heads, body views and errors only.
//
// # Ownership
//
//   - Group, PeerConfig and Policy are immutable once in use and shared by all loops.
//   - A peer's health (failures, when they happened, connections in use) is
//     shared by all loops and atomic; it survives a reload by name.
//   - Weights in flight, idle connections and queues belong to one loop each.
//   - A Call, its Receiver and its BodySource belong to the loop it was started on.
//
// nginx's ngx_http_upstream.c and ngx_http_upstream_round_robin.c are the model
// for what is a failure, what is tried again and how it is worded in the log.
package upstream
