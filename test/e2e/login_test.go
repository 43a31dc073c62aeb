//go:build e2e

package e2e

import (
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/ocwatch/ocwatch/internal/event"
	"github.com/ocwatch/ocwatch/test/lab"
)

// All accounts are spent and the owner is far away: one message brings link and
// code, a phone approves, and ocwatch proves that it worked. First the phone
// signs in as an account that is spent, as browsers do by themselves.
func logsInFromAfar(t *testing.T, s *stage) {
	t.Helper()
	r := s.Dial(t)
	s.reset(t, r)
	if slices.Contains(s.Pool(), "backup") {
		s.Provider.Refuse("backup", http.StatusUnauthorized, "invalid_api_key")
	}
	s.drain(time.Now().Add(3 * time.Hour))
	hook := newReceiver(t)
	d := newDaemon(t, s, hook.config())
	d.start(t)

	asked := hook.await(t, event.PoolDepleted, s.ProviderID())
	s.approve(t, asked, "alice")
	failed := hook.await(t, event.LoginFailed, s.ProviderID())
	if failed.Data.Profile != s.ID("alice") || !strings.Contains(failed.Data.Message, "spent") {
		t.Errorf("the login as a spent account is told as %q about %s", failed.Data.Message, failed.Data.Profile)
	}
	if p, code := d.ask(t, "status"); p.State != "depleted" || code != 2 {
		t.Errorf("after the login as a spent account status says %q with exit status %d, want depleted with 2", p.State, code)
	}

	mark := s.Provider.Mark()
	s.approve(t, failed, "dave")
	done := hook.await(t, event.LoginCompleted, s.ProviderID())
	if done.Data.Profile != s.ID("dave") {
		t.Errorf("the login is told to be %s, want %s", done.Data.Profile, s.ID("dave"))
	}
	s.Accounts = append(s.Accounts, lab.Account{Name: "dave", Kind: lab.OpenAI}) // OpenClaw has it from now on
	s.Provider.Await(t, mark, limit, func(q lab.Request) bool { return q.Usage() && q.Account == "dave" })
	recovered := hook.await(t, event.PoolRecovered, s.ProviderID())
	if recovered.Data.Ends != event.PoolDepleted || recovered.Data.To != s.ID("dave") {
		t.Errorf("recovered: %+v", recovered.Data)
	}
	s.assertServes(t, d, r, "dave")

	for kind, want := range map[event.Type]int{event.PoolDepleted: 1, event.LoginFailed: 1, event.LoginCompleted: 1, event.PoolRecovered: 1} {
		if n := hook.count(kind, s.ProviderID()); n != want {
			t.Errorf("%d different messages of %s came, want %d; all: %v", n, kind, want, hook.kinds())
		}
	}
	hook.assertAllSigned(t)
	d.stop(t)
}

// assertServes looks at the first turn after a login. A gateway that did the
// login itself knows it, an older one is told, and the oldest restarts itself,
// since openclaw's command has written its config.
func (s *stage) assertServes(t *testing.T, d *daemon, r *lab.RPC, name string) {
	t.Helper()
	if s.LoginRestarts() {
		s.awaitServed(t, name)
		return
	}
	if !s.OrderRPC() {
		d.awaitLog(t, "the running gateway has read what was logged in", 2) // one for each approval
	}
	if got := s.TurnRPC(t, r, s.fresh()); got != name {
		t.Errorf("the turn after the login was served by %s, want %s", got, name)
	}
	if s.gateway.Starts() != 1 {
		t.Errorf("the gateway began to listen %d times: a login needs no restart", s.gateway.Starts())
	}
}

// awaitServed returns once a turn was served by name, whatever fails before.
func (s *stage) awaitServed(t *testing.T, name string) {
	t.Helper()
	var served []string
	for deadline := time.Now().Add(limit); time.Now().Before(deadline); {
		mark := s.Provider.Mark()
		_, _, err := s.TryCLI(t, "agent", "--agent", "main", "--session-id", s.fresh(), "--message", "say ok", "--json")
		if served = s.Provider.Served(mark); err == nil && slices.Equal(served, []string{name}) {
			return
		}
	}
	t.Fatalf("%v served, want %s", served, name)
}

// approve reads link and code out of a message, as its reader does, and types
// the code on the page as account.
func (s *stage) approve(t *testing.T, e event.Event, account string) {
	t.Helper()
	l := e.Data.Login
	if e.Data.Action != event.ActionLogin || l == nil || l.Code == "" {
		t.Fatalf("%s brings no code: action %q, login %+v, message %q", e.Type, e.Data.Action, l, e.Data.Message)
	}
	if l.URL != "https://auth.openai.com/codex/device" || l.Command == "" {
		t.Errorf("%s: login %+v", e.Type, l)
	}
	if !strings.Contains(e.Data.Message, l.URL) || !strings.Contains(e.Data.Message, l.Code) {
		t.Errorf("%s: the message lacks link or code: %q", e.Type, e.Data.Message)
	}
	if l.ExpiresAt == nil || time.Until(*l.ExpiresAt) > 15*time.Minute || time.Until(*l.ExpiresAt) < 10*time.Minute {
		t.Errorf("%s: the code ends at %v, want some minutes from now", e.Type, l.ExpiresAt)
	}
	s.Provider.Approve(t, l.Code, account)
}
