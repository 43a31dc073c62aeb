package page

import (
	"fmt"
	"time"

	"github.com/ocwatch/ocwatch/failover"
	"github.com/ocwatch/ocwatch/failover/forecast"
	"github.com/ocwatch/ocwatch/failover/relogin"
	"github.com/ocwatch/ocwatch/failover/watchdog"
	"github.com/ocwatch/ocwatch/internal/journal"
	"github.com/ocwatch/ocwatch/internal/quota"
)

// noon is a Sunday.
var noon = time.Date(2026, 11, 22, 12, 0, 0, 0, time.UTC)

func in(d time.Duration) *time.Time {
	t := noon.Add(d)
	return &t
}

func window(name string, used float64, resets time.Duration) watchdog.WindowStatus {
	return watchdog.WindowStatus{Window: quota.Window{Name: name, UsedPercent: quota.Percent(used), ResetsAt: noon.Add(resets)}}
}

// world has one of everything.
func world() World {
	busy := window("5h", 62.4, 2*time.Hour)
	busy.ReachesAt, busy.Forecast = noon.Add(95*time.Minute), forecast.High
	alice := watchdog.ProfileStatus{
		ID: "openai:alice@example.com", State: failover.Available, Plan: "plus", Reason: "5h window 62 % used",
		Windows: []watchdog.WindowStatus{busy, window("weekly", 30, 80*time.Hour)}, ProbedAt: in(-40 * time.Second), Source: quota.FromUsage, Verdict: quota.OK,
	}
	bob := watchdog.ProfileStatus{
		ID: "openai:bob@example.com", State: failover.Exhausted, Plan: "plus", Reason: "5h window 100 % used", Until: in(time.Hour),
		Windows: []watchdog.WindowStatus{window("5h", 100, time.Hour)}, ProbedAt: in(-2 * time.Minute), Source: quota.FromUsage, Verdict: quota.Exhausted,
	}
	carol := watchdog.ProfileStatus{
		ID: "openai:<carol>", State: failover.Dead, Paid: true, Reason: "the login was revoked", Fix: "ocwatch login --provider openai",
		Windows: []watchdog.WindowStatus{{Window: quota.Window{Name: "weekly", Scope: "gpt-5"}}},
	}
	return World{
		Now: noon, Host: "srv1",
		Status: watchdog.Status{
			Version: "1.2.3", At: noon.Add(-5 * time.Second), Paused: true, PausedUntil: in(30 * time.Minute), PausedReason: "moving house",
			Gateway:  watchdog.GatewayStatus{Healthy: true, Version: "2026.9.6"},
			Problems: []watchdog.Problem{{Agent: "work", What: "its store cannot be read", Fix: "openclaw doctor --fix"}},
			Pools: []watchdog.PoolStatus{{
				Agent: "main", Provider: "openai", State: failover.PoolWarning, Reason: "openai:alice@example.com is first of 2 that can serve",
				Order: []string{alice.ID, bob.ID, carol.ID}, OrderSource: "stored",
				Outlook:  watchdog.Outlook{RunsDryAt: in(5 * time.Hour), BackAt: in(6 * time.Hour), BackFirst: bob.ID, Forecast: forecast.High},
				Pinned:   &watchdog.PinStatus{Profile: alice.ID, Since: noon, Until: in(90 * time.Minute)},
				Profiles: []watchdog.ProfileStatus{alice, bob, carol},
			}},
		},
		Warnings: []string{"the gateway does not let ocwatch in"},
		Why: []watchdog.PoolWhy{{Agent: "main", Provider: "openai", Profiles: []watchdog.ProfileWhy{
			{ID: alice.ID, AsksNext: in(20 * time.Second)},
			{ID: bob.ID, OpenUntil: in(time.Hour), Block: &watchdog.BlockWhy{Until: noon.Add(2 * time.Hour)}},
		}}},
		Logins: []relogin.Status{{Agent: "main", Provider: "openai", Since: noon.Add(-time.Minute), URL: "https://example.com/device?a=1&b=2", Code: "ABCD-1234", ExpiresAt: in(14 * time.Minute), Paste: true}},
		Policy: func(string) failover.Policy { return failover.DefaultPolicy() },
		History: History{
			Known: noon.AddDate(0, 0, -3),
			Switches: []journal.Switch{
				{At: noon.AddDate(0, 0, -2), Agent: "main", Provider: "openai", From: alice.ID, To: bob.ID, Order: []string{bob.ID, alice.ID}, Reason: "openai:alice@example.com is low", By: journal.ByOcwatch},
				{At: noon.AddDate(0, 0, -1), Agent: "main", Provider: "openai", From: bob.ID, To: alice.ID, Order: []string{alice.ID, bob.ID}, Reason: "asked for by a person", By: journal.ByPerson},
			},
			Episodes: []journal.Episode{{Kind: journal.EpisodeDepleted, Agent: "main", Provider: "openai", Since: noon.Add(-30 * time.Hour), Until: noon.Add(-28 * time.Hour), Reason: "all 3 openai accounts are spent"}},
			Restarts: []journal.Restart{{At: noon.Add(-20 * time.Hour), OK: true, Took: 9 * time.Second, Reason: "the gateway did not take the order"}},
			Logins:   []journal.Login{{At: noon.Add(-28 * time.Hour), Agent: "main", Provider: "openai", Profile: alice.ID, Outcome: journal.LoginCompleted, Reason: "proved"}},
		},
	}
}

// crowd is a world of n accounts with two windows each, and a full history.
func crowd(n int) World {
	w := world()
	w.Owner, w.Token = true, "0123456789abcdef0123456789abcdef"
	pool := &w.Status.Pools[0]
	pool.Profiles, pool.Order, pool.Pinned = nil, nil, nil
	w.Why[0].Profiles = nil
	for i := range n {
		id := fmt.Sprintf("openai:person%03d@example.com", i)
		pool.Order = append(pool.Order, id)
		pool.Profiles = append(pool.Profiles, watchdog.ProfileStatus{
			ID: id, State: failover.Available, Plan: "plus", Reason: "5h window 62 % used", ProbedAt: in(-40 * time.Second), Source: quota.FromUsage, Verdict: quota.OK,
			Windows: []watchdog.WindowStatus{window("5h", float64(i*100/n), 2*time.Hour), window("weekly", 30, 80*time.Hour)},
		})
		w.Why[0].Profiles = append(w.Why[0].Profiles, watchdog.ProfileWhy{ID: id, AsksNext: in(20 * time.Second)})
	}
	w.History.Switches = nil
	for i := range 7 * 24 {
		w.History.Switches = append(w.History.Switches, journal.Switch{
			At: noon.Add(time.Duration(i-7*24) * time.Hour), Agent: "main", Provider: "openai", By: journal.ByOcwatch,
			From: pool.Order[i%n], To: pool.Order[(i+1)%n], Order: pool.Order, Reason: pool.Order[i%n] + " is low: 5h window 95 % used",
		})
	}
	return w
}
