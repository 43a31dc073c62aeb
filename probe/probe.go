// Package probe asks providers how much an account has left. A probe costs
// nothing: it starts no window and spends no token. One file per provider, one
// function each, and a table from provider id to function. Two things stand
// beside the table: a Generic, which the owner describes in the config, and the
// live probe, a real request that the owner asked for.
package probe

import (
	"context"
	"net/http"

	"golang.org/x/oauth2"

	"github.com/ocwatch/ocwatch/internal/quota"
)

// Account is what a probe needs to know of an account.
type Account struct {
	Key      string // who is billed, hashed; the same on every host
	Provider string // OpenClaw's provider id
	Type     string // oauth, token or api_key
	ID       string // the provider's own account id, "" where unknown
	FedRAMP  bool
	// BaseURL is where OpenClaw's config sends this provider's requests, "" for
	// the provider's own. A credential for a relay is not for the provider.
	BaseURL string
	// Project is the provider's own project id (Google's), "" where unknown.
	Project string
	// Token re-reads OpenClaw's store; it never refreshes.
	Token oauth2.TokenSource
	// Endpoint overrides the provider's usage URL, "" for the default.
	Endpoint string
	// Live asks with a real request, which costs a token: only ever on the
	// owner's wish, and when LiveState.Decide says so.
	Live bool
}

// Func probes one account of one provider. The error is for what the Func
// could not classify itself (a transport failure, say); Prober turns it into a
// verdict.
type Func func(ctx context.Context, a Account, c *http.Client) (quota.Reading, error)
