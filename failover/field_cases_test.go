package failover

import (
	"slices"
	"time"

	"github.com/ocwatch/ocwatch/internal/quota"
)

// fieldCases are what people who run several accounts were hurt by.
func fieldCases(abc []string) []decideCase {
	healthy := reads{"alice": used(10), "bob": used(20), "carol": used(30)}
	two := abc[:2]
	limit := func(d time.Duration) Block { return Block{Until: t0.Add(d), Reason: "subscription_limit"} }
	cooldown := func(reason string, d time.Duration) Block {
		return Block{Until: t0.Add(d), Reason: reason, Transient: true}
	}
	return []decideCase{
		{"block for hours while the provider says usable is no spent quota", two, nil, []step{
			{reads: reads{"alice": used(10), "bob": used(20)}, change: "no"},
			{after: minute, do: block(limit(4*time.Hour+30*minute), "alice"), reads: reads{"alice": used(11)}, change: "yes", order: "bob alice", state: PoolWarning, reason: "blocked by OpenClaw until 14:31 UTC, provider says usable", events: "pool.switched"},
			{after: 10 * minute, do: func(w *world) { w.at("alice").Block = Block{} }, reads: reads{"alice": used(12)}, change: "yes", order: "alice bob", events: "pool.switched"},
		}},
		{"refused just after the provider said usable, just after a switch: left at once", abc, nil, []step{
			{reads: reads{"alice": spent(4 * day), "bob": used(20), "carol": used(30)}, change: "yes", order: "bob carol alice", events: "profile.exhausted:alice pool.switched"},
			{
				after: minute, do: func(w *world) {
					b := limit(time.Hour)
					b.Failed = w.now
					w.at("bob").Block = b
				}, change: "yes", order: "carol bob alice", reason: "after the provider last said usable", events: "pool.switched",
			},
			{after: minute, reads: reads{"bob": used(20), "carol": used(30)}, change: "no", order: "carol bob alice", state: PoolWarning},
		}},
		{"quota that is back before its time is used at once", two, nil, []step{
			{reads: reads{"alice": spent(4 * day), "bob": used(20)}, change: "yes", order: "bob alice", events: "profile.exhausted:alice pool.switched"},
			{after: time.Hour, reads: reads{"alice": used(0)}, change: "yes", order: "alice bob", events: "profile.recovered:alice pool.switched"},
		}},
		{"reused refresh token: the dead login goes last and nobody is woken for a login", abc, nil, []step{
			{reads: healthy, change: "no"},
			{after: minute, do: func(w *world) {
				c := w.at("alice")
				c.Credential, c.CredentialReason = CredentialLoginRequired, "OpenClaw could not refresh the login and gave it up"
			}, change: "yes", order: "bob carol alice", state: PoolWarning, reason: "gave it up", events: "profile.login_required:alice pool.switched"},
			{after: day, change: "no"},
		}},
		{"fallback onto a paid key is told once", []string{"alice", "bob", "key"}, nil, []step{
			{reads: reads{"alice": used(1), "bob": used(1), "key": {Verdict: quota.OK}}, change: "no"},
			{after: minute, reads: reads{"alice": spent(5 * time.Hour), "bob": spent(5 * time.Hour)}, change: "yes", order: "key alice bob", events: "profile.exhausted:alice profile.exhausted:bob pool.switched pool.paid:key"},
			{after: time.Hour, change: "no"},
			{after: time.Hour, change: "no"},
		}},
		{"one account nearly used up beside an idle one: the idle one's week is not wasted", two, by(MostRemaining), []step{
			{reads: reads{"alice": usage(5, 93, 2*day), "bob": usage(0, 0, 7*day)}, change: "yes", order: "bob alice", events: "pool.switched"},
		}},
		{"drain first: the week that ends tonight before the one that ends on Friday", two, by(SoonestReset), []step{
			{reads: reads{"alice": usage(5, 30, 5*day), "bob": usage(5, 60, 8*time.Hour)}, change: "yes", order: "bob alice", events: "pool.switched"},
		}},
		{"spent for days is told once, however often it is seen", two, nil, []step{
			{reads: reads{"alice": spent(3 * day), "bob": used(1)}, change: "yes", events: "profile.exhausted:alice pool.switched"},
			{after: 5 * minute, reads: reads{"alice": spent(3 * day)}, change: "no"},
			{after: 6 * time.Hour, reads: reads{"alice": spent(3 * day)}, change: "no"},
		}},
		{"three accounts with the third healthy: it comes within the one rotation", abc, nil, []step{
			{reads: healthy, change: "no"},
			{after: minute, reads: reads{"bob": spent(2 * time.Hour)}, change: "yes", order: "alice carol bob", events: "profile.exhausted:bob"},
			{after: minute, reads: reads{"alice": spent(time.Hour)}, change: "yes", order: "carol alice bob", events: "profile.exhausted:alice pool.switched"},
		}},
		{"preferred account is promoted again after its window", abc, func(w *world) { w.policy.Prefer = []string{"alice"} }, []step{
			{reads: reads{"alice": spent(time.Hour), "bob": used(1), "carol": used(1)}, change: "yes", order: "bob carol alice", events: "profile.exhausted:alice pool.switched"},
			{after: 30 * minute, change: "no"},
			{after: 31 * minute, reads: reads{"alice": used(0)}, change: "yes", order: "alice bob carol", events: "profile.recovered:alice pool.switched"},
		}},
		{"twelve hours of cooldown after a timeout: the quota is there, the order waits for OpenClaw", two, nil, []step{
			{do: block(cooldown("timeout", 12*time.Hour), "alice"), reads: reads{"alice": used(10), "bob": used(20)}, change: "yes", order: "bob alice", reason: "provider says usable", events: "pool.switched"},
		}},
		{"one 404 during an incident deactivates nobody", abc, nil, []step{
			{reads: healthy, change: "no"},
			{after: minute, reads: reads{"alice": says(quota.Unreachable), "bob": says(quota.Unreachable), "carol": says(quota.Unreachable)}, change: "no", state: PoolBlind, order: "alice bob carol"},
			{after: minute, reads: healthy, change: "no", state: PoolOK},
		}},
		{"usage endpoint that refuses with 429 for hours says nothing of quota", two, nil, []step{
			{reads: reads{"alice": resetsIn(50, 9*time.Hour), "bob": used(20)}, change: "no"},
			{after: minute, reads: reads{"alice": says(quota.Throttled)}, change: "no", state: PoolOK},
			{after: 4 * time.Hour, reads: reads{"alice": says(quota.Throttled)}, change: "no", state: PoolOK},
		}},
		{"setup-token that may not read usage: OpenClaw's record alone decides", two, nil, []step{
			{reads: reads{"alice": says(quota.Unsupported), "bob": says(quota.Unsupported)}, change: "no", state: PoolOK},
			{after: minute, do: block(limit(5*time.Hour), "alice"), change: "yes", order: "bob alice", reason: "OpenClaw recorded subscription_limit until 15:01 UTC", events: "profile.exhausted:alice pool.switched"},
		}},
		{"usage that stands at 99 percent is left all the same", two, nil, []step{
			{reads: reads{"alice": used(99), "bob": used(1)}, change: "yes", order: "bob alice", events: "profile.low:alice pool.switched"},
			{after: time.Hour, reads: reads{"alice": used(99)}, change: "no"},
		}},
		{"reset times that jitter by seconds do not shuffle the spent", two, nil, []step{
			{reads: reads{"alice": spent(2 * time.Hour), "bob": spent(2*time.Hour + 2*time.Second)}, change: "no", events: "profile.exhausted:alice profile.exhausted:bob pool.depleted:login"},
			{after: 10 * minute, reads: reads{"alice": spent(2*time.Hour + 2*time.Second), "bob": spent(2 * time.Hour)}, change: "no"},
			{after: 10 * minute, reads: reads{"alice": spent(2*time.Hour - time.Second), "bob": spent(2*time.Hour - 3*time.Second)}, change: "no"},
		}},
		{"one e-mail with two logins is one quota: the second place is somebody else", abc, func(w *world) {
			w.at("bob").Account, w.pool.Order = w.at("alice").Account, nil
		}, []step{
			{reads: reads{"alice": used(70), "bob": used(70), "carol": used(10)}, change: "yes", order: "alice carol bob"},
			{after: time.Hour, reads: reads{"alice": spent(5 * time.Hour), "bob": spent(5 * time.Hour)}, change: "yes", order: "carol alice bob", events: "profile.exhausted:alice profile.exhausted:bob pool.switched"},
		}},
		{"spent model leaves the account to the other models", two, nil, []step{
			{reads: reads{"alice": modelWindow(100, "gpt-spark"), "bob": used(1)}, change: "no", state: PoolOK},
		}},
		{"idle account whose window never began stays in its place", two, nil, []step{
			{reads: reads{"alice": used(10), "bob": usage(0, 0, 0)}, change: "no", state: PoolOK},
			{after: 20 * day, reads: reads{"alice": resetsIn(10, 20*day+time.Hour), "bob": says(quota.Stale)}, change: "no"},
		}},
		{"profile that the order left out is listed with the next switch", abc, func(w *world) { w.pool.Order = two }, []step{
			{reads: healthy, change: "no", order: "alice bob carol"},
			{after: minute, reads: reads{"alice": spent(time.Hour)}, change: "yes", order: "bob carol alice", events: "profile.exhausted:alice pool.switched"},
		}},
		{"a night of jobs spends all: one message, with who is back first", abc, nil, []step{
			{reads: healthy, change: "no"},
			{after: minute, reads: reads{"alice": spent(2 * time.Hour)}, change: "yes", events: "profile.exhausted:alice pool.switched"},
			{after: time.Hour, reads: reads{"bob": spent(4 * time.Hour)}, change: "yes", order: "carol alice bob", events: "profile.exhausted:bob pool.switched"},
			{after: 30 * minute, reads: reads{"carol": spent(6 * time.Hour)}, change: "yes", order: "alice bob carol", state: PoolDepleted, reason: "first back is alice at 12:00 UTC", events: "profile.exhausted:carol pool.depleted:login pool.switched"},
			{after: 30 * minute, reads: reads{"alice": used(0)}, change: "no", state: PoolWarning, events: "profile.recovered:alice pool.recovered"},
		}},
		{"workspace without credit needs a person and no clock", two, nil, []step{
			{reads: reads{"alice": says(quota.Billing), "bob": used(1)}, change: "yes", order: "bob alice", events: "profile.exhausted:alice pool.switched"},
			{after: 7 * day, reads: reads{"bob": resetsIn(1, 8*day)}, change: "no"},
		}},
		{"gateway that wrote its own order back is not fought", two, func(w *world) { w.policy.Prefer = []string{"bob"} }, []step{
			{reads: reads{"alice": used(1), "bob": used(1)}, change: "yes", order: "bob alice", events: "pool.switched"},
			{after: minute, do: they("alice", "bob"), change: "no", order: "alice bob"},
			{after: time.Hour, change: "no", order: "alice bob"},
		}},
		{"readings that contradict themselves cost a dozen switches an hour, not sixty", two, nil, []step{
			{reads: reads{"alice": used(1), "bob": used(1)}, change: "no"},
			{
				after: minute, do: func(w *world) { w.pool.Memory.Writes = slices.Repeat([]time.Time{w.now.Add(-minute)}, forcedBudget-1) },
				reads: reads{"alice": spent(time.Hour)}, change: "yes", order: "bob alice", events: "profile.exhausted:alice pool.switched",
			},
			{after: minute, reads: reads{"alice": used(1), "bob": spent(time.Hour)}, change: "no", reason: "at 10:06 UTC", events: "profile.exhausted:bob profile.recovered:alice"},
		}},
	}
}

// personCases: an order that somebody set becomes the preference, whatever the
// strategy.
func personCases(abc []string) []decideCase {
	two := abc[:2]
	return []decideCase{
		{"person's first is not left for one with more", two, by(MostRemaining), []step{
			{reads: reads{"alice": used(60), "bob": used(10)}, change: "yes", order: "bob alice", events: "pool.switched"},
			{after: minute, do: they("alice", "bob"), change: "no", order: "alice bob"},
			{after: time.Hour, reads: reads{"alice": used(90)}, change: "no", order: "alice bob"},
			{after: minute, reads: reads{"alice": used(95)}, change: "yes", order: "bob alice", events: "profile.low:alice pool.switched"},
		}},
		{"person's first is not left for one that resets sooner", two, by(SoonestReset), []step{
			{reads: reads{"alice": usage(5, 10, 6*day), "bob": usage(5, 10, day)}, change: "yes", order: "bob alice", events: "pool.switched"},
			{after: minute, do: they("alice", "bob"), change: "no", order: "alice bob"},
			{after: 10 * time.Hour, change: "no", order: "alice bob"},
		}},
		{"person's low first that recovered is held on to", two, by(MostRemaining), []step{
			{reads: reads{"alice": used(96), "bob": used(10)}, change: "yes", order: "bob alice", events: "profile.low:alice pool.switched"},
			{after: minute, do: they("alice", "bob"), change: "no", order: "alice bob"},
			{after: time.Hour, reads: reads{"alice": used(79)}, change: "no", events: "profile.recovered:alice"},
			{after: time.Hour, reads: reads{"alice": used(97)}, change: "yes", order: "bob alice", events: "profile.low:alice pool.switched"},
		}},
		{"person's paid first stays, whatever a subscription has left", []string{"alice", "key"}, by(MostRemaining), []step{
			{reads: reads{"alice": used(1), "key": {Verdict: quota.OK}}, change: "no"},
			{after: minute, do: they("key", "alice"), change: "no", order: "key alice"},
			{after: day, change: "no", order: "key alice"},
		}},
		{"person's paid first is left out at once (paid: never), for the best one", []string{"alice", "bob", "key"}, func(w *world) {
			w.policy.Paid, w.pool.Order = PaidNever, []string{"alice", "bob"}
		}, []step{
			{reads: reads{"alice": used(96), "bob": used(1)}, change: "yes", order: "bob alice", events: "profile.low:alice pool.switched"},
			{after: minute, do: they("key", "alice", "bob"), change: "yes", order: "bob alice", reason: "paid: never", events: "pool.switched"},
			{after: time.Hour, change: "no"},
		}},
		{"person's key among keys is left when it is low", two, func(w *world) {
			w.at("alice").Paid, w.at("bob").Paid = true, true
		}, []step{
			{reads: reads{"alice": used(1), "bob": used(1)}, change: "no"},
			{after: minute, do: they("bob", "alice"), change: "no", order: "bob alice"},
			{after: time.Hour, reads: reads{"bob": used(96)}, change: "yes", order: "alice bob", events: "profile.low:bob pool.switched"},
		}},
		{"person's choice ends with the first switch away from it", two, by(MostRemaining), []step{
			{reads: reads{"alice": used(10), "bob": used(10)}, change: "no"},
			{after: minute, do: they("bob", "alice"), change: "no", order: "bob alice"},
			{after: 10 * minute, do: block(Block{Until: t0.Add(5 * minute), Reason: "subscription_limit"}, "bob"), reads: reads{"bob": used(10)}, change: "yes", order: "alice bob", events: "pool.switched"},
			{after: 10 * minute, reads: reads{"alice": used(50)}, change: "yes", order: "bob alice", events: "pool.switched"},
			{after: 10 * minute, reads: reads{"bob": used(80)}, change: "yes", order: "alice bob", events: "pool.switched"},
		}},
		{"person's order settles ties and is come back to", abc, nil, []step{
			{reads: reads{"alice": used(1), "bob": used(1), "carol": used(1)}, change: "no"},
			{after: minute, do: they("bob", "carol", "alice"), change: "no", order: "bob carol alice"},
			{after: minute, reads: reads{"bob": spent(time.Hour)}, change: "yes", order: "carol alice bob", events: "profile.exhausted:bob pool.switched"},
			{after: time.Hour, reads: reads{"bob": used(1)}, change: "yes", order: "bob carol alice", events: "profile.recovered:bob pool.switched"},
		}},
		{"person's order goes before the configured one", two, func(w *world) { w.policy.Prefer = two }, []step{
			{reads: reads{"alice": used(1), "bob": used(1)}, change: "no"},
			{after: minute, do: they("bob", "alice"), change: "no", order: "bob alice"},
			{after: time.Hour, change: "no", order: "bob alice"},
			{after: time.Hour, do: func(w *world) { w.policy.Prefer = []string{"alice"} }, change: "yes", order: "alice bob", events: "pool.switched"},
		}},
		{"person who takes the order back leaves it to the configured one", two, func(w *world) { w.policy.Prefer = two }, []step{
			{reads: reads{"alice": used(1), "bob": used(1)}, change: "no"},
			{after: minute, do: they("bob", "alice"), change: "no", order: "bob alice"},
			{after: time.Hour, do: they(), change: "no", order: "alice bob"},
		}},
	}
}
