package httpparse

// HeaderID names a field this package knows; compare it instead of the name.
type HeaderID uint8

// HeaderUnknown is the ID of every other field.
const HeaderUnknown HeaderID = 0

// The fields a proxy, a cache or a static server has to do with.
const (
	HeaderAccept HeaderID = iota + 1
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
	HeaderAuthorization
	HeaderCacheControl
	HeaderCacheStatus
	HeaderCDNCacheControl
	HeaderConnection
	HeaderContentDisposition
	HeaderContentEncoding
	HeaderContentLanguage
	HeaderContentLength
	HeaderContentLocation
	HeaderContentRange
	HeaderContentSecurityPolicy
	HeaderContentType
	HeaderCookie
	HeaderDate
	HeaderDNT
	HeaderDepth
	HeaderDestination
	HeaderETag
	HeaderEarlyData
	HeaderExpect
	HeaderExpires
	HeaderForwarded
	HeaderFrom
	HeaderHTTP2Settings
	HeaderHost
	HeaderIfMatch
	HeaderIfModifiedSince
	HeaderIfNoneMatch
	HeaderIfRange
	HeaderIfUnmodifiedSince
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
	HeaderTransferEncoding
	HeaderUpgrade
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

// LookupHeader finds the ID of a field name, in any case.
func LookupHeader(name []byte) HeaderID { panic("skeleton") }

// String is the field's name in its usual case, "" for HeaderUnknown.
func (id HeaderID) String() string { panic("skeleton") }

// IsHopByHop reports whether a field is meant for one connection only and is not
// forwarded (RFC 9110 section 7.6.1); the names listed in Connection are so as well.
func IsHopByHop(id HeaderID) bool {
	switch id {
	case HeaderConnection, HeaderKeepAlive, HeaderProxyConnection, HeaderProxyAuthenticate, HeaderProxyAuthorization, HeaderTE, HeaderTrailer,
		HeaderTransferEncoding, HeaderUpgrade, HeaderHTTP2Settings:
		return true
	}
	return false
}
