package login

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/rs/zerolog"

	"github.com/ocwatch/ocwatch/internal/openclaw"
	"github.com/ocwatch/ocwatch/internal/secret"
	"github.com/ocwatch/ocwatch/profiles"
)

var (
	setupToken = setupTokenPrefix + strings.Repeat("invented-", 10)
	apiKey     = "sk-proj-invented0123456789"
)

func TestCheckTokenAndKey(t *testing.T) {
	for _, tc := range []struct {
		name, provider, given string
		check                 func(string, secret.Value) (secret.Value, error)
		want, wrong           string
	}{
		{"a setup-token", "anthropic", setupToken, CheckToken, setupToken, ""},
		{"with line ends", "anthropic", "\r\n " + setupToken + " \n", CheckToken, setupToken, ""},
		{"nothing", "anthropic", " \n", CheckToken, "", "nothing was given"},
		{"folded", "anthropic", setupToken[:40] + "\n" + setupToken[40:], CheckToken, "", "line break inside"},
		{"two words", "anthropic", setupToken + " " + setupToken, CheckToken, "", "blank"},
		{"cut off", "anthropic", setupToken[:60], CheckToken, "", "too short"},
		{"an API key for a token", "anthropic", "sk-ant-api03-invented", CheckToken, "", "an API key, not a setup-token"},
		{"no setup-token", "anthropic", "invented-invented", CheckToken, "", "begins with sk-ant-oat01-"},
		{"an OpenAI key for a token", "openai-codex", apiKey, CheckToken, "", "an API key"},
		{"another provider's token", "github-copilot", "gho_invented", CheckToken, "gho_invented", ""},
		{"an odd character", "anthropic", setupToken + "ü", CheckToken, "", "a character that none has"},
		{"endless", "anthropic", setupTokenPrefix + strings.Repeat("x", pastedCap), CheckToken, "", "far too long"},
		{"a key", "openai", " " + apiKey + "\n", CheckKey, apiKey, ""},
		{"Anthropic's key", "anthropic", "sk-ant-api03-invented", CheckKey, "sk-ant-api03-invented", ""},
		{"a setup-token for a key", "anthropic", setupToken, CheckKey, "", "a setup-token, not an API key"},
		{"a login for a key", "openai", "eyJh.eyJh.c2ln", CheckKey, "", "what a login leaves behind"},
		{"a file for a key", "openai", `{"tokens":1}`, CheckKey, "", "what a login leaves behind"},
		{"no OpenAI key", "openai", "invented", CheckKey, "", "begins with sk-"},
		{"Anthropic's key for OpenAI", "openai", "sk-ant-api03-invented", CheckKey, "", "another provider"},
		{"OpenAI's key for Anthropic", "anthropic", apiKey, CheckKey, "", "another provider"},
		{"no Anthropic key", "anthropic", "sk-invented", CheckKey, "", "begins with sk-ant-"},
		{"no key", "openrouter", "", CheckKey, "", "there is no key"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			got, err := tc.check(tc.provider, secret.New(tc.given))
			if got.Reveal() != tc.want || (err == nil) != (tc.wrong == "") {
				t.Fatalf("error %v, and the secret is right: %v", err, got.Reveal() == tc.want)
			}
			if err != nil && !strings.Contains(err.Error(), tc.wrong) {
				t.Errorf("got %v, want %q", err, tc.wrong)
			}
			if err != nil && strings.Contains(err.Error(), "invented") {
				t.Errorf("the error quotes the secret: %v", err)
			}
		})
	}
}

func TestCheckExpiry(t *testing.T) {
	for text, ok := range map[string]bool{
		"": true, "365d": true, "12h": true, "90m": true, "3650d": true,
		"365": false, "1y": false, "0d": false, "-1d": false, "1.5d": false, "3651d": false, "9999999d": false, "1d2h": false, " 1d": false, "365d --force": false,
	} {
		if err := checkExpiry(text); (err == nil) != ok {
			t.Errorf("%q: %v", text, err)
		}
	}
}

// pasteScript is OpenClaw's command: it stores what it gets under the id.
const pasteScript = `#!/bin/sh
echo "$*" >>calls
case "$*" in
*"paste-api-key --help")
	[ -e no-keys ] && { printf 'Usage: openclaw models auth [options] [command]\n'; exit 0; }
	printf 'Usage: openclaw models auth paste-api-key [options]\n'; exit 0 ;;
esac
IFS= read -r got
[ -e fails ] && { echo "Installed Gateway service state could not be verified." >&2; echo "Failed to update auth profile store for $got; the auth store lock may be busy." >&2; exit 1; }
while [ $# -gt 1 ]; do [ "$1" = --profile-id ] && id=$2; shift; done
[ -e lies ] || echo "$id" >>have
printf %s "$got" >stdin
echo "Auth profile: $id (anthropic/token)"
`

// pasteStore shows what is in the file "have", beside what was there before.
type pasteStore struct{ dir string }

func (s pasteStore) Snapshot(context.Context) (profiles.Snapshot, error) {
	if _, err := os.Stat(filepath.Join(s.dir, "unreadable")); err == nil {
		return profiles.Snapshot{Problems: []profiles.Problem{{Agent: "main", What: "the store is malformed", Fix: "openclaw doctor --fix"}}}, nil
	}
	pool := profiles.Pool{Agent: "main", Provider: "anthropic", Profiles: []profiles.Profile{
		{ID: "anthropic:manual", Provider: "anthropic", Type: profiles.Token},
		{ID: "anthropic:manual-2", Provider: "anthropic", Type: profiles.Token},
		{ID: "anthropic:work", Provider: "anthropic", Type: profiles.Token},
		{ID: "anthropic:cli", Provider: "anthropic", Type: profiles.OAuth},
	}}
	raw, _ := os.ReadFile(filepath.Join(s.dir, "have")) // nothing, at first
	for id := range strings.FieldsSeq(string(raw)) {
		if !slices.ContainsFunc(pool.Profiles, func(p profiles.Profile) bool { return p.ID == id }) {
			pool.Profiles = append(pool.Profiles, profiles.Profile{ID: id, Provider: "anthropic", Type: profiles.Token})
		}
	}
	return profiles.Snapshot{Pools: []profiles.Pool{pool}}, nil
}

func newPasteStage(t *testing.T, files ...string) *stage {
	t.Helper()
	home := t.TempDir()
	s := &stage{dir: filepath.Join(home, ".openclaw")}
	if err := os.MkdirAll(s.dir, 0o700); err != nil {
		t.Fatal(err)
	}
	command := filepath.Join(home, "openclaw")
	if err := os.WriteFile(command, []byte(pasteScript), 0o700); err != nil {
		t.Fatal(err)
	}
	for _, name := range files {
		s.touch(t, name)
	}
	i, err := openclaw.Find(openclaw.Options{Home: home, Command: command, Getenv: func(string) string { return "" }})
	if err != nil {
		t.Fatal(err)
	}
	s.Starter = New(Options{CLI: i.CLI(), Store: pasteStore{s.dir}, Log: zerolog.Nop()})
	return s
}

func TestPasteToken(t *testing.T) {
	token, key := secret.New("\n"+setupToken+"\r\n"), secret.New("sk-ant-api03-invented")
	for _, tc := range []struct {
		name string
		r    PasteRequest
		want Result
		call string
	}{
		{
			"a free id",
			PasteRequest{Type: profiles.Token, Secret: token},
			Result{"anthropic:manual-3", true},
			"models auth --agent main paste-token --provider anthropic --profile-id anthropic:manual-3",
		},
		{
			"an id of its own, with an end",
			PasteRequest{Type: profiles.Token, Secret: token, Profile: "anthropic:home", ExpiresIn: "365d"},
			Result{"anthropic:home", true},
			"models auth --agent main paste-token --provider anthropic --profile-id anthropic:home --expires-in 365d",
		},
		{
			"in another's place",
			PasteRequest{Type: profiles.Token, Secret: token, Profile: "anthropic:work", Replace: true},
			Result{"anthropic:work", false},
			"models auth --agent main paste-token --provider anthropic --profile-id anthropic:work",
		},
		{
			"a key",
			PasteRequest{Type: profiles.APIKey, Secret: key},
			Result{"anthropic:manual-3", true},
			"models auth --agent main paste-api-key --provider anthropic --profile-id anthropic:manual-3",
		},
	} {
		t.Run(tc.name, func(t *testing.T) {
			s := newPasteStage(t)
			tc.r.Agent, tc.r.Provider = "main", "anthropic"
			got, err := s.PasteToken(t.Context(), tc.r)
			if err != nil || got != tc.want {
				t.Fatalf("got %+v, %v, want %+v", got, err, tc.want)
			}
			calls := s.calls(t)
			if last := calls[len(calls)-1]; last != tc.call {
				t.Errorf("called %q, want %q", last, tc.call)
			}
			stdin, err := os.ReadFile(filepath.Join(s.dir, "stdin"))
			if want := strings.TrimSpace(tc.r.Secret.Reveal()); err != nil || string(stdin) != want {
				t.Errorf("openclaw did not get the secret: %v", err)
			}
		})
	}
}

func TestPasteTokenRefused(t *testing.T) {
	token := secret.New(setupToken)
	for _, tc := range []struct {
		name  string
		r     PasteRequest
		files []string
		want  string
		asked bool // openclaw was called
	}{
		{"there already", PasteRequest{Type: profiles.Token, Secret: token, Profile: "anthropic:work"}, nil, "there is a profile anthropic:work already", false},
		{"of another kind", PasteRequest{Type: profiles.Token, Secret: token, Profile: "anthropic:cli", Replace: true}, nil, "of another kind: oauth of anthropic", false},
		{"an expiry that is none", PasteRequest{Type: profiles.Token, Secret: token, ExpiresIn: "a year"}, nil, "is no expiry", false},
		{"a key that expires", PasteRequest{Type: profiles.APIKey, Secret: secret.New(apiKey), ExpiresIn: "365d"}, nil, "no expiry for an API key", false},
		{"a login", PasteRequest{Type: profiles.OAuth, Secret: token}, nil, "cannot be pasted", false},
		{"nothing", PasteRequest{Type: profiles.Token}, nil, "nothing was given", false},
		{"an option", PasteRequest{Type: profiles.Token, Secret: token, Profile: "--force"}, nil, "no profile id", false},
		{"an unreadable store", PasteRequest{Type: profiles.Token, Secret: token}, []string{"unreadable"}, "openclaw doctor --fix", false},
		{"a release without keys", PasteRequest{Type: profiles.APIKey, Secret: secret.New("sk-ant-api03-invented")}, []string{"no-keys"}, "2026.5.22", true},
		{"a busy store", PasteRequest{Type: profiles.Token, Secret: token}, []string{"fails"}, "its store was busy", true},
		{"a lie", PasteRequest{Type: profiles.Token, Secret: token}, []string{"lies"}, "does not have it", true},
	} {
		t.Run(tc.name, func(t *testing.T) {
			s := newPasteStage(t, tc.files...)
			tc.r.Agent, tc.r.Provider = "main", "anthropic"
			_, err := s.PasteToken(t.Context(), tc.r)
			if err == nil || !strings.Contains(err.Error(), tc.want) {
				t.Fatalf("got %v, want %q", err, tc.want)
			}
			if strings.Contains(err.Error(), "invented") {
				t.Errorf("the error holds the secret: %v", err)
			}
			if asked := len(s.calls(t)) > 0; asked != tc.asked {
				t.Errorf("openclaw was called: %v", asked)
			}
		})
	}
}

func TestPasteTokenKeepsTheSecretOutOfTheCommandLine(t *testing.T) {
	s := newPasteStage(t)
	r := PasteRequest{Agent: "main", Provider: "anthropic", Type: profiles.Token, Secret: secret.New(setupToken)}
	if _, err := s.PasteToken(t.Context(), r); err != nil {
		t.Fatal(err)
	}
	if slices.ContainsFunc(s.calls(t), func(c string) bool { return strings.Contains(c, "invented") }) {
		t.Error("the token is in the command line")
	}
}

func TestPasteTokenEndsWithItsContext(t *testing.T) {
	s := newPasteStage(t)
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	r := PasteRequest{Agent: "main", Provider: "anthropic", Type: profiles.Token, Secret: secret.New(setupToken)}
	_, err := s.PasteToken(ctx, r)
	if _, ok := errors.AsType[*FailedError](err); !ok && !errors.Is(err, context.Canceled) {
		t.Errorf("got %v", err)
	}
}
