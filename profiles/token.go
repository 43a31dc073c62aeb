package profiles

import (
	"context"
	"fmt"
	"time"

	"golang.org/x/oauth2"

	"github.com/ocwatch/ocwatch/internal/quota"
)

// readLimit bounds one read of the store on behalf of a token source, whose
// interface has no context.
const readLimit = 10 * time.Second

// TokenError says why a profile has no token to use now. It is an answer about
// the credential, not a failure to read.
type TokenError struct {
	Agent   string
	Profile string
	Status  Status // never Usable
	Reason  string
	Fix     string // "" where nothing needs to be done
}

// Error names the profile, the reason and what mends it.
func (e *TokenError) Error() string {
	msg := fmt.Sprintf("profile %s of agent %s has no usable token (%s): %s", e.Profile, e.Agent, e.Status, e.Reason)
	if e.Fix != "" {
		msg += "; " + e.Fix
	}
	return msg
}

// Verdict is what the error says of the account to whoever wanted to probe it.
func (e *TokenError) Verdict() quota.Verdict {
	switch e.Status {
	case Stale:
		return quota.Stale
	case LoginRequired:
		return quota.Revoked
	case Usable, Refreshing, Unreadable:
	}
	return quota.Unknown
}

// TokenSource gives the token of one profile as OpenClaw's store has it at the
// time of each call. It never refreshes: OpenClaw does, and its refresh tokens
// serve once. Token fails with *TokenError where there is no token to send. It
// is safe for concurrent use.
func (s *Store) TokenSource(agent, profileID string) oauth2.TokenSource {
	return tokenSource{s, agent, profileID}
}

type tokenSource struct {
	store          *Store
	agent, profile string
}

// Token implements oauth2.TokenSource.
func (t tokenSource) Token() (*oauth2.Token, error) {
	ctx, cancel := context.WithTimeout(context.Background(), readLimit)
	defer cancel()
	data, err := t.store.recent(ctx, t.agent)
	if err != nil {
		return nil, fmt.Errorf("read the token of profile %s: %w", t.profile, err)
	}
	for _, cred := range data.credentials {
		if cred.id == t.profile {
			return t.token(data, cred)
		}
	}
	return nil, &TokenError{Agent: t.agent, Profile: t.profile, Status: Unreadable, Reason: "OpenClaw's store no longer has it"}
}

func (t tokenSource) token(data content, cred credential) (*oauth2.Token, error) {
	p := data.profile(cred, time.Now())
	if p.Status != Usable {
		return nil, &TokenError{Agent: t.agent, Profile: t.profile, Status: p.Status, Reason: p.Reason, Fix: p.Fix}
	}
	return &oauth2.Token{AccessToken: cred.token.Reveal(), TokenType: "Bearer", Expiry: p.ExpiresAt}, nil
}
