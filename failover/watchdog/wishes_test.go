package watchdog

import (
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"
)

// TestPause: nothing is changed until the end, over a restart of ocwatch, and
// what was withheld is done then.
func TestPause(t *testing.T) {
	t.Parallel()
	bubble(t, abc, func(t *testing.T, w *world) {
		t.Helper()
		p := w.born(t, paced()).run()
		time.Sleep(time.Minute)
		p.dog.Pause(t.Context(), time.Now().Add(2*time.Hour), "moving house")
		w.say("alice", spent(10*time.Hour))
		time.Sleep(30 * time.Minute)
		p.stop()
		p = w.born(t, paced()).run()
		time.Sleep(30 * time.Minute)
		s := p.dog.Status()
		if !s.Paused || s.PausedUntil == nil || s.PausedReason != "moving house" || w.did() != "" {
			t.Errorf("after an hour: paused %v until %v, did %q", s.Paused, s.PausedUntil, w.did())
		}
		if !strings.HasSuffix(s.Pools[0].Reason, "; ocwatch is paused") || w.news() != "profile.exhausted:alice" {
			t.Errorf("reason %q, told %q", s.Pools[0].Reason, w.news())
		}
		time.Sleep(time.Hour + 2*time.Minute)
		if got := w.did(); got != "main: bob carol alice" || p.dog.Status().Paused || w.disk.has(pauseKey) {
			t.Errorf("after its end: did %q", got)
		}
		p.stop()
	})
}

// TestPauseBeginsNoLogin: a depleted pool is told of with the command alone.
func TestPauseBeginsNoLogin(t *testing.T) {
	t.Parallel()
	bubble(t, abc, func(t *testing.T, w *world) {
		t.Helper()
		p := w.born(t, paced()).run()
		time.Sleep(time.Minute)
		p.dog.Pause(t.Context(), time.Time{}, "")
		for _, id := range abc {
			w.say(id, spent(10*time.Hour))
		}
		time.Sleep(30 * time.Minute)
		if w.codes != 0 || !strings.Contains(w.news(), "pool.depleted:login") || w.did() != "" {
			t.Errorf("%d codes, told %q, did %q", w.codes, w.news(), w.did())
		}
		if !p.dog.Resume(t.Context()) || p.dog.Status().Paused || w.disk.has(pauseKey) {
			t.Error("still paused")
		}
		if p.dog.Resume(t.Context()) {
			t.Error("resumed twice")
		}
		p.stop()
	})
}

// TestForce: a person's switch is in force at once, outlives ocwatch and ends
// by itself; the history has it as a person's.
func TestForce(t *testing.T) {
	t.Parallel()
	bubble(t, abc, func(t *testing.T, w *world) {
		t.Helper()
		p := w.born(t, paced()).run()
		time.Sleep(time.Minute)
		if f, err := p.dog.Force(t.Context(), "", "carol", time.Now().Add(2*time.Hour)); err != nil || f.Was != "" {
			t.Fatal(f, err)
		}
		if f, err := p.dog.Force(t.Context(), "", "carol", time.Now().Add(2*time.Hour)); err != nil || f.Was != "carol" {
			t.Fatal(f, err)
		}
		time.Sleep(5 * time.Second)
		synctest.Wait()
		if got := w.order(); got != "carol alice bob" || w.disk.switches[0].By != "person" {
			t.Fatalf("order %q, history %+v", got, w.disk.switches)
		}
		p.stop()
		p = w.born(t, paced()).run()
		w.say("carol", used(97))
		time.Sleep(time.Hour)
		if pin := p.dog.Status().Pools[0].Pinned; w.order() != "carol alice bob" || pin == nil || pin.Profile != "carol" {
			t.Errorf("after an hour: order %q, %+v", w.order(), pin)
		}
		time.Sleep(time.Hour + 2*time.Minute)
		if w.order() != "alice bob carol" || p.dog.Status().Pools[0].Pinned != nil || w.disk.has(pinKey(poolKey("main", "openai"))) {
			t.Errorf("after its end: order %q", w.order())
		}
		if by := w.disk.switches[1].By; by != "ocwatch" {
			t.Errorf("the return is by %q", by)
		}
		p.stop()
	})
}

func TestForceRefuses(t *testing.T) {
	t.Parallel()
	for _, tc := range []struct {
		name, agent, profile, want string
	}{
		{"unknown", "", "dave", `openclaw has no profile "dave": it is one of alice, bob, carol`},
		{"another agent", "work", "alice", `no profile of an agent "work" is known`},
		{"dead", "", "bob", "bob needs a login (revoked): ocwatch login --provider openai"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			bubble(t, abc, func(t *testing.T, w *world) {
				t.Helper()
				w.say("bob", verdict("revoked"))
				p := w.born(t, brisk())
				p.rounds(2)
				did := w.did()
				if _, err := p.dog.Force(t.Context(), tc.agent, tc.profile, time.Time{}); err == nil || !strings.Contains(err.Error(), tc.want) {
					t.Errorf("%v, want %q", err, tc.want)
				}
				p.rounds(1)
				if w.did() != did {
					t.Errorf("did %q", w.did())
				}
			})
		})
	}
}

// TestWhy: the evidence, the rule and what would change it.
func TestWhy(t *testing.T) {
	t.Parallel()
	bubble(t, abc, func(t *testing.T, w *world) {
		t.Helper()
		w.say("alice", used(96))
		w.say("bob", spent(3*time.Hour))
		p := w.born(t, paced())
		p.rounds(2)
		why := p.dog.Why()
		if len(why.Pools) != 1 || len(why.Pools[0].Profiles) != 3 {
			t.Fatalf("%+v", why)
		}
		want := map[string][2]string{
			"alice": {"low, from 95 % used on", "comes back below 80 % used, or after the reset ("},
			"bob":   {"spent: behind those that can serve", "when its quota is back ("},
			"carol": {"available: in the order of preference", "from 95 % used on it is left"},
		}
		for _, pr := range why.Pools[0].Profiles {
			if !strings.HasPrefix(pr.Rule, want[pr.ID][0]) || !strings.HasPrefix(pr.Change, want[pr.ID][1]) || pr.Usage == nil || pr.AsksNext == nil {
				t.Errorf("%+v", pr)
			}
			if (pr.OpenUntil != nil) != (pr.ID == "bob") {
				t.Errorf("%s: breaker open until %v", pr.ID, pr.OpenUntil)
			}
		}
	})
}

// TestWhyWaitsForNoRound: a round takes as long as the slowest provider, and
// who asks why meanwhile is answered from the last one.
func TestWhyWaitsForNoRound(t *testing.T) {
	t.Parallel()
	w := newWorld(abc...)
	p := w.born(t, brisk())
	p.dog.Round(p.ctx)
	p.dog.round.Lock()
	defer p.dog.round.Unlock()
	answer := make(chan Why, 1)
	go func() { answer <- p.dog.Why() }()
	select {
	case why := <-answer:
		if len(why.Pools) != 1 || len(why.Pools[0].Profiles) != 3 || why.At.IsZero() {
			t.Errorf("%+v", why)
		}
	case <-time.After(10 * time.Second):
		t.Fatal("no answer while a round is under way")
	}
}

// TestWhyForgetsWhatIsOver: between rounds a breaker's time passes.
func TestWhyForgetsWhatIsOver(t *testing.T) {
	t.Parallel()
	bubble(t, abc, func(t *testing.T, w *world) {
		t.Helper()
		w.say("bob", spent(10*time.Minute))
		p := w.born(t, brisk())
		p.rounds(1)
		until := func() *time.Time {
			why := p.dog.Why().Pools[0].Profiles
			return why[slices.IndexFunc(why, func(pr ProfileWhy) bool { return pr.ID == "bob" })].OpenUntil
		}
		if until() == nil {
			t.Error("the breaker is not shown")
		}
		time.Sleep(10 * time.Minute)
		if at := until(); at != nil {
			t.Errorf("the breaker is open until %s, which is past", at)
		}
	})
}
