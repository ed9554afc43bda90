// Package conf reads nginx's configuration language into an immutable, typed tree.
//
// What a user of the package sees: Load, the tree below (Config and everything it points to, never changed after Load
// returned, so any number of goroutines may read it), and Error, worded as nginx words it. Every setting is already
// merged: a Location's Settings hold what applies there, defaults and inherited values included, so nobody else needs
// to know nginx's rules of inheritance.
//
// A field is named after its directive (proxy_cache_use_stale is ProxyCacheUseStale); a directive that may be given
// several times has a plural name. Times are time.Duration, sizes are bytes in int64, flags are bool, strings that may
// hold variables are Template.
package conf

import (
	"net/netip"
	"regexp"
	"time"
)

// Pos is where something was written; File is the path as opened, Line counts from 1. The zero Pos means "default".
type Pos struct {
	File string
	Line int
}

// Config is a whole configuration.
type Config struct {
	Path   string // of the main file, as opened
	Prefix string // what relative run-time paths were joined to

	Main   Main
	Events Events
	HTTP   *HTTP // nil: no http block

	Files   []SourceFile // every file read, each once, in the order of first reading (for -T)
	Notices []Notice     // what -t should say although it is no error
}

// SourceFile is a file as it was read.
type SourceFile struct {
	Path string
	Text []byte
}

// NoticeLevel says how loudly a Notice is to be said.
type NoticeLevel uint8

const (
	NoticeInfo    NoticeLevel = iota // accepted without effect, a default of ours: said by -t
	NoticeWarning                    // nginx's [warn]: said by -t, at start and at reload
)

// Notice is a remark on an accepted configuration.
type Notice struct {
	Pos   Pos
	Level NoticeLevel
	Text  string // without position
}

// Main holds the settings of the main level (ngx_core_module).
type Main struct {
	WorkerProcesses       int // 0: auto, one loop per processor
	WorkerRlimitNofile    int64
	WorkerRlimitCore      int64 // -1: unchanged
	WorkerShutdownTimeout time.Duration
	WorkerPriority        int
	WorkingDirectory      string
	Daemon                bool
	Pid                   string // full path
	User, Group           string // "" : unchanged
	UserPos               Pos
	Env                   []EnvVar
	ErrorLogs             []ErrorLog
	DebugPoints           string // "", "abort" or "stop"
}

// EnvVar is one env directive: Value counts only if HasValue, else the variable is kept as inherited.
type EnvVar struct {
	Name, Value string
	HasValue    bool
}

// Events holds the settings of the events block.
type Events struct {
	WorkerConnections int
	Use               string // "", "epoll" or "kqueue"
	DebugConnections  []netip.Prefix
}

// LogLevel is a severity of the error log; lower is worse.
type LogLevel uint8

const (
	LogEmerg LogLevel = iota
	LogAlert
	LogCrit
	LogError
	LogWarn
	LogNotice
	LogInfo
	LogDebug
)

// ErrorLog is one target of the error log.
type ErrorLog struct {
	Path  string // full path, or "stderr"
	Level LogLevel
	Pos   Pos
}

// HTTP is the http block. The embedded Location holds the http-level settings (its Kind is Level).
type HTTP struct {
	*Location
	Servers        []*Server
	Upstreams      []*Upstream          // in order of appearance; implicit ones (proxy_pass to an address) follow
	UpstreamByName map[string]*Upstream // upstream blocks, by lower-case name
	CachePaths     []*CachePath
	CacheByName    map[string]*CachePath // by the name of the keys zone
	LogFormats     map[string]*LogFormat
}

// Server is a virtual server. The embedded Location holds the server-level settings (its Kind is Level) and, in
// Locations, the server's top locations.
type Server struct {
	*Location
	Listens []Listen     // never empty: "*:80" (or "*:8000" when not root) is nginx's default
	Names   []ServerName // never empty: "" is nginx's default
	ServerSettings
}

// ServerSettings are the settings that hold before a location is known; while a request's head is read, those of the
// default server count.
type ServerSettings struct {
	ClientHeaderBufferSize   int64
	ClientHeaderTimeout      time.Duration
	LargeClientHeaderBuffers Buffers
	MaxHeaders               int
	IgnoreInvalidHeaders     bool
	MergeSlashes             bool
	UnderscoresInHeaders     bool
}

// Buffers is a number of buffers of a size in bytes.
type Buffers struct {
	Num  int
	Size int64
}

// Listen is one address a server listens on. Servers with the same Addr share the socket; its options (all but
// DefaultServer) are then those of the one Listen that gave them and are equal in all of them after Load.
type Listen struct {
	Text     string         // as written, for messages
	Network  string         // "tcp4", "tcp6" or "unix"; "tcp" when Host is a name
	Addr     string         // canonical "0.0.0.0:8080", "[::]:80", "/run/x.sock", "localhost:80"
	AddrPort netip.AddrPort // the zero value for unix and for a name
	Host     string         // a host name still to be resolved, else ""
	Port     uint16

	DefaultServer bool // marked as, or being by position, the default server of Addr
	SocketOptions
	given bool // one of the socket's options was
	Pos   Pos
}

// SocketOptions are the parameters of listen that belong to the socket.
type SocketOptions struct {
	Backlog   int // 0: default
	RcvBuf    int // bytes, 0: default
	SndBuf    int
	FastOpen  int // queue length, 0: off
	ReusePort bool
	Deferred  bool
	IPv6Only  bool
	KeepAlive SoKeepAlive
}

// SoKeepAlive is the so_keepalive parameter of listen; zero times and count are the system's defaults.
type SoKeepAlive struct {
	Set, On        bool
	Idle, Interval time.Duration
	Count          int
}

// NameKind is the kind of a server_name.
type NameKind uint8

const (
	NameExact     NameKind = iota // "example.com", also ""
	NameDotPrefix                 // ".example.com": the name itself and everything below; Name is "example.com"
	NameHead                      // "*.example.com": Name is "example.com"
	NameTail                      // "www.example.*": Name is "www.example"
	NameRegex                     // "~^www\d+\.example\.com$"
)

// ServerName is one name of a server.
type ServerName struct {
	Kind   NameKind
	Name   string         // lower case, without wildcard; the pattern for NameRegex
	Text   string         // as written ($hostname replaced): $server_name is the first one's
	Regexp *regexp.Regexp // for NameRegex; matched without regard to case; named groups become variables
}

// LocationKind is how a location's Pattern is matched.
type LocationKind uint8

const (
	Level         LocationKind = iota // not a location: the settings of http, server or limit_except
	Prefix                            // location /a
	PrefixNoRegex                     // location ^~ /a
	Exact                             // location = /a
	Regex                             // location ~ re
	RegexFold                         // location ~* re
	Named                             // location @name
)

// Location is a location block, or the level of http, server or limit_except that carries settings like one.
type Location struct {
	Kind    LocationKind
	Pattern string         // the prefix, the exact URI, the pattern, "@name"; "" for Level
	Regexp  *regexp.Regexp // for Regex and RegexFold; named groups become variables
	Parent  *Location      // nil for http

	// AutoRedirect: a request for Pattern without its final slash is redirected to Pattern, as nginx does for a prefix
	// location that ends in a slash and passes requests on.
	AutoRedirect bool

	Settings
	Locations []*Location // in order of appearance; regexes are tried in this order
	Pos       Pos
}

// LimitExcept is the limit_except block: requests whose method is not in Methods are handled with the settings of
// Location (which inherits from the location around it) instead of it.
type LimitExcept struct {
	Methods  []string // upper case; HEAD is there if GET is
	Location *Location
}

// Template is a string with variables. The zero Template is the empty string.
type Template struct {
	Parts  []Part
	Source string // as written
	Pos    Pos
}

// Part is a literal or a variable, exactly one of both is set. Var is the lower-case name without $; "1" to "9" are
// the captures of the last regular expression.
type Part struct {
	Literal string
	Var     string
}

// Size is a size in bytes that may come from a variable: Value counts when Template has no variables.
type Size struct {
	Value    int64
	Template Template
}

// LogFormat is a log_format.
type LogFormat struct {
	Name   string
	Escape LogEscape
	Format Template
	Pos    Pos
	seq    int // order of reading
}

// LogEscape is how variables are escaped in a log line.
type LogEscape uint8

const (
	EscapeDefault LogEscape = iota // \xXX for ", \, control characters and bytes over 126; "-" for what is not set
	EscapeJSON                     // JSON string escapes
	EscapeNone
)

// AccessLog is one access log.
type AccessLog struct {
	Path   Template // full path
	Format *LogFormat
	Buffer int64         // bytes, 0: unbuffered
	Flush  time.Duration // 0: no time limit
	If     *Template     // nil: always; else logged unless empty or "0"
	Pos    Pos
}

// Upstream is an upstream block, or the implicit group of one server behind a proxy_pass to an address.
type Upstream struct {
	Name     string // "app"; of an implicit one "127.0.0.1:8000" or "unix:/run/app.sock" as written
	Implicit bool
	Servers  []UpstreamServer

	Keepalive         int // idle connections kept per loop; 0: none
	KeepaliveLocal    bool
	KeepaliveRequests int
	KeepaliveTime     time.Duration
	KeepaliveTimeout  time.Duration
	QueueSize         int           // requests that may wait for a server at max_conns, 0: none
	QueueTimeout      time.Duration // how long they wait
	Pos               Pos
}

// UpstreamServer is a server of an upstream. A name is resolved by whoever builds the group, each address being a peer
// with these settings; what cannot be resolved is `host not found in upstream "x"` at Pos.
type UpstreamServer struct {
	Name     string         // as written: $upstream_addr of a unix socket
	Unix     string         // path of a unix socket, else ""
	Host     string         // an address without brackets or a name; "" for unix
	Port     uint16         // 80 when not given
	AddrPort netip.AddrPort // valid if Host is an address

	Weight      int
	MaxFails    int
	FailTimeout time.Duration
	MaxConns    int // 0: unlimited
	Backup      bool
	Down        bool
	Pos         Pos
}

// CachePath is a proxy_cache_path.
type CachePath struct {
	Name         string // of the keys zone
	Path         string // full path
	Levels       []int
	UseTempPath  bool
	KeysZoneSize int64
	Inactive     time.Duration
	MaxSize      int64 // 0: unlimited
	MinFree      int64

	ManagerFiles     int
	ManagerSleep     time.Duration
	ManagerThreshold time.Duration
	LoaderFiles      int
	LoaderSleep      time.Duration
	LoaderThreshold  time.Duration

	Memory      int64 // size of the RAM level
	MemoryGiven bool  // memory= was written
	Pos         Pos
}

// TempPath is a directory for temporary files with the widths of its levels of subdirectories.
type TempPath struct {
	Path   string // full path
	Levels []int
}

// Resolver is the resolver directive.
type Resolver struct {
	Addrs      []ResolverAddr
	Valid      time.Duration // 0: as the answer says
	IPv4, IPv6 bool
	Pos        Pos
}

// ResolverAddr is one name server; AddrPort is valid if Host is an address.
type ResolverAddr struct {
	Host     string
	Port     uint16
	AddrPort netip.AddrPort
}
