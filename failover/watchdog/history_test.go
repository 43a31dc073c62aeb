package watchdog

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/ocwatch/ocwatch/internal/event"
	"github.com/ocwatch/ocwatch/internal/journal"
	"github.com/ocwatch/ocwatch/profiles"
	"github.com/ocwatch/ocwatch/profiles/login"
)

// keepHistory has the journal's rules: a login is stored once, and an episode
// that ends is the one that began.
func (d *disk) keepHistory(r journal.Round) {
	for _, l := range r.Logins {
		if !slices.Contains(d.logins, l) {
			d.logins = append(d.logins, l)
		}
	}
	for _, e := range r.Episodes {
		i := slices.IndexFunc(d.episodes, func(old journal.Episode) bool {
			return old.Kind == e.Kind && old.Agent == e.Agent && old.Provider == e.Provider && old.Since.Equal(e.Since)
		})
		if i < 0 {
			d.episodes = append(d.episodes, e)
		} else if !e.Until.IsZero() {
			d.episodes[i].Until = e.Until
		}
	}
}

// past lists episodes, an asterisk for one that goes on, and logins:
// "depleted blind* dave:completed".
func (d *disk) past() string {
	d.mu.Lock()
	defer d.mu.Unlock()
	var out []string
	for _, e := range d.episodes {
		s := string(e.Kind)
		if e.Until.IsZero() {
			s += "*"
		}
		out = append(out, s)
	}
	for _, l := range d.logins {
		out = append(out, strings.TrimPrefix(l.Profile+":"+string(l.Outcome), ":"))
	}
	return strings.Join(out, " ")
}

func TestHistory(t *testing.T) {
	t.Parallel()
	for _, tc := range []struct {
		name string
		play func(w *world, p *process)
		past string
	}{
		{"all is well", func(*world, *process) { time.Sleep(time.Hour) }, ""},
		{"depleted, and it goes on", func(w *world, _ *process) { w.spend(); time.Sleep(time.Hour) }, "depleted*"},
		{"depleted, and back", func(w *world, _ *process) {
			w.spend()
			time.Sleep(time.Hour)
			w.say("alice", used(1))
			time.Sleep(10 * time.Minute)
		}, "depleted"},
		{"depleted, and the pool is gone", func(w *world, _ *process) {
			w.spend()
			time.Sleep(time.Hour)
			w.with(func() { w.pools = nil })
			time.Sleep(2 * time.Minute)
		}, "depleted"},
		{"a moment without network is no episode", func(_ *world, p *process) {
			p.meddling(on("probe", 2, func() fault { return failBefore }))
			time.Sleep(10 * time.Minute)
		}, ""},
		{"blind, and seeing again", func(_ *world, p *process) {
			p.meddling(always("probe", failBefore))
			time.Sleep(time.Hour)
			p.meddling(nil)
			time.Sleep(time.Hour)
		}, "blind"},
		{"OpenClaw cannot be read for a while", func(w *world, _ *process) {
			w.with(func() { w.unread = errors.New("no such file") })
			time.Sleep(10 * time.Minute)
			w.with(func() { w.unread = nil })
			time.Sleep(10 * time.Minute)
		}, "blind"},
		{"a login", func(w *world, p *process) {
			w.login("dave", "acct-dave")
			p.dog.LoginDone("main", "openai", login.Result{Profile: "dave", New: true}, nil)
			time.Sleep(10 * time.Minute)
		}, "dave:completed"},
		{"a login of the spent account again", func(w *world, _ *process) {
			w.spend()
			time.Sleep(10 * time.Minute)
			w.login("dave", "acct-alice")
			time.Sleep(10 * time.Minute)
		}, "depleted* dave:failed"},
		{"logins that came to nothing", func(_ *world, p *process) {
			p.dog.LoginDone("main", "openai", login.Result{}, fmt.Errorf("wait: %w", login.ErrExpired))
			time.Sleep(time.Minute)
			p.dog.LoginDone("main", "openai", login.Result{}, login.ErrCancelled)
			time.Sleep(time.Minute)
			p.dog.LoginDone("main", "openai", login.Result{}, &login.FailedError{What: "it was denied on the page", Fix: "approve it"})
			time.Sleep(time.Minute)
		}, "expired cancelled failed"},
		{"nothing of it needs OpenClaw's state", func(w *world, p *process) {
			w.with(func() { w.unread = errors.New("no such file") })
			p.dog.LoginDone("main", "openai", login.Result{}, login.ErrCancelled)
			time.Sleep(20 * time.Second)
		}, "cancelled"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			bubble(t, abc, func(t *testing.T, w *world) {
				t.Helper()
				p := w.relaying(t, steady()).run()
				time.Sleep(70 * time.Second) // between two ticks: at one, either could come first
				tc.play(w, p)
				p.stop()
				if got := w.disk.past(); got != tc.past {
					t.Errorf("%q, want %q: %+v %+v", got, tc.past, w.disk.episodes, w.disk.logins)
				}
			})
		})
	}
}

// A pool that ends in the first round of a life of ocwatch was never decided on
// in it.
func TestEpisodeEndsWithItsPool(t *testing.T) {
	t.Parallel()
	bubble(t, abc, func(t *testing.T, w *world) {
		t.Helper()
		w.spend()
		w.relaying(t, steady()).rounds(2)
		w.with(func() { w.pools = nil })
		w.awake(t, steady()).rounds(1)
		if got := w.disk.past(); got != "depleted" {
			t.Errorf("%q: %+v", got, w.disk.episodes)
		}
	})
}

// What is journalled of a login says whose it was and why, and holds neither
// its code nor its link.
func TestLoginInHistory(t *testing.T) {
	t.Parallel()
	bubble(t, abc, func(t *testing.T, w *world) {
		t.Helper()
		w.spend()
		p := w.relaying(t, steady()).run()
		time.Sleep(3 * time.Minute)
		w.login("dave", "acct-dave")
		p.dog.LoginDone("main", "openai", login.Result{Profile: "dave", New: true}, nil)
		time.Sleep(3 * time.Minute)
		w.login("erin", "acct-erin") // nobody told ocwatch
		time.Sleep(3 * time.Minute)
		p.dog.LoginStarted("main", "openai", event.Login{URL: "https://auth.example.com", Code: "ASKED"})
		p.dog.LoginDone("main", "openai", login.Result{}, fmt.Errorf("wait: %w", login.ErrExpired))
		time.Sleep(3 * time.Minute)
		p.stop()
		var got []string
		for _, l := range w.disk.logins {
			if l.At.IsZero() || l.Agent != "main" || l.Provider != "openai" {
				t.Errorf("incomplete: %+v", l)
			}
			got = append(got, fmt.Sprintf("%s via %s %s (%s)", l.Profile, l.Via, l.Outcome, l.Reason))
		}
		want := []string{
			"dave via ocwatch completed (5h window 10 % used)", "erin via other completed (5h window 10 % used)",
			" via ocwatch expired (wait: the code expired before it was approved)",
		}
		if !slices.Equal(got, want) {
			t.Errorf("got  %q\nwant %q", got, want)
		}
	})
}

// An order that somebody else set is journalled with the one before it.
func TestOrderOfSomebodyElseInHistory(t *testing.T) {
	t.Parallel()
	bubble(t, abc, func(t *testing.T, w *world) {
		t.Helper()
		p := w.born(t, steady())
		p.rounds(1)
		w.with(func() { w.pools[0].Order, w.pools[0].Source = []string{"carol", "bob", "alice"}, profiles.OrderStored })
		p.rounds(1)
		if len(w.disk.switches) != 1 {
			t.Fatalf("switches: %+v", w.disk.switches)
		}
		s := w.disk.switches[0]
		if s.By != journal.ByOther || !slices.Equal(s.Before, abc) || !slices.Equal(s.Order, []string{"carol", "bob", "alice"}) || s.To != "carol" {
			t.Errorf("%+v", s)
		}
	})
}
