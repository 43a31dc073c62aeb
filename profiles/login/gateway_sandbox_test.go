package login

import (
	"context"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/rs/zerolog"

	"github.com/ocwatch/ocwatch/internal/openclaw"
	"github.com/ocwatch/ocwatch/internal/sandbox"
	"github.com/ocwatch/ocwatch/profiles"
)

const (
	alice = "openai:alice@example.com"
	dave  = "openai:dave@example.com"
)

// world is a stand-in OpenClaw, and a Starter that stands before it.
func world(t *testing.T, o sandbox.Options) (*sandbox.World, *Starter) {
	t.Helper()
	o.Dir = t.TempDir()
	o.Accounts = []sandbox.Account{{Profile: alice}, {Profile: "openai:bob@example.com"}}
	w, err := sandbox.Start(t.Context(), o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := w.Close(); err != nil {
			t.Error(err)
		}
	})
	install, err := openclaw.Find(openclaw.Options{StateDir: w.StateDir(), Home: o.Dir, Getenv: func(string) string { return "" }})
	if err != nil {
		t.Fatal(err)
	}
	return w, New(Options{
		Dial:  func() Gateway { return install.Gateway() },
		Store: profiles.NewStore(install, profiles.Options{}),
		Log:   zerolog.Nop(),
	})
}

func begin(t *testing.T, s *Starter) *Attempt {
	t.Helper()
	a, err := s.Start(patient(t), request())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(a.Cancel)
	return a
}

func patient(t *testing.T) context.Context {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	t.Cleanup(cancel)
	return ctx
}

func TestLoginAtTheGateway(t *testing.T) {
	for _, tc := range []struct {
		name string
		act  func(w *sandbox.World, code string) error
		want Result
		is   error
		says string
	}{
		{"a new account", func(w *sandbox.World, code string) error { return w.Approve(code, sandbox.Account{Profile: dave}) }, Result{Profile: dave, New: true}, nil, ""},
		{"the same account again", func(w *sandbox.World, code string) error { return w.Approve(code, sandbox.Account{Profile: alice}) }, Result{Profile: alice}, nil, ""},
		{"denied", (*sandbox.World).Deny, Result{}, nil, "denied on the page"},
		{"expired", (*sandbox.World).Expire, Result{}, ErrExpired, ""},
		{"the gateway stops", func(w *sandbox.World, _ string) error { return w.StopGateway() }, Result{}, nil, "connection to the gateway was lost"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			w, s := world(t, sandbox.Options{RestrictModels: true})
			a := begin(t, s)
			p := a.Prompt()
			if got := w.LoginCodes(); len(got) != 1 || p.Code != got[0] || p.URL != "https://auth.openai.com/codex/device" || p.Via != ViaGateway || time.Until(p.ExpiresAt) < 14*time.Minute {
				t.Fatalf("prompt %+v, codes %v", p, got)
			}
			if err := tc.act(w, p.Code); err != nil {
				t.Fatal(err)
			}
			got, err := a.Wait(patient(t))
			if got != tc.want {
				t.Errorf("got %+v, want %+v", got, tc.want)
			}
			failed, ok := errors.AsType[*FailedError](err)
			if tc.says != "" && (!ok || !strings.Contains(failed.Error(), tc.says)) || tc.says == "" && !errors.Is(err, tc.is) {
				t.Errorf("got error %v, want %v %q", err, tc.is, tc.says)
			}
		})
	}
}

func TestOneLoginAtATimeAtTheGateway(t *testing.T) {
	w, s := world(t, sandbox.Options{})
	first := begin(t, s)
	install := s.Dial()
	_, err := startGateway(patient(t), install, request())
	if failed, ok := errors.AsType[*FailedError](err); !ok || !strings.Contains(failed.What, "another login") {
		t.Errorf("a second login: %v", err)
	}
	first.Cancel()
	if _, err := first.Wait(patient(t)); !errors.Is(err, ErrCancelled) {
		t.Errorf("the first: %v, want ErrCancelled", err)
	}
	third := begin(t, s)
	if third.Prompt().Code == first.Prompt().Code || len(w.LoginCodes()) != 2 {
		t.Errorf("codes %v", w.LoginCodes())
	}
}
