package watchdog

import (
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/robfig/cron/v3"

	"github.com/ocwatch/ocwatch/failover"
	"github.com/ocwatch/ocwatch/internal/quota"
	"github.com/ocwatch/ocwatch/probe"
)

// TestRun: one round at once, then by the schedule, and a farewell.
func TestRun(t *testing.T) {
	t.Parallel()
	bubble(t, abc, func(t *testing.T, w *world) {
		t.Helper()
		cfg := brisk()
		cfg.Schedule = cron.Every(10 * time.Minute)
		cfg.Next = func(now time.Time, _ probe.Account, _ quota.Reading, _ float64) time.Time { return now.Add(time.Hour) }
		p := w.born(t, cfg).run()
		synctest.Wait()
		if len(p.beaten()) != 1 || p.dog.Status().Pools == nil {
			t.Fatalf("%d rounds at the start", len(p.beaten()))
		}
		time.Sleep(time.Hour + time.Second)
		if len(p.beaten()) < 7 || len(p.beaten()) > 8 { // and one where alice's hour is over
			t.Errorf("%d rounds in an hour of ten-minute rounds", len(p.beaten()))
		}
		before := time.Now()
		p.stop()
		if took := time.Since(before); took != 0 {
			t.Errorf("stopping took %s", took)
		}
		if got := strings.Join(w.disk.told(), " "); got != "watchdog.started watchdog.stopped" {
			t.Errorf("told %q", got)
		}
	})
}

// TestRunWakes: a wake brings a round at once, and many within MinGap bring one.
func TestRunWakes(t *testing.T) {
	t.Parallel()
	bubble(t, abc, func(t *testing.T, w *world) {
		t.Helper()
		cfg := brisk()
		cfg.Schedule, cfg.MinGap = cron.Every(time.Hour), 10*time.Second
		cfg.Next = func(now time.Time, _ probe.Account, _ quota.Reading, _ float64) time.Time { return now.Add(time.Hour) }
		p := w.born(t, cfg).run()
		time.Sleep(time.Minute)
		for range 100 {
			p.dog.Wake()
		}
		synctest.Wait()
		if len(p.beaten()) != 2 {
			t.Errorf("%d rounds after a wake", len(p.beaten()))
		}
		for range 90 {
			p.dog.Wake()
			time.Sleep(time.Second)
		}
		p.stop()
		if n := len(p.beaten()); n < 10 || n > 12 {
			t.Errorf("%d rounds: MinGap does not hold", n)
		}
	})
}

// TestReload: a new policy and a new schedule hold from the next round on.
func TestReload(t *testing.T) {
	t.Parallel()
	bubble(t, abc, func(t *testing.T, w *world) {
		t.Helper()
		slow := paced()
		slow.Schedule, slow.Jitter = cron.Every(6*time.Hour), 0
		slow.Next = func(now time.Time, _ probe.Account, _ quota.Reading, _ float64) time.Time {
			return now.Add(6 * time.Hour)
		}
		w.say("alice", used(70))
		p := w.born(t, slow).run()
		time.Sleep(time.Minute)
		if w.did() != "" {
			t.Fatal(w.did())
		}
		cfg := paced()
		cfg.Policy = func(string) failover.Policy {
			pol := failover.DefaultPolicy()
			pol.SwitchAt, pol.ReturnBelow = 60, 50
			return pol
		}
		p.dog.Reload(cfg)
		synctest.Wait()
		if got := w.did(); got != "main: bob carol alice" {
			t.Errorf("right after the reload: %q", got)
		}
		w.with(func() { w.asked, w.looks = map[string]int{}, 0 })
		time.Sleep(20 * time.Minute)
		if n := w.askedOf("bob"); n < 15 || n > 25 {
			t.Errorf("the new pace does not hold: asked %d times in 20 minutes", n)
		}
		p.stop()
	})
}

// TestPanics: a panic anywhere in a round, a probe or a restart ends neither
// the watch nor an account's or a restart's turn for ever. A round that
// panicked feeds no watchdog.
func TestPanics(t *testing.T) {
	t.Parallel()
	for _, effect := range []string{"snapshot", "probe", "health", "commit", "order", "restart"} {
		t.Run(effect, func(t *testing.T) {
			t.Parallel()
			bubble(t, abc, func(t *testing.T, w *world) {
				t.Helper()
				w.deaf = true
				w.live = func(account string, now time.Time) quota.Reading {
					if account == "acct-alice" {
						return spentUntil(now, start().Add(3*time.Hour))
					}
					return used(10)
				}
				p := w.born(t, paced())
				var panics atomic.Int32
				var count atomic.Bool
				p.meddle = func(e string) fault {
					if e == effect && count.Load() && panics.Add(1) <= 5 {
						panic("a planted bug in " + effect)
					}
					return none
				}
				if effect == "order" || effect == "restart" {
					count.Store(true)
				}
				p.run()
				// Alice's breaker is half-open when it is asked again: a probe
				// that is lost then must not be the last one. Orders and
				// restarts are only wanted at the start.
				time.Sleep(4 * time.Minute)
				count.Store(true)
				beats := len(p.beaten())
				p.dog.Wake()
				synctest.Wait()
				if effect != "order" && effect != "restart" && len(p.beaten()) > beats {
					t.Error("a round that panicked fed the watchdog of systemd")
				}
				time.Sleep(12 * time.Minute)
				if panics.Load() == 0 {
					t.Fatal("nothing panicked")
				}
				time.Sleep(3 * time.Hour)
				p.stop()
				if got := w.order(); got != "alice bob carol" || w.gatewayOrder() != got {
					t.Errorf("order %q, the gateway's %q; did %q", got, w.gatewayOrder(), w.did())
				}
				news := strings.NewReplacer(" gateway.down", "", ":gateway.down", "").Replace(w.news())
				if want := "profile.exhausted:alice pool.switched gateway.restarted profile.recovered:alice pool.switched gateway.restarted"; news != want {
					t.Errorf("told %q", news)
				}
			})
		})
	}
}

// TestStopsInTime: whatever hangs, the end of the context ends Run, and the
// next life finds the world as it is.
func TestStopsInTime(t *testing.T) {
	t.Parallel()
	for _, effect := range []string{"snapshot", "probe", "health", "commit", "order", "idle", "restart", "load", "past"} {
		t.Run(effect, func(t *testing.T) {
			t.Parallel()
			bubble(t, abc, func(t *testing.T, w *world) {
				t.Helper()
				cfg := brisk()
				cfg.Restart = RestartIdle
				w.say("alice", used(96))
				p := w.born(t, cfg)
				p.meddle = on(effect, 1, func() fault { return hang })
				p.run()
				time.Sleep(10 * time.Minute)
				began := time.Now()
				p.stop()
				if took := time.Since(began); took > 3*time.Second {
					t.Errorf("stopping took %s", took)
				}
				if effect == "health" && w.did() != "" {
					t.Errorf("what the journal does not know of was done: %q", w.did())
				}
				next := w.born(t, cfg).run()
				time.Sleep(5 * time.Minute)
				next.stop()
				if w.order() != "bob carol alice" || w.gatewayOrder() != "bob carol alice" || len(w.restarts) != 1 {
					t.Errorf("did %q", w.did())
				}
				if n := strings.Count(w.news(), "pool.switched"); n != 1 {
					t.Errorf("told %q", w.news())
				}
			})
		})
	}
}

// TestLoad: a document that cannot be read costs its own pool or account the
// memory, and nothing else.
func TestLoad(t *testing.T) {
	t.Parallel()
	bubble(t, abc, func(t *testing.T, w *world) {
		t.Helper()
		for _, id := range abc {
			w.say(id, spent(10*time.Hour))
		}
		w.add("work", "dave", "erin")
		w.say("dave", used(96))
		w.awake(t, brisk()).rounds(3)
		told := w.news()
		w.with(func() {
			w.disk.docs["pool/work/openai"] = []byte(`{"seen":7}`)
			w.disk.docs["account/acct-erin"] = []byte(`[]`)
			w.disk.docs[restartKey] = []byte(`"soon"`)
			w.disk.docs["other/thing"] = []byte(`{"kept":true}`)
		})
		p := w.born(t, brisk()).run()
		time.Sleep(5 * time.Minute)
		p.stop()
		if got := strings.TrimPrefix(w.news(), told); got != " profile.low:dave" {
			t.Errorf("told anew %q", got)
		}
		if got := w.did(); got != "work: erin dave" {
			t.Errorf("did %q", got)
		}
		if string(w.disk.docs["other/thing"]) != `{"kept":true}` {
			t.Error("a document of somebody else was touched")
		}
	})
}

// TestStatusBeforeTheFirstRound: remembered pools that were not seen yet are
// no pools to show.
func TestStatusBeforeTheFirstRound(t *testing.T) {
	t.Parallel()
	bubble(t, abc, func(t *testing.T, w *world) {
		t.Helper()
		w.awake(t, brisk()).rounds(1)
		p := w.awake(t, brisk())
		p.meddle = on("snapshot", 1, func() fault { return failBefore })
		p.rounds(1)
		if s := p.dog.Status(); len(s.Pools) != 0 || len(s.Problems) != 1 {
			t.Errorf("status %+v", s)
		}
		p.rounds(1)
		if s := p.dog.Status(); len(s.Pools) != 1 || len(s.Problems) != 0 {
			t.Errorf("status %+v", s)
		}
	})
}

// start is when every bubble begins.
func start() time.Time { return time.Date(2000, 1, 1, 0, 0, 0, 0, time.UTC) }

func spentUntil(now, until time.Time) quota.Reading {
	if !now.Before(until) {
		return used(1)
	}
	r := verdict(quota.Exhausted)
	r.Until = until
	return r
}
