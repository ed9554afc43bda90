package httpparse

// Method is a request method as nginx knows them; the text of an unknown one is
// in Request.MethodText.
type Method uint8

// The methods of ngx_http_request.h; anything else is MethodOther.
const (
	MethodOther Method = iota
	MethodGet
	MethodHead
	MethodPost
	MethodPut
	MethodDelete
	MethodMkcol
	MethodCopy
	MethodMove
	MethodOptions
	MethodPropfind
	MethodProppatch
	MethodLock
	MethodUnlock
	MethodPatch
	MethodTrace
	MethodConnect
)

var methodNames = [...]string{
	MethodOther: "", MethodGet: "GET", MethodHead: "HEAD", MethodPost: "POST", MethodPut: "PUT",
	MethodDelete: "DELETE", MethodMkcol: "MKCOL", MethodCopy: "COPY", MethodMove: "MOVE",
	MethodOptions: "OPTIONS", MethodPropfind: "PROPFIND", MethodProppatch: "PROPPATCH",
	MethodLock: "LOCK", MethodUnlock: "UNLOCK", MethodPatch: "PATCH", MethodTrace: "TRACE",
	MethodConnect: "CONNECT",
}

// String is the method's name, "" for MethodOther.
func (m Method) String() string { return methodNames[m] }

// Idempotent reports whether a request with this method may be sent again after
// a failure (RFC 9110 section 9.2.2). nginx refuses POST, LOCK and PATCH; an
// unknown method has unknown effects and counts as not idempotent here.
func (m Method) Idempotent() bool {
	switch m {
	case MethodOther, MethodPost, MethodLock, MethodPatch, MethodConnect:
		return false
	}
	return true
}

// LookupMethod finds the method with exactly this (case-sensitive) name.
func LookupMethod(name []byte) Method {
	switch string(name) {
	case "GET":
		return MethodGet
	case "HEAD":
		return MethodHead
	case "POST":
		return MethodPost
	case "PUT":
		return MethodPut
	case "DELETE":
		return MethodDelete
	case "MKCOL":
		return MethodMkcol
	case "COPY":
		return MethodCopy
	case "MOVE":
		return MethodMove
	case "OPTIONS":
		return MethodOptions
	case "PROPFIND":
		return MethodPropfind
	case "PROPPATCH":
		return MethodProppatch
	case "LOCK":
		return MethodLock
	case "UNLOCK":
		return MethodUnlock
	case "PATCH":
		return MethodPatch
	case "TRACE":
		return MethodTrace
	case "CONNECT":
		return MethodConnect
	}
	return MethodOther
}
