package watchdog

import (
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"net/http"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/robfig/cron/v3"
	"github.com/rs/zerolog"
	"pgregory.net/rapid"

	"github.com/ocwatch/ocwatch/failover"
	"github.com/ocwatch/ocwatch/internal/event"
	"github.com/ocwatch/ocwatch/internal/journal"
	"github.com/ocwatch/ocwatch/internal/quota"
	"github.com/ocwatch/ocwatch/internal/secret"
	"github.com/ocwatch/ocwatch/notify"
	"github.com/ocwatch/ocwatch/probe"
)

// sim is a world with users. What they ask for is served by the first account
// of the gateway's order that is not spent, as OpenClaw does it.
type sim struct {
	*world
	p        *process
	meters   map[string]*meter
	demand   func(now time.Time) float64 // percent of a five-hour window per step
	every    time.Duration               // between rounds
	received []string                    // webhooks
	net      *network

	lateSince time.Time // since when a spent account is first while another can serve
	crossings int       // times that an account passed the threshold
	wrong     []string
}

const simStep = 5 * time.Minute

func newSim(ids []string, every time.Duration, demand func(time.Time) float64) *sim {
	s := &sim{world: newWorld(ids...), meters: map[string]*meter{}, every: every, demand: demand}
	for _, id := range ids {
		s.meters["acct-"+id] = &meter{}
	}
	s.live = func(account string, now time.Time) quota.Reading { return s.meters[account].reading(now) }
	return s
}

// config is what run uses, at the simulation's pace: all accounts in one round
// and no looks in between, since the race detector makes each cost a
// millisecond. The real pace has tests of its own.
func (s *sim) config() Config {
	c := paced()
	c.Schedule, c.Jitter, c.Breaker.Recheck = cron.Every(s.every), 0, s.every
	c.Next = func(now time.Time, _ probe.Account, last quota.Reading, _ float64) time.Time {
		next := now.Add(s.every)
		if last.Verdict == quota.Exhausted && last.Until.After(now) && last.Until.Before(next) {
			return last.Until
		}
		return next
	}
	c.Policy = func(string) failover.Policy {
		p := failover.DefaultPolicy()
		p.RemindEvery = 0
		return p
	}
	return c
}

// begin starts the watchdog, and looks at the world after each of its rounds.
func (s *sim) begin(t *testing.T) {
	t.Helper()
	s.p = s.born(t, s.config())
	s.p.dog.Beat = func(string) { s.look() }
}

// overPipes puts the real prober in.
func (s *sim) overPipes(t *testing.T) {
	t.Helper()
	var usage *http.Transport
	s.net, usage = serve(t, s.usage)
	s.p.dog.Prober = probe.New(probe.Options{
		Transport: usage, Providers: map[string]probe.Settings{"openai": {URL: "http://127.0.0.1:1/usage"}},
	})
}

// onDisk puts the real journal in, and a notifier that delivers from it.
func (s *sim) onDisk(t *testing.T) *journal.Journal {
	t.Helper()
	return s.deliveringTo(t, s.hook)
}

// deliveringTo is onDisk with another receiver.
func (s *sim) deliveringTo(t *testing.T, receiver http.HandlerFunc) *journal.Journal {
	t.Helper()
	j, err := journal.Open(t.Context(), filepath.Join(t.TempDir(), "journal.db"))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = j.Close() })
	_, outbound := serve(t, receiver)
	hook, err := notify.Webhook(secret.New("https://hooks.example.com/x"), secret.Value{}, "ocwatch/1.2.3", &http.Client{Transport: outbound})
	if err != nil {
		t.Fatal(err)
	}
	n, err := notify.New(notify.Options{
		Endpoints: []notify.Endpoint{{Name: "ops", Sender: hook}}, Store: j, Log: zerolog.Nop(), Host: "srv1",
	})
	if err != nil {
		t.Fatal(err)
	}
	sending := make(chan struct{})
	go func() {
		defer close(sending)
		n.Run(s.p.ctx)
	}()
	t.Cleanup(func() { s.p.end(); <-sending })
	s.p.dog.Journal, s.p.dog.Notifier = j, n
	return j
}

// pass lets d pass, with users in it.
func (s *sim) pass(d time.Duration) {
	for end := time.Now().Add(d); time.Now().Before(end); time.Sleep(simStep) {
		s.with(func() { s.serve(time.Now(), s.demand(time.Now())) })
	}
}

func (s *sim) serve(now time.Time, percent float64) {
	for _, id := range s.view[poolKey("main", "openai")] {
		m := s.meters["acct-"+id]
		if m.spent(now) {
			continue
		}
		before := max(m.five, m.week)
		if percent > 0 {
			m.use(now, percent)
		}
		if before < 95 && max(m.five, m.week) >= 95 {
			s.crossings++
		}
		return
	}
}

// look holds the world against what must be true after a round.
func (s *sim) look() {
	s.mu.Lock()
	defer s.mu.Unlock()
	now := time.Now()
	ids := s.pools[0].Order
	serves := func(id string) bool { return !s.meters["acct-"+id].spent(now) }
	switch {
	case serves(ids[0]) || !slices.ContainsFunc(ids, serves):
		s.lateSince = time.Time{}
	case s.lateSince.IsZero():
		s.lateSince = now
	case now.Sub(s.lateSince) > 2*s.every:
		s.wrong = append(s.wrong, fmt.Sprintf("%s: %s is spent and still first", now.Format(time.DateTime), ids[0]))
	}
}

// settled checks the whole story: what was told alternates, switches are
// bounded by what happened, and no restart was needed.
func (s *sim) settled(t *testing.T, told []string) {
	t.Helper()
	for _, problem := range s.problems(told) {
		t.Error(problem)
	}
}

func (s *sim) problems(told []string) []string {
	wrong := s.wrong
	depleted, count := false, map[string]int{}
	for _, e := range told {
		kind, _, _ := strings.Cut(e, ":")
		count[kind]++
		switch event.Type(kind) {
		case event.PoolDepleted:
			if depleted {
				wrong = append(wrong, "told of one depletion twice")
			}
			depleted = true
		case event.PoolRecovered:
			if !depleted {
				wrong = append(wrong, "recovered from nothing")
			}
			depleted = false
		}
	}
	if depleted {
		wrong = append(wrong, "depleted, and never told of the recovery")
	}
	// Each crossing costs one switch away, one back, and one more where
	// everything is spent and another account is back sooner.
	if n := count[string(event.PoolSwitched)]; n > 3*s.crossings {
		wrong = append(wrong, fmt.Sprintf("%d switches for %d times that an account ran low", n, s.crossings))
	}
	if len(s.restarts) > 0 || count[string(event.WatchdogBlind)] > 0 {
		wrong = append(wrong, fmt.Sprintf("%d restarts, %d times blind", len(s.restarts), count[string(event.WatchdogBlind)]))
	}
	return wrong
}

// webhooks are the events that the receiver got, in order.
func (s *sim) webhooks(t *testing.T) []string {
	t.Helper()
	s.mu.Lock()
	defer s.mu.Unlock()
	out := make([]string, len(s.received))
	for i, body := range s.received {
		var e event.Event
		if err := json.Unmarshal([]byte(body), &e); err != nil {
			t.Fatal(err)
		}
		if out[i] = string(e.Type); e.Data.RunsDryAt != nil {
			out[i] += ":dry"
		}
	}
	return out
}

// office is a working day's load: at most p percent a step, none at night.
func office(p float64) func(time.Time) float64 {
	return func(now time.Time) float64 {
		if h := now.Hour(); h < 8 || h >= 18 {
			return 0
		}
		return p
	}
}

// TestHealthyMonth: the daemon with the real prober, scheduler and breakers
// does nothing at all for a month of moderate use.
func TestHealthyMonth(t *testing.T) {
	if testing.Short() {
		t.Skip("days take many seconds under the race detector; -short leaves it out")
	}
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		s := newSim(abc, 2*time.Hour, office(0.35))
		s.begin(t)
		s.overPipes(t)
		s.p.run()
		s.pass(30 * 24 * time.Hour)
		if m := s.meters["acct-alice"]; m.weekEnds.IsZero() {
			t.Error("nobody used it")
		}
		s.p.stop()
		if got := s.disk.told(); !slices.Equal(got, []string{"watchdog.started", "watchdog.stopped"}) {
			t.Errorf("told %q", got)
		}
		if s.did() != "" || s.looks > 30*24+2 {
			t.Errorf("did %q in %d looks", s.did(), s.looks)
		}
		s.settled(t, nil)
	})
}

// TestWholeDay: with the real journal and webhooks too, a day that spends
// everything is told to the receiver, in order and once.
func TestWholeDay(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		s := newSim([]string{"alice", "bob"}, 10*time.Minute, nil)
		s.demand = func(now time.Time) float64 { return max(0, 10-2.5*now.Sub(start()).Hours()) }
		s.begin(t)
		s.overPipes(t)
		s.onDisk(t)
		s.p.run()
		s.pass(12 * time.Hour)
		want := []string{
			"watchdog.started", "profile.low:dry", "pool.switched", "profile.exhausted", "profile.exhausted", "pool.depleted",
			"pool.switched", "profile.recovered", "pool.recovered", "profile.recovered",
		}
		if got := s.webhooks(t); !slices.Equal(got, want) {
			t.Errorf("received %q", got)
		}
		s.p.stop()
		s.settled(t, s.webhooks(t))
		if !strings.HasPrefix(s.order(), "alice") {
			t.Errorf("at last %s", s.order())
		}
	})
}

// TestBusyMonths: random load on one to five accounts for a month.
func TestBusyMonths(t *testing.T) {
	t.Parallel()
	for _, n := range []int{1, 4} {
		t.Run(fmt.Sprint(n, " accounts"), func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				rnd := rand.New(rand.NewPCG(uint64(n), 7))
				s := newSim([]string{"alice", "bob", "carol", "dave", "erin"}[:n], time.Hour, func(time.Time) float64 { return rnd.Float64() * float64(n) })
				s.begin(t)
				s.p.run()
				s.pass(30 * 24 * time.Hour)
				s.rest(t)
			})
		})
	}
}

// rest lets every window pass. Then the preferred account is first again, and
// nothing more happens.
func (s *sim) rest(t *testing.T) {
	t.Helper()
	s.demand = func(time.Time) float64 { return 0 }
	s.pass(8 * 24 * time.Hour)
	did := s.did()
	s.pass(24 * time.Hour)
	s.p.stop()
	if s.did() != did {
		s.wrong = append(s.wrong, "a world at rest is changed: "+s.did())
	}
	if got := s.order(); !strings.HasPrefix(got, "alice") {
		s.wrong = append(s.wrong, "at rest the order is "+got)
	}
	s.settled(t, s.disk.told())
}

// TestRandomDays draws the load of a day, hour by hour, and what was used
// before.
func TestRandomDays(t *testing.T) {
	if testing.Short() {
		t.Skip("days take many seconds under the race detector; -short leaves it out")
	}
	t.Parallel()
	rapid.Check(t, func(rt *rapid.T) {
		n := rapid.IntRange(1, 5).Draw(rt, "accounts")
		load := rapid.SliceOfN(rapid.Float64Range(0, 25), 4, 4).Draw(rt, "load")
		used := rapid.SliceOfN(rapid.Float64Range(0, 100), n, n).Draw(rt, "used")
		var wrong []string
		synctest.Test(t, func(t *testing.T) {
			s := newSim([]string{"alice", "bob", "carol", "dave", "erin"}[:n], 30*time.Minute, nil)
			s.demand = func(now time.Time) float64 { return load[int(now.Sub(start())/time.Hour)%len(load)] }
			for i, id := range s.pools[0].Order {
				s.meters["acct-"+id].use(time.Now(), used[i])
				if used[i] >= 95 {
					s.crossings++
				}
			}
			s.begin(t)
			s.p.run()
			s.pass(time.Duration(len(load)) * time.Hour)
			s.demand = func(time.Time) float64 { return 0 }
			s.pass(5*time.Hour + 30*time.Minute)
			s.p.stop()
			wrong = s.problems(s.disk.told())
		})
		if len(wrong) > 0 {
			rt.Fatal(wrong)
		}
	})
}
