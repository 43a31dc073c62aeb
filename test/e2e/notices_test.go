//go:build e2e

package e2e

import (
	"encoding/json"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/ocwatch/ocwatch/test/lab"
)

// seldom has ocwatch look by itself so rarely that whatever a case sees was
// noticed from OpenClaw's files.
const seldom = "10m"

// noticed is far more than it takes to be notified, read and ask again, also on a
// busy machine, and far less than the half minute after which the files are
// looked at without a notification.
const noticed = 12 * time.Second

// Accounts are used up between two rounds, and OpenClaw alone knows of it: what
// it writes down is acted on at once.
func actsOnBlocks(t *testing.T, s *stage) {
	t.Helper()
	r := s.Dial(t)
	s.reset(t, r)
	asked := s.Provider.Mark()
	d := newDaemonAsking(t, s, seldom)
	d.start(t)
	s.awaitAsked(t, asked, s.Pool())
	d.awaitOrder(t, s.ID("alice"))
	for _, step := range []struct{ spent, next string }{{"alice", "bob"}, {"bob", "carol"}} {
		mark := s.Provider.Mark()
		s.Provider.SetQuota(step.spent, lab.Quota{FiveHour: 100, Weekly: 60, Resets: time.Now().Add(2 * time.Hour)})
		finish := s.StartTurn(t, r, s.fresh())
		written := s.awaitBlocked(t, step.spent)
		finish()
		if got := s.Provider.Served(mark); !slices.Equal(got, []string{step.next}) {
			t.Errorf("%s is used up and %v served, want %s", step.spent, got, step.next)
		}
		d.awaitOrder(t, s.ID(step.next))
		all := d.switches(t)
		i := slices.IndexFunc(all, func(e orderChange) bool { return e.From == s.ID(step.spent) && e.To == s.ID(step.next) })
		if i < 0 || all[i].By != "ocwatch" {
			t.Fatalf("the history has %+v, want a switch of ocwatch's from %s to %s", all, step.spent, step.next)
		}
		e := all[i]
		set := e.At.Sub(written)
		decided := set - time.Duration(e.Took)*time.Millisecond
		t.Logf("%s: decided on %v, set %v after OpenClaw wrote of %s", s.Install.Version, decided, set, step.spent)
		if decided > noticed {
			t.Errorf("it took %v to notice that OpenClaw does not use %s any more", decided, step.spent)
		}
		if got := s.TurnRPC(t, r, s.fresh()); got != step.next {
			t.Errorf("%s is first and %s served", step.next, got)
		}
	}
	d.doctor(t).one(t, "account.blocked", "note", s.ID("bob"))
	d.stop(t)
}

// awaitBlocked returns once OpenClaw's store says that an account is not to be
// used, and when that was.
func (s *stage) awaitBlocked(t *testing.T, name string) time.Time {
	t.Helper()
	for deadline := time.Now().Add(limit); time.Now().Before(deadline); time.Sleep(50 * time.Millisecond) {
		if s.Blocked(t, name) {
			return time.Now()
		}
	}
	t.Fatalf("OpenClaw did not write down within %v that %s is used up", limit, name)
	return time.Time{}
}

// A person sets an order with OpenClaw's own command while ocwatch runs: it is
// the preference from then on, over a restart of ocwatch too, and the history
// says what it was before.
func TestPersonSetsTheOrder(t *testing.T) {
	t.Parallel() // with all that have a gateway of their own: they wait most of the time
	s := start(t, new(sync.Mutex), lab.SharedDatabase)
	s.reset(t, s.Dial(t))
	asked := s.Provider.Mark()
	d := newDaemon(t, s, "failover: {min_dwell: 0s}")
	d.start(t)
	s.awaitAsked(t, asked, s.Pool())
	d.awaitOrder(t, s.ID("alice"))

	before := s.order(t)
	wanted := append([]string{"carol", "bob", "alice"}, s.Pool()[3:]...)
	s.OrderSetCLI(t, wanted...)
	d.awaitLog(t, "somebody else set the order: it is the preference now", 1)
	d.awaitOrder(t, s.ID("carol"))
	e := d.newestSwitch(t)
	if e.By != "other" || e.From != s.ID("alice") || e.To != s.ID("carol") || !slices.Equal(e.Before, before) || !slices.Equal(e.Order, s.IDs(wanted...)) {
		t.Errorf("the history has %+v; want by other, from %v to %v", e, before, s.IDs(wanted...))
	}
	text, code := d.run(t, "why", "--provider", s.ProviderID(), "--agent", "main")
	flat := strings.Join(strings.Fields(text), " ")
	for _, want := range []string{"Order: " + strings.Join(s.IDs(wanted...), ", "), " by somebody else, past ocwatch"} {
		if !strings.Contains(flat, want) || code != 0 {
			t.Errorf("why ends with status %d and does not say %q:\n%s", code, want, text)
		}
	}

	// Her second account steps in for her first one, and then goes back.
	s.Provider.SetQuota("carol", lab.Quota{FiveHour: 97})
	d.awaitOrder(t, s.ID("bob"))
	d.stop(t)
	s.Provider.SetQuota("carol", lab.Quota{})
	d.start(t)
	d.awaitOrder(t, s.ID("carol"))
	if e := d.newestSwitch(t); e.By != "ocwatch" || !slices.Equal(e.Order, s.IDs(wanted...)) {
		t.Errorf("the newest change of the history is %+v, want ocwatch's to %v", e, s.IDs(wanted...))
	}
	d.stop(t)
}

// orderChange is a change of an order, as history --json tells it.
type orderChange struct {
	At     time.Time `json:"at"`
	Took   int64     `json:"took_ms"`
	By     string    `json:"by"`
	From   string    `json:"from"`
	To     string    `json:"to"`
	Order  []string  `json:"order"`
	Before []string  `json:"before"`
}

// switches are the changes of the order in the history, oldest first.
func (d *daemon) switches(t *testing.T) []orderChange {
	t.Helper()
	out, code := d.run(t, "history", "--json", "--kind", "switch", "--provider", d.stage.ProviderID())
	var doc struct {
		Entries []orderChange `json:"entries"`
	}
	if err := json.Unmarshal([]byte(out), &doc); err != nil || code != 0 || len(doc.Entries) == 0 {
		t.Fatalf("history --json ended with status %d and says %s: %v", code, out, err)
	}
	return doc.Entries
}

func (d *daemon) newestSwitch(t *testing.T) orderChange {
	t.Helper()
	all := d.switches(t)
	return all[len(all)-1]
}
