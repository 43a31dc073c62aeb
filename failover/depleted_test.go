package failover

import (
	"slices"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/ocwatch/ocwatch/internal/event"
	"github.com/ocwatch/ocwatch/internal/quota"
)

// block makes OpenClaw refuse profiles.
func block(b Block, ids ...string) func(*world) {
	return func(w *world) {
		for _, id := range ids {
			at := b
			at.Until = w.now.Add(b.Until.Sub(t0))
			w.at(id).Block = at
		}
	}
}

func depletedCases(abc []string) []decideCase {
	healthy := reads{"alice": used(10), "bob": used(20), "carol": used(30)}
	all := func(r quota.Reading) reads { return reads{"alice": r, "bob": r, "carol": r} }
	cooldown := func(reason string, d time.Duration) Block {
		return Block{Until: t0.Add(d), Reason: reason, Transient: true}
	}
	return []decideCase{
		{"a provider's outage asks for no login", abc, nil, []step{
			{reads: healthy, change: "no"},
			{after: minute, do: block(cooldown("rate_limit", 4*time.Hour), abc...), reads: all(says(quota.Throttled)), state: PoolWarning},
			{
				after: 15 * minute, reads: all(says(quota.Throttled)), state: PoolDepleted, reason: "spent 0, login needed 0, refused by OpenClaw after errors 3",
				events: "profile.exhausted:alice profile.exhausted:bob profile.exhausted:carol pool.depleted:wait",
			},
			{after: time.Hour, reads: all(says(quota.Throttled)), state: PoolDepleted},
		}},
		{"an outage of a provider without usage asks for no login", abc, nil, []step{
			{reads: all(says(quota.Unsupported)), change: "no"},
			{after: minute, do: block(cooldown("overloaded", time.Hour), abc...), state: PoolDepleted, events: "profile.exhausted:alice profile.exhausted:bob profile.exhausted:carol pool.depleted:wait"},
		}},
		{"one hiccup among the spent: it comes back by itself", abc, nil, []step{
			{reads: reads{"alice": spent(20 * time.Hour), "bob": spent(20 * time.Hour), "carol": says(quota.Unsupported)}, events: "profile.exhausted:alice profile.exhausted:bob pool.switched"},
			{after: minute, do: block(cooldown("timeout", 30*minute), "carol"), state: PoolDepleted, reason: "spent 2, login needed 0, refused by OpenClaw after errors 1", events: "profile.exhausted:carol pool.depleted:wait"},
		}},
		{"rate limits are the only sign where usage cannot be read", abc, nil, []step{
			{reads: all(says(quota.Unsupported)), change: "no"},
			{after: minute, do: block(cooldown("rate_limit", time.Hour), abc...), state: PoolDepleted, events: allSpent},
		}},
		{"a cooldown's end is no recovery of spent quota", []string{"alice"}, nil, []step{
			{do: block(cooldown("rate_limit", 8*minute), "alice"), reads: reads{"alice": says(quota.Billing)}, state: PoolDepleted, events: "profile.exhausted:alice pool.depleted:login"},
		}},
		{"OpenClaw's recorded limit says when quota is back", []string{"alice"}, nil, []step{
			{do: block(Block{Until: t0.Add(8 * minute), Reason: "subscription_limit"}, "alice"), reads: reads{"alice": spent(0)}, state: PoolDepleted, events: "profile.exhausted:alice pool.depleted:wait"},
		}},
		{"an outage of ours with a login that is unread is blind", abc, func(w *world) { w.at("carol").Credential = CredentialUnreadable }, []step{
			{reads: reads{"alice": used(1), "bob": used(1), "carol": says(quota.Stale)}, change: "no"},
			{after: minute, reads: reads{"alice": says(quota.Unreachable), "bob": says(quota.Unreachable), "carol": says(quota.Stale)}, state: PoolBlind, change: "no"},
		}},
		{"a passed reset that nobody could confirm is no recovery and no new episode", abc, nil, []step{
			{reads: reads{"alice": spent(time.Hour), "bob": spent(2 * time.Hour), "carol": spent(2 * time.Hour)}, events: allSpent},
			{after: 61 * minute, reads: reads{"alice": says(quota.Throttled)}, state: PoolUnknown},
			{after: minute, reads: reads{"alice": spent(9 * time.Hour)}, state: PoolDepleted, events: "pool.switched"},
		}},
		{"blind within an episode goes on with it", abc, nil, []step{
			{reads: reads{"alice": spent(9 * time.Hour), "bob": spent(9 * time.Hour), "carol": spent(9 * time.Hour)}, events: allSpent},
			{after: minute, reads: all(says(quota.Unreachable)), state: PoolBlind},
			{after: minute, reads: all(says(quota.Unreachable)), state: PoolBlind},
			{after: minute, reads: all(says(quota.Unreachable)), state: PoolBlind, events: "watchdog.blind"},
			{after: minute, reads: all(spent(9 * time.Hour)), state: PoolDepleted, events: "watchdog.started"},
			{after: minute, reads: reads{"bob": used(1)}, events: "profile.recovered:bob pool.recovered pool.switched"},
		}},
		{"dead logins alone ask for one at once", []string{"alice", "bob"}, nil, []step{
			{reads: reads{"alice": says(quota.Revoked), "bob": says(quota.Revoked)}, state: PoolDepleted, reason: "all 2 profiles need a login", events: "profile.login_required:alice profile.login_required:bob pool.depleted:login"},
		}},
		{"a wait that grows long asks for a login", []string{"alice"}, nil, []step{
			{reads: reads{"alice": spent(9 * minute)}, events: "profile.exhausted:alice pool.depleted:wait"},
			{after: 9 * minute, reads: reads{"alice": spent(30 * time.Hour)}, events: "pool.depleted:login"},
			{after: minute, reads: reads{"alice": spent(30 * time.Hour)}},
		}},
		{"a login that nears its reset is not reminded of", []string{"alice"}, nil, []step{
			{reads: reads{"alice": spent(6*time.Hour + 5*minute)}, events: "profile.exhausted:alice pool.depleted:login"},
			{after: 6 * time.Hour},
		}},
		{"pool.paid says when a free one is back", []string{"alice", "key"}, nil, []step{
			{reads: reads{"alice": spent(time.Hour), "key": {Verdict: quota.OK}}, events: "profile.exhausted:alice pool.switched pool.paid:key"},
		}},
	}
}

// TestRefusedIsMarked: a receiver can tell an outage from spent quota.
func TestRefusedIsMarked(t *testing.T) {
	w := newWorld("alice", "bob")
	w.read("alice", spent(time.Hour))
	w.read("bob", says(quota.Unsupported))
	block(Block{Until: t0.Add(time.Hour), Reason: "timeout", Transient: true}, "bob")(w)
	_, evs := w.decide(false)
	data := evs[len(evs)-1].Data
	if len(data.Profiles) != 2 || data.Profiles[0].Refused || !data.Profiles[1].Refused {
		t.Errorf("%+v", data)
	}
}

// TestUnreachableIsNoDepletion: readings that did not come from the provider,
// or that say nothing of quota, make no pool depleted, however long they last;
// and OpenClaw's cooldowns beside them ask nobody to log in.
func TestUnreachableIsNoDepletion(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		w := drawWorld(t, rapid.SampledFrom(Strategies()).Draw(t, "strategy"))
		for range rapid.IntRange(1, 6).Draw(t, "steps") {
			churn(t, w)
			w.decide(false)
		}
		for i := range w.pool.Candidates {
			c := &w.pool.Candidates[i]
			c.Block = Block{}
			if c.Latest.Verdict == quota.Unsupported {
				w.read(c.ID, used(50)) // there OpenClaw's record alone decides
			}
		}
		if p, _ := w.decide(false); p.State == PoolDepleted || p.State == PoolBlind {
			t.Skip("depleted by what was known, or may be")
		}
		cooled := rapid.Bool().Draw(t, "cooled")
		for range rapid.IntRange(1, 10).Draw(t, "rounds") {
			w.now = w.now.Add(time.Duration(rapid.IntRange(30, 4000).Draw(t, "elapsed")) * time.Second)
			for i := range w.pool.Candidates {
				c := &w.pool.Candidates[i]
				v := rapid.SampledFrom([]quota.Verdict{quota.Unreachable, quota.Throttled, quota.Stale, quota.Unknown}).Draw(t, "verdict")
				w.read(c.ID, quota.Reading{Verdict: v})
				if cooled && c.Usage.Verdict == quota.OK {
					reason := rapid.SampledFrom([]string{"rate_limit", "timeout", "overloaded", "unknown", "server_error"}).Draw(t, "reason")
					c.Block = Block{Until: w.now.Add(time.Duration(rapid.IntRange(0, 300).Draw(t, "minutes")) * time.Minute), Reason: reason, Transient: true}
				}
			}
			p, evs := w.decide(false)
			if p.State == PoolDepleted && !cooled {
				t.Fatalf("depleted by %v", p.Profiles)
			}
			if slices.ContainsFunc(evs, func(e event.Event) bool { return e.Data.Action == event.ActionLogin }) {
				t.Fatalf("a login is asked for: %s", p.Reason)
			}
		}
	})
}

// TestEpisodes: whatever happens, logins included, an episode is told by one
// request, ends with one recovery, and gives out no more than its fresh codes.
func TestEpisodes(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		w := drawWorld(t, rapid.SampledFrom(Strategies()).Draw(t, "strategy"))
		asked, fresh, open := 0, 0, false
		for range rapid.IntRange(1, 40).Draw(t, "steps") {
			churn(t, w)
			if rapid.IntRange(0, 3).Draw(t, "login") == 0 {
				drawLogin(t, w)
			}
			before := w.pool
			plan, evs := w.decide(false)
			checkPure(t, w, before, plan)
			for _, e := range evs {
				switch e.Type {
				case event.PoolDepleted:
					open = true
					if e.Data.Action == event.ActionLogin {
						asked++
					}
				case event.LoginFailed:
					if e.Data.Action == event.ActionLogin {
						fresh++
					}
				case event.PoolRecovered:
					if !open {
						t.Fatal("recovered from nothing")
					}
					asked, fresh, open = 0, 0, false
				}
				if e.Data.Action == event.ActionLogin && plan.State != PoolDepleted {
					t.Fatalf("%s asks for a login in state %s", e.Type, plan.State)
				}
			}
			if asked > 1 || fresh > loginRetries {
				t.Fatalf("asked %d times, %d fresh codes in an episode", asked, fresh)
			}
		}
	})
}

// drawLogin lets somebody log in: as a new account, or as one that is there.
func drawLogin(t *rapid.T, w *world) {
	id := rapid.SampledFrom([]string{"alice", "bob", "erin", "frank"}).Draw(t, "id")
	account := rapid.SampledFrom([]string{"acct-alice", "acct-bob", "acct-erin", "acct-frank"}).Draw(t, "account")
	order := w.pool.Order
	w.login(id, account)
	if rapid.Bool().Draw(t, "not promoted") {
		w.pool.Order = order
	}
	if rapid.Bool().Draw(t, "named") {
		w.pool.LoggedIn = []string{id}
	}
	if rapid.Bool().Draw(t, "probed") {
		r := drawReading(t, w.now)
		for _, c := range slices.Clone(w.pool.Candidates) {
			if c.Account == account {
				w.read(c.ID, r)
			}
		}
	}
}
