package watchdog

import (
	"strings"
	"testing"
	"time"
)

// TestRestartEndsLogin: a login under way is work to the gateway. A restart does
// not wait for it, and who was told of its code hears that it is void.
func TestRestartEndsLogin(t *testing.T) {
	t.Parallel()
	for _, tc := range []struct {
		name    string
		code    time.Duration // how long one takes
		restart time.Duration // how long a restart takes
		wanted  time.Duration // when one is wanted, after the pool is seen to be spent
		news    string
	}{
		{"a code that was told", 0, 20 * time.Second, 5 * time.Minute, "pool.depleted:login:CODE-1 login.failed gateway.restarted"},
		{"a code on its way: there is another one after the restart", 15 * time.Second, 20 * time.Second, 10 * time.Second, "gateway.restarted pool.depleted:login:CODE-1"},
		{"a code that is wanted during the restart comes after it", 0, time.Minute, -10 * time.Second, "gateway.restarted pool.depleted:login:CODE-1"},
		{"a restart that takes long costs the code, not the message", 0, 5 * time.Minute, -10 * time.Second, "pool.depleted:login gateway.restarted"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			bubble(t, abc, func(t *testing.T, w *world) {
				t.Helper()
				w.yields, w.promptIn, w.restart = true, tc.code, tc.restart
				p := w.relaying(t, steady()).run()
				time.Sleep(time.Second)
				w.spend()
				time.Sleep(59*time.Second + tc.wanted) // the accounts are asked at a minute
				p.wantRestart()
				began := time.Now()
				time.Sleep(15 * time.Minute)
				p.stop()
				got := w.news()
				for _, gone := range append(strings.Fields(spentAll), "pool.switched") {
					got = strings.ReplaceAll(got, gone+" ", "")
				}
				if got != tc.news {
					t.Errorf("told %q, want %q", got, tc.news)
				}
				if len(w.restarts) != 1 || w.restarts[0].Sub(began) > tc.restart+30*time.Second {
					t.Errorf("wanted at %s, restarted at %v", began, w.restarts)
				}
			})
		})
	}
}

// wantRestart has the watchdog want one, as after a switch that the gateway does
// not see.
func (p *process) wantRestart() {
	p.dog.round.Lock()
	p.dog.restarts.pending = &wanted{Reason: "a switch"}
	p.dog.round.Unlock()
	p.dog.Wake()
}
