package failover

import (
	"testing"
	"time"

	"github.com/ocwatch/ocwatch/internal/quota"
)

func TestOnPlan(t *testing.T) {
	usage := func(v quota.Verdict, windows ...string) quota.Reading {
		r := quota.Reading{Source: quota.FromUsage, Verdict: v}
		for _, name := range windows {
			r.Windows = append(r.Windows, quota.Window{Name: name})
		}
		return r
	}
	balance := usage(quota.OK)
	balance.Credits = &quota.Credits{Balance: 12, Unit: "USD"}
	both := usage(quota.OK, quota.Weekly)
	both.Credits = balance.Credits
	for name, tc := range map[string]struct {
		r          quota.Reading
		fresh, was bool // what comes of an account not known to be on a plan, and of one that was
	}{
		"windows of a plan":                  {usage(quota.OK, quota.FiveHour, quota.Weekly), true, true},
		"a spent one":                        {usage(quota.Exhausted, quota.FiveHour), true, true},
		"a window of another length":         {usage(quota.OK, "36h"), true, true},
		"a plan and a balance":               {both, true, true},
		"a plan and a spend limit":           {usage(quota.OK, quota.Spend, quota.Monthly), true, true},
		"a balance alone":                    {balance, false, false},
		"a spend limit alone":                {usage(quota.OK, quota.Spend), false, false},
		"spent, in words":                    {usage(quota.Exhausted), false, true},
		"out of reach":                       {usage(quota.Unreachable), false, true},
		"throttled":                          {usage(quota.Throttled), false, true},
		"nothing asked yet":                  {quota.Reading{}, false, true},
		"a key that is valid":                {quota.Reading{Source: quota.FromValidity, Verdict: quota.OK}, false, true},
		"windows that OpenClaw only guessed": {quota.Reading{Source: quota.FromOpenClaw, Windows: []quota.Window{{Name: quota.Weekly}}}, false, true},
	} {
		t.Run(name, func(t *testing.T) {
			if got := OnPlan(false, tc.r); got != tc.fresh {
				t.Errorf("of an unknown account: %v, want %v", got, tc.fresh)
			}
			if got := OnPlan(true, tc.r); got != tc.was {
				t.Errorf("of one on a plan: %v, want %v", got, tc.was)
			}
		})
	}
}

// plans makes keys of plans of the profiles.
func plans(ids ...string) func(*world) {
	return func(w *world) {
		for _, id := range ids {
			w.at(id).Key, w.at(id).Paid = true, false
		}
	}
}

// A key of a plan is a subscription.
func billingCases() []decideCase {
	metered := quota.Reading{Verdict: quota.OK, Credits: &quota.Credits{Balance: 5, Unit: "USD"}}
	return []decideCase{
		{"a plan's key is left for one that is billed per token at the end only", []string{"alice", "key"}, plans("alice"), []step{
			{reads: reads{"alice": used(60), "key": metered}, order: "alice key", change: "no", state: PoolOK},
			{after: minute, reads: reads{"alice": used(97)}, order: "alice key", change: "no", events: "profile.low:alice"},
			{after: minute, reads: reads{"alice": spent(time.Hour)}, order: "key alice", change: "yes", events: "profile.exhausted:alice pool.switched pool.paid:key"},
			{after: time.Hour, reads: reads{"alice": used(1)}, order: "alice key", change: "yes", events: "profile.recovered:alice pool.switched"},
		}},
		{"a key that is found to be a plan's is a subscription like another", []string{"alice", "key"}, nil, []step{
			{reads: reads{"alice": used(97), "key": used(1)}, order: "alice key", change: "no", events: "profile.low:alice"},
			{after: minute, do: plans("key"), order: "key alice", change: "yes", events: "pool.switched"},
		}},
		{"spent ones ask for a key", []string{"alice", "bob"}, plans("alice", "bob"), []step{
			{reads: reads{"alice": spent(9 * time.Hour), "bob": spent(8 * time.Hour)}, state: PoolDepleted, events: "profile.exhausted:alice profile.exhausted:bob pool.depleted:login pool.switched"},
		}},
	}
}

// And still a key: no login brings another.
func TestOnlyAKeyRenewsAKeyOfAPlan(t *testing.T) {
	w := newWorld("alice", "bob")
	plans("alice", "bob")(w)
	w.read("alice", spent(9*time.Hour))
	w.read("bob", says(quota.Revoked))
	_, evs := w.decide(false)
	seen := 0
	for _, e := range evs {
		if e.Data.Login != nil {
			seen++
			if !e.Data.Login.Key {
				t.Errorf("%s offers a login where only a key helps: %+v", e.Type, e.Data.Login)
			}
		}
		for _, p := range e.Data.Profiles {
			if p.Paid || !p.Key {
				t.Errorf("%s tells %s as paid %v, key %v", e.Type, p.ID, p.Paid, p.Key)
			}
		}
	}
	if seen < 2 {
		t.Errorf("%d events say what renews a key, want those of the dead key and of the depleted pool", seen)
	}
}
