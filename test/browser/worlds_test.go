//go:build browser

package browser

import (
	"fmt"
	"strings"
	"time"

	"github.com/ocwatch/ocwatch/failover"
	"github.com/ocwatch/ocwatch/failover/forecast"
	"github.com/ocwatch/ocwatch/failover/relogin"
	"github.com/ocwatch/ocwatch/failover/watchdog"
	"github.com/ocwatch/ocwatch/internal/journal"
	"github.com/ocwatch/ocwatch/internal/quota"
	"github.com/ocwatch/ocwatch/internal/web/page"
)

// worlds are what the page is shown with, by name.
var worlds = map[string]func(now time.Time) page.World{
	"busy":     busy,
	"quiet":    quiet,
	"none":     none,
	"blind":    blind,
	"depleted": depleted,
	"down":     down,
	"fifty":    func(now time.Time) page.World { return crowd(now, 50) },
	"long":     long,
	"hostile":  hostile,
	"paste":    paste,
	"device": func(now time.Time) page.World {
		w := depleted(now)
		w.Logins = []relogin.Status{deviceLogin(now)}
		return w
	},
	"swapped": swapped,
	"paste-swapped": func(now time.Time) page.World {
		w := paste(now)
		p := &w.Status.Pools[0]
		p.Profiles[0], p.Profiles[1] = p.Profiles[1], p.Profiles[0]
		return w
	},
}

const (
	alice = "openai:alice@example.com"
	bob   = "openai:bob@example.com"
	carol = "openai:carol@example.com"
)

// none is before the first round.
func none(now time.Time) page.World {
	return page.World{
		Now: now, Host: "srv1", Policy: func(string) failover.Policy { return failover.DefaultPolicy() },
		Status: watchdog.Status{Version: "1.2.3"},
	}
}

// quiet is a set-up with nothing to tell of it.
func quiet(now time.Time) page.World {
	w := none(now)
	w.Status.At, w.Status.Gateway = now, watchdog.GatewayStatus{Healthy: true, Version: "2026.9.6"}
	w.Status.Pools = []watchdog.PoolStatus{pool("main", failover.PoolOK, alice+" is first of 3 that can serve",
		profile(now, alice, failover.Available, 38, 21), profile(now, bob, failover.Available, 12, 64), profile(now, carol, failover.Available, 0, 3))}
	return w
}

// busy has one of everything.
func busy(now time.Time) page.World {
	w := quiet(now)
	first, low, spent := profile(now, alice, failover.Available, 62, 30), profile(now, bob, failover.Low, 91, 44), profile(now, carol, failover.Exhausted, 100, 71)
	first.Windows[0].ReachesAt, first.Windows[0].Forecast = now.Add(95*time.Minute), forecast.High
	low.Reason, spent.Reason, spent.Until, spent.Verdict = "5h window 91 % used", "5h window 100 % used", at(now, 40*time.Minute), quota.Exhausted
	dead := watchdog.ProfileStatus{ID: "openai:dave@example.com", State: failover.Dead, Reason: "the login was revoked", Fix: "ocwatch login --provider openai"}
	key := watchdog.ProfileStatus{ID: "openai:team-key", State: failover.Available, Paid: true, ProbedAt: at(now, -2*time.Minute), Source: quota.FromValidity, Verdict: quota.OK}
	unknown := watchdog.ProfileStatus{
		ID: "openai:erin@example.com", State: failover.Unknown, Reason: "the usage endpoint did not answer",
		ProbedAt: at(now, -11*time.Minute), Verdict: quota.Unreachable, Source: quota.FromUsage,
		Windows: []watchdog.WindowStatus{{Window: quota.Window{Name: quota.Weekly, Scope: "gpt-5"}}},
	}
	p := pool("main", failover.PoolWarning, alice+" is first of 2 that can serve", first, low, unknown, key, spent, dead)
	p.Outlook = watchdog.Outlook{RunsDryAt: at(now, 5*time.Hour), BackAt: at(now, 6*time.Hour), BackFirst: bob, Forecast: forecast.High}
	p.Pinned = &watchdog.PinStatus{Profile: alice, Since: now, Until: at(now, 90*time.Minute)}
	p.Pending = "the gateway does not go by it yet"
	other := pool("work", failover.PoolOK, "anthropic:erin@example.com is first of 1 that can serve", profile(now, "anthropic:erin@example.com", failover.Available, 8, 15))
	other.Provider = "anthropic"
	w.Status.Pools = []watchdog.PoolStatus{p, other}
	w.Status.Paused, w.Status.PausedUntil, w.Status.PausedReason = true, at(now, 30*time.Minute), "moving house"
	w.Status.Problems = []watchdog.Problem{{Agent: "work", What: "its store awaits a migration", Fix: "openclaw doctor --fix"}}
	w.Warnings = []string{"webhook ops does not answer: 3 messages wait"}
	w.Why = []watchdog.PoolWhy{{Agent: "main", Provider: "openai", Profiles: []watchdog.ProfileWhy{
		{ID: alice, AsksNext: at(now, 20*time.Second)}, {ID: carol, OpenUntil: at(now, 40*time.Minute), Block: &watchdog.BlockWhy{Until: now.Add(40 * time.Minute)}},
	}}}
	w.Logins = []relogin.Status{deviceLogin(now)}
	w.History = week(now)
	return w
}

// swapped is quiet with another account in front.
func swapped(now time.Time) page.World {
	w := quiet(now)
	p := &w.Status.Pools[0]
	p.Profiles[0], p.Profiles[1] = p.Profiles[1], p.Profiles[0]
	p.Order[0], p.Order[1] = bob, alice
	p.Reason = bob + " is first of 3 that can serve"
	return w
}

func blind(now time.Time) page.World {
	w := quiet(now)
	p := &w.Status.Pools[0]
	p.State, p.Reason = failover.PoolBlind, "nothing could be learned of any account, so nothing is changed"
	for i := range p.Profiles {
		pr := &p.Profiles[i]
		pr.State, pr.Reason, pr.Verdict, pr.ProbedAt = failover.Unknown, "the usage endpoint did not answer", quota.Unreachable, at(now, -time.Hour)
	}
	w.History.Episodes = []journal.Episode{{Kind: journal.EpisodeBlind, Agent: "main", Provider: "openai", Since: now.Add(-50 * time.Minute), Reason: "no usage endpoint answers"}}
	return w
}

func depleted(now time.Time) page.World {
	w := quiet(now)
	p := &w.Status.Pools[0]
	p.State, p.Reason, p.RecoversAt = failover.PoolDepleted, "all 3 openai accounts are spent; first back: "+alice, at(now, time.Hour)
	for i := range p.Profiles {
		p.Profiles[i] = profile(now, p.Profiles[i].ID, failover.Exhausted, 100, 40)
		p.Profiles[i].Reason, p.Profiles[i].Until, p.Profiles[i].Verdict = "5h window 100 % used", at(now, time.Duration(i+1)*time.Hour), quota.Exhausted
	}
	w.History = week(now)
	w.History.Episodes = append(w.History.Episodes, journal.Episode{Kind: journal.EpisodeDepleted, Agent: "main", Provider: "openai", Since: now.Add(-3 * time.Hour), Reason: "all 3 openai accounts are spent"})
	return w
}

// down is a gateway that does not run.
func down(now time.Time) page.World {
	w := quiet(now)
	w.Status.Gateway, w.Detail = watchdog.GatewayStatus{URL: "ws://127.0.0.1:18789"}, "dial tcp 127.0.0.1:18789: connect: connection refused"
	w.Status.Pools[0].Pending = "the gateway is down: it takes this order when it starts"
	return w
}

// paste is a login that ends on an address which somebody has to hand back.
func paste(now time.Time) page.World {
	w := depleted(now)
	l := deviceLogin(now)
	l.URL, l.Code, l.Paste = "https://auth.example.com/oauth/authorize?response_type=code&client_id=app_EMoamEEZ73f0CkXaXp7hrann&redirect_uri=http%3A%2F%2Flocalhost%3A1455%2Fauth%2Fcallback&state=0123456789abcdef", "", true
	w.Logins = []relogin.Status{l}
	return w
}

// long has names as long as anything is.
func long(now time.Time) page.World {
	w := quiet(now)
	name := "openai:" + strings.Repeat("a-very-long-name.", 14) + "x@example.com"
	p := pool(strings.Repeat("agent", 12), failover.PoolWarning, name+" is first of 2 that can serve",
		profile(now, name, failover.Available, 50, 50), profile(now, "openai:"+strings.Repeat("W", 200), failover.Low, 90, 80))
	p.Profiles[0].Fix = "ocwatch login --provider openai --replace " + name
	p.Pinned = &watchdog.PinStatus{Profile: name}
	w.Status.Pools = []watchdog.PoolStatus{p}
	w.Host = strings.Repeat("host.", 20) + "example.com"
	w.Logins = []relogin.Status{deviceLogin(now)}
	w.Logins[0].URL = "https://auth.example.com/device?" + strings.Repeat("state=0123456789abcdef&", 20)
	w.History.Switches = []journal.Switch{{At: now.Add(-time.Hour), Agent: p.Agent, Provider: "openai", From: p.Order[1], To: name, Order: p.Order, Reason: name + " is low"}}
	return w
}

// hostile has names that want to be more than text.
func hostile(now time.Time) page.World {
	w := quiet(now)
	names := []string{
		`openai:<img src=x onerror=alert(1)>`, `openai:"><script>alert(2)</script>`, "openai:\u202Emoc.elpmaxe@ecila", "openai:\u2066a\u2067b\u061C@example.com",
		"openai:\u05D3\u05D5\u05D3@example.com", "openai:{{.Token}}${alert(3)}", "openai:a\nb\tc\x00d", "openai:\u200B\u00AD\uFEFF", "openai:' onfocus='alert(4)' autofocus='",
	}
	list := make([]watchdog.ProfileStatus, 0, len(names))
	for _, name := range names {
		list = append(list, profile(now, name, failover.Available, 10, 20))
	}
	p := pool(`<b>main</b>`, failover.PoolOK, names[2]+" is first of 9 that can serve", list...)
	p.Pinned = &watchdog.PinStatus{Profile: names[2]}
	w.Status.Pools = []watchdog.PoolStatus{p}
	w.Host = `<i>srv1</i>`
	w.Warnings = []string{`<a href="javascript:alert(5)">press</a>`}
	w.Logins = []relogin.Status{{Agent: p.Agent, Provider: "openai", URL: "javascript:alert(6)", Code: "<u>A</u>", Since: now}}
	w.History.Switches = []journal.Switch{{At: now.Add(-time.Hour), Agent: p.Agent, Provider: "openai", From: names[0], To: names[2], Order: p.Order, Reason: names[1] + " is low"}}
	return w
}

// crowd is n accounts and a week of switches.
func crowd(now time.Time, n int) page.World {
	w := quiet(now)
	list := make([]watchdog.ProfileStatus, 0, n)
	for i := range n {
		list = append(list, profile(now, fmt.Sprintf("openai:person%03d@example.com", i), failover.Available, float64(i*100/n), 30))
	}
	p := pool("main", failover.PoolOK, list[0].ID+" is first of 50 that can serve", list...)
	w.Status.Pools = []watchdog.PoolStatus{p}
	w.Why = []watchdog.PoolWhy{{Agent: "main", Provider: "openai"}}
	for _, pr := range list {
		w.Why[0].Profiles = append(w.Why[0].Profiles, watchdog.ProfileWhy{ID: pr.ID, AsksNext: at(now, 20*time.Second)})
	}
	for i := range 7 * 24 {
		w.History.Switches = append(w.History.Switches, journal.Switch{
			At: now.Add(time.Duration(i-7*24) * time.Hour), Agent: "main", Provider: "openai", By: journal.ByOcwatch,
			From: p.Order[i%n], To: p.Order[(i+1)%n], Order: p.Order, Reason: p.Order[i%n] + " is low: 5h window 95 % used",
		})
	}
	return w
}

func deviceLogin(now time.Time) relogin.Status {
	return relogin.Status{
		Agent: "main", Provider: "openai", Since: now.Add(-time.Minute), URL: "https://auth.example.com/codex/device", Code: "ABCD-12345", ExpiresAt: at(now, 14*time.Minute),
	}
}

func pool(agent string, state failover.PoolState, reason string, list ...watchdog.ProfileStatus) watchdog.PoolStatus {
	p := watchdog.PoolStatus{Agent: agent, Provider: "openai", State: state, Reason: reason, OrderSource: "stored", Profiles: list}
	for _, pr := range list {
		p.Order = append(p.Order, pr.ID)
	}
	return p
}

func profile(now time.Time, id string, state failover.State, fiveHours, weekly float64) watchdog.ProfileStatus {
	window := func(name string, used float64, resets time.Duration) watchdog.WindowStatus {
		return watchdog.WindowStatus{Window: quota.Window{Name: name, UsedPercent: quota.Percent(used), ResetsAt: now.Add(resets)}}
	}
	return watchdog.ProfileStatus{
		ID: id, State: state, Plan: "plus", ProbedAt: at(now, -40*time.Second), Source: quota.FromUsage, Verdict: quota.OK,
		Windows: []watchdog.WindowStatus{window(quota.FiveHour, fiveHours, 2*time.Hour), window(quota.Weekly, weekly, 80*time.Hour)},
	}
}

// week is what a journal kept of seven days.
func week(now time.Time) page.History {
	day := 24 * time.Hour
	change := func(ago time.Duration, from, to, reason string, by string) journal.Switch {
		return journal.Switch{At: now.Add(-ago), Agent: "main", Provider: "openai", From: from, To: to, Order: []string{to, from}, Reason: reason, By: by}
	}
	return page.History{
		Known: now.Add(-6 * day),
		Switches: []journal.Switch{
			change(5*day, alice, bob, alice+" is low: 5h window 95 % used", journal.ByOcwatch),
			change(4*day, bob, carol, bob+" is low: 5h window 96 % used", journal.ByOcwatch),
			change(50*time.Hour, carol, bob, "its windows were reset", journal.ByOcwatch),
			change(26*time.Hour, bob, alice, "asked for by a person", journal.ByPerson),
		},
		Episodes: []journal.Episode{{Kind: journal.EpisodeDepleted, Agent: "main", Provider: "openai", Since: now.Add(-60 * time.Hour), Until: now.Add(-55 * time.Hour), Reason: "all 3 openai accounts are spent"}},
		Restarts: []journal.Restart{{At: now.Add(-20 * time.Hour), OK: true, Took: 9 * time.Second, Reason: "the gateway did not take the order"}},
		Logins:   []journal.Login{{At: now.Add(-55 * time.Hour), Agent: "main", Provider: "openai", Profile: bob, Outcome: journal.LoginCompleted, Reason: "proved"}},
	}
}

func at(now time.Time, d time.Duration) *time.Time {
	t := now.Add(d)
	return &t
}
