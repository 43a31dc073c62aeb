package profiles

import "hash/maphash"

// revisionSeed is new in every process, so that a revision tells nothing about
// a credential outside of it.
//
//nolint:gochecknoglobals // one seed for the life of the process is the point
var revisionSeed = maphash.MakeSeed()

// revisionOf hashes all that makes up the credential in e: the tokens, or
// where they are kept. It is never 0, which stands for nothing read.
func revisionOf(e entry) uint64 {
	var h maphash.Hash
	h.SetSeed(revisionSeed)
	for _, field := range []string{"type", "mode", "access", "refresh", "token", "key", "apiKey", "keyRef", "tokenRef", "oauthRef"} {
		_, _ = h.WriteString(field) // a hash takes everything
		_ = h.WriteByte(0)
		_, _ = h.Write(e[field])
		_ = h.WriteByte(0)
	}
	return max(h.Sum64(), 1)
}
