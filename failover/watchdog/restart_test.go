package watchdog

import (
	"strings"
	"testing"
	"time"
)

func TestRestarts(t *testing.T) {
	t.Parallel()
	const low = "profile.low:alice pool.switched"
	for _, tc := range []struct {
		name string
		when RestartWhen
		deaf bool
		play func(t *testing.T, w *world, p *process)
		did  string
		news string
	}{
		{"auto, and the gateway noticed by itself: none", RestartAuto, false, func(_ *testing.T, _ *world, p *process) {
			p.rounds(5)
		}, "main: bob carol alice", low},
		{"auto, and the gateway keeps the old order: one", RestartAuto, true, func(_ *testing.T, _ *world, p *process) {
			p.rounds(5)
		}, "main: bob carol alice; restart", low + " gateway.restarted"},
		{"always: one for each switch", RestartAlways, false, func(_ *testing.T, w *world, p *process) {
			p.rounds(10)
			w.say("alice", used(1))
			p.rounds(3)
		}, "main: bob carol alice; restart; main: alice bob carol; restart", low + " gateway.restarted profile.recovered:alice pool.switched gateway.restarted"},
		{"always: a change behind the first place needs none", RestartAlways, false, func(_ *testing.T, w *world, p *process) {
			w.say("alice", used(1))
			w.say("bob", spent(time.Hour))
			p.rounds(3)
		}, "main: alice carol bob", "profile.exhausted:bob"},
		{"idle: waits until nothing is active", RestartIdle, false, func(t *testing.T, w *world, p *process) {
			t.Helper()
			w.busy = true
			p.rounds(8)
			if len(w.restarts) > 0 {
				t.Error("restarted a gateway at work")
			}
			w.with(func() { w.busy = false })
			p.rounds(2)
		}, "main: bob carol alice; restart", low + " gateway.restarted"},
		{"idle: waits while it cannot be told", RestartIdle, false, func(t *testing.T, w *world, p *process) {
			t.Helper()
			p.meddle = always("idle", failBefore)
			p.rounds(8)
			if len(w.restarts) > 0 {
				t.Error("restarted blindly")
			}
		}, "main: bob carol alice", low},
		{"never: not even where the gateway keeps the old order", RestartNever, true, func(_ *testing.T, _ *world, p *process) {
			p.rounds(5)
		}, "main: bob carol alice", low},
		{"never by a reload: a wanted restart is dropped", RestartIdle, false, func(t *testing.T, w *world, p *process) {
			t.Helper()
			w.busy = true
			p.rounds(2)
			cfg := brisk()
			cfg.Restart = RestartNever
			p.dog.Reload(cfg)
			w.with(func() { w.busy = false })
			p.rounds(2)
			if _, ok := w.disk.docs[restartKey]; ok {
				t.Error("the wish is still in the journal")
			}
		}, "main: bob carol alice", low},
		{"a restart that fails once is tried again a minute later, and told once", RestartAuto, true, func(_ *testing.T, _ *world, p *process) {
			p.meddle = on("restart", 1, func() fault { return failBefore })
			p.rounds(5)
		}, "main: bob carol alice; restart", low + " gateway.down gateway.restarted:gateway.down"},
		{"a restart that always fails is told once", RestartAuto, true, func(t *testing.T, w *world, p *process) {
			t.Helper()
			p.meddle = always("restart", failBefore)
			p.rounds(30)
			if n := len(w.disk.restarts); n < 5 || n > 31 || w.disk.restarts[0].OK || w.disk.restarts[0].Err == "" {
				t.Errorf("%d attempts in the history: %+v", n, w.disk.restarts[0])
			}
		}, "main: bob carol alice", low + " gateway.down"},
		{"a restart wanted anew after one that failed alarms nobody again", RestartAuto, true, func(_ *testing.T, w *world, p *process) {
			p.meddle = always("restart", failBefore)
			p.rounds(3)
			w.say("bob", spent(time.Hour))
			p.rounds(5)
			p.meddling(nil)
			p.rounds(3)
		}, "main: bob carol alice; main: carol alice bob; restart", low + " gateway.down profile.exhausted:bob pool.switched gateway.restarted:gateway.down"},
		{"never by a reload ends the alarm of a restart that failed", RestartAuto, true, func(_ *testing.T, _ *world, p *process) {
			p.meddle = always("restart", failBefore)
			p.rounds(5)
			cfg := brisk()
			cfg.Restart = RestartNever
			p.dog.Reload(cfg)
			p.rounds(3)
		}, "main: bob carol alice", low + " gateway.down gateway.restarted:gateway.down"},
		{"two switches while busy: one restart", RestartIdle, false, func(_ *testing.T, w *world, p *process) {
			w.busy = true
			p.rounds(2)
			w.say("bob", spent(time.Hour))
			p.rounds(2)
			w.with(func() { w.busy = false })
			p.rounds(3)
		}, "main: bob carol alice; main: carol alice bob; restart", low + " profile.exhausted:bob pool.switched gateway.restarted"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			bubble(t, abc, func(t *testing.T, w *world) {
				t.Helper()
				cfg := brisk()
				cfg.Restart = tc.when
				w.deaf = tc.deaf
				p := w.born(t, cfg)
				w.say("alice", used(96))
				tc.play(t, w, p)
				if got := w.did(); got != tc.did {
					t.Errorf("did %q, want %q", got, tc.did)
				}
				if got := w.news(); got != tc.news {
					t.Errorf("told %q, want %q", got, tc.news)
				}
			})
		})
	}
}

// TestRoundsGoOnDuringRestart: a restart takes eleven minutes at worst. The
// watch goes on beside it, and sets no order that the old process might undo.
func TestRoundsGoOnDuringRestart(t *testing.T) {
	t.Parallel()
	bubble(t, abc, func(t *testing.T, w *world) {
		t.Helper()
		w.deaf, w.restart = true, 11*time.Minute
		w.say("alice", used(96))
		p := w.born(t, brisk()).run()
		time.Sleep(90 * time.Second)
		w.say("bob", spent(time.Hour))
		w.with(func() { w.asked = map[string]int{} })
		time.Sleep(9 * time.Minute)
		if got := w.did(); got != "main: bob carol alice" {
			t.Errorf("during the restart: %q", got)
		}
		if n := w.askedOf("bob"); n < 8 {
			t.Errorf("asked %d times in nine minutes", n)
		}
		if s := p.pool("main"); s.Order[0] != "carol" {
			t.Errorf("what is known is not shown: %+v", s)
		}
		// The first restart ends at 11 minutes, and the round that it wakes acts.
		time.Sleep(35 * time.Second)
		if got := w.did(); got != "main: bob carol alice; restart; main: carol alice bob" {
			t.Errorf("after the restart: %q", got)
		}
		p.stop()
	})
}

// TestRefusedRestart: a refused restart waits as long as the refusal says.
func TestRefusedRestart(t *testing.T) {
	t.Parallel()
	for _, tc := range []struct {
		name  string
		until time.Duration // 0: not said
		tries int           // within half an hour
	}{
		{"until a named time", 28 * time.Minute, 3},
		{"until nobody knows when", 0, 30},
		{"until a time that is past", -time.Minute, 30},
	} {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			bubble(t, abc, func(t *testing.T, w *world) {
				t.Helper()
				w.deaf = true
				w.say("alice", used(96))
				p := w.born(t, brisk())
				r := &refusing{}
				if tc.until != 0 {
					r.until = time.Now().Add(tc.until)
				}
				p.dog.Restarter = r
				p.run()
				time.Sleep(30*time.Minute - time.Second)
				p.stop()
				if n := len(r.tries); n > tc.tries || n < tc.tries-1 {
					t.Errorf("tried %d times, want %d", n, tc.tries)
				}
				if tc.until > 0 && len(r.tries) > 1 && !r.tries[1].Before(r.until.Add(5*time.Second)) {
					t.Errorf("tried again at %s, possible from %s", r.tries[1], r.until)
				}
				if got := w.news(); strings.Count(got, "gateway.down") != 1 || strings.Contains(got, "gateway.restarted") {
					t.Errorf("told %q: a spent budget is told once", got)
				}
				if got := p.dog.Status().Problems; len(got) != 1 || !strings.Contains(got[0].What, "3 allowed") {
					t.Errorf("the status says %+v", got)
				}
				if len(w.disk.restarts) > 0 {
					t.Errorf("a refusal is no attempt: %+v", w.disk.restarts)
				}
			})
		})
	}
}

// TestRestartOutlivesOcwatch: the wish is in the journal.
func TestRestartOutlivesOcwatch(t *testing.T) {
	t.Parallel()
	bubble(t, abc, func(t *testing.T, w *world) {
		t.Helper()
		w.deaf, w.restart = true, 5*time.Minute
		w.say("alice", used(96))
		p := w.born(t, brisk()).run()
		time.Sleep(2 * time.Minute)
		p.stop() // in the middle of the restart
		if w.did() != "main: bob carol alice" {
			t.Fatal(w.did())
		}
		next := w.born(t, brisk()).run()
		time.Sleep(8 * time.Minute)
		next.stop()
		if w.did() != "main: bob carol alice; restart" || w.gatewayOrder() != "bob carol alice" {
			t.Errorf("did %q", w.did())
		}
		if _, ok := w.disk.docs[restartKey]; ok {
			t.Error("the wish is still in the journal")
		}
	})
}

// TestGatewayDown: told after three rounds, once, and again only after it was
// up in between.
func TestGatewayDown(t *testing.T) {
	t.Parallel()
	bubble(t, abc, func(t *testing.T, w *world) {
		t.Helper()
		p := w.born(t, brisk())
		down := func(is bool, rounds int) string {
			w.with(func() { w.down = is })
			p.rounds(rounds)
			return w.news()
		}
		for i, step := range []struct {
			down   bool
			rounds int
			news   string
		}{
			{false, 1, ""},
			{true, 2, ""}, // its own restart takes half a minute
			{false, 1, ""},
			{true, 2, ""},
			{true, 1, "gateway.down"},
			{true, 10, "gateway.down"},
			{false, 1, "gateway.down gateway.restarted:gateway.down"},
			{false, 3, "gateway.down gateway.restarted:gateway.down"},
			{true, 4, "gateway.down gateway.restarted:gateway.down gateway.down"},
		} {
			if got := down(step.down, step.rounds); got != step.news {
				t.Errorf("step %d: told %q, want %q", i, got, step.news)
			}
			if s := p.dog.Status(); s.Gateway.Healthy == step.down || s.Gateway.Version != "2026.9.6" {
				t.Errorf("step %d: status %+v", i, s.Gateway)
			}
		}
		w.say("alice", used(96))
		p.rounds(1)
		if w.order() != "bob carol alice" {
			t.Error("a gateway that is down keeps its order from being set")
		}
	})
}
