//go:build e2e

package e2e

import (
	"net/http"
	"slices"
	"testing"
	"time"

	"github.com/ocwatch/ocwatch/internal/event"
	"github.com/ocwatch/ocwatch/test/lab"
)

// The whole job: the first account passes the threshold, the next one serves;
// all are spent, one message says so; quota comes back, and so does the order.
func doesItsJob(t *testing.T, s *stage) {
	t.Helper()
	r := s.Dial(t)
	s.reset(t, r)
	hook := newReceiver(t)
	d := newDaemon(t, s, "failover: {min_dwell: 0s}", hook.config())
	d.start(t)
	s.awaitAsked(t, 0, s.Pool())

	mark := s.Provider.Mark()
	s.Provider.SetQuota("alice", lab.Quota{FiveHour: 96, Weekly: 40})
	switched := hook.await(t, event.PoolSwitched, s.ProviderID())
	if switched.Data.From != s.ID("alice") || switched.Data.To != s.ID("bob") {
		t.Errorf("switched from %s to %s, want from alice to bob", switched.Data.From, switched.Data.To)
	}
	if got := s.TurnRPC(t, r, s.fresh()); got != "bob" {
		t.Errorf("after the switch %s served a new session, want bob", got)
	}
	if got := s.Chat(t, r, "agent:main:"+s.fresh()); got != "bob" {
		t.Errorf("after the switch %s served a new chat, want bob", got)
	}
	if refused := s.refusedTurns(mark); refused != 0 {
		t.Errorf("%d turns were refused: the switch came too late", refused)
	}

	reset := time.Now().Add(75 * time.Second).Truncate(time.Second)
	s.Provider.Refuse("backup", http.StatusUnauthorized, "invalid_api_key")
	s.drain(reset)
	depleted := hook.await(t, event.PoolDepleted, s.ProviderID())
	assertDepleted(t, s, depleted, reset)
	if p, code := d.ask(t, "status"); p.State != "depleted" || code != 2 {
		t.Errorf("status says %q with exit status %d, want depleted with 2", p.State, code)
	}

	for _, name := range s.Pool() {
		s.Provider.SetQuota(name, lab.Quota{})
	}
	hook.await(t, event.PoolRecovered, s.ProviderID())
	s.awaitFirst(t, r, "alice")
	hook.assertAllSigned(t)
	if n := hook.count(event.PoolDepleted, s.ProviderID()); n != 1 {
		t.Errorf("%d different messages said that the pool is spent, want one; all: %v", n, hook.kinds())
	}
	d.stop(t)
}

func assertDepleted(t *testing.T, s *stage, e event.Event, reset time.Time) {
	t.Helper()
	if e.Data.Agent != "main" || e.Data.Message == "" || e.Data.Action == "" {
		t.Errorf("the message lacks something: %+v", e.Data)
	}
	if e.Data.RecoversAt == nil || e.Data.RecoversAt.Sub(reset).Abs() > 2*time.Second {
		t.Errorf("recovers at %v, want %v", e.Data.RecoversAt, reset)
	}
	var ids []string
	for _, p := range e.Data.Profiles {
		ids = append(ids, p.ID)
		if p.State != "exhausted" && p.State != "dead" {
			t.Errorf("%s is %s in a pool that is spent", p.ID, p.State)
		}
	}
	want := s.IDs(s.Pool()...)
	slices.Sort(ids)
	slices.Sort(want)
	if !slices.Equal(ids, want) {
		t.Errorf("the message names %v, want %v", ids, want)
	}
}

// reset gives every account its quota back and puts alice first.
func (s *stage) reset(t *testing.T, r *lab.RPC) {
	t.Helper()
	for _, a := range s.Accounts {
		s.Provider.SetQuota(a.Name, lab.Quota{})
		s.Provider.Refuse(a.Name, 0, "")
	}
	s.setLive(t, r, s.Pool()...)
}

// drain spends the quota of every ChatGPT account until reset.
func (s *stage) drain(reset time.Time) {
	for _, a := range s.Accounts {
		if a.Kind == lab.OpenAI {
			s.Provider.SetQuota(a.Name, lab.Quota{FiveHour: 100, Weekly: 60, Resets: reset})
		}
	}
}

// awaitAsked returns once ocwatch has asked for the usage of each ChatGPT
// account among names.
func (s *stage) awaitAsked(t *testing.T, mark int, names []string) {
	t.Helper()
	for _, a := range s.Accounts {
		if a.Kind == lab.OpenAI && slices.Contains(names, a.Name) {
			s.Provider.Await(t, mark, limit, func(r lab.Request) bool { return r.Usage() && r.Account == a.Name })
		}
	}
}

func (s *stage) refusedTurns(mark int) int {
	n := 0
	for _, r := range s.Provider.Requests(mark) {
		if r.Turn() && r.Status == http.StatusTooManyRequests {
			n++
		}
	}
	return n
}

// awaitFirst returns once new sessions are served by name.
func (s *stage) awaitFirst(t *testing.T, r *lab.RPC, name string) {
	t.Helper()
	deadline := time.Now().Add(limit)
	var got string
	for time.Now().Before(deadline) {
		if got = s.TurnRPC(t, r, s.fresh()); got == name {
			return
		}
		time.Sleep(time.Second) // a poll with a deadline on a real gateway
	}
	t.Fatalf("%s still serves new sessions after %v, want %s", got, limit, name)
}
