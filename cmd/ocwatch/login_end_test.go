package main

import (
	"errors"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/ocwatch/ocwatch/cmd/ocwatch/internal/app"
	"github.com/ocwatch/ocwatch/cmd/ocwatch/internal/config"
	"github.com/ocwatch/ocwatch/failover/relogin"
	"github.com/ocwatch/ocwatch/internal/event"
	"github.com/ocwatch/ocwatch/profiles"
	"github.com/ocwatch/ocwatch/profiles/login"
)

// TestConclude: what is said was done, and no more.
func TestConclude(t *testing.T) {
	t.Parallel()
	const dave, bob = "openai:dave@example.com", "openai:bob@example.com"
	done := &event.Event{Type: event.LoginCompleted, Data: event.Data{Provider: "openai", Profile: dave}}
	failed := &event.Event{Type: event.LoginFailed, Data: event.Data{Provider: "openai", Profile: dave, Reason: "it is the account that is spent already"}}
	for _, tc := range []struct {
		name    string
		before  []string
		profile string
		out     app.Outcome
		says    []string
		not     string
		err     string
	}{
		{"first", nil, dave, app.Outcome{Told: done, Order: []string{dave, bob}}, []string{dave, "this command puts it first."}, "", ""},
		{"first by the watchdog", nil, dave, app.Outcome{Told: done, Order: []string{dave, bob}, Watched: true}, []string{"The watchdog puts it first."}, "", ""},
		{"another one stays first", []string{bob}, dave, app.Outcome{Told: done, Order: []string{bob, dave}}, []string{"keeps " + bob + " first."}, "puts", ""},
		{"another one comes first", []string{"openai:alice@example.com", bob}, dave, app.Outcome{Told: done, Order: []string{bob, dave}}, []string{"puts " + bob + " first, which comes before it"}, "keeps", ""},
		{
			"not known to work",
			[]string{bob},
			dave,
			app.Outcome{Order: []string{dave, bob}, Reason: "the provider did not accept the access token"},
			[]string{dave + " is stored, and whether it works is not known yet: the provider did not accept the access token.", "the order was left as it is"},
			"puts it first", "",
		},
		{"of no use", nil, dave, app.Outcome{Told: failed}, nil, "", "the login as " + dave + " is of no use: it is the account that is spent already"},
		{"unseen", nil, "", app.Outcome{}, nil, "", "its store does not show which profile it is"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			var out syncBuffer
			s := loginSession{screen: loginScreen{out: &out, now: time.Now}}
			err := s.conclude(app.Target{Pool: profiles.Pool{Order: tc.before}}, login.Result{Profile: tc.profile}, tc.out)
			if (err == nil) != (tc.err == "") || err != nil && !strings.Contains(err.Error(), tc.err) {
				t.Errorf("%v, want %q", err, tc.err)
			}
			for _, want := range tc.says {
				if !strings.Contains(out.String(), want) {
					t.Errorf("it does not say %q:\n%s", want, out.String())
				}
			}
			if tc.not != "" && strings.Contains(out.String(), tc.not) {
				t.Errorf("it says %q:\n%s", tc.not, out.String())
			}
		})
	}
}

// TestNoteLog: a person reads words, whatever log format the daemon has.
func TestNoteLog(t *testing.T) {
	t.Parallel()
	var out syncBuffer
	log := noteLog(&out)
	log.Info().Msg("a login is under way")
	log.Warn().Err(errors.New("connection refused")).Str("agent", "main").Msg("the gateway starts no login; trying openclaw's command")
	if want := "note: the gateway starts no login; trying openclaw's command: connection refused\n"; out.String() != want {
		t.Errorf("got %q, want %q", out.String(), want)
	}
}

func TestWriteLogins(t *testing.T) {
	t.Parallel()
	until := time.Date(2026, 11, 22, 16, 51, 0, 0, time.UTC)
	base := relogin.Status{Agent: "main", Provider: "openai", URL: "https://auth.openai.com/codex/device"}
	code, paste, hidden := base, base, base
	code.Code, code.ExpiresAt = "ABCD-1234", &until
	paste.Paste = true
	hidden.URL = ""
	for name, tc := range map[string]struct {
		l    relogin.Status
		want string
	}{
		"code":   {code, ": open https://auth.openai.com/codex/device and type ABCD-1234, until 16:51 UTC"},
		"paste":  {paste, ": open https://auth.openai.com/codex/device and hand over the address that the browser ends on, with ocwatch login --paste -"},
		"hidden": {hidden, ""},
	} {
		want := []string{"login to openai for agent main waits to be approved" + tc.want}
		if got := loginTexts([]relogin.Status{tc.l}); !slices.Equal(got, want) {
			t.Errorf("%s: got %q, want %q", name, got, want)
		}
	}
}

func TestWantsLogins(t *testing.T) {
	t.Parallel()
	only := []event.Type{event.PoolDepleted}
	for name, tc := range map[string]struct {
		n    config.Notify
		want bool
	}{
		"nobody":                {config.Notify{}, false},
		"a webhook for all":     {config.Notify{Webhooks: []config.Webhook{{Name: "a"}}}, true},
		"others only":           {config.Notify{Webhooks: []config.Webhook{{Events: only}}, Channels: []config.Channel{{Events: only}}}, false},
		"a channel for the one": {config.Notify{Channels: []config.Channel{{Events: []event.Type{event.LoginStarted}}}}, true},
	} {
		if got := wantsLogins(&config.Config{Notify: tc.n}); got != tc.want {
			t.Errorf("%s: %t, want %t", name, got, tc.want)
		}
	}
}
