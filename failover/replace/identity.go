package replace

import (
	"strings"

	"github.com/ocwatch/ocwatch/profiles"
)

// Sameness says whether two logins are of one account.
type Sameness string

// The answers.
const (
	Same      Sameness = "same"
	Different Sameness = "different"
	// Untold: what is known of the two does not decide it.
	Untold Sameness = "untold"
)

// identity is what is known of who a login is. It holds no credential: keys are
// hashed, as everywhere.
type identity struct {
	// Account is the key of the provider's own account id, "" where there is
	// none.
	Account string `json:"account,omitempty"`
	// Token is the fingerprint of a token or API key, which tells two of them
	// apart and says nothing of whose they are.
	Token string `json:"token,omitempty"`
	Email string `json:"email,omitempty"`
}

func identify(p profiles.Profile) identity {
	id := identity{Email: strings.ToLower(p.Email)}
	switch {
	case p.AccountID != "":
		id.Account = p.Account
	case p.Type != profiles.OAuth:
		id.Token = p.Account
	}
	return id
}

// compare holds two logins of one provider against each other. An equal e-mail
// address is not the same account, since one person can have several
// workspaces; nor is an equal account id with another address, since several
// people can share a workspace.
func compare(a, b identity) Sameness {
	person := Untold
	if a.Email != "" && b.Email != "" {
		person = Different
		if a.Email == b.Email {
			person = Same
		}
	}
	switch {
	case a.Token != "" && a.Token == b.Token:
		return Same
	case a.Account != "" && b.Account != "" && a.Account != b.Account:
		return Different
	case a.Account != "" && a.Account == b.Account:
		if person == Different {
			return Untold
		}
		return Same
	case person == Different:
		return Different
	}
	return Untold
}
