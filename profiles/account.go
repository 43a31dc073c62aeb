package profiles

import (
	"crypto/sha256"
	"encoding/hex"
	"strings"

	"github.com/ocwatch/ocwatch/internal/quota"
)

// minSecret is the length from which on a credential is taken to be too random
// to be guessed: the shortest of any provider's has 32 characters.
const minSecret = 24

// accountKey names who is billed, the same on every host and without saying who
// it is. The provider's own account id decides where it is known: one e-mail
// address can have several workspaces, each with its quota. Otherwise an OAuth
// login goes by its e-mail address, because its tokens change, and a token or
// key goes by itself. So does GitHub's token, which OpenClaw stored as an OAuth
// login once and does not change.
//
// A key cannot be turned back into a credential: it is 64 bits of a SHA-256
// over at least 24 random characters, which leaves nothing to guess from. A
// shorter secret could be guessed and confirmed ("ollama"), so such a profile
// goes by its id instead.
func accountKey(c credential, accountID, email string) string {
	secret := c.token.Reveal()
	switch {
	case accountID != "":
		return hashed(c.provider, accountID)
	case c.kind == OAuth && email != "":
		return hashed(c.provider, "email", strings.ToLower(email))
	case (c.kind != OAuth || c.provider == githubCopilot) && len(secret) >= minSecret:
		return hashed(c.provider, "credential", secret)
	default:
		return hashed(c.provider, "profile", c.id)
	}
}

// hashed joins the parts with a byte that none of them has, so that no two
// kinds of key can meet.
func hashed(provider string, parts ...string) string {
	sum := sha256.Sum256([]byte(quota.Canonical(provider) + "\x00" + strings.Join(parts, "\x00")))
	return "acct-" + hex.EncodeToString(sum[:8])
}
