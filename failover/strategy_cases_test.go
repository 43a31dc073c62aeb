package failover

import (
	"testing"
	"time"

	"github.com/ocwatch/ocwatch/internal/quota"
)

// usage is a reading with a 5h window, which resets five hours from t0, and a
// week, which resets in so long.
func usage(fiveHour, week float64, resets time.Duration) quota.Reading {
	r := used(fiveHour)
	w := quota.Window{Name: quota.Weekly, UsedPercent: quota.Percent(week)}
	if resets != 0 {
		w.ResetsAt = t0.Add(resets)
	}
	r.Windows = append(r.Windows, w)
	return r
}

func with(r quota.Reading, ws ...quota.Window) quota.Reading {
	r.Windows = append(r.Windows, ws...)
	return r
}

func by(s Strategy) func(*world) { return func(w *world) { w.policy.Strategy = s } }

// they is a step's deed of somebody who sets the order.
func they(order ...string) func(*world) { return func(w *world) { w.pool.Order = order } }

func strategyCases(abc []string) []decideCase {
	two := abc[:2]
	keys := func(w *world) {
		for i := range w.pool.Candidates {
			w.pool.Candidates[i].Paid = true
		}
	}
	return []decideCase{
		{"most-remaining goes where most is left", abc, by(MostRemaining), []step{
			{reads: reads{"alice": used(60), "bob": used(20), "carol": used(30)}, change: "yes", order: "bob carol alice", reason: "bob has more left than alice (5h window 20 % used)", events: "pool.switched"},
		}},
		{"most-remaining does not flap between two accounts in use", two, by(MostRemaining), []step{
			{reads: reads{"alice": used(10), "bob": used(10)}, change: "no"},
			{after: 10 * minute, reads: reads{"alice": used(29)}, change: "no"},
			{after: 10 * minute, reads: reads{"alice": used(30)}, change: "yes", order: "bob alice", events: "pool.switched"},
			{after: 10 * minute, reads: reads{"bob": used(31)}, change: "no"},
			{after: 10 * minute, reads: reads{"bob": used(49)}, change: "no"},
			{after: 10 * minute, reads: reads{"bob": used(50)}, change: "yes", order: "alice bob", events: "pool.switched"},
		}},
		{"most-remaining goes by the tightest window", two, by(MostRemaining), []step{
			{reads: reads{"alice": usage(10, 70, 2*day), "bob": usage(40, 20, 2*day)}, change: "yes", order: "bob alice", events: "pool.switched"},
		}},
		{"most-remaining counts a listed model's window", two, func(w *world) {
			w.policy.Strategy, w.policy.Models = MostRemaining, []string{"spark"}
		}, []step{
			{reads: reads{"alice": modelWindow(70, "spark"), "bob": used(40)}, change: "yes", order: "bob alice", events: "pool.switched"},
		}},
		{"most-remaining does not count a model that is not listed", two, by(MostRemaining), []step{
			{reads: reads{"alice": modelWindow(70, "spark"), "bob": used(40)}, change: "no"},
		}},
		{"most-remaining does not leave an account that cannot be read for a number", two, by(MostRemaining), []step{
			{reads: reads{"alice": says(quota.Unsupported), "bob": used(0)}, change: "no"},
		}},
		{"most-remaining goes to a measured account before one that cannot be read", abc, by(MostRemaining), []step{
			{reads: reads{"alice": spent(time.Hour), "bob": says(quota.Unsupported), "carol": used(90)}, change: "yes", order: "carol bob alice", events: "profile.exhausted:alice pool.switched"},
		}},
		{"most-remaining keeps the dwell", two, by(MostRemaining), []step{
			{reads: reads{"alice": used(60), "bob": used(20)}, change: "yes", order: "bob alice", events: "pool.switched"},
			{after: minute, reads: reads{"bob": used(80)}, change: "no", reason: "alice has more left than bob (5h window 60 % used); the order is changed at 10:05 UTC"},
			{after: 4 * minute, change: "yes", order: "alice bob", events: "pool.switched"},
		}},
		{"most-remaining leaves a low account for one with hardly more", two, by(MostRemaining), []step{
			{reads: reads{"alice": used(95), "bob": used(94)}, change: "yes", order: "bob alice", events: "profile.low:alice pool.switched"},
		}},
		{"soonest-reset uses first what would be lost first", abc, by(SoonestReset), []step{
			{
				reads:  reads{"alice": usage(5, 10, 6*day), "bob": usage(5, 40, day), "carol": usage(5, 20, 3*day)},
				change: "yes", order: "bob carol alice", reason: "bob resets before alice, so its quota is used first (weekly window 40 % used)", events: "pool.switched",
			},
		}},
		{"soonest-reset stays for less than an hour", two, by(SoonestReset), []step{
			{reads: reads{"alice": usage(5, 10, 2*day), "bob": usage(5, 10, 2*day-59*minute)}, change: "no"},
			{after: minute, reads: reads{"bob": usage(5, 10, 2*day-60*minute)}, change: "yes", order: "bob alice", events: "pool.switched"},
		}},
		{"soonest-reset does not follow reset times that jitter", two, by(SoonestReset), []step{
			{reads: reads{"alice": usage(5, 10, 2*day), "bob": usage(5, 10, 2*day-2*time.Second)}, change: "no"},
			{after: minute, reads: reads{"alice": usage(5, 10, 2*day+2*time.Second), "bob": usage(5, 10, 2*day-3*time.Second)}, change: "no"},
		}},
		{"soonest-reset has no use for a limit on money or on one model", two, func(w *world) {
			w.policy.Strategy, w.policy.Models = SoonestReset, []string{"spark"}
		}, []step{
			{reads: reads{"alice": usage(5, 10, 3*day), "bob": with(usage(5, 10, 3*day+time.Hour),
				quota.Window{Name: quota.Spend, Length: 30 * day, UsedPercent: quota.Percent(1), ResetsAt: t0.Add(day)},
				quota.Window{Name: quota.Monthly, Scope: "spark", UsedPercent: quota.Percent(1), ResetsAt: t0.Add(day)},
			)}, change: "no"},
		}},
		{"soonest-reset knows the length of any window by its name", two, by(SoonestReset), []step{
			{reads: reads{
				"alice": with(used(5), quota.Window{Name: "36h", ResetsAt: t0.Add(day)}, quota.Window{Name: "3d", ResetsAt: t0.Add(3 * day)}),
				"bob":   with(used(5), quota.Window{Name: quota.Monthly, ResetsAt: t0.Add(2 * day)}, quota.Window{Name: "window", ResetsAt: t0.Add(9 * day)}),
			}, change: "yes", order: "bob alice", events: "pool.switched"},
		}},
		{"soonest-reset puts a week that did not begin last", two, by(SoonestReset), []step{
			{reads: reads{"alice": usage(0, 0, 0), "bob": usage(5, 10, 6*day)}, change: "yes", order: "bob alice", events: "pool.switched"},
		}},
		{"soonest-reset goes on with the next once a week is over", two, by(SoonestReset), []step{
			{reads: reads{"alice": usage(5, 10, 3*day), "bob": usage(5, 10, day)}, change: "yes", order: "bob alice", events: "pool.switched"},
			{after: day + minute, reads: reads{"alice": usage(5, 10, 3*day), "bob": usage(0, 0, 8*day)}, change: "yes", order: "alice bob", events: "pool.switched"},
		}},
		{"soonest-reset leaves a low account and comes back after its 5 hours", two, by(SoonestReset), []step{
			{reads: reads{"alice": usage(5, 10, 3*day), "bob": usage(96, 10, day)}, change: "no", events: "profile.low:bob"},
			{after: 301 * minute, reads: reads{"bob": usage(0, 10, day)}, change: "yes", order: "bob alice", events: "profile.recovered:bob pool.switched"},
		}},
		{"sticky does not come back by itself", abc, by(Sticky), []step{
			{reads: reads{"alice": used(96), "bob": used(20), "carol": used(30)}, change: "yes", order: "bob carol alice", events: "profile.low:alice pool.switched"},
			{after: time.Hour, reads: reads{"alice": used(0)}, change: "no", order: "bob carol alice", events: "profile.recovered:alice"},
			{after: time.Hour, reads: reads{"bob": used(97)}, change: "yes", order: "alice carol bob", events: "profile.low:bob pool.switched"},
		}},
		{"sticky keeps what is first before what is preferred", abc, func(w *world) {
			w.policy.Strategy, w.policy.Prefer = Sticky, []string{"carol"}
		}, []step{
			{reads: reads{"alice": used(1), "bob": used(1), "carol": used(1)}, change: "no"},
			{after: minute, reads: reads{"alice": spent(time.Hour)}, change: "yes", order: "carol bob alice", events: "profile.exhausted:alice pool.switched"},
		}},
		{"sticky does not stick to what is paid", []string{"alice", "key"}, by(Sticky), []step{
			{reads: reads{"alice": spent(time.Hour), "key": {Verdict: quota.OK}}, change: "yes", order: "key alice", events: "profile.exhausted:alice pool.switched pool.paid:key"},
			{after: 61 * minute, reads: reads{"alice": used(0)}, change: "yes", order: "alice key", events: "profile.recovered:alice pool.switched"},
		}},
		{"preferred key among keys comes back", two, keys, []step{
			{reads: reads{"alice": says(quota.Billing), "bob": used(1)}, change: "yes", order: "bob alice", events: "profile.exhausted:alice pool.switched"},
			{after: 10 * minute, reads: reads{"alice": used(1)}, change: "yes", order: "alice bob", events: "profile.recovered:alice pool.switched"},
		}},
		{"low key among keys gives way", two, keys, []step{
			{reads: reads{"alice": used(96), "bob": used(1)}, change: "yes", order: "bob alice", events: "profile.low:alice pool.switched"},
		}},
		{"preferred key behind subscriptions comes back among keys", []string{"alice", "bob", "key"}, func(w *world) { w.at("bob").Paid = true }, []step{
			{reads: reads{"alice": spent(9 * time.Hour), "bob": says(quota.Billing), "key": {Verdict: quota.OK}}, change: "yes", order: "key alice bob", events: "profile.exhausted:alice profile.exhausted:bob pool.switched pool.paid:key"},
			{after: 10 * minute, reads: reads{"bob": {Verdict: quota.OK}}, change: "yes", order: "bob key alice", events: "profile.recovered:bob pool.switched"},
		}},
		{"key that cannot be read gives way to a subscription", []string{"key", "alice"}, func(w *world) { w.policy.Prefer = []string{"alice"} }, []step{
			{reads: reads{"key": says(quota.Unknown), "alice": used(1)}, change: "yes", order: "alice key", events: "pool.switched"},
		}},
		{"preferred account is come back to from one that cannot be read", two, func(w *world) {
			w.at("bob").Credential = CredentialUnreadable
		}, []step{
			{reads: reads{"alice": spent(time.Hour)}, change: "yes", order: "bob alice", events: "profile.exhausted:alice pool.switched"},
			{after: 61 * minute, reads: reads{"alice": used(0)}, change: "yes", order: "alice bob", reason: "alice is available and preferred", events: "profile.recovered:alice pool.switched"},
		}},
	}
}

func reserveCases(abc []string) []decideCase {
	keep := func(w *world) { w.policy.Keep = map[string]float64{"alice": 10} }
	return []decideCase{
		{"reserve is left with its last percent", abc, keep, []step{
			{reads: reads{"alice": used(89), "bob": used(1), "carol": used(1)}, change: "no"},
			{after: minute, reads: reads{"alice": used(90)}, change: "yes", order: "bob carol alice", reason: "alice is low (5h window 90 % used, the last 10 % are kept); next is bob", events: "profile.low:alice pool.switched"},
		}},
		{"reserve comes after accounts that are low", abc[:2], keep, []step{
			{reads: reads{"alice": used(91), "bob": used(97)}, change: "yes", order: "bob alice", events: "profile.low:alice profile.low:bob pool.switched"},
			{after: 10 * minute, change: "no"},
		}},
		{"reserve is used to the end when nobody else can serve", abc[:2], keep, []step{
			{reads: reads{"alice": used(91), "bob": used(97)}, change: "yes", order: "bob alice", events: "profile.low:alice profile.low:bob pool.switched"},
			{after: minute, reads: reads{"bob": spent(time.Hour)}, change: "yes", order: "alice bob", events: "profile.exhausted:bob pool.switched"},
			{after: 10 * minute, reads: reads{"alice": used(99.9)}, change: "no"},
		}},
		{"reserve goes before paid", []string{"alice", "key"}, keep, []step{
			{reads: reads{"alice": used(92), "key": {Verdict: quota.OK}}, change: "no", order: "alice key", events: "profile.low:alice"},
		}},
		{"reserve is come back to with as much room as others", abc[:2], keep, []step{
			{reads: reads{"alice": used(90), "bob": used(1)}, change: "yes", order: "bob alice", events: "profile.low:alice pool.switched"},
			{after: 10 * minute, reads: reads{"alice": used(75)}, change: "no"},
			{after: minute, reads: reads{"alice": used(74)}, change: "yes", order: "alice bob", events: "profile.recovered:alice pool.switched"},
		}},
		{"reserve in second place gives way to a low third", abc, func(w *world) { w.policy.Keep = map[string]float64{"bob": 20} }, []step{
			{reads: reads{"alice": used(1), "bob": used(85), "carol": used(96)}, change: "yes", order: "alice carol bob", events: "profile.low:bob profile.low:carol"},
		}},
		{"reserve that a person puts first stays", abc[:2], keep, []step{
			{reads: reads{"alice": used(92), "bob": used(1)}, change: "yes", order: "bob alice", events: "profile.low:alice pool.switched"},
			{after: minute, do: they("alice", "bob"), change: "no", order: "alice bob"},
			{after: time.Hour, change: "no", order: "alice bob"},
		}},
	}
}

func secondCases(abc []string) []decideCase {
	free := reads{"alice": used(1), "bob": used(1), "carol": used(1)}
	twins := func(w *world) { w.at("bob").Account = w.at("alice").Account }
	withKey := []string{"alice", "key", "bob"}
	return []decideCase{
		{"second that is low gives way to a healthy third", abc, nil, []step{
			{reads: reads{"alice": used(1), "bob": used(96), "carol": used(1)}, change: "yes", order: "alice carol bob", reason: "alice stays first; second is carol (5h window 1 % used) in place of bob, which is low (5h window 96 % used)", events: "profile.low:bob"},
		}},
		{"second of the first one's account gives way", abc, twins, []step{
			{do: func(w *world) { w.pool.Order = nil }, reads: free, change: "yes", order: "alice carol bob", reason: "second is carol (5h window 1 % used) in place of bob, which bills the same account"},
			{after: 10 * minute, change: "no"},
		}},
		{"second of the first one's account gives way to a low third", abc, twins, []step{
			{do: func(w *world) { w.pool.Order = nil }, reads: reads{"alice": used(1), "bob": used(1), "carol": used(96)}, change: "yes", order: "alice carol bob", events: "profile.low:carol"},
		}},
		{"second of the first one's account that a person put there stays", abc, twins, []step{
			{reads: free, change: "no", order: "alice bob carol"},
		}},
		{"second of the first one's account goes before a paid one", []string{"alice", "bob", "key"}, twins, []step{
			{do: func(w *world) { w.pool.Order = nil }, reads: reads{"alice": used(1), "bob": used(1), "key": {Verdict: quota.OK}}, change: "no", order: "alice bob key"},
		}},
		{"second after a switch is of another account", []string{"alice", "bob", "carol", "dave"}, func(w *world) { w.at("carol").Account = w.at("bob").Account }, []step{
			{reads: reads{"alice": spent(time.Hour), "bob": used(1), "carol": used(1), "dave": used(50)}, change: "yes", order: "bob dave carol alice", events: "profile.exhausted:alice pool.switched"},
		}},
		{"second that is paid goes behind a subscription", withKey, func(w *world) { w.pool.Order = nil }, []step{
			{reads: reads{"alice": used(1), "key": {Verdict: quota.OK}, "bob": used(96)}, change: "yes", order: "alice bob key", reason: "in place of key, which is paid", events: "profile.low:bob"},
		}},
		{"second that is paid is right where no subscription can serve", withKey, nil, []step{
			{reads: reads{"alice": used(1), "key": {Verdict: quota.OK}, "bob": spent(time.Hour)}, change: "no", order: "alice key bob", events: "profile.exhausted:bob"},
		}},
		{"second that is paid stays where a person put it", withKey, nil, []step{
			{reads: reads{"alice": used(1), "key": {Verdict: quota.OK}, "bob": used(1)}, change: "no", order: "alice key bob"},
		}},
		{"second that is unknown stays", abc, nil, []step{
			{reads: reads{"alice": used(1), "bob": says(quota.Stale), "carol": used(1)}, change: "no"},
		}},
		{"second that is spent goes behind one that is unknown", abc, nil, []step{
			{reads: reads{"alice": used(1), "bob": spent(time.Hour)}, change: "yes", order: "alice carol bob", reason: "second is carol (not probed yet) in place of bob", events: "profile.exhausted:bob"},
		}},
		{"second with less left is no reason to write", abc, by(MostRemaining), []step{
			{reads: reads{"alice": used(1), "bob": used(90), "carol": used(1)}, change: "no"},
		}},
		{"second that is dead gives way while the first is blocked by the dwell", abc, nil, []step{
			{reads: reads{"alice": used(96), "bob": used(1), "carol": used(1)}, change: "yes", order: "bob carol alice", events: "profile.low:alice pool.switched"},
			{after: minute, reads: reads{"alice": used(1), "carol": says(quota.Revoked)}, change: "yes", order: "bob alice carol", events: "profile.login_required:carol profile.recovered:alice"},
		}},
	}
}

// TestNextLookAtAReset: whose week is over is decided anew then, and not with the
// next probe.
func TestNextLookAtAReset(t *testing.T) {
	w := newWorld("alice", "bob")
	w.policy.Strategy = SoonestReset
	w.read("alice", usage(5, 10, day))
	w.read("bob", usage(5, 10, 2*day))
	if p := Decide(w.now, w.policy, w.pool); !p.NextLook.Equal(t0.Add(day)) {
		t.Errorf("next look at %v, want %v", p.NextLook, t0.Add(day))
	}
}
