package conf

import (
	"net/netip"
	"regexp"
	"time"
)

// Settings is everything that may differ between locations, merged with what surrounds it.
type Settings struct {
	CoreSettings
	AccessSettings
	HeaderSettings
	LogSettings
	ProxySettings
	Return *Return // nil: none; not inherited
}

// CoreSettings are the location-level settings of ngx_http_core_module.
type CoreSettings struct {
	AbsoluteRedirect        bool
	AuthDelay               time.Duration
	ChunkedTransferEncoding bool
	ClientBodyBufferSize    int64
	ClientBodyInFileOnly    BodyInFile
	ClientBodyTempPath      TempPath
	ClientBodyTimeout       time.Duration
	ClientMaxBodySize       int64 // 0: unlimited
	DefaultType             string
	EarlyHints              []Template // 103 is passed on if one is neither empty nor "0"
	ErrorLogs               []ErrorLog // those of the levels above when the level has none
	ErrorPages              []ErrorPage
	Etag                    bool
	IfModifiedSince         IfModifiedSince
	Internal                bool // not inherited
	KeepaliveDisable        KeepaliveDisable
	KeepaliveMinTimeout     time.Duration
	KeepaliveRequests       int
	KeepaliveTime           time.Duration
	KeepaliveTimeout        time.Duration // 0: no keep-alive
	KeepaliveHeader         time.Duration // second argument of keepalive_timeout: "Keep-Alive: timeout="; 0: not sent
	LimitExcept             *LimitExcept  // not inherited
	LimitRate               Size          // bytes per second, 0: unlimited
	LimitRateAfter          Size
	LingeringClose          LingeringClose
	LingeringTime           time.Duration
	LingeringTimeout        time.Duration
	LogNotFound             bool
	LogSubrequest           bool
	MaxRanges               int // -1: unlimited, 0: ranges are off
	MsiePadding             bool
	MsieRefresh             bool
	PortInRedirect          bool
	RecursiveErrorPages     bool
	ResetTimedoutConnection bool
	Resolver                *Resolver // nil: none
	ResolverTimeout         time.Duration
	Satisfy                 Satisfy
	SendTimeout             time.Duration
	ServerNameInRedirect    bool
	ServerTokens            ServerTokens
	TcpNodelay              bool
	Types                   map[string]string // lower-case extension without dot to media type; shared, read only
}

// BodyInFile is client_body_in_file_only.
type BodyInFile uint8

const (
	BodyInFileOff   BodyInFile = iota
	BodyInFileOn               // always in a file, which is kept
	BodyInFileClean            // always in a file, removed after the request
)

// IfModifiedSince is if_modified_since.
type IfModifiedSince uint8

const (
	IMSOff IfModifiedSince = iota
	IMSExact
	IMSBefore
)

// KeepaliveDisable is the set of browsers keepalive_disable names.
type KeepaliveDisable uint8

const (
	KeepaliveDisableMSIE6  KeepaliveDisable = 1 << iota // POST requests of MSIE 6
	KeepaliveDisableSafari                              // Safari on macOS
)

// LingeringClose is lingering_close.
type LingeringClose uint8

const (
	LingeringOff LingeringClose = iota
	LingeringOn
	LingeringAlways
)

// Satisfy is satisfy.
type Satisfy uint8

const (
	SatisfyAll Satisfy = iota
	SatisfyAny
)

// ServerTokens is server_tokens. Text counts for TokensText; an empty result sends no Server field.
type ServerTokens struct {
	Kind TokensKind
	Text Template
}

// TokensKind is the form of server_tokens.
type TokensKind uint8

const (
	TokensOff TokensKind = iota
	TokensOn
	TokensBuild
	TokensText
)

// ErrorPage is one error_page directive.
type ErrorPage struct {
	Statuses []int
	Override int // -1: answer with the error's status; 0 ("="): with the target's; else with this
	Target   Template
	Kind     ErrorTarget
	Pos      Pos
}

// ErrorTarget is where an error_page leads.
type ErrorTarget uint8

const (
	ErrorURI      ErrorTarget = iota // internal redirect
	ErrorNamed                       // "@name"
	ErrorRedirect                    // a URL to redirect the client to; 302 unless Override is 301, 302, 303, 307 or 308
)

// AccessSettings are those of ngx_http_access_module.
type AccessSettings struct {
	AccessRules []AccessRule // in order, the first that matches decides; none matching allows
}

// AccessRule is one allow or deny.
type AccessRule struct {
	Deny   bool
	All    bool // any client
	Unix   bool // clients on unix sockets
	Prefix netip.Prefix
}

// HeaderSettings are those of ngx_http_headers_module; add_header_inherit is applied already.
type HeaderSettings struct {
	AddHeaders  []AddHeader
	AddTrailers []AddHeader
	Expires     Expires
}

// AddHeader is one add_header or add_trailer. An empty value adds nothing.
type AddHeader struct {
	Name   string
	Value  Template
	Always bool
}

// Expires is expires. With ExpiresVariable the value of Template is one of the other forms as text, see Eval.
type Expires struct {
	Kind     ExpiresKind
	Delta    time.Duration // for ExpiresAccess, ExpiresModified; since midnight for ExpiresDaily
	Template Template
	modified bool
}

// ExpiresKind is the form of expires.
type ExpiresKind uint8

const (
	ExpiresOff ExpiresKind = iota
	ExpiresEpoch
	ExpiresMax
	ExpiresAccess   // now + Delta; negative: no-cache
	ExpiresModified // Last-Modified + Delta
	ExpiresDaily    // the next time the local clock shows Delta
	ExpiresVariable
)

// LogSettings are those of ngx_http_log_module.
type LogSettings struct {
	AccessLogs []AccessLog // empty: off
}

// Return is the return directive.
type Return struct {
	Code     int       // 444: close without an answer
	Text     *Template // body, or the URL if Redirect; nil: the standard page of the code
	Redirect bool      // Code is 301, 302, 303, 307 or 308 and Text a URL
	Pos      Pos
}

// HeaderTemplate is a name with a value: proxy_set_header.
type HeaderTemplate struct {
	Name  string
	Value Template // empty: the field is not sent
}

// ProxySettings are those of ngx_http_proxy_module.
type ProxySettings struct {
	ProxyPass *ProxyPass // nil: none; not inherited (but by limit_except)

	ProxyBind                *ProxyBind // nil: off
	ProxyBuffering           bool
	ProxyBufferSize          int64 // also the largest response head
	ProxyBuffers             Buffers
	ProxyBusyBuffersSize     int64
	ProxyConnectTimeout      time.Duration
	ProxyCookieDomain        []CookieRewrite
	ProxyCookieFlags         []CookieFlags
	ProxyCookiePath          []CookieRewrite
	ProxyForceRanges         bool
	ProxyHideHeaders         []string
	ProxyHttpVersion         int // 10 or 11
	ProxyIgnoreClientAbort   bool
	ProxyIgnoreHeaders       IgnoreHeaders
	ProxyInterceptErrors     bool
	ProxyLimitRate           Size
	ProxyMaxTempFileSize     int64 // 0: no temporary files
	ProxyMethod              *Template
	ProxyNextUpstream        Conditions
	ProxyNextUpstreamTimeout time.Duration // 0: unlimited
	ProxyNextUpstreamTries   int           // 0: unlimited
	ProxyPassHeaders         []string
	ProxyPassRequestBody     bool
	ProxyPassRequestHeaders  bool
	ProxyPassTrailers        bool
	ProxyReadTimeout         time.Duration
	ProxyRedirects           []ProxyRedirect // "default" is spelled out; empty: off
	ProxyRequestBuffering    bool
	ProxySendTimeout         time.Duration
	ProxySetBody             *Template
	ProxySetHeaders          []HeaderTemplate // what was written; nginx's own defaults (Host $proxy_host) hold beside it
	ProxySocketKeepalive     bool
	ProxyTempFileWriteSize   int64
	ProxyTempPath            TempPath

	ProxyCache                 *ProxyCache // nil: off
	ProxyCacheBackgroundUpdate bool
	ProxyCacheBypass           []Template // bypassed if one is neither empty nor "0"
	ProxyCacheConvertHead      bool
	ProxyCacheKey              Template
	ProxyCacheLock             bool
	ProxyCacheLockAge          time.Duration
	ProxyCacheLockTimeout      time.Duration
	ProxyCacheMaxRangeOffset   int64 // -1: unlimited
	ProxyCacheMethods          CacheMethods
	ProxyCacheMinUses          int
	ProxyCacheRevalidate       bool
	ProxyCacheUseStale         Conditions
	ProxyCacheValid            []CacheValid
	ProxyNoCache               []Template // not stored if one is neither empty nor "0"

	// As inherited, before what depends on other settings was worked out.
	busyBuffersSize, maxTempFileSize, tempFileWriteSize int64 // -1: not given
	redirectOff                                         bool
}

// ProxyPass is proxy_pass. Either URL has variables and everything else but Pos is unset, or the rest is known.
type ProxyPass struct {
	URL      Template
	Dynamic  bool      // URL has variables: its value is parsed per request by ParseProxyURL
	Upstream *Upstream // an upstream block or an implicit group; nil if Dynamic
	Scheme   string    // "http"
	Host     string    // $proxy_host: "app", "example.com:8080", "localhost" for a unix socket
	Port     string    // $proxy_port: "80", "8080", "" for a unix socket
	URI      string    // the URI part that replaces the location's prefix
	HasURI   bool
	Pos      Pos
}

// ProxyBind is proxy_bind: a local address, maybe with a port.
type ProxyBind struct {
	Addr        Template
	AddrPort    netip.AddrPort // port 0: any; valid if Addr has no variables
	Transparent bool
}

// ProxyRedirect is one rewriting of Location and Refresh: the start of the value that equals From, or what Regexp
// matches, becomes To.
type ProxyRedirect struct {
	From   Template
	Regexp *regexp.Regexp // nil: From is a prefix
	To     Template
	Pos    Pos
}

// CookieRewrite is one proxy_cookie_domain or proxy_cookie_path.
type CookieRewrite struct {
	From   Template
	Regexp *regexp.Regexp // nil: From is the domain, or the path's prefix
	To     Template
	Pos    Pos
}

// CookieFlags is one proxy_cookie_flags; the first whose name matches counts.
type CookieFlags struct {
	Name   Template
	Regexp *regexp.Regexp // nil: Name is the cookie's name
	Flags  []Template     // "secure", "nosecure", "httponly", "nohttponly", "samesite=strict", ..., "nosamesite"
}

// Conditions is a set of the parameters of proxy_next_upstream and proxy_cache_use_stale.
type Conditions uint32

const (
	OnError Conditions = 1 << iota
	OnTimeout
	OnInvalidHeader
	OnHTTP403
	OnHTTP404
	OnHTTP429
	OnHTTP500
	OnHTTP502
	OnHTTP503
	OnHTTP504
	OnNonIdempotent // next_upstream: also requests that may have had an effect
	OnUpdating      // use_stale: while another request refreshes the entry
)

// IgnoreHeaders is the set of response fields proxy_ignore_headers names.
type IgnoreHeaders uint16

const (
	IgnoreXAccelRedirect IgnoreHeaders = 1 << iota
	IgnoreXAccelExpires
	IgnoreXAccelLimitRate
	IgnoreXAccelBuffering
	IgnoreXAccelCharset
	IgnoreExpires
	IgnoreCacheControl
	IgnoreSetCookie
	IgnoreVary
)

// CacheMethods is the set of methods proxy_cache_methods names; GET and HEAD are always in it.
type CacheMethods uint8

const (
	CacheGET CacheMethods = 1 << iota
	CacheHEAD
	CachePOST
)

// CacheValid is one proxy_cache_valid for one status; Status 0 is "any".
type CacheValid struct {
	Status int
	Time   time.Duration // 0: not cached
}

// ProxyCache is proxy_cache: the zone, or, if its name has variables, the name (Zone is then nil).
type ProxyCache struct {
	Zone *CachePath
	Name Template
}
