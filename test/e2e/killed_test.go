//go:build e2e

package e2e

import (
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/ocwatch/ocwatch/test/lab"
)

// Wherever kill -9 hits ocwatch, its next start makes the install right.
func survivesKills(t *testing.T, s *stage) {
	t.Helper()
	r := s.Dial(t)
	s.reset(t, r)
	prefer := strings.Join(s.IDs("alice", "bob", "carol"), `", "`)
	for _, name := range []string{"carol", "bob", "alice"} {
		for _, a := range s.Accounts {
			if a.Kind == lab.OpenAI {
				s.Provider.SetQuota(a.Name, lab.Quota{FiveHour: 97, Weekly: 60})
			}
		}
		s.Provider.SetQuota(name, lab.Quota{FiveHour: 3, Weekly: 8})
		mark := s.Provider.Mark()
		d := newDaemon(t, s, `failover: {min_dwell: 0s, pools: {`+s.ProviderID()+`: {prefer: ["`+prefer+`"]}}}`)
		d.start(t)
		s.awaitAsked(t, mark, []string{"alice", "bob", "carol"})
		moment := time.Duration(rand.Int64N(int64(4 * time.Second)))
		time.Sleep(moment) // the moment of the kill is the case
		d.kill()
		d.start(t)
		d.awaitOrder(t, s.ID(name))
		if got := s.TurnRPC(t, r, s.fresh()); got != name {
			t.Errorf("killed %v after the probes and started again: %s served, want %s", moment, got, name)
		}
		if got := s.order(t); len(got) != len(s.Pool()) || got[0] != s.ID(name) {
			t.Errorf("killed %v after the probes: the order is %v, want %s first and every profile named", moment, got, name)
		}
		d.stop(t)
	}
}

// awaitOrder returns once ocwatch says that the order it wants, with id first,
// is in force, and has finished the round that says so.
func (d *daemon) awaitOrder(t *testing.T, id string) {
	t.Helper()
	deadline := time.Now().Add(limit)
	for time.Now().Before(deadline) {
		p, _ := d.ask(t, "status")
		if len(p.Order) > 0 && p.Order[0] == id && p.Pending == "" && slices.Equal(d.stage.order(t), p.Order) {
			return
		}
		time.Sleep(500 * time.Millisecond) // a poll with a deadline on a real process
	}
	t.Fatalf("%s was not put first within %v; stored: %v", id, limit, d.stage.order(t))
}

// order is the one in OpenClaw's store, whatever the gateway makes of it.
func (s *stage) order(t *testing.T) []string {
	t.Helper()
	return s.StoredOrder(t)
}
