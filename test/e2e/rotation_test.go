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
	for _, tc := range []struct {
		name   string
		models int
	}{
		{"one model", 1},
		{"a model to fall back on", 2},
	} {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			l := lab.New(t, lab.Options{Version: lab.SharedDatabase, Config: func(c map[string]any) {
				if tc.models > 1 {
					addFallback(t, c)
				}
			}})
			l.Start(t)
			r, quotas := l.Dial(t), limits{}
			model := sim.NewGateway([]string{"alice", "bob", "carol"}, tc.models)
			began := time.Now()
			var first time.Time
			for i, step := range rotationScript(began) {
				for account, q := range step.quota {
					l.Provider.SetQuota(account, q)
					quotas[account] = q
				}
				calls := callsOfTurn(t, l, r, fmt.Sprint("turn-", i))
				if i == 0 && len(calls) > 0 {
					first = calls[0].At
				}
				if took := time.Since(first); i > 0 && took > firstCooldown {
					t.Logf("%s: not compared, since %v after the first refusal its cooldown is over: a busy machine", step.name, took)
					return
				}
				want := model.Turn(began.Add(time.Duration(i)*time.Second), "", quotas).Calls
				if got := accountsOf(calls); !slices.Equal(got, want) {
					t.Errorf("%s: OpenClaw called %q, the model %q", step.name, got, want)
				}
			}
		})
	}
}

// firstCooldown is how long an account stays away after its first refusal. The
// script is played within it, and the model a second a turn.
const firstCooldown = 30 * time.Second

type rotationStep struct {
	name  string
	quota map[string]lab.Quota // what changes before the turn
}

func rotationScript(now time.Time) []rotationStep {
	spent := func(resets time.Time) lab.Quota { return lab.Quota{FiveHour: 100, Resets: resets} }
	// A reset that has passed tells OpenClaw nothing: it goes by its ladder.
	untold, told := now.Add(-time.Hour), now.Add(2*time.Hour)
	return []rotationStep{
		{"two of three are spent", map[string]lab.Quota{"alice": spent(untold), "bob": spent(untold), "carol": {}}},
		{"the turn after it", nil},
		{"the third is spent, and its reset is told", map[string]lab.Quota{"carol": spent(told)}},
		{"all are written off", nil},
		{"the third is back before its time", map[string]lab.Quota{"carol": {}}},
	}
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
