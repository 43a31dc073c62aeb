package text

import (
	"io"
	"maps"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"golang.org/x/oauth2"
	"pgregory.net/rapid"

	"github.com/ocwatch/ocwatch/failover"
	"github.com/ocwatch/ocwatch/internal/event"
	"github.com/ocwatch/ocwatch/internal/quota"
	"github.com/ocwatch/ocwatch/probe"
)

// world draws pools as they may be: readings with the reasons that probes give,
// blocks, dead and unreadable credentials, logins.
type world struct {
	now     time.Time
	pool    failover.Pool
	policy  failover.Policy
	literal []string // clauses of the source
}

func drawWorld(t *rapid.T, literal []string) *world {
	ids := []string{"openai:alice", "openai:bob@example.com", "openai:carol", "openai:key"}[:rapid.IntRange(1, 4).Draw(t, "profiles")]
	w := &world{now: now, policy: failover.DefaultPolicy(), literal: literal}
	w.policy.Strategy = rapid.SampledFrom(failover.Strategies()).Draw(t, "strategy")
	w.policy.Keep = map[string]float64{"openai:carol": 30}
	w.pool = failover.Pool{Agent: "main", Provider: "openai", Order: slices.Clone(ids)}
	if rapid.Bool().Draw(t, "no paid") {
		w.policy.Paid = failover.PaidNever
	}
	for i, id := range ids {
		w.pool.Candidates = append(w.pool.Candidates, failover.Candidate{
			ID: id, Account: string(rune('a' + i)), Paid: id == "openai:key", Credential: failover.CredentialUsable,
		})
	}
	return w
}

func (w *world) churn(t *rapid.T) {
	w.now = w.now.Add(time.Duration(rapid.IntRange(1, 60*24).Draw(t, "minutes")) * time.Minute)
	w.pool.LoggedIn = nil
	for i := range w.pool.Candidates {
		c := &w.pool.Candidates[i]
		if rapid.Bool().Draw(t, "asked") {
			c.Latest = w.reading(t)
			if c.Latest.Verdict.Conclusive() {
				c.Usage = c.Latest
			}
			c.Failures = 0
			if c.Latest.Verdict == quota.Unreachable {
				c.Failures = rapid.IntRange(1, 4).Draw(t, "failures")
			}
		}
		c.Credential = rapid.SampledFrom([]failover.Credential{
			failover.CredentialUsable, failover.CredentialUsable, failover.CredentialUsable, failover.CredentialUnreadable, failover.CredentialLoginRequired,
		}).Draw(t, "credential")
		c.CredentialReason = rapid.SampledFrom(append(w.literal, "")).Draw(t, "why")
		c.Block = failover.Block{}
		if rapid.IntRange(0, 3).Draw(t, "blocked") == 0 {
			c.Block = failover.Block{
				Until: w.soon(t), Transient: rapid.Bool().Draw(t, "transient"),
				Reason: rapid.SampledFrom([]string{"", "subscription_limit", "rate_limit", "overloaded", "auth", "billing"}).Draw(t, "recorded"),
			}
		}
		c.ExpiresAt = time.Time{}
		if rapid.IntRange(0, 3).Draw(t, "ends") == 0 {
			c.ExpiresAt = w.now.Add(time.Duration(rapid.IntRange(1, 40*24).Draw(t, "hours")) * time.Hour)
		}
		if rapid.IntRange(0, 4).Draw(t, "login") == 0 {
			w.pool.LoggedIn = append(w.pool.LoggedIn, c.ID)
			c.Account = rapid.SampledFrom([]string{"a", "b", "c", "d", "e"}).Draw(t, "account")
		}
	}
}

func (w *world) soon(t *rapid.T) time.Time {
	return w.now.Add(time.Duration(rapid.IntRange(-60, 3000).Draw(t, "minutes ahead")) * time.Minute)
}

func (w *world) reading(t *rapid.T) quota.Reading {
	r := quota.Reading{
		At: w.now, Plan: rapid.SampledFrom([]string{"", "plus"}).Draw(t, "plan"),
		Verdict: rapid.SampledFrom([]quota.Verdict{
			quota.OK, quota.OK, quota.OK, quota.Exhausted, quota.Exhausted, quota.Throttled, quota.Stale, quota.Revoked, quota.Billing, quota.Unsupported, quota.Unreachable, quota.Unknown,
		}).Draw(t, "verdict"),
	}
	switch r.Verdict {
	case quota.OK:
		r.Windows = []quota.Window{{
			Name:  rapid.SampledFrom([]string{quota.FiveHour, quota.Weekly, quota.Monthly, quota.Spend, "36h", "window"}).Draw(t, "window"),
			Scope: "", UsedPercent: quota.Percent(rapid.Float64Range(0, 100).Draw(t, "used")), ResetsAt: w.soon(t),
		}}
	default:
		r.Reason = rapid.SampledFrom(append(w.literal, "", "5h window 100 % used", "5h window 100 % used, weekly window spent", "the provider answered 502 Bad Gateway")).Draw(t, "said")
		if r.Verdict == quota.Exhausted || r.Verdict == quota.Billing {
			r.Until = w.soon(t)
		}
	}
	return r
}

// decide returns every reason that was given.
func (w *world) decide() []string {
	plan := failover.Decide(w.now, w.policy, w.pool)
	events := plan.Events
	w.pool.Memory = plan.Memory
	if plan.Change {
		var more []event.Event
		w.pool.Memory, more = failover.Confirm(w.now, plan, w.pool)
		w.pool.Order = plan.Order
		events = append(events, more...)
	}
	reasons := []string{plan.Reason}
	for _, a := range plan.Profiles {
		reasons = append(reasons, a.Reason)
	}
	for _, e := range events {
		reasons = append(reasons, e.Data.Reason)
		for _, p := range e.Data.Profiles {
			reasons = append(reasons, p.Reason)
		}
	}
	return reasons
}

// TestDecisionsAreToldInChinese: whatever the world, the decision about it has
// a reason that is known in Chinese.
func TestDecisionsAreToldInChinese(t *testing.T) {
	var literal []string
	for _, text := range slices.Sorted(maps.Keys(templates(t))) {
		if !strings.Contains(text, hole) {
			literal = append(literal, text)
		}
	}
	rapid.Check(t, func(t *rapid.T) {
		w := drawWorld(t, literal)
		for range rapid.IntRange(1, 12).Draw(t, "steps") {
			w.churn(t)
			for _, reason := range w.decide() {
				if u := understand(reason); reason != "" && !u.known {
					t.Fatalf("%q became %q", reason, u.text)
				}
			}
		}
	})
}

// saying is a provider that answers every request in one way.
type saying struct {
	status int
	body   string
}

func (s saying) RoundTrip(*http.Request) (*http.Response, error) {
	return &http.Response{
		StatusCode: s.status, Header: http.Header{"Content-Type": {"application/json"}}, Body: io.NopCloser(strings.NewReader(s.body)),
	}, nil
}

// TestProbesAreToldInChinese asks the real probes what they say to refusals and
// to usage of every kind.
func TestProbesAreToldInChinese(t *testing.T) {
	known := []string{"openai-codex", "other"}
	for _, p := range probe.Known() {
		known = append(known, p.ID)
	}
	rapid.Check(t, func(t *rapid.T) {
		code := rapid.SampledFrom([]string{
			"", "token_revoked", "account_deactivated", "deactivated_workspace", "oauth_scope_insufficient", "invalid_api_key", "insufficient_quota", "permission_error",
		}).Draw(t, "code")
		body := rapid.SampledFrom([]string{
			`{"error":{"code":"` + code + `"}}`, `{"detail":"token has expired"}`, `{"detail":"not allowed for this organization"}`, `<html>`, `[]`, `{}`, `{"data":[]}`,
			`{"rate_limit":{"allowed":false,"primary_window":{"used_percent":100,"limit_window_seconds":18000,"reset_after_seconds":600},"secondary_window":{"used_percent":99.5,"limit_window_seconds":604800}}}`,
			`{"rate_limit":{"primary_window":{"used_percent":100,"limit_window_seconds":129600}}}`,
			`{"rate_limit":{"allowed":false}}`, `{"credits":{"unlimited":true}}`, `{"rate_limit":{"allowed":false},"spend_control":{"reached":true}}`,
			`{"five_hour":{"utilization":100,"resets_at":"2020-01-01T00:00:00Z"}}`, `{"extra_usage":{"is_enabled":true,"monthly_limit":100,"used_credits":100}}`,
			`{"limits":[{"kind":"session","percent":100}]}`, `{"account_id":"acct-other"}`, `{"credits":{"overage_limit_reached":true}}`,
			`{"spend_control":{"reached":false,"workspace_shared":{"used_percent":4}}}`, `{"error":{"message":"You're out of extra usage."}}`,
			`{"ineligibleTiers":[{"reasonCode":"VALIDATION_REQUIRED"}]}`, `{"ineligibleTiers":[{}]}`, `{"models":[]}`,
			`{"buckets":[{"modelId":"m","remainingFraction":0}],"groups":[{"buckets":[{"window":"5h","remainingFraction":0}]}]}`,
			`{"buckets":[{"modelId":"m","remainingFraction":0},{"modelId":"n","resetTime":"2099-01-01T00:00:00Z"}]}`,
		}).Draw(t, "body")
		account := probe.Account{
			Key: "acct-1", ID: "acct-1",
			Provider: rapid.SampledFrom(known).Draw(t, "provider"),
			Type:     rapid.SampledFrom([]string{"oauth", "token", "api_key", ""}).Draw(t, "type"),
			Token:    oauth2.StaticTokenSource(&oauth2.Token{AccessToken: "tok-invented"}),
		}
		p := probe.New(probe.Options{Transport: saying{
			rapid.SampledFrom([]int{200, 200, 200, 302, 400, 401, 402, 403, 404, 408, 418, 429, 500, 502, 599}).Draw(t, "status"), body,
		}})
		defer p.Close()
		for range rapid.IntRange(1, 8).Draw(t, "times") { // repetition has verdicts of its own
			if r := p.Probe(t.Context(), account); r.Reason != "" && !understand(r.Reason).known {
				t.Fatalf("%q became %q", r.Reason, understand(r.Reason).text)
			}
		}
	})
}
