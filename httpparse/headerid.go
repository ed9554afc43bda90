package httpparse

// HeaderID names a field this package knows; compare it instead of the name.
type HeaderID uint8

// HeaderUnknown is the ID of every other field.
const HeaderUnknown HeaderID = 0

// The fields a proxy, a cache or a static server has to do with. The order of
// the first three groups carries meaning, see lastFraming, firstUnique and lastUnique.
const (
	// Those that Parse itself acts on.
	HeaderConnection HeaderID = iota + 1
	HeaderUpgrade
	HeaderHost
	HeaderContentLength
	HeaderTransferEncoding
	HeaderExpect
	// Those that, like the four above, nginx refuses to see twice in a request.
	HeaderAuthorization
	HeaderContentRange
	HeaderIfMatch
	HeaderIfModifiedSince
	HeaderIfNoneMatch
	HeaderIfRange
	HeaderIfUnmodifiedSince
	// All others.
	HeaderAccept
	HeaderAcceptCharset
	HeaderAcceptEncoding
	HeaderAcceptLanguage
	HeaderAcceptRanges
	HeaderAccessControlAllowOrigin
	HeaderAccessControlRequestHeaders
	HeaderAccessControlRequestMethod
	HeaderAge
	HeaderAllow
	HeaderAltSvc
	HeaderCacheControl
	HeaderCacheStatus
	HeaderCDNCacheControl
	HeaderContentDisposition
	HeaderContentEncoding
	HeaderContentLanguage
	HeaderContentLocation
	HeaderContentSecurityPolicy
	HeaderContentType
	HeaderCookie
	HeaderDate
	HeaderDNT
	HeaderDepth
	HeaderDestination
	HeaderETag
	HeaderEarlyData
	HeaderExpires
	HeaderForwarded
	HeaderFrom
	HeaderHTTP2Settings
	HeaderKeepAlive
	HeaderLastModified
	HeaderLink
	HeaderLocation
	HeaderMaxForwards
	HeaderOrigin
	HeaderOverwrite
	HeaderPragma
	HeaderPriority
	HeaderProxyAuthenticate
	HeaderProxyAuthorization
	HeaderProxyConnection
	HeaderRange
	HeaderReferer
	HeaderReferrerPolicy
	HeaderRefresh
	HeaderRetryAfter
	HeaderSecCHUA
	HeaderSecCHUAMobile
	HeaderSecCHUAPlatform
	HeaderSecFetchDest
	HeaderSecFetchMode
	HeaderSecFetchSite
	HeaderSecFetchUser
	HeaderSecGPC
	HeaderSecPurpose
	HeaderSecWebSocketAccept
	HeaderSecWebSocketExtensions
	HeaderSecWebSocketKey
	HeaderSecWebSocketProtocol
	HeaderSecWebSocketVersion
	HeaderServer
	HeaderServerTiming
	HeaderSetCookie
	HeaderStatus
	HeaderStrictTransportSecurity
	HeaderSurrogateControl
	HeaderTE
	HeaderTimingAllowOrigin
	HeaderTraceparent
	HeaderTracestate
	HeaderTrailer
	HeaderUpgradeInsecureRequests
	HeaderUserAgent
	HeaderVary
	HeaderVia
	HeaderWWWAuthenticate
	HeaderWarning
	HeaderXAccelBuffering
	HeaderXAccelCharset
	HeaderXAccelExpires
	HeaderXAccelLimitRate
	HeaderXAccelRedirect
	HeaderXContentTypeOptions
	HeaderXForwardedFor
	HeaderXForwardedHost
	HeaderXForwardedPort
	HeaderXForwardedProto
	HeaderXFrameOptions
	HeaderXHTTPMethodOverride
	HeaderXPoweredBy
	HeaderXRealIP
	HeaderXRequestID
	HeaderXRequestedWith
	HeaderXSSLClientCert
	HeaderXXSSProtection

	numHeaderIDs
)

const (
	lastFraming = HeaderExpect            // IDs up to here go to Head.framing
	firstUnique = HeaderHost              // a request with two of
	lastUnique  = HeaderIfUnmodifiedSince // these is refused
)

var headerNames = [numHeaderIDs]string{
	HeaderConnection:                  "Connection",
	HeaderUpgrade:                     "Upgrade",
	HeaderHost:                        "Host",
	HeaderContentLength:               "Content-Length",
	HeaderTransferEncoding:            "Transfer-Encoding",
	HeaderExpect:                      "Expect",
	HeaderAuthorization:               "Authorization",
	HeaderContentRange:                "Content-Range",
	HeaderIfMatch:                     "If-Match",
	HeaderIfModifiedSince:             "If-Modified-Since",
	HeaderIfNoneMatch:                 "If-None-Match",
	HeaderIfRange:                     "If-Range",
	HeaderIfUnmodifiedSince:           "If-Unmodified-Since",
	HeaderAccept:                      "Accept",
	HeaderAcceptCharset:               "Accept-Charset",
	HeaderAcceptEncoding:              "Accept-Encoding",
	HeaderAcceptLanguage:              "Accept-Language",
	HeaderAcceptRanges:                "Accept-Ranges",
	HeaderAccessControlAllowOrigin:    "Access-Control-Allow-Origin",
	HeaderAccessControlRequestHeaders: "Access-Control-Request-Headers",
	HeaderAccessControlRequestMethod:  "Access-Control-Request-Method",
	HeaderAge:                         "Age",
	HeaderAllow:                       "Allow",
	HeaderAltSvc:                      "Alt-Svc",
	HeaderCacheControl:                "Cache-Control",
	HeaderCacheStatus:                 "Cache-Status",
	HeaderCDNCacheControl:             "CDN-Cache-Control",
	HeaderContentDisposition:          "Content-Disposition",
	HeaderContentEncoding:             "Content-Encoding",
	HeaderContentLanguage:             "Content-Language",
	HeaderContentLocation:             "Content-Location",
	HeaderContentSecurityPolicy:       "Content-Security-Policy",
	HeaderContentType:                 "Content-Type",
	HeaderCookie:                      "Cookie",
	HeaderDate:                        "Date",
	HeaderDNT:                         "DNT",
	HeaderDepth:                       "Depth",
	HeaderDestination:                 "Destination",
	HeaderETag:                        "ETag",
	HeaderEarlyData:                   "Early-Data",
	HeaderExpires:                     "Expires",
	HeaderForwarded:                   "Forwarded",
	HeaderFrom:                        "From",
	HeaderHTTP2Settings:               "HTTP2-Settings",
	HeaderKeepAlive:                   "Keep-Alive",
	HeaderLastModified:                "Last-Modified",
	HeaderLink:                        "Link",
	HeaderLocation:                    "Location",
	HeaderMaxForwards:                 "Max-Forwards",
	HeaderOrigin:                      "Origin",
	HeaderOverwrite:                   "Overwrite",
	HeaderPragma:                      "Pragma",
	HeaderPriority:                    "Priority",
	HeaderProxyAuthenticate:           "Proxy-Authenticate",
	HeaderProxyAuthorization:          "Proxy-Authorization",
	HeaderProxyConnection:             "Proxy-Connection",
	HeaderRange:                       "Range",
	HeaderReferer:                     "Referer",
	HeaderReferrerPolicy:              "Referrer-Policy",
	HeaderRefresh:                     "Refresh",
	HeaderRetryAfter:                  "Retry-After",
	HeaderSecCHUA:                     "Sec-CH-UA",
	HeaderSecCHUAMobile:               "Sec-CH-UA-Mobile",
	HeaderSecCHUAPlatform:             "Sec-CH-UA-Platform",
	HeaderSecFetchDest:                "Sec-Fetch-Dest",
	HeaderSecFetchMode:                "Sec-Fetch-Mode",
	HeaderSecFetchSite:                "Sec-Fetch-Site",
	HeaderSecFetchUser:                "Sec-Fetch-User",
	HeaderSecGPC:                      "Sec-GPC",
	HeaderSecPurpose:                  "Sec-Purpose",
	HeaderSecWebSocketAccept:          "Sec-WebSocket-Accept",
	HeaderSecWebSocketExtensions:      "Sec-WebSocket-Extensions",
	HeaderSecWebSocketKey:             "Sec-WebSocket-Key",
	HeaderSecWebSocketProtocol:        "Sec-WebSocket-Protocol",
	HeaderSecWebSocketVersion:         "Sec-WebSocket-Version",
	HeaderServer:                      "Server",
	HeaderServerTiming:                "Server-Timing",
	HeaderSetCookie:                   "Set-Cookie",
	HeaderStatus:                      "Status",
	HeaderStrictTransportSecurity:     "Strict-Transport-Security",
	HeaderSurrogateControl:            "Surrogate-Control",
	HeaderTE:                          "TE",
	HeaderTimingAllowOrigin:           "Timing-Allow-Origin",
	HeaderTraceparent:                 "Traceparent",
	HeaderTracestate:                  "Tracestate",
	HeaderTrailer:                     "Trailer",
	HeaderUpgradeInsecureRequests:     "Upgrade-Insecure-Requests",
	HeaderUserAgent:                   "User-Agent",
	HeaderVary:                        "Vary",
	HeaderVia:                         "Via",
	HeaderWWWAuthenticate:             "WWW-Authenticate",
	HeaderWarning:                     "Warning",
	HeaderXAccelBuffering:             "X-Accel-Buffering",
	HeaderXAccelCharset:               "X-Accel-Charset",
	HeaderXAccelExpires:               "X-Accel-Expires",
	HeaderXAccelLimitRate:             "X-Accel-Limit-Rate",
	HeaderXAccelRedirect:              "X-Accel-Redirect",
	HeaderXContentTypeOptions:         "X-Content-Type-Options",
	HeaderXForwardedFor:               "X-Forwarded-For",
	HeaderXForwardedHost:              "X-Forwarded-Host",
	HeaderXForwardedPort:              "X-Forwarded-Port",
	HeaderXForwardedProto:             "X-Forwarded-Proto",
	HeaderXFrameOptions:               "X-Frame-Options",
	HeaderXHTTPMethodOverride:         "X-HTTP-Method-Override",
	HeaderXPoweredBy:                  "X-Powered-By",
	HeaderXRealIP:                     "X-Real-IP",
	HeaderXRequestID:                  "X-Request-ID",
	HeaderXRequestedWith:              "X-Requested-With",
	HeaderXSSLClientCert:              "X-SSL-Client-Cert",
	HeaderXXSSProtection:              "X-XSS-Protection",
}

// String is the field's name in its usual case, "" for HeaderUnknown.
func (id HeaderID) String() string {
	if id >= numHeaderIDs {
		return ""
	}
	return headerNames[id]
}

// IsHopByHop reports whether a field is meant for one connection only and is not
// forwarded (RFC 9110 section 7.6.1); the names listed in Connection are so as well.
func IsHopByHop(id HeaderID) bool {
	switch id {
	case HeaderConnection, HeaderKeepAlive, HeaderProxyConnection, HeaderProxyAuthenticate, HeaderProxyAuthorization,
		HeaderTE, HeaderTrailer, HeaderTransferEncoding, HeaderUpgrade, HeaderHTTP2Settings:
		return true
	}
	return false
}
