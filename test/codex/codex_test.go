//go:build codex

// Package codex runs the native Codex runtime, which most installs use for
// OpenAI's models: its own processes talk to the official hosts, which the
// lab's proxy plays.
package codex

import (
	"net/http"
	"slices"
	"testing"

	"github.com/ocwatch/ocwatch/test/lab"
)

// A switch of the running gateway moves the next turn of a session, old or
// new, without a restart; a chat session keeps the account it is pinned to.
func TestSwitchOnTheNativeRuntime(t *testing.T) {
	l := lab.New(t, lab.Options{Version: lab.Codex, Accounts: lab.Accounts()[:3]})
	g := l.Start(t)
	r := l.Dial(t)
	put := func(names ...string) {
		t.Helper()
		r.Must(t, "models.authOrderSet", map[string]any{"provider": "openai", "agentId": "main", "profileIds": l.IDs(names...)})
	}
	served := func(name, what, got string) {
		t.Helper()
		if got != name {
			t.Errorf("%s served %s, want %s", got, what, name)
		}
	}
	const old, chat = "old", "agent:main:pinned"
	put("alice", "bob", "carol")
	served("alice", "the first turn", l.TurnRPC(t, r, old))
	served("alice", "a new chat", l.Chat(t, r, chat))

	put("bob", "carol", "alice")
	served("bob", "the old session after the switch", l.TurnRPC(t, r, old))
	served("bob", "a new session after the switch", l.TurnRPC(t, r, "new"))
	served("alice", "the pinned chat after the switch", l.Chat(t, r, chat))

	l.Provider.SetQuota("bob", lab.Quota{FiveHour: 100, Weekly: 50})
	mark := l.Provider.Mark()
	served("carol", "a turn that bob refused", l.TurnRPC(t, r, "refused"))
	if got := refusals(l.Provider.Requests(mark)); !slices.Equal(got, []string{"bob"}) {
		t.Errorf("turns were refused by %v, want once by bob", got)
	}
	if !g.Alive() || g.Starts() != 1 {
		t.Errorf("the gateway was restarted: alive %v, began to listen %d times", g.Alive(), g.Starts())
	}
}

// refusals are the accounts that refused main turns.
func refusals(requests []lab.Request) []string {
	var names []string
	for _, r := range requests {
		if r.Turn() && r.Main && r.Status == http.StatusTooManyRequests {
			names = append(names, r.Account)
		}
	}
	return names
}
