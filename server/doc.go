// Package server is the request machine: it takes requests from client
// connections, finds the virtual server and location that answer them, runs
// the content handler (a return, a backend, a stored response), filters and
// sends the response, and writes the access log.
//
// Where to look:
//
//   - phases.go names the phases of a request, in order; begin there.
//   - request.go is the request itself, response.go what is being answered.
//   - h1*.go is the client's side of HTTP/1.1; client.go is the small interface
//     through which a request knows its connection.
//   - site*.go turn a conf.Config into the immutable runtime tree.
//   - proxy*.go, exchange*.go and cached.go are the reverse proxy and the
//     microcache before it.
//
// A request, its connection, its backend call and its buffers belong to one
// event loop; nothing here takes a lock on the way of a request.
package server
