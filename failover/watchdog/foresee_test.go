package watchdog

import (
	"fmt"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/ocwatch/ocwatch/internal/event"
	"github.com/ocwatch/ocwatch/internal/journal"
	"github.com/ocwatch/ocwatch/internal/quota"
	"github.com/ocwatch/ocwatch/profiles"
)

// listener is a notifier that keeps the warnings of gaps.
type listener struct {
	*process
	at   []time.Time
	data []event.Data
}

// Route implements Notifier.
func (l *listener) Route(e event.Event) ([]journal.Message, error) {
	if e.Data.RunsDryAt != nil {
		l.at, l.data = append(l.at, e.Timestamp), append(l.data, e.Data)
	}
	return l.process.Route(e)
}

// drain is a world of steady work that is too much: two accounts are spent in
// about three hours and a half, and alice is back at five.
func drain(ids ...string) *sim {
	return newSim(ids, 5*time.Minute, func(time.Time) float64 { return 5 })
}

// heard begins a life of ocwatch in s, and keeps its warnings.
func (s *sim) heard(t *testing.T) *listener {
	t.Helper()
	s.begin(t)
	l := &listener{process: s.p}
	s.p.dog.Notifier = l
	s.p.run()
	time.Sleep(time.Second) // so that no round and no use come at the same time
	return l
}

// lows are the messages that an account runs low.
func (s *sim) lows() string {
	var list []string
	for e := range strings.FieldsSeq(s.news()) {
		if strings.HasPrefix(e, "profile.low") {
			list = append(list, e)
		}
	}
	return strings.Join(list, " ")
}

// TestWarnedAhead: the owner hears once, and in time, that a pool runs dry; over
// a restart too, and again of the next gap. That its accounts run low one after
// the other is no other news.
func TestWarnedAhead(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		s := drain("alice", "bob")
		l := s.heard(t)
		s.pass(3 * time.Hour)
		if got := s.lows(); got != "profile.low:alice profile.low:alice:dry" || len(l.at) != 1 {
			t.Fatalf("told %q", got)
		}
		s.p.stop()
		again := s.heard(t)
		s.pass(10 * time.Minute) // 3:10
		if shown := s.p.pool("main"); shown.RunsDryAt == nil || shown.Forecast != "high" || shown.BackFirst != "alice" {
			t.Errorf("after a restart the status has %+v", shown.Outlook)
		}
		s.pass(110 * time.Minute) // 5:00
		if got := s.lows(); got != "profile.low:alice profile.low:alice:dry" || len(again.at) != 0 {
			t.Errorf("at the end of the gap: told %q", got)
		}
		dried := s.dried(t)
		d, ahead := l.data[0], dried.Sub(l.at[0])
		if off := d.RunsDryAt.Sub(dried).Abs(); off > 30*time.Minute || ahead < 30*time.Minute {
			t.Errorf("told %s ahead, off by %s", ahead, off)
		}
		if d.RecoversAt == nil || d.RecoversAt.Sub(start().Add(5*time.Hour)).Abs() > 10*time.Minute || d.FirstBack != "alice" {
			t.Errorf("first back %s at %v", d.FirstBack, d.RecoversAt)
		}
		if d.Agent != "main" || d.Provider != "openai" || len(d.Profiles) != 2 || d.Login == nil || d.Login.Command != "ocwatch login --provider openai" ||
			d.Action != "" || !strings.HasPrefix(d.Reason, "the pool runs dry about ") {
			t.Errorf("told %+v", d)
		}
		s.pass(5 * time.Hour)
		if got := s.lows(); strings.Count(got, ":dry") != 2 {
			t.Errorf("of the next gap: told %q", got)
		}
		s.demand = func(time.Time) float64 { return 0 }
		s.pass(12 * time.Hour)
		if s.disk.has(toldKey(poolKey("main", "openai"))) {
			t.Error("what was told is kept though it is over")
		}
		s.p.stop()
	})
}

// dried is when the pool was told to be depleted first.
func (s *sim) dried(t *testing.T) time.Time {
	t.Helper()
	s.disk.mu.Lock()
	defer s.disk.mu.Unlock()
	for _, e := range s.disk.episodes {
		if e.Kind == journal.EpisodeDepleted {
			return e.Since
		}
	}
	t.Fatal("it never ran dry")
	return time.Time{}
}

// TestWarnedOf: what a warning says, and where there is none.
func TestWarnedOf(t *testing.T) {
	t.Parallel()
	for name, tc := range map[string]struct {
		ids    []string
		change func(s *sim)
		after  func(s *sim) // two hours of work
		lows   string
		reason string
	}{
		"a single account": {[]string{"alice"}, nil, nil, "profile.low:alice:dry", "the pool runs dry about "},
		"a key behind": {
			[]string{"alice", "bob", "key"},
			func(s *sim) {
				s.live = func(account string, now time.Time) quota.Reading {
					if account == "acct-key" {
						return verdict(quota.OK)
					}
					return s.meters[account].reading(now)
				}
			},
			nil, "profile.low:alice profile.low:alice:dry", "meanwhile key serves, billed for every token",
		},
		"a dead login is none that could serve": {
			[]string{"alice", "bob", "carol"},
			func(s *sim) {
				s.pools[0].Profiles[2].Status = profiles.LoginRequired
			},
			nil, "profile.low:alice profile.low:alice:dry", "the pool runs dry about ",
		},
		"paused": {[]string{"alice", "bob"}, nil, func(s *sim) { s.p.dog.Pause(s.p.ctx, time.Time{}, "") }, "profile.low:alice profile.low:bob:dry", "the pool runs dry about "},
		"enough accounts": {
			[]string{"alice", "bob", "carol", "dave", "erin"},
			nil, nil,
			"profile.low:alice profile.low:bob", "",
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				s := drain(tc.ids...)
				if tc.change != nil {
					tc.change(s)
				}
				l := s.heard(t)
				s.pass(10 * time.Minute)
				if tc.after != nil {
					tc.after(s)
				}
				s.pass(3*time.Hour + 20*time.Minute)
				s.p.stop()
				if got := s.lows(); got != tc.lows {
					t.Errorf("told %q, want %q; all: %s", got, tc.lows, s.news())
				}
				if tc.reason != "" && (len(l.data) != 1 || !strings.Contains(l.data[0].Reason, tc.reason)) {
					t.Errorf("said %+v", l.data)
				}
			})
		})
	}
}

// TestBlindnessForetellsNothing: what cannot be seen is not told, and what was
// told is not told again once it can.
func TestBlindnessForetellsNothing(t *testing.T) {
	t.Parallel()
	for name, after := range map[string]time.Duration{"before the warning": 25 * time.Minute, "after it": 150 * time.Minute} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				s := drain("alice", "bob")
				seen := s.live
				l := s.heard(t)
				s.pass(after)
				told := len(l.at)
				s.with(func() {
					s.live = func(string, time.Time) quota.Reading { return verdict(quota.Unreachable) }
				})
				s.pass(30 * time.Minute)
				if shown := s.p.pool("main"); shown.State != "blind" || shown.RunsDryAt != nil || len(l.at) != told {
					t.Errorf("blind: %+v, told %d more", shown.Outlook, len(l.at)-told)
				}
				s.with(func() { s.live = seen })
				s.pass(4*time.Hour + 55*time.Minute - after - 30*time.Minute)
				s.p.stop()
				if len(l.at) != 1 {
					t.Errorf("told %d times: %s", len(l.at), s.news())
				}
			})
		})
	}
}

// TestForecastIsForgotten goes with its pool, and so does what was told.
func TestForecastIsForgotten(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		s := drain("alice", "bob")
		s.heard(t)
		s.pass(3 * time.Hour)
		if !s.disk.has(toldKey(poolKey("main", "openai"))) {
			t.Fatal("what was told is not in the journal")
		}
		s.with(func() { s.pools = nil })
		s.p.dog.Wake()
		time.Sleep(time.Minute)
		if s.disk.has(toldKey(poolKey("main", "openai"))) {
			t.Error("what was told is kept without its pool")
		}
		s.p.stop()
	})
}

// TestPastIsAsJournalled: what is held in memory is what the journal has, after
// any time, and the newest reading.
func TestPastIsAsJournalled(t *testing.T) {
	if testing.Short() {
		t.Skip("nine days take many seconds under the race detector; -short leaves it out")
	}
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		s := newSim([]string{"alice", "bob"}, 15*time.Minute, office(2))
		s.heard(t)
		s.pass(9 * 24 * time.Hour)
		s.p.stop()
		for _, id := range []string{"alice", "bob"} {
			a := s.p.dog.accounts["acct-"+id]
			kept, _ := s.disk.Readings(t.Context(), "acct-"+id, a.latest.At.Add(-pastSpan))
			held := a.past.readings
			if a.past.loose {
				held = held[:len(held)-1]
			}
			if len(held) != len(kept) || len(held) < 400 || !a.past.readings[len(a.past.readings)-1].At.Equal(a.latest.At) {
				t.Fatalf("%s: %d held, %d in the journal", id, len(held), len(kept))
			}
			for i, r := range held {
				if !r.At.Equal(kept[i].At) || fmt.Sprint(r.Windows[0].Used()) != fmt.Sprint(kept[i].Windows[0].Used()) {
					t.Fatalf("%s: %v held, %v in the journal", id, r, kept[i])
				}
			}
		}
	})
}

// TestClockAhead: what a clock that was ahead wrote gives way.
func TestClockAhead(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		p := past{known: true}
		at := func(d time.Duration, percent float64) quota.Reading {
			r := used(percent)
			r.At = start().Add(d)
			return r
		}
		for _, r := range []quota.Reading{at(0, 1), at(time.Hour, 5), at(100*time.Hour, 50), at(101*time.Hour, 60), at(2*time.Hour, 7)} {
			p.add(r)
		}
		if n := len(p.readings); n != 3 || !p.readings[2].At.Equal(start().Add(2*time.Hour)) {
			t.Errorf("held %v", p.readings)
		}
	})
}

// TestPastUnread: a journal that cannot be read is asked once, and keeps neither
// the round nor forecasts from going on.
func TestPastUnread(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		s := drain("alice", "bob")
		s.begin(t)
		tries := 0
		s.p.meddle = func(effect string) fault {
			if effect == "past" {
				tries++
				return failBefore
			}
			return none
		}
		s.p.run()
		time.Sleep(time.Second)
		s.pass(3 * time.Hour)
		s.p.stop()
		if tries != 1 || !strings.Contains(s.lows(), ":dry") {
			t.Errorf("%d tries, told %q", tries, s.news())
		}
	})
}
