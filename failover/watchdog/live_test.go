package watchdog

import (
	"context"
	"fmt"
	"testing"
	"time"

	"github.com/ocwatch/ocwatch/internal/openclaw"
	"github.com/ocwatch/ocwatch/internal/quota"
	"github.com/ocwatch/ocwatch/probe"
	"github.com/ocwatch/ocwatch/profiles"
)

const server = "anthropic:server"

// subscription is an Anthropic account with a setup-token: what it has left is
// told by real requests alone, and each of them begins a window where none runs.
type subscription struct {
	p      *process
	begun  time.Time // of the five-hour window
	used   float64
	free   []time.Time // questions that cost nothing
	live   []time.Time // real requests
	began  int         // real requests that began a window
	idle   int         // real requests long after OpenClaw's last use, with no window known
	known  time.Time   // the newest reset that was told
	says   quota.Verdict
	killed bool // ocwatch dies with the next real request made
}

// serve is a turn of OpenClaw's, or a real request.
func (s *subscription) serve(now time.Time) (began bool) {
	if began = now.Sub(s.begun) >= 5*time.Hour; began {
		s.begun, s.used = now, 0
	}
	s.used = min(s.used+0.5, 90)
	return began
}

// ProbeAll implements Prober.
func (s *subscription) ProbeAll(_ context.Context, accounts []probe.Account, _ int) []quota.Reading {
	out := make([]quota.Reading, len(accounts))
	s.p.with(func() {
		for i, a := range accounts {
			out[i] = s.answer(a)
		}
	})
	if s.killed && len(accounts) > 0 && accounts[0].Live {
		s.p.die()
	}
	return out
}

func (s *subscription) answer(a probe.Account) quota.Reading {
	now := time.Now().UTC()
	r := quota.Reading{Account: a.Key, Provider: a.Provider, At: now, Source: quota.FromUsage, Verdict: quota.Unsupported, Reason: "no scope"}
	if !a.Live {
		s.free = append(s.free, now)
		if s.says == quota.OK {
			r.Verdict, r.Reason = quota.OK, ""
		}
		return r
	}
	s.live = append(s.live, now)
	if last := s.p.pools[0].Profiles[0].LastUsed; now.Sub(last) >= probe.LiveUse && !s.known.After(now) {
		s.idle++
	}
	if s.serve(now) {
		s.began++
	}
	s.known = s.begun.Add(5 * time.Hour)
	r.Source, r.Verdict, r.Reason = quota.FromLive, quota.OK, ""
	r.Windows = []quota.Window{{Name: quota.FiveHour, UsedPercent: quota.Percent(s.used), ResetsAt: s.known, Length: 5 * time.Hour}}
	return r
}

// turn is OpenClaw using the account.
func (s *subscription) turn() {
	s.p.with(func() {
		now := time.Now().UTC()
		s.serve(now)
		s.p.pools[0].Profiles[0].LastUsed = now
	})
}

// apart fails where two real requests lie closer than half an hour.
func (s *subscription) apart(t *testing.T) {
	t.Helper()
	for i := 1; i < len(s.live); i++ {
		if gap := s.live[i].Sub(s.live[i-1]); gap < 30*time.Minute {
			t.Errorf("real requests %s apart, at %s", gap, s.live[i])
		}
	}
}

// anthropicWorld makes main's only pool one of a setup-token.
func anthropicWorld(w *world) {
	w.pools = []profiles.Pool{{
		Agent: "main", Provider: "anthropic", Order: []string{server}, Source: profiles.OrderStored,
		Profiles: []profiles.Profile{{ID: server, Provider: "anthropic", Type: profiles.Token, Account: "acct-server", Status: profiles.Usable}},
	}}
	w.view = map[string][]string{poolKey("main", "anthropic"): {server}}
}

func liveConfig(ids ...string) Config {
	c := paced()
	c.Live = ids
	return c
}

// subscribed starts ocwatch beside such an account.
func (w *world) subscribed(t *testing.T, s *subscription, cfg Config) *process {
	t.Helper()
	p := w.awake(t, cfg)
	s.p, p.dog.Prober = p, s
	return p
}

// workday lets OpenClaw use the account every few minutes for some hours, and
// then not at all for as long.
func (s *subscription) workday(hours int) {
	for range hours * 20 {
		time.Sleep(3 * time.Minute)
		s.turn()
	}
	time.Sleep(time.Duration(hours) * time.Hour)
}

func (p *process) liveStatus(t *testing.T) *LiveStatus {
	t.Helper()
	why := p.dog.Why().Pools[0].Profiles[0].Live
	status := p.pool("main").Profiles[0].Live
	if (why == nil) != (status == nil) || why != nil && why.Count != status.Count {
		t.Errorf("status %+v, why %+v", status, why)
	}
	return why
}

// TestLiveProbesAreCountedAndBounded: two days of work and rest.
func TestLiveProbesAreCountedAndBounded(t *testing.T) {
	t.Parallel()
	bubble(t, nil, func(t *testing.T, w *world) {
		t.Helper()
		anthropicWorld(w)
		s := &subscription{}
		p := w.subscribed(t, s, liveConfig(server)).run()
		time.Sleep(time.Hour)
		if len(s.live) > 0 {
			t.Errorf("asked before the account was ever used")
		}
		start := time.Now()
		for range 2 {
			s.workday(12)
		}
		p.stop()
		s.apart(t)
		if s.began > 0 || s.idle > 0 {
			t.Errorf("%d real requests began a window, %d were made while it was idle", s.began, s.idle)
		}
		// Twelve hours of use and the rest of its last window, at two an hour.
		if n := len(s.live); n < 2*20 || n > 2*2*17 {
			t.Errorf("%d real requests in two days", n)
		}
		if n := len(s.free); n > 4 {
			t.Errorf("%d free questions that are never answered, in two days", n)
		}
		l := p.liveStatus(t)
		if l == nil || l.Count != len(s.live) || l.Since.Before(start) || !l.Since.Equal(s.live[0]) || l.Waits != probe.WaitUse || l.Every != 1800 {
			t.Errorf("%+v, of %d real requests", l, len(s.live))
		}
		pr := p.pool("main").Profiles[0]
		if pr.Source != quota.FromLive || pr.Verdict != quota.OK {
			t.Errorf("%+v", pr)
		}
	})
}

// TestNothingRealWithoutTheOptIn, whatever else is opted in.
func TestNothingRealWithoutTheOptIn(t *testing.T) {
	t.Parallel()
	for name, cfg := range map[string]Config{"nobody": liveConfig(), "another": liveConfig("anthropic:other", "server", "")} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			bubble(t, nil, func(t *testing.T, w *world) {
				t.Helper()
				anthropicWorld(w)
				s := &subscription{}
				p := w.subscribed(t, s, cfg).run()
				s.workday(12)
				p.stop()
				if len(s.live) > 0 || p.liveStatus(t) != nil {
					t.Errorf("%d real requests", len(s.live))
				}
			})
		})
	}
}

// TestLiveHalfHourOutlivesOcwatch: it is killed with each real request, before
// it could note the answer, and starts again at once.
func TestLiveHalfHourOutlivesOcwatch(t *testing.T) {
	t.Parallel()
	bubble(t, nil, func(t *testing.T, w *world) {
		t.Helper()
		anthropicWorld(w)
		s := &subscription{killed: true}
		p := w.subscribed(t, s, liveConfig(server)).run()
		for range 8 * 60 {
			time.Sleep(time.Minute)
			s.turn()
			if p.dead.Load() {
				<-p.done
				p = w.subscribed(t, s, liveConfig(server)).run()
			}
		}
		time.Sleep(time.Second)
		p.stop()
		s.apart(t)
		if n := len(s.live); n < 8 || n > 16 {
			t.Errorf("%d real requests in eight hours", n)
		}
		if l := p.liveStatus(t); l == nil || l.Count != len(s.live) {
			t.Errorf("%+v, of %d real requests", l, len(s.live))
		}
	})
}

// TestLiveIsNotAskedWithoutAJournal: what cannot be remembered is not done.
func TestLiveIsNotAskedWithoutAJournal(t *testing.T) {
	t.Parallel()
	bubble(t, nil, func(t *testing.T, w *world) {
		t.Helper()
		anthropicWorld(w)
		s := &subscription{}
		p := w.subscribed(t, s, liveConfig(server))
		p.meddle = always("commit", failBefore)
		p.run()
		s.workday(3)
		if len(s.live) > 0 || p.liveStatus(t).Count != 0 {
			t.Errorf("%d real requests, %+v", len(s.live), p.liveStatus(t))
		}
		p.meddling(nil)
		s.turn()
		time.Sleep(2 * time.Minute)
		p.stop()
		if len(s.live) != 1 {
			t.Errorf("%d real requests once the journal is back", len(s.live))
		}
	})
}

// TestLiveWhereUseIsNotRecorded: a release that does not say when it used a
// profile still records that it was refused.
func TestLiveWhereUseIsNotRecorded(t *testing.T) {
	t.Parallel()
	type refusal struct {
		reason string
		until  time.Duration // after the start
	}
	for name, tc := range map[string]struct {
		early, late refusal // in place when ocwatch starts, and an hour later
		want        int
	}{
		"nothing recorded":             {refusal{}, refusal{}, 0},
		"a refusal":                    {refusal{}, refusal{"rate_limit", 90 * time.Minute}, 1},
		"a refusal of before":          {refusal{"rate_limit", 3 * time.Hour}, refusal{"rate_limit", 3 * time.Hour}, 0},
		"another refusal":              {refusal{"rate_limit", 10 * time.Minute}, refusal{"rate_limit", 90 * time.Minute}, 1},
		"the same for longer":          {refusal{"rate_limit", 2 * time.Hour}, refusal{"rate_limit", 3 * time.Hour}, 1},
		"taken back":                   {refusal{"rate_limit", 3 * time.Hour}, refusal{}, 0},
		"an overload says nothing":     {refusal{}, refusal{"overloaded", 90 * time.Minute}, 0},
		"the subscription's own limit": {refusal{}, refusal{"subscription_limit", 90 * time.Minute}, 1},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			bubble(t, nil, func(t *testing.T, w *world) {
				t.Helper()
				anthropicWorld(w)
				w.layout = openclaw.SharedDatabase
				start := time.Now()
				record := func(r refusal) {
					w.pools[0].Profiles[0].Block = profiles.Block{}
					if r.reason != "" {
						w.pools[0].Profiles[0].Block = profiles.Block{Until: start.Add(r.until), Kind: profiles.Cooldown, Reason: r.reason}
					}
				}
				record(tc.early)
				s := &subscription{}
				p := w.subscribed(t, s, liveConfig(server)).run()
				time.Sleep(time.Hour)
				p.with(func() { record(tc.late) })
				time.Sleep(20 * time.Minute)
				p.stop()
				if len(s.live) != tc.want {
					t.Errorf("%d real requests, want %d", len(s.live), tc.want)
				}
			})
		})
	}
}

// TestLiveEndsWhereUsageCanBeRead: a login that may read its usage after all is
// asked for nothing.
func TestLiveEndsWhereUsageCanBeRead(t *testing.T) {
	t.Parallel()
	bubble(t, nil, func(t *testing.T, w *world) {
		t.Helper()
		anthropicWorld(w)
		s := &subscription{}
		p := w.subscribed(t, s, liveConfig(server)).run()
		s.workday(12)
		p.with(func() { s.says = quota.OK })
		time.Sleep(26 * time.Hour)
		before := len(s.live)
		s.workday(12)
		p.stop()
		if before == 0 || len(s.live) != before {
			t.Errorf("%d real requests, and %d more", before, len(s.live)-before)
		}
		if l := p.liveStatus(t); l == nil || l.Waits != probe.WaitReadable {
			t.Errorf("%+v", l)
		}
	})
}

// TestLiveAfterTheClockWasSetBack: the last request counts as made just now, not
// as one of times to come.
func TestLiveAfterTheClockWasSetBack(t *testing.T) {
	t.Parallel()
	bubble(t, nil, func(t *testing.T, w *world) {
		t.Helper()
		anthropicWorld(w)
		doc := fmt.Sprintf(`{"breaker":{},"live":{"unsupported":true,"asked":%q,"count":7},"next":%q}`,
			time.Now().AddDate(1, 0, 0).Format(time.RFC3339), time.Now().Add(20*time.Hour).Format(time.RFC3339))
		w.disk.docs["account/acct-server"] = []byte(doc)
		s := &subscription{}
		p := w.subscribed(t, s, liveConfig(server)).run()
		start := time.Now()
		for range 20 {
			time.Sleep(3 * time.Minute)
			s.turn()
		}
		p.stop()
		if len(s.live) == 0 || s.live[0].Sub(start) < 30*time.Minute || p.liveStatus(t).Count != 7+len(s.live) {
			t.Errorf("real requests at %v, %+v", s.live, p.liveStatus(t))
		}
	})
}
