//go:build e2e

package e2e

import (
	"encoding/json"
	"fmt"
	"maps"
	"net/http"
	"slices"
	"testing"
	"time"

	"github.com/ocwatch/ocwatch/internal/sim"
	"github.com/ocwatch/ocwatch/test/lab"
)

// TestRotation holds the model of OpenClaw, which the comparison of strategies
// stands on, against the real gateway: both are played the same turns, and have
// to call the same accounts in the same order.
func TestRotation(t *testing.T) {
	t.Parallel()
	for _, tc := range []struct {
		name   string
		models int
	}{
		{"one model", 1},
		{"a model to fall back on", 2},
	} {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			for try := 1; !playRotation(t, tc.models); try++ {
				if try == 3 {
					t.Fatal("cooldowns ended in the midst of turns three times: too busy a machine to compare anything")
				}
			}
		})
	}
}

// playRotation plays the script once. It reports false where the gateway took so
// long for a turn that nobody can say what the model should have done.
func playRotation(t *testing.T, models int) (compared bool) {
	t.Helper()
	l := lab.New(t, lab.Options{Version: lab.SharedDatabase, Config: func(c map[string]any) {
		if models > 1 {
			addFallback(t, c)
		}
	}})
	gateway := l.Start(t)
	defer gateway.Stop(t)
	if models > 1 {
		newDaemon(t, &stage{Lab: l}).doctor(t).one(t, "openclaw.fallback", "note", "openai/gpt-5.4-mini")
	}
	b := &both{l: l, r: l.Dial(t), model: sim.NewGateway([]string{"alice", "bob", "carol"}, models), quotas: limits{}}
	// A reset that has passed tells OpenClaw nothing: it goes by its ladder.
	untold, told := time.Now().Add(-time.Hour), time.Now().Add(2*time.Hour)
	spent := func(resets time.Time) lab.Quota { return lab.Quota{FiveHour: 100, Resets: resets} }

	b.set(map[string]lab.Quota{"alice": spent(untold), "bob": spent(untold)})
	b.turn(t, "two of three are spent")
	// On a slow machine the cooldown is over by the next turn. Then the next one
	// is twice as long.
	for slices.Contains(b.turn(t, "the turn after it"), "alice") && !b.unclear {
	}
	b.set(map[string]lab.Quota{"carol": spent(told)})
	b.turn(t, "the third is spent, and its reset is told")
	b.turn(t, "all are written off")
	b.set(map[string]lab.Quota{"carol": {}})
	b.turn(t, "the third is back before its time")
	// At night the ladder is climbed: 30 s, 1 m, 2 m.
	for end := time.Now().Add(4 * time.Minute); night() && !b.unclear && time.Now().Before(end); {
		<-time.After(5 * time.Second)
		b.turn(t, "later")
	}
	return !b.unclear
}

// both are the real gateway and the model of it.
type both struct {
	l      *lab.Lab
	r      *lab.RPC
	model  *sim.Gateway
	quotas limits

	turns int
	// spread is by how much a refusal may be earlier in the model, which plays
	// a turn in no time.
	spread  time.Duration
	unclear bool // a cooldown ended during a turn: what follows is anybody's guess
}

const (
	// choosing is how long a turn may take to choose its account, as a rule.
	choosing = 10 * time.Second
	// noting is how long after a refusal it is written down, at most.
	noting = 2 * time.Second
)

func (b *both) set(quotas map[string]lab.Quota) {
	for account, q := range quotas {
		b.l.Provider.SetQuota(account, q)
		b.quotas[account] = q
	}
}

// turn plays one turn and returns whom the gateway called. None is begun while a
// cooldown is about to end.
func (b *both) turn(t *testing.T, name string) []string {
	t.Helper()
	if b.unclear {
		return nil
	}
	for now := time.Now(); b.ends(now, now.Add(choosing)); now = time.Now() {
		<-time.After(time.Second)
	}
	b.turns++
	begun := time.Now()
	calls := callsOfTurn(t, b.l, b.r, fmt.Sprint("turn-", b.turns))
	if b.unclear = b.ends(begun, time.Now()); b.unclear {
		t.Logf("%s: a cooldown ended while the turn was played, which took %v", name, time.Since(begun))
		return nil
	}
	if len(calls) > 0 {
		begun = calls[0].At
		b.spread = max(b.spread, calls[len(calls)-1].At.Sub(begun))
	}
	got, want := accountsOf(calls), b.model.Turn(begun, "", b.quotas).Calls
	if !slices.Equal(got, want) {
		t.Errorf("%s: OpenClaw called %q, the model %q", name, got, want)
	}
	t.Logf("%s: %q", name, got)
	return got
}

// ends reports whether a cooldown may end between two times.
func (b *both) ends(from, to time.Time) bool {
	from = from.Add(-b.spread - noting)
	for account := range b.quotas {
		if until := b.model.Block(from, account).Until; !until.IsZero() && until.Before(to) {
			return true
		}
	}
	return false
}

// limits answers the model as the stand-in provider answers OpenClaw.
type limits map[string]lab.Quota

// Call implements sim.Provider.
func (l limits) Call(_ time.Time, account string) sim.Answer {
	if l[account].FiveHour >= 100 {
		return sim.Limited
	}
	return sim.Answered
}

// Limit implements sim.Provider.
func (l limits) Limit(now time.Time, account string) (time.Time, bool) {
	switch q := l[account]; {
	case q.FiveHour < 100:
		return time.Time{}, true
	case q.Resets.After(now):
		return q.Resets, true
	}
	return time.Time{}, false
}

// callsOfTurn has the agent answer once, well or not, and returns the calls that
// were made for it.
func callsOfTurn(t *testing.T, l *lab.Lab, r *lab.RPC, session string) []lab.Request {
	t.Helper()
	mark := l.Provider.Mark()
	var run struct {
		RunID string `json:"runId"`
	}
	must(t, json.Unmarshal(r.Must(t, "agent", map[string]any{
		"agentId": "main", "sessionId": session, "message": "say ok", "idempotencyKey": session,
	}), &run))
	var end struct {
		Status string `json:"status"`
	}
	must(t, json.Unmarshal(r.Must(t, "agent.wait", map[string]any{"runId": run.RunID, "timeoutMs": limit.Milliseconds()}), &end))
	calls := slices.DeleteFunc(l.Provider.Requests(mark), func(q lab.Request) bool { return !q.Turn() || !q.Main })
	served := slices.ContainsFunc(calls, func(q lab.Request) bool { return q.Status == http.StatusOK })
	if served != (end.Status == "ok") {
		t.Errorf("the run ended with status %q, and an account answered: %v", end.Status, served)
	}
	return calls
}

func accountsOf(calls []lab.Request) []string {
	names := make([]string, len(calls))
	for i, q := range calls {
		names[i] = q.Account
	}
	return names
}

// addFallback gives the agent a second model of the same provider.
func addFallback(t *testing.T, config map[string]any) {
	t.Helper()
	at := func(m map[string]any, keys ...string) map[string]any {
		for _, k := range keys {
			next, ok := m[k].(map[string]any)
			if !ok {
				t.Fatalf("the lab's config has no %q", k)
			}
			m = next
		}
		return m
	}
	defaults := at(config, "agents", "defaults")
	primary := fmt.Sprint(at(defaults, "model")["primary"])
	spare := primary + "-mini"
	at(defaults, "model")["fallbacks"] = []any{spare}
	at(defaults, "models")[spare] = at(defaults, "models", primary)
	provider := at(config, "models", "providers", "openai")
	models, ok := provider["models"].([]any)
	if !ok || len(models) == 0 {
		t.Fatal("the lab's config has no model")
	}
	first, ok := models[0].(map[string]any)
	if !ok {
		t.Fatal("the lab's model is no object")
	}
	second := maps.Clone(first)
	second["id"], second["name"] = fmt.Sprint(first["id"])+"-mini", "spare"
	provider["models"] = append(models, second)
}
