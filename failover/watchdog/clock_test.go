package watchdog

import (
	"encoding/json"
	"maps"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/ocwatch/ocwatch/failover"
	"github.com/ocwatch/ocwatch/internal/quota"
)

// TestOutage: an hour without a network is blindness, and changes nothing.
func TestOutage(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		s := newSim(abc, 10*time.Minute, office(0.3))
		s.begin(t)
		s.overPipes(t)
		s.p.run()
		s.pass(10 * time.Hour)
		s.net.setCut(true)
		s.pass(time.Hour)
		if st := s.p.pool("main"); st.State != failover.PoolBlind || !strings.Contains(st.Reason, "the order is kept") {
			t.Errorf("state %s: %s", st.State, st.Reason)
		}
		s.net.setCut(false)
		s.pass(time.Hour)
		if st := s.p.pool("main"); st.State != failover.PoolOK {
			t.Errorf("an hour later: state %s: %s", st.State, st.Reason)
		}
		s.p.stop()
		if got := s.news(); got != "watchdog.blind watchdog.started:watchdog.blind" || s.did() != "" {
			t.Errorf("told %q, did %q", got, s.did())
		}
	})
}

// TestSuspended: the machine sleeps for nine hours in the middle of a round.
// What was true before is not acted on, and what is true now soon is.
func TestSuspended(t *testing.T) {
	t.Parallel()
	for _, asleep := range []string{"snapshot", "probe", "commit"} {
		t.Run(asleep, func(t *testing.T) {
			t.Parallel()
			bubble(t, abc, func(t *testing.T, w *world) {
				t.Helper()
				w.say("alice", spent(5*time.Hour))
				w.say("bob", spent(6*time.Hour))
				p := w.born(t, paced())
				p.meddle = on(asleep, 12, func() fault {
					time.Sleep(9 * time.Hour)
					w.with(func() { w.says, w.looks = nil, 0 }) // all is well again
					return none
				})
				p.run()
				time.Sleep(9*time.Hour + 20*time.Minute)
				p.stop()
				if got := w.did(); got != "main: carol alice bob; main: alice carol bob" && got != "main: carol alice bob; main: alice bob carol" {
					t.Errorf("did %q", got)
				}
				want := "profile.exhausted:alice profile.exhausted:bob pool.switched profile.recovered:alice profile.recovered:bob pool.switched"
				if got := strings.Fields(w.news()); !slices.Equal(sorted(got), sorted(strings.Fields(want))) {
					t.Errorf("told %q", got)
				}
				if w.looks > 60 {
					t.Errorf("%d looks in the first minutes awake", w.looks)
				}
			})
		})
	}
}

// TestClockSetBack: times in the journal from a clock that was years ahead
// hold nothing up: no question, no switch, no second attempt.
func TestClockSetBack(t *testing.T) {
	t.Parallel()
	for _, tc := range []struct {
		name  string
		fault fault   // of setting an order, while the clock was ahead
		alice float64 // used, once it is right
		order string  // before and after
	}{
		{"after a switch", none, 10, "bob alice carol; alice bob carol"},
		{"after an order that could not be set", failBefore, 96, "alice bob carol; bob alice carol"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			before, after, _ := strings.Cut(tc.order, "; ")
			var docs map[string]json.RawMessage
			bubble(t, abc, func(t *testing.T, w *world) {
				t.Helper()
				time.Sleep(10 * 365 * 24 * time.Hour)
				w.say("alice", used(96))
				w.say("carol", verdict(quota.Exhausted))
				p := w.born(t, paced())
				p.meddle = always("order", tc.fault)
				p.run()
				time.Sleep(10 * time.Minute)
				p.stop()
				docs = maps.Clone(w.disk.docs)
				if got := w.order(); got != before {
					t.Fatalf("with the clock ahead the order is %q", got)
				}
			})
			bubble(t, abc, func(t *testing.T, w *world) {
				t.Helper()
				w.disk.docs, w.pools[0].Order = docs, strings.Fields(before)
				w.say("alice", used(tc.alice))
				p := w.born(t, paced()).run()
				time.Sleep(20 * time.Minute)
				p.stop()
				for _, id := range abc {
					if n := w.askedOf(id); n < 3 {
						t.Errorf("%s was asked %d times in twenty minutes", id, n)
					}
				}
				if got := w.order(); !strings.HasPrefix(got, after[:3]) {
					t.Errorf("order %q; %s", got, p.pool("main").Reason)
				}
			})
		})
	}
}
