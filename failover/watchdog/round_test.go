package watchdog

import (
	"errors"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/ocwatch/ocwatch/failover"
	"github.com/ocwatch/ocwatch/internal/quota"
	"github.com/ocwatch/ocwatch/probe"
	"github.com/ocwatch/ocwatch/profiles"
)

var abc = []string{"alice", "bob", "carol"}

// roundCase plays some rounds and says what is in the world and in the outbox
// afterwards.
type roundCase struct {
	name  string
	ids   []string
	play  func(t *testing.T, w *world, p *process)
	did   string // orders set and restarts
	news  string // events in the outbox
	order string // main's, at the end
}

func TestRounds(t *testing.T) {
	t.Parallel()
	for _, tc := range slices.Concat(quotaCases(), worldCases()) {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			bubble(t, tc.ids, func(t *testing.T, w *world) {
				t.Helper()
				p := w.born(t, brisk())
				tc.play(t, w, p)
				if got := w.did(); got != tc.did {
					t.Errorf("did %q, want %q", got, tc.did)
				}
				if got := w.news(); got != tc.news {
					t.Errorf("told %q, want %q", got, tc.news)
				}
				if got := w.order(); got != tc.order {
					t.Errorf("order %q, want %q", got, tc.order)
				}
			})
		})
	}
}

func quotaCases() []roundCase {
	return []roundCase{
		{"healthy does nothing", abc, func(t *testing.T, _ *world, p *process) {
			t.Helper()
			p.rounds(60)
			if s := p.pool("main"); s.State != failover.PoolOK || len(s.Profiles) != 3 {
				t.Errorf("status %+v", s)
			}
		}, "", "", "alice bob carol"},
		{"low first is left before it is spent", abc, func(t *testing.T, w *world, p *process) {
			t.Helper()
			p.rounds(2)
			w.say("alice", used(96))
			p.rounds(3)
			if s := p.pool("main"); s.State != failover.PoolWarning || s.Order[0] != "bob" || s.Profiles[0].ID != "bob" {
				t.Errorf("status %+v", s)
			}
			sw := w.disk.switches
			if len(sw) != 1 || sw[0].From != "alice" || sw[0].To != "bob" || sw[0].Via != "rpc" || sw[0].Reason == "" {
				t.Errorf("history %+v", sw)
			}
		}, "main: bob carol alice", "profile.low:alice pool.switched", "bob carol alice"},
		{"comes back after recovery", abc, func(_ *testing.T, w *world, p *process) {
			w.say("alice", used(96))
			p.rounds(10)
			w.say("alice", used(3))
			p.rounds(2)
		}, "main: bob carol alice; main: alice bob carol", "profile.low:alice pool.switched profile.recovered:alice pool.switched", "alice bob carol"},
		{"all spent is told once, recovery too", abc, func(_ *testing.T, w *world, p *process) {
			for i, id := range abc {
				w.say(id, spent(time.Duration(i+1)*time.Hour))
			}
			p.rounds(59)
			w.say("alice", used(1))
			p.rounds(5)
		}, "", "profile.exhausted:alice profile.exhausted:bob profile.exhausted:carol pool.depleted:login profile.recovered:alice pool.recovered", "alice bob carol"},
		{"all unreachable is blind, and told once", abc, func(t *testing.T, w *world, p *process) {
			t.Helper()
			p.rounds(2)
			for _, id := range abc {
				w.say(id, verdict(quota.Unreachable))
			}
			p.rounds(20)
			if s := p.pool("main"); s.State != failover.PoolBlind {
				t.Errorf("state %s", s.State)
			}
			for _, id := range abc {
				w.say(id, used(10))
			}
			p.rounds(2)
		}, "", "watchdog.blind watchdog.started:watchdog.blind", "alice bob carol"},
		{"one account of two profiles is asked once", []string{"alice", "bob"}, func(t *testing.T, w *world, p *process) {
			t.Helper()
			w.pools[0].Profiles[1].Account = "acct-alice"
			w.pools[0].Profiles[0].Status = profiles.Stale
			p.rounds(3)
			if w.askedOf("alice") != 3 || w.askedOf("bob") != 0 {
				t.Error("asked otherwise")
			}
		}, "", "", "alice bob"},
		{"two agents with the same profiles tell it once", abc, func(_ *testing.T, w *world, p *process) {
			w.add("work", "alice", "bob")
			w.say("alice", used(96))
			p.rounds(3)
		}, "main: bob carol alice; work: bob alice", "profile.low:alice pool.switched pool.switched", "bob carol alice"},
		{"two agents, one id, two accounts: both are told", []string{"default"}, func(_ *testing.T, w *world, p *process) {
			w.add("work", "default")
			w.pools[1].Profiles[0].Account = "acct-other"
			w.say("default", used(96))
			w.say("other", used(97))
			p.rounds(3)
		}, "", "profile.low:default profile.low:default", "default"},
	}
}

func worldCases() []roundCase {
	switched := "profile.low:alice pool.switched"
	return []roundCase{
		{"somebody's order between reading and acting is not fought", abc, func(_ *testing.T, w *world, p *process) {
			w.say("alice", used(96))
			p.meddle = on("snapshot", 2, func() fault {
				w.with(func() { w.pools[0].Order = []string{"carol", "alice", "bob"} })
				return none
			})
			p.rounds(5)
		}, "", "profile.low:alice", "carol alice bob"},
		{"an order that cannot be set is tried again, later and later", abc, func(_ *testing.T, w *world, p *process) {
			w.say("alice", used(96))
			tries := 0
			p.meddle = func(effect string) fault {
				if effect != "order" {
					return none
				}
				if tries++; tries > 3 {
					return none
				}
				return failBefore
			}
			p.rounds(7) // at 0, 1, 3 and 7 minutes
			if tries != 3 {
				panic("not tried at 0, 1 and 3 minutes")
			}
			p.rounds(1)
		}, "main: bob carol alice", switched, "bob carol alice"},
		{"an order that cannot be set is said in the status until it is", abc, func(t *testing.T, w *world, p *process) {
			t.Helper()
			w.say("alice", used(96))
			p.meddle = on("order", 1, func() fault { return failBefore })
			p.rounds(1)
			if got := p.dog.Status().Pools[0].Reason; !strings.Contains(got, "could not be set (tries: 1") || !strings.Contains(got, errFault.Error()) {
				t.Errorf("the status says %q", got)
			}
			p.rounds(5)
			if got := p.dog.Status().Pools[0].Reason; strings.Contains(got, "could not be set") {
				t.Errorf("the status still says %q", got)
			}
		}, "main: bob carol alice", switched, "bob carol alice"},
		{"an order that was set while an error said no is told once", abc, func(t *testing.T, w *world, p *process) {
			t.Helper()
			w.say("alice", used(96))
			p.meddle = on("order", 1, func() fault { return failAfter })
			p.rounds(5)
			if len(w.disk.switches) != 1 || w.disk.switches[0].To != "bob" {
				t.Errorf("history %+v", w.disk.switches)
			}
		}, "main: bob carol alice", switched, "bob carol alice"},
		{"a journal that always fails stops no failover", abc, func(_ *testing.T, w *world, p *process) {
			p.meddle = always("commit", failBefore)
			w.say("alice", used(96))
			p.rounds(10)
			w.say("alice", used(3))
			p.rounds(2)
		}, "main: bob carol alice; main: alice bob carol", "", "alice bob carol"},
		{"what a failing journal missed is told once it works", abc, func(t *testing.T, w *world, p *process) {
			t.Helper()
			p.meddle = always("commit", failBefore)
			w.say("alice", used(96))
			p.rounds(3)
			p.meddle = nil
			p.rounds(3)
			if len(w.disk.switches) != 1 {
				t.Errorf("history %+v", w.disk.switches)
			}
		}, "main: bob carol alice", switched, "bob carol alice"},
		{"a commit that worked while an error said no is told once", abc, func(_ *testing.T, w *world, p *process) {
			p.meddle = always("commit", failAfter)
			w.say("alice", used(96))
			p.rounds(3)
			p.meddle = nil
			p.rounds(3)
		}, "main: bob carol alice", switched, "bob carol alice"},
		{"a store that cannot be read changes nothing and is said", abc, func(t *testing.T, w *world, p *process) {
			t.Helper()
			w.unread = errors.New("state dir: permission denied")
			w.say("alice", used(96))
			p.rounds(3)
			s := p.dog.Status()
			if len(s.Problems) != 1 || s.Problems[0].What != "state dir: permission denied" || len(s.Pools) != 0 {
				t.Errorf("status %+v", s)
			}
			if len(p.beaten()) != 3 {
				t.Errorf("%d beats: systemd would kill an ocwatch that is well", len(p.beaten()))
			}
			w.with(func() { w.unread = nil })
			p.rounds(1)
			if s := p.dog.Status(); len(s.Problems) != 0 || len(s.Pools) != 1 {
				t.Errorf("status %+v", s)
			}
		}, "main: bob carol alice", "watchdog.blind watchdog.started:watchdog.blind " + switched, "bob carol alice"},
		{"a store awaiting migration is a problem with its remedy", abc, func(t *testing.T, w *world, p *process) {
			t.Helper()
			w.hidden["main"] = true
			w.problems = []profiles.Problem{{Agent: "main", What: "the store awaits a migration", Fix: "openclaw doctor --fix", Reason: profiles.NeedsMigration}}
			p.rounds(2)
			s := p.dog.Status()
			if len(s.Pools) != 0 || len(s.Problems) != 1 || s.Problems[0].Fix != "openclaw doctor --fix" || s.Problems[0].Agent != "main" {
				t.Errorf("status %+v", s)
			}
		}, "", "", "alice bob carol"},
		{"a problem of one agent keeps its memory", abc, func(t *testing.T, w *world, p *process) {
			t.Helper()
			w.add("work", "dave")
			for _, id := range abc {
				w.say(id, spent(10*time.Hour))
			}
			p.rounds(2)
			w.with(func() {
				w.hidden["main"] = true
				w.problems = []profiles.Problem{{Agent: "main", What: "busy", Reason: profiles.Busy}}
			})
			p.rounds(5)
			if s := p.pool("main"); s.State != failover.PoolDepleted {
				t.Errorf("status %+v", s)
			}
			w.with(func() { w.hidden["main"], w.problems = false, nil })
			p.rounds(2)
		}, "", "profile.exhausted:alice profile.exhausted:bob profile.exhausted:carol pool.depleted:login", "alice bob carol"},
		{"a pool that is gone is forgotten", abc, func(t *testing.T, w *world, p *process) {
			t.Helper()
			w.add("work", "dave")
			p.rounds(2)
			w.with(func() { w.pools = w.pools[:1] })
			p.rounds(1)
			if _, ok := w.disk.docs["pool/work/openai"]; ok || w.disk.docs["account/acct-dave"] != nil {
				t.Error("the journal still has work's pool or account")
			}
			if got := p.beaten()[3-1]; strings.Contains(got, "work") || !strings.HasPrefix(got, "main/openai ok: alice") {
				t.Errorf("summary %q", got)
			}
		}, "", "", "alice bob carol"},
		{"somebody's order is journalled as theirs", abc, func(t *testing.T, w *world, p *process) {
			t.Helper()
			p.rounds(2)
			w.with(func() { w.pools[0].Order = []string{"carol", "alice", "bob"} })
			p.rounds(5)
			if sw := w.disk.switches; len(sw) != 1 || sw[0].Via != "other" || sw[0].To != "carol" {
				t.Errorf("history %+v", sw)
			}
		}, "", "", "carol alice bob"},
		{"no profiles is no failure", nil, func(_ *testing.T, w *world, p *process) {
			w.with(func() { w.pools = nil })
			p.rounds(1)
			if p.beaten()[0] != "no profiles found" {
				panic(p.beaten()[0])
			}
			w.with(func() { w.add("main", abc...) })
			p.rounds(1)
		}, "", "", "alice bob carol"},
	}
}

// TestIntentGoesFirst: the journal knows of an order before OpenClaw does, and
// of the outcome after.
func TestIntentGoesFirst(t *testing.T) {
	t.Parallel()
	bubble(t, abc, func(t *testing.T, w *world) {
		t.Helper()
		p := w.born(t, brisk())
		w.say("alice", used(96))
		var seen []string
		p.meddle = func(effect string) fault {
			if effect == "order" {
				doc := string(w.disk.docs["pool/main/openai"])
				if !strings.Contains(doc, `"intent":{"order":["bob","carol","alice"],"from":"alice"`) {
					t.Errorf("when the order is set, the journal says %s", doc)
				}
				if len(w.disk.switches) > 0 {
					t.Error("the switch was journalled before it was done")
				}
			}
			seen = append(seen, effect)
			return none
		}
		p.rounds(1)
		if got := strings.Join(seen, " "); got != "snapshot past past past probe health commit snapshot order commit" {
			t.Errorf("a round with a switch is %q", got)
		}
		if doc := string(w.disk.docs["pool/main/openai"]); strings.Contains(doc, "intent") || len(w.disk.switches) != 1 {
			t.Errorf("afterwards the journal says %s", doc)
		}
	})
}

// TestCheckChangesNothing: a check decides as a round does, and only says so.
func TestCheckChangesNothing(t *testing.T) {
	t.Parallel()
	bubble(t, abc, func(t *testing.T, w *world) {
		t.Helper()
		p := w.born(t, brisk())
		w.say("alice", used(96))
		s, err := p.dog.Check(p.ctx)
		if err != nil || len(s.Pools) != 1 || s.Pools[0].Order[0] != "bob" || !s.Gateway.Healthy || s.Gateway.Version != "2026.9.6" {
			t.Errorf("%+v, %v", s, err)
		}
		if w.did() != "" || w.disk.commits != 0 {
			t.Errorf("a check did %q and committed %d times", w.did(), w.disk.commits)
		}
		w.unread = errors.New("not permitted")
		if _, err := p.dog.Check(p.ctx); !errors.Is(err, w.unread) {
			t.Errorf("%v", err)
		}
		w.unread = nil
		p.meddle = func(effect string) fault {
			if effect == "probe" {
				p.end()
			}
			return none
		}
		if _, err := p.dog.Check(p.ctx); err == nil {
			t.Error("a check that was cut off says nothing of it")
		}
	})
}

// TestBlockMakesDue: what OpenClaw records makes an account due within a
// minute, however rare its turn is.
func TestBlockMakesDue(t *testing.T) {
	t.Parallel()
	bubble(t, abc, func(t *testing.T, w *world) {
		t.Helper()
		cfg := paced()
		cfg.Next = func(now time.Time, _ probe.Account, _ quota.Reading, _ float64) time.Time { return now.Add(time.Hour) }
		p := w.born(t, cfg)
		p.rounds(10)
		if w.askedOf("alice") != 1 {
			t.Fatal("asked otherwise")
		}
		w.with(func() {
			w.pools[0].Profiles[0].Block = profiles.Block{Until: time.Now().Add(time.Hour), Kind: profiles.Blocked, Reason: "subscription_limit"}
		})
		w.say("alice", spent(time.Hour))
		p.rounds(1)
		if w.askedOf("alice") != 2 || w.askedOf("bob") != 1 {
			t.Error("asked otherwise")
		}
		if w.order() != "bob carol alice" {
			t.Errorf("order %s", w.order())
		}
	})
}
