package cache

import (
	"github.com/cespare/xxhash/v2"
)

// Key names a response: proxy_cache_key with its variables filled in.
type Key struct {
	Text []byte // as given to MakeKey, not copied: valid as long as the caller's buffer is
	Hash uint64 // seeded xxhash of Text; of use within one Zone only
}

// MakeKey hashes text with the zone's seed. The seed keeps a client that may
// choose URLs from choosing where they land. Allocates nothing.
func (z *Zone) MakeKey(text []byte) Key {
	var d xxhash.Digest
	d.ResetWithSeed(z.seed)
	_, _ = d.Write(text)
	return Key{Text: text, Hash: d.Sum64()}
}
