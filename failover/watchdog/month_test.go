package watchdog

import (
	"math/rand/v2"
	"net/http"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/ocwatch/ocwatch/internal/event"
	"github.com/ocwatch/ocwatch/internal/journal"
)

// TestWholeMonth: everything that runs in a daemon, for a month of too much
// work: scheduler, breakers, the prober over net/http, the journal on disk, the
// outbox and a receiver that is away for hours on every third day. All that happened is
// told, in order and once, and when the work is over nothing more is.
func TestWholeMonth(t *testing.T) {
	if testing.Short() {
		t.Skip("forty days take many seconds under the race detector; -short leaves it out")
	}
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		rnd := rand.New(rand.NewPCG(11, 7))
		s := newSim(abc, 3*time.Hour, func(now time.Time) float64 {
			if h := now.Hour(); h < 7 || h >= 20 || now.YearDay()%2 == 0 {
				return 0
			}
			return 9 * rnd.Float64()
		})
		s.begin(t)
		s.overPipes(t)
		turnedAway := 0
		j := s.deliveringTo(t, func(rw http.ResponseWriter, r *http.Request) {
			if now := time.Now(); now.YearDay()%3 == 0 && now.Hour() >= 8 && now.Hour() < 14 {
				s.with(func() { turnedAway++ })
				rw.WriteHeader(http.StatusServiceUnavailable)
				return
			}
			s.hook(rw, r)
		})
		s.p.run()
		s.pass(30 * 24 * time.Hour)
		s.demand = func(time.Time) float64 { return 0 }
		s.pass(9 * 24 * time.Hour) // every window, and the receiver, are back

		told, did := s.webhooks(t), s.did()
		s.pass(24 * time.Hour)
		if again := s.webhooks(t); len(again) != len(told) || s.did() != did {
			t.Errorf("a world at rest: told %q, did %s", again[len(told):], s.did()[len(did):])
		}
		if got := s.order(); !strings.HasPrefix(got, "alice") {
			t.Errorf("at rest the order is %s", got)
		}
		s.settled(t, told)
		s.agree(t, j, told)
		if depleted := countOf(told, event.PoolDepleted); depleted < 2 || turnedAway < 5 || s.crossings < 20 {
			t.Errorf("an easy month: depleted %d times, %d windows ran low, %d deliveries turned away", depleted, s.crossings, turnedAway)
		}
		s.p.stop()
	})
}

// agree holds what was told against what was done and what was kept of it.
func (s *sim) agree(t *testing.T, j *journal.Journal, told []string) {
	t.Helper()
	switches, err := j.Switches(t.Context(), 1<<20)
	if err != nil {
		t.Fatal(err)
	}
	moved := slices.DeleteFunc(switches, func(sw journal.Switch) bool { return sw.From == sw.To })
	if len(moved) != countOf(told, event.PoolSwitched) {
		t.Errorf("%d switches in the journal, %d told", len(moved), countOf(told, event.PoolSwitched))
	}
	if sets := strings.Count(s.did(), "main: "); sets < len(moved) {
		t.Errorf("%d orders were set for %d switches", sets, len(moved))
	}
	for _, sw := range moved {
		if len(sw.Order) != len(abc) || sw.To != sw.Order[0] || sw.Reason == "" {
			t.Errorf("switch %+v", sw)
		}
	}
	for _, id := range abc {
		readings, err := j.Readings(t.Context(), "acct-"+id, start())
		if err != nil || len(readings) < 8*30/2 {
			t.Errorf("%s: %d readings kept, error %v", id, len(readings), err)
		}
	}
	s.ids(t)
}

// ids sees to it that no message arrived twice.
func (s *sim) ids(t *testing.T) {
	t.Helper()
	seen := map[string]bool{}
	s.mu.Lock()
	defer s.mu.Unlock()
	for i, body := range s.received {
		if seen[body] {
			t.Errorf("message %d came twice: %s", i, body)
		}
		seen[body] = true
	}
}

func countOf(told []string, kind event.Type) int {
	n := 0
	for _, e := range told {
		if e == string(kind) {
			n++
		}
	}
	return n
}
