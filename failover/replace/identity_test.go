package replace

import (
	"testing"

	"pgregory.net/rapid"

	"github.com/ocwatch/ocwatch/internal/openclaw"
	"github.com/ocwatch/ocwatch/profiles"
)

func TestCompare(t *testing.T) {
	tests := []struct {
		name string
		a, b identity
		want Sameness
	}{
		{"two accounts", identity{Account: "1", Email: "a@x"}, identity{Account: "2", Email: "b@x"}, Different},
		{"one account", identity{Account: "1", Email: "a@x"}, identity{Account: "1", Email: "a@x"}, Same},
		{"one account, one address unknown", identity{Account: "1"}, identity{Account: "1", Email: "a@x"}, Same},
		{"two workspaces of one person", identity{Account: "1", Email: "a@x"}, identity{Account: "2", Email: "a@x"}, Different},
		{"two people of one workspace", identity{Account: "1", Email: "a@x"}, identity{Account: "1", Email: "b@x"}, Untold},
		{"two addresses alone", identity{Email: "a@x"}, identity{Email: "b@x"}, Different},
		{"one address alone", identity{Email: "a@x"}, identity{Email: "a@x"}, Untold},
		{"one address, one account unknown", identity{Account: "1", Email: "a@x"}, identity{Email: "a@x"}, Untold},
		{"two tokens", identity{Token: "1"}, identity{Token: "2"}, Untold},
		{"one token", identity{Token: "1"}, identity{Token: "1"}, Same},
		{"two tokens with addresses", identity{Token: "1", Email: "a@x"}, identity{Token: "2", Email: "b@x"}, Different},
		{"a token and a login", identity{Token: "1"}, identity{Account: "1"}, Untold},
		{"nothing is known", identity{}, identity{}, Untold},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			if got := compare(tt.a, tt.b); got != tt.want {
				t.Errorf("got %s, want %s", got, tt.want)
			}
		})
	}
}

func TestCompareIsSymmetric(t *testing.T) {
	part := rapid.SampledFrom([]string{"", "1", "2"})
	rapid.Check(t, func(t *rapid.T) {
		draw := func() identity {
			return identity{part.Draw(t, "account"), part.Draw(t, "token"), part.Draw(t, "email")}
		}
		a, b := draw(), draw()
		if compare(a, b) != compare(b, a) {
			t.Fatalf("%+v and %+v", a, b)
		}
		if compare(a, a) == Different {
			t.Fatalf("%+v is not itself", a)
		}
	})
}

func TestIdentify(t *testing.T) {
	tests := []struct {
		name string
		p    profiles.Profile
		want identity
	}{
		{"a login", profiles.Profile{Type: profiles.OAuth, Account: "acct-1", AccountID: "x", Email: "A@x"}, identity{Account: "acct-1", Email: "a@x"}},
		{"a login without an account id", profiles.Profile{Type: profiles.OAuth, Account: "acct-1", Email: "a@x"}, identity{Email: "a@x"}},
		{"a token", profiles.Profile{Type: profiles.Token, Account: "acct-1"}, identity{Token: "acct-1"}},
		{"an API key", profiles.Profile{Type: profiles.APIKey, Account: "acct-1"}, identity{Token: "acct-1"}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			if got := identify(tt.p); got != tt.want {
				t.Errorf("got %+v, want %+v", got, tt.want)
			}
		})
	}
}

func TestWritesBack(t *testing.T) {
	tests := []struct {
		layout  openclaw.Layout
		version string
		want    bool
	}{
		{openclaw.JSONFiles, "2026.3.2", true},
		{openclaw.JSONFiles, "2026.3.13", true},
		{openclaw.JSONFiles, "2026.3.13-beta.1", true},
		{openclaw.JSONFiles, "2025.12.31", true},
		{openclaw.JSONFiles, "2026.3.24", false},
		{openclaw.JSONFiles, "2026.4.1", false},
		{openclaw.JSONFiles, "2026.5.28", false},
		{openclaw.JSONFiles, "", true},
		{openclaw.JSONFiles, "nightly", true},
		{openclaw.JSONFiles, "2026.x.1", true},
		{openclaw.AgentDatabase, "", false},
		{openclaw.SharedDatabase, "2026.9.6", false},
		{openclaw.NoStore, "2026.3.13", false},
	}
	for _, tt := range tests {
		if got := writesBack(tt.layout, tt.version); got != tt.want {
			t.Errorf("%s %s: %v", tt.layout, tt.version, got)
		}
	}
}
