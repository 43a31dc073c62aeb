package sim

import (
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/ocwatch/ocwatch/failover"
)

// script plays a provider: by account, when it is back; absent is not spent.
type script struct {
	back   map[string]time.Time
	silent bool // the usage endpoint tells nothing
	down   bool
}

func (s script) Call(now time.Time, id string) Answer {
	switch {
	case s.down:
		return Unavailable
	case now.Before(s.back[id]):
		return Limited
	}
	return Answered
}

func (s script) Limit(now time.Time, id string) (time.Time, bool) {
	if s.silent {
		return time.Time{}, false
	}
	if now.Before(s.back[id]) {
		return s.back[id], true
	}
	return time.Time{}, true
}

// TestGateway plays what was seen of the real gateway of 2026.9.6, step for
// step, and what its documents say.
func TestGateway(t *testing.T) {
	start := time.Date(2026, 11, 2, 10, 0, 0, 0, time.UTC)
	in := func(d time.Duration) time.Time { return start.Add(d) }
	type step struct {
		after   time.Duration // since the start
		p       script
		session string
		want    string // the calls
		order   string // set before
	}
	two := map[string]time.Time{"alice": in(2 * time.Hour), "bob": in(2 * time.Hour)}
	all := map[string]time.Time{"alice": in(2 * time.Hour), "bob": in(2 * time.Hour), "carol": in(3 * time.Hour)}
	one := map[string]time.Time{"alice": in(2 * time.Hour)}
	for _, tc := range []struct {
		name   string
		models int
		steps  []step
	}{
		{"two spent, no word of a reset: rotates to the third", 1, []step{
			{after: 0, p: script{back: two, silent: true}, want: "alice bob carol"},
			{after: 5 * time.Second, p: script{back: two, silent: true}, want: "carol"},
			{after: 10 * time.Second, p: script{back: all}, want: "carol"},
			{after: 12 * time.Second, p: script{back: all}, want: ""},
			{after: 14 * time.Second, p: script{back: two}, want: ""},
		}},
		{"with a model to fall back on, one rotation a model", 2, []step{
			{after: 0, p: script{back: two, silent: true}, want: "alice bob alice bob"},
			{after: 5 * time.Second, p: script{back: two, silent: true}, want: "bob carol"},
			{after: 10 * time.Second, p: script{back: map[string]time.Time{"bob": in(time.Hour), "carol": in(time.Hour)}, silent: true}, want: "carol bob carol"},
		}},
		{"the ladder doubles until an answer", 1, []step{
			{after: 0, p: script{back: one, silent: true}, want: "alice bob"},
			{after: 29 * time.Second, p: script{back: one, silent: true}, want: "bob"},
			{after: 30 * time.Second, p: script{back: one, silent: true}, want: "alice bob"},
			{after: 89 * time.Second, p: script{back: one, silent: true}, want: "bob"},
			{after: 90 * time.Second, p: script{back: one, silent: true}, want: "alice bob"},
			{after: 4 * time.Hour, p: script{}, want: "alice"},
			{after: 5 * time.Hour, p: script{back: map[string]time.Time{"alice": in(9 * time.Hour)}, silent: true}, want: "alice bob"},
			{after: 5*time.Hour + 31*time.Second, p: script{}, want: "alice"},
		}},
		{"a told reset blocks until then, and is asked for again every five minutes", 1, []step{
			{after: 0, p: script{back: one}, want: "alice bob"},
			{after: 4 * time.Minute, p: script{}, want: "bob"},
			{after: 5 * time.Minute, p: script{}, want: "alice"},
			{after: 6 * time.Minute, p: script{back: one}, want: "alice bob"},
			{after: 2*time.Hour - time.Second, p: script{back: one}, want: "bob"},
			{after: 2 * time.Hour, p: script{back: one}, want: "alice"},
		}},
		{"a chat keeps its account, until a better one came back", 1, []step{
			{after: 0, session: "chat", p: script{back: one}, want: "alice bob"},
			{after: time.Minute, session: "chat", p: script{}, want: "bob"},
			{after: 2 * time.Minute, session: "chat", p: script{}, order: "carol alice bob", want: "bob"},
			{after: 2 * time.Minute, session: "other", p: script{}, want: "carol"},
			{after: 2 * time.Minute, p: script{}, want: "carol"},
			{after: 6 * time.Minute, session: "chat", p: script{}, want: "carol"},
		}},
		{"an outage cools everybody down for half a minute", 1, []step{
			{after: 0, p: script{down: true}, want: "alice bob carol"},
			{after: 20 * time.Second, p: script{}, want: ""},
			{after: 30 * time.Second, p: script{}, want: "alice"},
		}},
	} {
		t.Run(tc.name, func(t *testing.T) {
			g := NewGateway([]string{"alice", "bob", "carol"}, tc.models)
			for i, s := range tc.steps {
				if s.order != "" {
					g.SetOrder(strings.Fields(s.order))
				}
				turn := g.Turn(in(s.after), s.session, s.p)
				if got := strings.Join(turn.Calls, " "); got != s.want {
					t.Errorf("step %d: called %q, want %q", i, got, s.want)
				}
				calls := strings.Fields(s.want)
				if served := turn.Served != ""; served && turn.Served != calls[len(calls)-1] {
					t.Errorf("step %d: served by %q", i, turn.Served)
				}
			}
		})
	}
}

func TestGatewayShowsItsBlocks(t *testing.T) {
	now := time.Date(2026, 11, 2, 10, 0, 0, 0, time.UTC)
	back := map[string]time.Time{"alice": now.Add(time.Hour)}
	g := NewGateway([]string{"alice", "bob"}, 1)
	g.Turn(now, "", script{back: back})
	if want := (failover.Block{Until: now.Add(time.Hour), Reason: "subscription_limit"}); g.Block(now, "alice") != want {
		t.Errorf("block %+v, want %+v", g.Block(now, "alice"), want)
	}
	if g.Block(now, "bob") != (failover.Block{}) || g.First(now) != "bob" || g.First(now.Add(time.Hour)) != "alice" {
		t.Errorf("bob %+v, first %q", g.Block(now, "bob"), g.First(now))
	}
	g = NewGateway([]string{"alice"}, 1)
	g.Turn(now, "", script{back: back, silent: true})
	if want := (failover.Block{Until: now.Add(30 * time.Second), Reason: "rate_limit", Transient: true}); g.Block(now, "alice") != want {
		t.Errorf("block %+v, want %+v", g.Block(now, "alice"), want)
	}
	before := g.Records()
	g.Turn(now.Add(10*time.Second), "", script{})
	if g.First(now) != "" || g.Records() != before {
		t.Errorf("a turn that calls nobody changes the store")
	}
	g.Turn(now.Add(time.Minute), "", script{})
	if g.Records() == before || g.Block(now, "alice") != (failover.Block{}) {
		t.Errorf("an answer clears what was recorded: %+v", g.Block(now, "alice"))
	}
	if !slices.Equal(g.Order(), []string{"alice"}) {
		t.Errorf("order %q", g.Order())
	}
}
