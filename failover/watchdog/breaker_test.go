package watchdog

import (
	"testing"
	"time"

	"github.com/ocwatch/ocwatch/failover"
)

// A breaker goes on where the life before left it: until when it is open, how
// often in a row the provider was not reached, and how far its backoff is.
func TestBreakersOutliveOcwatch(t *testing.T) {
	t.Parallel()
	bubble(t, abc, func(t *testing.T, w *world) {
		t.Helper()
		state := func(p *process, id string) failover.BreakerState { return p.dog.accounts["acct-"+id].breaker.State() }
		w.say("alice", spent(3*time.Hour))
		p := w.born(t, steady())
		p.rounds(1)
		p.meddling(always("probe", failBefore))
		p.rounds(2)
		alice, bob := state(p, "alice"), state(p, "bob")
		if got := alice.OpenUntil.Sub(start()); got != 3*time.Hour {
			t.Fatalf("alice is open for %s: %+v", got, alice)
		}
		if bob.Failures != 2 {
			t.Fatalf("bob was not reached %d times", bob.Failures)
		}

		p = w.awake(t, steady())
		p.meddling(always("probe", failBefore))
		if got := state(p, "alice"); !got.OpenUntil.Equal(alice.OpenUntil) || !got.AskedAt.Equal(alice.AskedAt) {
			t.Errorf("alice was %+v, and is %+v", alice, got)
		}
		p.rounds(1)
		if got := state(p, "alice"); !got.AskedAt.Equal(alice.AskedAt) {
			t.Errorf("alice was asked although her breaker is open: %+v", got)
		}
		opened := state(p, "bob")
		if opened.Failures != 3 || opened.Trips != 1 || !opened.OpenUntil.After(time.Now().Add(-time.Minute)) {
			t.Errorf("the third failure did not open bob's breaker: %+v", opened)
		}

		p = w.awake(t, steady())
		p.meddling(always("probe", failBefore))
		time.Sleep(5 * time.Minute)
		p.rounds(1)
		if got := state(p, "bob"); got.Trips != 2 {
			t.Errorf("bob's backoff began anew: %+v", got)
		}
	})
}
