package profiles

import (
	"golang.org/x/oauth2"

	"github.com/ocwatch/ocwatch/probe"
)

// Inquiry is what a probe has to know of p's account, with the source of its
// token.
func (p Profile) Inquiry(token oauth2.TokenSource) probe.Account {
	return probe.Account{
		Key: p.Account, Provider: p.Provider, Type: string(p.Type), ID: p.AccountID, FedRAMP: p.FedRAMP,
		BaseURL: p.BaseURL, Project: p.Project, Token: token,
	}
}
