package cache

import (
	"github.com/cespare/xxhash/v2"

	"seawall/httpparse"
)

// VaryRequest gives the cache the request's fields, for Vary. A *httpparse.Request
// with its buffer is easily made one; it is called on the caller's goroutine only.
type VaryRequest interface {
	// HeaderValue returns the i-th field (0, 1, ...) of this name, in any letter
	// case; ok is false when there are no more.
	HeaderValue(name []byte, i int) (value []byte, ok bool)
}

// variantOf hashes the request's fields that vary (a Vary value) names, as nginx
// does (ngx_http_file_cache_vary): values of one name joined by commas; in the
// Accept-* lists blanks and commas do not count. 0 is never returned, so that it
// may stand for "does not vary". Allocates nothing.
func (z *Zone) variantOf(vary []byte, req VaryRequest) uint64 {
	var d xxhash.Digest
	d.ResetWithSeed(z.seed ^ variantSeed)
	_, _ = d.Write(vary)
	for len(vary) > 0 {
		var name []byte
		name, vary = nextWord(vary)
		if len(name) == 0 {
			break
		}
		// A separator that no field value can hold keeps the values of two names apart.
		_, _ = d.Write(nameEnd)
		if req != nil {
			hashField(&d, name, req)
		}
	}
	if h := d.Sum64(); h != 0 {
		return h
	}
	return 1
}

// variantSeed sets variant hashes apart from key hashes of the same text.
const variantSeed = 0x9e3779b97f4a7c15

var (
	nameEnd = []byte{0}
	comma   = []byte{','}
)

func hashField(d *xxhash.Digest, name []byte, req VaryRequest) {
	words := isAcceptList(name)
	multiple := false
	for i := 0; ; i++ {
		value, ok := req.HeaderValue(name, i)
		if !ok {
			return
		}
		if !words {
			if multiple {
				_, _ = d.Write(comma)
			}
			_, _ = d.Write(value)
			multiple = true
			continue
		}
		for {
			var word []byte
			if word, value = nextWord(value); len(word) == 0 {
				break
			}
			if multiple {
				_, _ = d.Write(comma)
			}
			_, _ = d.Write(word)
			multiple = true
		}
	}
}

// isAcceptList names the fields whose blanks nginx normalises.
func isAcceptList(name []byte) bool {
	switch httpparse.LookupHeader(name) {
	case httpparse.HeaderAcceptCharset, httpparse.HeaderAcceptEncoding, httpparse.HeaderAcceptLanguage:
		return true
	}
	return false
}

// nextWord cuts off the first run of bytes other than blank and comma; empty at the end.
func nextWord(s []byte) (word, rest []byte) {
	from := 0
	for from < len(s) && (s[from] == ' ' || s[from] == ',' || s[from] == '\t') {
		from++
	}
	to := from
	for to < len(s) && s[to] != ' ' && s[to] != ',' && s[to] != '\t' {
		to++
	}
	return s[from:to], s[to:]
}

// variesOnAny reports whether a Vary list has the member "*" (RFC 9111 section 4.1).
func variesOnAny(vary []byte) bool {
	for len(vary) > 0 {
		var name []byte
		name, vary = nextWord(vary)
		if len(name) == 1 && name[0] == '*' {
			return true
		}
	}
	return false
}
