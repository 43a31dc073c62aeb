package watchdog

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/robfig/cron/v3"

	"github.com/ocwatch/ocwatch/internal/journal"
	"github.com/ocwatch/ocwatch/internal/quota"
	"github.com/ocwatch/ocwatch/probe"
)

// story is what happens to three accounts within twenty minutes: alice runs low
// and is left, everything is spent, quota comes back, and so does alice.
func story(account string, now time.Time) quota.Reading {
	minute := int(now.Sub(start()) / time.Minute)
	switch {
	case minute < 2 || minute >= 12:
		return used(10)
	case minute < 6:
		if account == "acct-alice" {
			return used(96)
		}
		return used(30)
	default:
		back := map[string]time.Duration{"acct-alice": 12 * time.Minute, "acct-bob": 3 * time.Hour, "acct-carol": 4 * time.Hour}
		return spentUntil(now, start().Add(back[account]))
	}
}

const storyLength = 20 * time.Minute

// outcome is what the story left behind.
type outcome struct {
	did      string
	told     []string
	restarts int
	effects  int
	wrong    []string
}

// TestCrashes lets the n-th effect of the story fail, or ocwatch die before or
// after it, for n = 1, 2, 3 … until the story is over before the n-th effect.
// Whatever n is, the order that was right without a fault is in force at the
// end, in the store and in the gateway, each event was queued exactly once, and
// there is at most one restart more than without.
//
// Two things are not in one transaction with what they tell of: a restart, so
// death between it and its entry repeats it; and a journal's answer, so a switch
// is listed twice where the journal stored it and said that it did not.
func TestCrashes(t *testing.T) {
	t.Parallel()
	calm := tell(t, none, 0)
	if len(calm.wrong) > 0 || calm.restarts != 2 {
		t.Fatal(calm)
	}
	want := []string{
		"profile.low:alice", "pool.switched", "profile.exhausted:alice", "profile.exhausted:bob", "profile.exhausted:carol",
		"pool.depleted:wait", "profile.recovered:alice", "profile.recovered:bob", "profile.recovered:carol", "pool.recovered", "pool.switched",
	}
	if got := unrestarted(calm.told); !slices.Equal(sorted(got), sorted(want)) {
		t.Fatalf("without a fault it tells %q", got)
	}
	for name, f := range map[string]fault{
		"fails": failBefore, "works and says it failed": failAfter, "dies before": dieBefore, "dies after": dieAfter,
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			for n := 1; n <= calm.effects; n++ {
				for _, problem := range tell(t, f, n).compare(calm) {
					t.Errorf("effect %d %s: %s", n, name, problem)
				}
			}
		})
	}
}

// tell plays the story with fault f at the n-th effect. A process that dies is
// started again half a minute later.
func tell(t *testing.T, f fault, n int) (o outcome) {
	t.Helper()
	bubble(t, abc, func(t *testing.T, w *world) {
		t.Helper()
		w.deaf, w.live, w.restart = true, story, 10*time.Second
		cfg := brisk()
		cfg.Schedule = cron.Every(2 * time.Minute)
		cfg.Next = func(now time.Time, _ probe.Account, _ quota.Reading, _ float64) time.Time {
			return now.Add(2 * time.Minute)
		}
		effects, at := 0, ""
		p := w.born(t, cfg)
		p.meddle = func(effect string) fault {
			w.mu.Lock()
			defer w.mu.Unlock()
			if effects++; effects == n {
				at = effect
				return f
			}
			return none
		}
		meddle := p.meddle
		p.run()
		for end := start().Add(storyLength); time.Now().Before(end); {
			select {
			case <-p.done:
				time.Sleep(30 * time.Second)
				p = w.born(t, cfg)
				p.meddle = meddle
				p.run()
			case <-time.After(time.Until(end)):
			}
		}
		p.stop()
		o = outcome{did: w.did(), told: strings.Fields(w.news()), restarts: len(w.restarts), effects: effects}
		if got := w.order(); got != "alice bob carol" || w.gatewayOrder() != got {
			o.wrong = append(o.wrong, fmt.Sprintf("order %q, the gateway's %q after %s; did %q", got, w.gatewayOrder(), at, o.did))
		}
		history := slices.CompactFunc(slices.Clone(w.disk.switches), func(a, b journal.Switch) bool { return a.To == b.To })
		if len(history) != 2 || history[0].To != "bob" || history[1].To != "alice" {
			o.wrong = append(o.wrong, fmt.Sprintf("history %+v after %s", history, at))
		}
		if got := w.disk.past(); got != "depleted" {
			o.wrong = append(o.wrong, fmt.Sprintf("episodes and logins %q after %s", got, at))
		}
		if _, ok := w.disk.docs[restartKey]; ok {
			o.wrong = append(o.wrong, "a restart is still wanted after "+at)
		}
	})
	return o
}

// compare lists what is not as it was without a fault.
func (o outcome) compare(calm outcome) []string {
	if o.restarts > calm.restarts+1 {
		o.wrong = append(o.wrong, fmt.Sprintf("%d restarts, %d without a fault", o.restarts, calm.restarts))
	}
	got, want := sorted(unrestarted(o.told)), sorted(unrestarted(calm.told))
	if !slices.Equal(got, want) {
		o.wrong = append(o.wrong, fmt.Sprintf("told %q, want %q", o.told, want))
	}
	if calm.restarts > 0 && !slices.Contains(o.told, "gateway.restarted") {
		o.wrong = append(o.wrong, "told of no restart")
	}
	return o.wrong
}

// unrestarted leaves out what a repeated or failed restart tells.
func unrestarted(told []string) []string {
	return slices.DeleteFunc(slices.Clone(told), func(e string) bool { return strings.HasPrefix(e, "gateway.") })
}

func sorted(list []string) []string {
	list = slices.Clone(list)
	slices.Sort(list)
	return list
}
