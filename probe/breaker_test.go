package probe

import (
	"context"
	"fmt"
	"net/http"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/ocwatch/ocwatch/internal/quota"
)

// endpoint plays one host whose mood the test sets.
type endpoint struct {
	mood  func(*http.Request) (*http.Response, error)
	asked int
}

func (e *endpoint) RoundTrip(r *http.Request) (*http.Response, error) {
	e.asked++
	return e.mood(r)
}

var (
	well = replying(200, `{"rate_limit":{"allowed":true}}`, isJSON)
	sick = replying(503, ``)
)

func TestFailingEndpointIsLeftAlone(t *testing.T) {
	t.Parallel()
	tests := map[string]struct {
		mood transport
		open bool
	}{
		"5xx":               {sick, true},
		"connection lost":   {func(*http.Request) (*http.Response, error) { return nil, fmt.Errorf("lost") }, true},
		"panic":             {func(*http.Request) (*http.Response, error) { panic("lost") }, true},
		"timeout":           {func(r *http.Request) (*http.Response, error) { <-r.Context().Done(); return nil, r.Context().Err() }, true},
		"429 is an answer":  {replying(429, ``), false},
		"401 is an answer":  {replying(401, ``), false},
		"page is an answer": {replying(403, portal, isHTML), false},
		"a book is one too": {replying(200, strings.Repeat(" ", maxBody+1), isJSON), false},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				e := &endpoint{mood: tt.mood}
				p := New(Options{Transport: e})
				for range 8 {
					p.Probe(t.Context(), account("openai", "oauth"))
				}
				want := 8
				if tt.open {
					want = breakAfter
				}
				if e.asked != want {
					t.Errorf("asked %d times, want %d", e.asked, want)
				}
			})
		})
	}
}

func TestBreakerOpensTriesAndCloses(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		e := &endpoint{mood: sick}
		p := New(Options{Transport: e})
		probe := func(provider string) quota.Reading { return p.Probe(t.Context(), account(provider, "oauth")) }
		for range breakAfter {
			probe("openai")
		}
		opened := time.Now()
		r := probe("openai")
		want := fmt.Sprintf("usage endpoint failing, asked again at %s UTC", opened.Add(breakFor).UTC().Format("15:04:05"))
		if r.Verdict != quota.Unreachable || r.Reason != want || !r.Until.Equal(opened.Add(breakFor)) {
			t.Errorf("open: %+v", r)
		}
		if e.asked != breakAfter {
			t.Errorf("asked %d times", e.asked)
		}
		if probe("anthropic"); e.asked != breakAfter+1 {
			t.Error("another host's breaker must not be open")
		}

		// The first trial fails: open for another minute.
		time.Sleep(breakFor + time.Nanosecond)
		probe("openai")
		probe("openai")
		if e.asked != breakAfter+2 {
			t.Errorf("asked %d times after a minute, want one trial", e.asked-breakAfter-1)
		}

		// The second one succeeds: closed.
		time.Sleep(breakFor + time.Nanosecond)
		e.mood = well
		for range 3 {
			if r := probe("openai"); r.Verdict != quota.OK {
				t.Errorf("closed: %+v", r)
			}
		}
	})
}

func TestOnlyOneTrialAtATime(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		e := &endpoint{mood: sick}
		p := New(Options{Transport: e, Timeout: time.Hour})
		for range breakAfter {
			p.Probe(t.Context(), account("openai", "oauth"))
		}
		time.Sleep(breakFor + time.Nanosecond)
		release := make(chan struct{})
		e.mood = func(r *http.Request) (*http.Response, error) {
			<-release
			return well(r)
		}
		trial := make(chan quota.Reading)
		go func() { trial <- p.Probe(t.Context(), account("openai", "oauth")) }()
		synctest.Wait()
		if r := p.Probe(t.Context(), account("openai", "oauth")); r.Reason != "usage endpoint failing, being asked again now" {
			t.Errorf("beside the trial: %+v", r)
		}
		close(release)
		if r := <-trial; r.Verdict != quota.OK {
			t.Errorf("trial: %+v", r)
		}
	})
}

// A probe that we give up ourselves says nothing of the endpoint: it must not
// open its breaker, nor close it, nor leave it waiting for an outcome for ever.
func TestGivingUpIsNoOutcome(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		e := &endpoint{}
		p := New(Options{Transport: e})
		giveUp := func() {
			ctx, cancel := context.WithCancel(t.Context())
			e.mood = func(r *http.Request) (*http.Response, error) {
				cancel()
				return nil, r.Context().Err()
			}
			p.Probe(ctx, account("openai", "oauth"))
		}
		for range 2 * breakAfter {
			giveUp()
		}
		if e.asked != 2*breakAfter {
			t.Errorf("opened after %d", e.asked)
		}
		e.mood = sick
		for range breakAfter {
			p.Probe(t.Context(), account("openai", "oauth"))
		}
		time.Sleep(breakFor + time.Nanosecond)
		giveUp()
		e.mood, e.asked = well, 0
		if p.Probe(t.Context(), account("openai", "oauth")); e.asked != 0 {
			t.Error("a trial that was given up closed the breaker")
		}
		time.Sleep(breakFor + time.Nanosecond)
		if r := p.Probe(t.Context(), account("openai", "oauth")); r.Verdict != quota.OK {
			t.Errorf("after it: %+v", r)
		}
	})
}
