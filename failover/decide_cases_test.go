package failover

import (
	"time"

	"github.com/ocwatch/ocwatch/internal/quota"
)

type decideCase struct {
	name  string
	ids   []string
	setup func(*world)
	steps []step
}

func decideCases(abc []string) []decideCase {
	healthy := reads{"alice": used(10), "bob": used(20), "carol": used(30)}
	return []decideCase{
		{"all healthy does nothing", abc, nil, []step{
			{reads: healthy, order: "alice bob carol", change: "no", state: PoolOK, reason: "alice is first and available"},
			{after: minute, reads: healthy, change: "no"},
		}},
		{"low first gives way", abc, nil, []step{
			{reads: healthy, change: "no"},
			{after: minute, reads: reads{"alice": used(95)}, order: "bob carol alice", change: "yes", reason: "alice is low", events: "profile.low:alice pool.switched", state: PoolWarning},
			{after: minute, change: "no", order: "bob carol alice"},
		}},
		{"just under the threshold stays", abc, nil, []step{
			{reads: reads{"alice": used(94.9), "bob": used(0), "carol": used(0)}, change: "no", state: PoolOK},
		}},
		{"comes back below return_below", abc, nil, []step{
			{reads: reads{"alice": used(96), "bob": used(20), "carol": used(30)}, change: "yes", order: "bob carol alice", events: "profile.low:alice pool.switched"},
			{after: 10 * minute, reads: reads{"alice": used(85)}, change: "no"},
			{after: minute, reads: reads{"alice": used(79)}, change: "yes", order: "alice bob carol", reason: "alice is available and preferred", events: "profile.recovered:alice pool.switched"},
		}},
		{"comes back after the reset", abc, nil, []step{
			{reads: reads{"alice": resetsIn(96, 30*minute), "bob": used(20), "carol": used(30)}, change: "yes", events: "profile.low:alice pool.switched"},
			{after: 31 * minute, reads: reads{"alice": resetsIn(90, 5*time.Hour)}, change: "yes", order: "alice bob carol", events: "profile.recovered:alice pool.switched"},
		}},
		{"dwell holds a voluntary return back", abc, nil, []step{
			{reads: reads{"alice": used(96), "bob": used(20), "carol": used(30)}, change: "yes", events: "profile.low:alice pool.switched"},
			{after: minute, reads: reads{"alice": used(3)}, change: "no", reason: "at 10:05 UTC", events: "profile.recovered:alice"},
			{after: 4 * minute, change: "yes", order: "alice bob carol", events: "pool.switched"},
		}},
		{"spent first is left at once, dwell or not", abc, nil, []step{
			{reads: reads{"alice": used(96), "bob": used(20), "carol": used(30)}, change: "yes", events: "profile.low:alice pool.switched"},
			{after: minute, reads: reads{"bob": spent(time.Hour)}, change: "yes", order: "carol alice bob", events: "profile.exhausted:bob pool.switched"},
		}},
		{"all spent is depleted once, login", abc, nil, []step{
			{
				reads: reads{"alice": spent(8 * time.Hour), "bob": spent(3 * time.Hour), "carol": spent(5 * time.Hour)}, order: "bob carol alice", state: PoolDepleted, reason: "first back is bob at 13:00 UTC",
				events: "profile.exhausted:alice profile.exhausted:bob profile.exhausted:carol pool.depleted:login pool.switched",
			},
			{after: minute, change: "no", state: PoolDepleted},
			{after: time.Hour, change: "no", state: PoolDepleted},
		}},
		{"depleted tells spent quota from dead logins", abc, nil, []step{
			{
				reads: reads{"alice": spent(8 * time.Hour), "bob": says(quota.Revoked), "carol": spent(5 * time.Hour)},
				state: PoolDepleted, reason: "no profile can serve: spent 2, login needed 1; first back is carol at 15:00 UTC", order: "carol alice bob",
				events: "profile.exhausted:alice profile.login_required:bob profile.exhausted:carol pool.depleted:login pool.switched",
			},
			{
				after: minute, reads: reads{"alice": says(quota.Revoked), "carol": says(quota.Revoked)}, change: "no",
				state: PoolDepleted, reason: "all 3 profiles need a login",
				events: "profile.login_required:carol profile.login_required:alice",
			},
		}},
		{"depleted with a reset near waits", abc, nil, []step{
			{
				reads: reads{"alice": spent(8 * minute), "bob": spent(3 * time.Hour), "carol": spent(5 * time.Hour)}, change: "no", state: PoolDepleted,
				events: "profile.exhausted:alice profile.exhausted:bob profile.exhausted:carol pool.depleted:wait",
			},
		}},
		{"depleted reminds", abc, nil, []step{
			{
				reads: reads{"alice": spent(80 * time.Hour), "bob": spent(80 * time.Hour), "carol": spent(80 * time.Hour)}, change: "no",
				events: "profile.exhausted:alice profile.exhausted:bob profile.exhausted:carol pool.depleted:login",
			},
			{after: 5*time.Hour + 59*minute, events: ""},
			{after: minute, events: "pool.depleted:login"},
			{after: minute, events: ""},
		}},
		{"recovery by reset", abc, nil, []step{
			{
				reads: reads{"alice": spent(time.Hour), "bob": spent(3 * time.Hour), "carol": spent(5 * time.Hour)}, change: "no",
				events: "profile.exhausted:alice profile.exhausted:bob profile.exhausted:carol pool.depleted:login",
			},
			{after: 61 * minute, reads: reads{"bob": spent(3 * time.Hour), "carol": spent(5 * time.Hour)}, state: PoolUnknown, change: "no"},
			{after: minute, reads: reads{"alice": used(1)}, change: "no", state: PoolWarning, events: "profile.recovered:alice pool.recovered"},
		}},
		{"one dead among living is a warning", abc, nil, []step{
			{reads: reads{"alice": says(quota.Revoked), "bob": used(1), "carol": used(2)}, change: "yes", order: "bob carol alice", state: PoolWarning, events: "profile.login_required:alice pool.switched"},
		}},
		{"unknown changes nothing", abc, nil, []step{
			{reads: reads{"alice": says(quota.Unknown), "bob": used(1), "carol": used(2)}, change: "no", order: "alice bob carol"},
		}},
		{"stale first stays", abc, nil, []step{
			{reads: reads{"alice": says(quota.Stale), "bob": used(1), "carol": used(2)}, change: "no"},
		}},
		{"throttled keeps the last reading", abc, nil, []step{
			{reads: reads{"alice": used(96), "bob": used(1), "carol": used(2)}, change: "yes", events: "profile.low:alice pool.switched"},
			{after: minute, reads: reads{"alice": says(quota.Throttled), "bob": says(quota.Throttled)}, change: "no", order: "bob carol alice"},
		}},
		{"all unreachable is blind", abc, nil, []step{
			{reads: healthy, change: "no"},
			{after: minute, reads: reads{"alice": says(quota.Unreachable), "bob": says(quota.Unreachable), "carol": says(quota.Unreachable)}, change: "no", state: PoolBlind},
			{after: minute, reads: reads{"alice": says(quota.Unreachable), "bob": says(quota.Unreachable), "carol": says(quota.Unreachable)}, change: "no", state: PoolBlind},
			{after: minute, reads: reads{"alice": says(quota.Unreachable), "bob": says(quota.Unreachable), "carol": says(quota.Unreachable)}, change: "no", state: PoolBlind, events: "watchdog.blind"},
			{after: minute, reads: reads{"alice": says(quota.Unreachable), "bob": says(quota.Unreachable), "carol": says(quota.Unreachable)}, change: "no", state: PoolBlind},
			{after: minute, reads: healthy, change: "no", state: PoolOK, events: "watchdog.started", says: "the quota of openai can be seen again"},
		}},
		{"one unreachable three times gives way", abc, nil, []step{
			{reads: healthy, change: "no"},
			{after: minute, reads: reads{"alice": says(quota.Unreachable)}, change: "no"},
			{after: minute, reads: reads{"alice": says(quota.Unreachable)}, change: "no"},
			{after: minute, reads: reads{"alice": says(quota.Unreachable)}, change: "yes", order: "bob carol alice", events: "pool.switched"},
		}},
		{"paid comes after subscriptions and is told", []string{"alice", "key"}, nil, []step{
			{reads: reads{"alice": used(1), "key": {Verdict: quota.OK}}, change: "no", state: PoolOK},
			{after: minute, reads: reads{"alice": spent(time.Hour)}, change: "yes", order: "key alice", state: PoolWarning, events: "profile.exhausted:alice pool.switched pool.paid:key"},
			{after: time.Hour, reads: reads{"alice": used(1)}, change: "yes", order: "alice key", events: "profile.recovered:alice pool.switched"},
		}},
		{"paid never leaves it out", []string{"alice", "bob", "key"}, func(w *world) { w.policy.Paid = PaidNever }, []step{
			{reads: reads{"alice": used(1), "bob": used(1), "key": {Verdict: quota.OK}}, change: "yes", order: "alice bob", reason: "paid: never"},
			{after: minute, change: "no", order: "alice bob"},
			{after: minute, reads: reads{"alice": spent(time.Hour), "bob": spent(time.Hour)}, change: "no", state: PoolDepleted, events: "profile.exhausted:alice profile.exhausted:bob pool.depleted:login"},
		}},
		{"a person's order is the new preference", abc, nil, []step{
			{reads: healthy, change: "no"},
			{after: minute, do: func(w *world) { w.pool.Order = []string{"carol", "alice", "bob"} }, change: "no", order: "carol alice bob"},
			{after: minute, reads: reads{"carol": spent(time.Hour)}, change: "yes", order: "alice bob carol", events: "profile.exhausted:carol pool.switched"},
			{after: time.Hour, reads: reads{"carol": used(1)}, change: "yes", order: "carol alice bob", events: "profile.recovered:carol pool.switched"},
		}},
		{"a person's low choice stays", abc, nil, []step{
			{reads: reads{"alice": used(96), "bob": used(1), "carol": used(1)}, change: "yes", events: "profile.low:alice pool.switched"},
			{after: minute, do: func(w *world) { w.pool.Order = []string{"alice", "bob", "carol"} }, change: "no", order: "alice bob carol"},
			{after: time.Hour, reads: reads{"alice": used(98)}, change: "no"},
			{after: minute, reads: reads{"alice": spent(5 * time.Hour)}, change: "yes", order: "bob carol alice", events: "profile.exhausted:alice pool.switched"},
		}},
		{"a failed change is retried later and later", abc, nil, []step{
			{reads: reads{"alice": spent(9 * time.Hour), "bob": used(1), "carol": used(1)}, change: "yes", fail: true, events: "profile.exhausted:alice"},
			{after: 30 * time.Second, change: "no"},
			{after: 30 * time.Second, change: "yes", fail: true},
			{after: minute, change: "no"},
			{after: minute, change: "yes", events: "pool.switched"},
		}},
		{"a crash after the order was set is told once", abc, nil, []step{
			{reads: reads{"alice": spent(9 * time.Hour), "bob": used(1), "carol": used(1)}, change: "yes", fail: true, events: "profile.exhausted:alice"},
			{after: minute, do: func(w *world) { w.pool.Order = []string{"bob", "carol", "alice"} }, change: "no", events: "pool.switched"},
			{after: minute, change: "no"},
		}},
		{"spent second place moves behind a healthy third at once", abc, nil, []step{
			{reads: reads{"alice": used(1), "bob": spent(time.Hour), "carol": used(1)}, change: "yes", order: "alice carol bob", events: "profile.exhausted:bob"},
		}},
		{"a model's window does not count unless listed", abc, nil, []step{
			{reads: reads{"alice": modelWindow(100, "spark"), "bob": used(1), "carol": used(1)}, change: "no"},
		}},
		{"a listed model's window counts", abc, func(w *world) { w.policy.Models = []string{"spark"} }, []step{
			{reads: reads{"alice": modelWindow(99, "spark"), "bob": used(1), "carol": used(1)}, change: "yes", reason: "spark 5h window 99 % used", events: "profile.low:alice pool.switched"},
		}},
		{"OpenClaw's limit counts where usage cannot be read", abc, func(w *world) {
			w.at("alice").Block = Block{Until: t0.Add(time.Hour), Reason: "subscription_limit"}
		}, []step{
			{reads: reads{"alice": says(quota.Unsupported), "bob": says(quota.Unsupported), "carol": says(quota.Unsupported)}, change: "yes", order: "bob carol alice", events: "profile.exhausted:alice pool.switched"},
			{after: 61 * minute, change: "yes", order: "alice bob carol", events: "profile.recovered:alice pool.switched"},
		}},
		{"a block that the provider contradicts is no depletion", abc, func(w *world) {
			for _, id := range abc {
				w.at(id).Block = Block{Until: t0.Add(time.Hour), Reason: "subscription_limit"}
			}
		}, []step{
			{reads: healthy, change: "no", state: PoolWarning, reason: "blocked by OpenClaw until 11:00 UTC, provider says usable"},
		}},
		{"a brief cooldown is OpenClaw's business", abc, func(w *world) {
			w.at("alice").Block = Block{Until: t0.Add(minute), Reason: "rate_limit", Transient: true}
		}, []step{{reads: healthy, change: "no"}}},
		{"no order and no need writes none", abc, func(w *world) { w.pool.Order = nil }, []step{
			{reads: healthy, change: "no", state: PoolOK},
		}},
		{"OpenClaw taking turns is no reason to write", abc, func(w *world) { w.pool.Order = nil }, []step{
			{reads: healthy, change: "no"},
			{after: 10 * minute, do: func(w *world) {
				c := w.pool.Candidates
				w.pool.Candidates = []Candidate{c[1], c[2], c[0]}
			}, change: "no", state: PoolOK},
		}},
		{"configured preference is put in force", abc, func(w *world) { w.policy.Prefer = []string{"carol"} }, []step{
			{reads: healthy, change: "yes", order: "carol alice bob", events: "pool.switched"},
		}},
		{"a removed profile is no wish", abc, nil, []step{
			{reads: healthy, change: "no"},
			{after: minute, do: func(w *world) {
				w.pool.Candidates, w.pool.Order = w.pool.Candidates[1:], []string{"bob", "carol"}
			}, change: "no", order: "bob carol"},
		}},
	}
}
