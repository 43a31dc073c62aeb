package lab

import (
	"crypto/rand"
	"net/url"
	"strings"
	"testing"
)

// Authorize is a person who opens authorizeURL in a browser and signs in as
// account. It returns the address that the browser is sent to, where nobody
// may listen: what a person elsewhere copies and hands back.
func (p *Provider) Authorize(t *testing.T, authorizeURL, account string) string {
	t.Helper()
	q := authorizeQuery(t, authorizeURL)
	p.idp.mu.Lock()
	code := p.idp.grant(grant{account: account, redirect: q.Get("redirect_uri"), challenge: q.Get("code_challenge")})
	p.idp.mu.Unlock()
	return callback(t, q, url.Values{"code": {code}, "scope": {q.Get("scope")}, "state": {q.Get("state")}})
}

// AuthorizeDenied is Authorize for a person who says no.
func (p *Provider) AuthorizeDenied(t *testing.T, authorizeURL string) string {
	t.Helper()
	q := authorizeQuery(t, authorizeURL)
	return callback(t, q, url.Values{
		"error": {"access_denied"}, "error_description": {"The request was denied by the user."}, "state": {q.Get("state")},
	})
}

// AuthorizeElsewhere returns the address of somebody else's login, or of an
// earlier one: all is right but the state.
func (p *Provider) AuthorizeElsewhere(t *testing.T, authorizeURL, account string) string {
	t.Helper()
	u, err := url.Parse(authorizeURL)
	must(t, err)
	q := u.Query()
	q.Set("state", strings.ToLower(rand.Text()))
	u.RawQuery = q.Encode()
	return p.Authorize(t, u.String(), account)
}

// authorizeQuery holds authorizeURL to what the real page demands.
func authorizeQuery(t *testing.T, authorizeURL string) url.Values {
	t.Helper()
	u, err := url.Parse(authorizeURL)
	must(t, err)
	q := u.Query()
	if u.Scheme != "https" || u.Host != "auth.openai.com" || u.Path != pathAuthorize {
		t.Fatalf("%s is not OpenAI's page to authorize", authorizeURL)
	}
	for name, want := range map[string]string{"response_type": "code", "client_id": clientID, "code_challenge_method": "S256"} {
		if q.Get(name) != want {
			t.Fatalf("the page refuses %s %q, want %q", name, q.Get(name), want)
		}
	}
	for _, name := range []string{"redirect_uri", "code_challenge", "state"} {
		if q.Get(name) == "" {
			t.Fatalf("the page refuses an address without %s: %s", name, authorizeURL)
		}
	}
	return q
}

func callback(t *testing.T, q, answer url.Values) string {
	t.Helper()
	u, err := url.Parse(q.Get("redirect_uri"))
	must(t, err)
	u.RawQuery = answer.Encode()
	return u.String()
}
