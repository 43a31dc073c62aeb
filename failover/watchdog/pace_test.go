package watchdog

import (
	"testing"
	"time"

	"github.com/ocwatch/ocwatch/internal/quota"
	"github.com/ocwatch/ocwatch/probe"
	"github.com/ocwatch/ocwatch/profiles"
)

// TestRoundsAreNotHammered: whatever the world is like, OpenClaw's store is
// read about once a minute, and an account is asked no more often than its
// provider likes. The first minutes of each case are the change itself.
func TestRoundsAreNotHammered(t *testing.T) {
	t.Parallel()
	for _, tc := range []struct {
		name  string
		world func(w *world)
		asks  int // of alice in an hour, at most
	}{
		{"healthy", func(*world) {}, 70},
		{"nearly spent", func(w *world) { w.say("alice", used(93)) }, 140},
		{"spent without a known end", func(w *world) { w.say("alice", verdict(quota.Exhausted)) }, 15},
		{"spent for long", func(w *world) { w.say("alice", spent(100*time.Hour)) }, 15},
		{"revoked", func(w *world) { w.say("alice", verdict(quota.Revoked)) }, 15},
		{"billing", func(w *world) { w.say("alice", verdict(quota.Billing)) }, 15},
		{"unreachable", func(w *world) { w.say("alice", verdict(quota.Unreachable)) }, 70},
		{"unsupported", func(w *world) { w.say("alice", verdict(quota.Unsupported)) }, 2},
		{"throttled", func(w *world) { w.say("alice", verdict(quota.Throttled)) }, 14},
		{"everything spent", func(w *world) {
			for _, id := range abc {
				w.say(id, spent(100*time.Hour))
			}
		}, 15},
		{"an agent's store cannot be read", func(w *world) {
			w.add("work", "dave", "erin")
			w.say("dave", spent(20*time.Minute))
		}, 70},
		{"an order is refused for ever", func(w *world) { w.say("alice", used(96)) }, 140},
	} {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			bubble(t, abc, func(t *testing.T, w *world) {
				t.Helper()
				tc.world(w)
				p := w.born(t, paced())
				if tc.name == "an order is refused for ever" {
					p.meddle = always("order", failBefore)
				}
				p.run()
				time.Sleep(10 * time.Minute)
				w.with(func() {
					if len(w.pools) > 1 {
						w.hidden["work"], w.problems = true, []profiles.Problem{{Agent: "work", What: "busy", Reason: profiles.Busy}}
					}
					w.looks, w.asked = 0, map[string]int{}
				})
				time.Sleep(time.Hour)
				p.stop()
				// A round a minute, one more for accounts with times of their
				// own, and a second look before each attempt to act.
				if w.looks > 250 {
					t.Errorf("OpenClaw was read %d times in an hour", w.looks)
				}
				if n := w.askedOf("alice"); n > tc.asks || n == 0 && tc.asks > 2 {
					t.Errorf("alice was asked %d times in an hour", n)
				}
			})
		})
	}
}

// TestBlocksKeepToTheBudget: OpenClaw is refused and records it over and over,
// each time something else. However often that is, no account is asked more in
// any hour than its endpoint allows, which others use, too.
func TestBlocksKeepToTheBudget(t *testing.T) {
	t.Parallel()
	for _, provider := range []string{"anthropic", "openai"} {
		for name, used := range map[string]func(hours float64) float64{
			"idle":         func(float64) float64 { return 20 },
			"nearly spent": func(float64) float64 { return 94 },
			"filling":      func(hours float64) float64 { return min(99, 40*hours) },
		} {
			t.Run(provider+" "+name, func(t *testing.T) {
				t.Parallel()
				bubble(t, []string{"alice"}, func(t *testing.T, w *world) {
					t.Helper()
					w.pools[0].Provider, w.pools[0].Profiles[0].Provider = provider, provider
					var asked []time.Time
					w.live = func(_ string, now time.Time) quota.Reading {
						asked = append(asked, now)
						return quota.Reading{Verdict: quota.OK, Windows: []quota.Window{
							{Name: quota.FiveHour, UsedPercent: quota.Percent(used(now.Sub(start()).Hours())), ResetsAt: start().Add(5 * time.Hour)},
						}}
					}
					cfg, pacer := paced(), probe.NewPacer()
					cfg.Next = func(now time.Time, a probe.Account, last quota.Reading, random float64) time.Time {
						return pacer.Next(now, a, last, probe.Watch{}, random)
					}
					p := w.born(t, cfg).run()
					for range 4 * 180 {
						time.Sleep(20 * time.Second)
						w.with(func() { w.pools[0].Profiles[0].Block.Until = time.Now().Add(30 * time.Second) })
						p.dog.Wake()
					}
					p.stop()
					budget := probe.PaceOf(provider, string(profiles.OAuth)).Hourly
					for i := budget; i < len(asked); i++ {
						if d := asked[i].Sub(asked[i-budget]); d < time.Hour {
							t.Fatalf("%d questions within %s, the budget is %d an hour", budget+1, d, budget)
						}
					}
					if len(asked) < 3*budget {
						t.Errorf("%d questions in four hours: a refusal is not looked at", len(asked))
					}
				})
			})
		}
	}
}
