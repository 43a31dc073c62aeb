package profiles

import (
	"fmt"
	"testing"

	"golang.org/x/oauth2"

	"github.com/ocwatch/ocwatch/internal/quota"
	"github.com/ocwatch/ocwatch/probe"
)

func TestTokenErrorVerdict(t *testing.T) {
	for status, want := range map[Status]quota.Verdict{
		Stale:         quota.Stale,
		LoginRequired: quota.Revoked,
		Refreshing:    quota.Unknown,
		Unreadable:    quota.Unknown,
	} {
		if got := (&TokenError{Status: status}).Verdict(); got != want {
			t.Errorf("%s: verdict %s, want %s", status, got, want)
		}
	}
}

// TestStaleTokenIsNoUnknown: the probe takes the verdict from the error.
func TestStaleTokenIsNoUnknown(t *testing.T) {
	p := probe.New(probe.Options{})
	defer p.Close()
	r := p.Probe(t.Context(), probe.Account{
		Provider: "openai", Type: "oauth",
		Token: failing{fmt.Errorf("wrapped: %w", &TokenError{Profile: "openai:a", Status: Stale, Reason: "the access token expired"})},
	})
	if r.Verdict != quota.Stale {
		t.Errorf("verdict %s (%s)", r.Verdict, r.Reason)
	}
}

// failing is a source that never has a token.
type failing struct{ err error }

func (f failing) Token() (*oauth2.Token, error) { return nil, f.err }
