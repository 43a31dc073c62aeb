//go:build e2e

package e2e

import (
	"bytes"
	"context"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/rs/zerolog"

	"github.com/ocwatch/ocwatch/internal/secret"
	"github.com/ocwatch/ocwatch/profiles"
	"github.com/ocwatch/ocwatch/profiles/login"
	"github.com/ocwatch/ocwatch/test/lab"
)

// TestTerminalLogin logs in through openclaw's command, on one release of each
// store layout, with no gateway running.
func TestTerminalLogin(t *testing.T) {
	t.Parallel()
	for _, version := range releases() {
		t.Run(version, func(t *testing.T) {
			daily(t, version, lab.JSONFiles)
			t.Parallel()
			d := newDesk(t, version)
			for _, tc := range []struct {
				name string
				run  func(*testing.T, *desk)
			}{
				{"by code", logsInByCode},
				{"by link", logsInByLink},
				{"nobody wants it", givesALoginUp},
				{"a pasted token", pastesAToken},
				{"a pasted key", pastesAKey},
			} {
				t.Run(tc.name, func(t *testing.T) { tc.run(t, d) })
			}
			d.assertNoSecrets(t)
		})
	}
}

// desk is one release at which people log in.
type desk struct {
	*lab.Lab

	logins *login.Starter
	store  *profiles.Store
	log    *bytes.Buffer
	said   []string // what people were told
}

func newDesk(t *testing.T, version string) *desk {
	t.Helper()
	l := lab.New(t, lab.Options{Version: version})
	i := install(t, l)
	d := &desk{Lab: l, store: profiles.NewStore(i, profiles.Options{}), log: &bytes.Buffer{}}
	d.logins = login.New(login.Options{CLI: i.CLI(), Store: d.store, Log: zerolog.New(zerolog.SyncWriter(d.log))})
	return d
}

func (d *desk) begin(t *testing.T, profile string) *login.Attempt {
	t.Helper()
	a, err := d.logins.Start(t.Context(), login.Request{Agent: "main", Provider: d.ProviderID(), Profile: profile})
	must(t, err)
	t.Cleanup(a.Cancel)
	return a
}

func (d *desk) note(err error) error {
	if err != nil {
		d.said = append(d.said, err.Error())
	}
	return err
}

// profile is what the store has of id.
func (d *desk) profile(t *testing.T, id string) (profiles.Profile, bool) {
	t.Helper()
	snap, err := d.store.Snapshot(t.Context())
	must(t, err)
	for _, pool := range snap.Pools {
		for _, p := range pool.Profiles {
			if p.ID == id {
				return p, true
			}
		}
	}
	return profiles.Profile{}, false
}

func patiently(t *testing.T) context.Context {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 3*time.Minute)
	t.Cleanup(cancel)
	return ctx
}

func logsInByCode(t *testing.T, d *desk) {
	t.Helper()
	a := d.begin(t, "")
	p := a.Prompt()
	left := time.Until(p.ExpiresAt)
	if p.URL != "https://auth.openai.com/codex/device" || p.Paste || p.Via != login.ViaTerminal || left < 10*time.Minute || left > 15*time.Minute {
		t.Errorf("prompt %+v", p)
	}
	d.Provider.Approve(t, p.Code, "dave")
	got, err := a.Wait(patiently(t))
	if want := d.ProviderID() + ":dave@example.com"; err != nil || got != (login.Result{Profile: want, New: true}) {
		t.Errorf("got %+v, %v, want %s", got, d.note(err), want)
	}
}

// logsInByLink has only releases without codes in the wild, so the help is kept
// from saying that there are any.
func logsInByLink(t *testing.T, d *desk) {
	t.Helper()
	plain := login.New(login.Options{CLI: noCodes{d.logins.CLI}, Store: d.store, Log: d.logins.Log})
	id := d.ID("alice")
	a, err := plain.Start(t.Context(), login.Request{Agent: "main", Provider: d.ProviderID(), Profile: id})
	must(t, err)
	t.Cleanup(a.Cancel)
	p := a.Prompt()
	if !p.Paste || p.Code != "" || !p.ExpiresAt.IsZero() {
		t.Errorf("prompt %+v", p)
	}
	for _, wrong := range []string{d.Provider.AuthorizeElsewhere(t, p.URL, "alice"), d.Provider.AuthorizeDenied(t, p.URL), p.URL} {
		if _, useless := errors.AsType[*login.PasteError](d.note(a.Paste(patiently(t), wrong))); !useless {
			t.Errorf("an address of no use was not sent back: %s", wrong)
		}
	}
	if err := d.note(a.Paste(patiently(t), " "+d.Provider.Authorize(t, p.URL, "alice")+"\n")); err != nil {
		t.Fatal(err)
	}
	if got, err := a.Wait(patiently(t)); err != nil || got != (login.Result{Profile: id}) {
		t.Errorf("got %+v, %v, want %s with another credential", got, d.note(err), id)
	}
}

func givesALoginUp(t *testing.T, d *desk) {
	t.Helper()
	a := d.begin(t, "")
	code := a.Prompt().Code
	a.Cancel()
	if _, err := a.Wait(patiently(t)); !errors.Is(err, login.ErrCancelled) {
		t.Errorf("got %v", err)
	}
	d.Provider.Approve(t, code, "erin")
	if _, err := d.logins.Start(t.Context(), login.Request{Agent: "main", Provider: "anthropic"}); !errors.Is(err, login.ErrNotOffered) {
		t.Errorf("anthropic: %v", err)
	}
	if _, found := d.profile(t, d.ProviderID()+":erin@example.com"); found {
		t.Error("a login that was given up was stored")
	}
}

func pastesAToken(t *testing.T, d *desk) {
	t.Helper()
	token := secret.New("sk-ant-oat01-" + strings.Repeat("pasted-", 12) + "\n")
	r := login.PasteRequest{Agent: "main", Provider: "anthropic", Type: profiles.Token, Secret: token, ExpiresIn: "365d"}
	got, err := d.logins.PasteToken(patiently(t), r)
	if err != nil || got != (login.Result{Profile: "anthropic:manual", New: true}) {
		t.Fatalf("got %+v, %v", got, d.note(err))
	}
	p, _ := d.profile(t, got.Profile)
	if left := time.Until(p.ExpiresAt); p.Type != profiles.Token || left < 364*24*time.Hour || left > 365*24*time.Hour {
		t.Errorf("the store has %+v", p)
	}
	r.Profile = d.ID("acc1")
	if _, err := d.logins.PasteToken(patiently(t), r); d.note(err) == nil {
		t.Error("a profile was written over")
	}
}

func pastesAKey(t *testing.T, d *desk) {
	t.Helper()
	id := "openrouter:manual"
	got, err := d.logins.PasteToken(patiently(t), login.PasteRequest{Agent: "main", Provider: "openrouter", Type: profiles.APIKey, Secret: secret.New("sk-or-v1-pasted")})
	if err != nil || got != (login.Result{Profile: id, New: true}) {
		t.Fatalf("got %+v, %v", got, d.note(err))
	}
	if p, _ := d.profile(t, id); p.Type != profiles.APIKey || !p.ExpiresAt.IsZero() {
		t.Errorf("the store has %+v", p)
	}
}

// assertNoSecrets looks for every token, code and address where people and logs
// can see them.
func (d *desk) assertNoSecrets(t *testing.T) {
	t.Helper()
	if len(d.Provider.Issued()) < 4 || len(d.said) < 4 {
		t.Fatalf("%d secrets were given out, and %d errors told", len(d.Provider.Issued()), len(d.said))
	}
	shown := d.log.String() + strings.Join(d.said, "\n")
	for _, s := range append(d.Provider.Issued(), "pasted-", "sk-or-v1") {
		if strings.Contains(shown, s) {
			t.Errorf("a secret is told: %q in %s", s, shown)
		}
	}
}
