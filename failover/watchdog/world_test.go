package watchdog

import (
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/ocwatch/ocwatch/internal/journal"
	"github.com/ocwatch/ocwatch/internal/openclaw"
	"github.com/ocwatch/ocwatch/internal/quota"
	"github.com/ocwatch/ocwatch/profiles"
)

// world is one OpenClaw, its gateway, the providers and ocwatch's disk, in
// memory. It outlives the watchdogs that run in it, as the real one does.
// Tests change it through with, and between rounds.
type world struct {
	mu        sync.Mutex
	pools     []profiles.Pool
	problems  []profiles.Problem
	hidden    map[string]bool // agents whose store cannot be read
	unread    error           // nothing of OpenClaw can be read
	says      map[string]quota.Reading
	live      func(account string, now time.Time) quota.Reading // instead of says
	view      map[string][]string                               // by pool key: the order that the gateway goes by
	deaf      bool                                              // the gateway sees a new order only once restarted
	down      bool                                              // the gateway does not answer
	busy      bool                                              // the gateway has work
	restart   time.Duration                                     // how long a restart takes
	journal   Journal
	disk      *disk // the journal, where it is in memory
	trace     []string
	restarts  []time.Time
	asked     map[string]int // probes by account
	looks     int            // snapshots
	messages  int
	promptIn  time.Duration // how long a code takes
	codes     int           // given out so far
	withdrawn []string      // agents whose code nobody was told
	open      string        // the agent of a login under way; the gateway counts it as work
	yields    bool          // a restart ends it first, as the real one does
	layout    openclaw.Layout
	rereads   int   // times that the gateway was made to read the store
	rereadErr error // it refuses to
}

// newWorld has one pool, main's openai profiles in that order.
func newWorld(ids ...string) *world {
	d := &disk{docs: map[string]json.RawMessage{}, readings: map[string][]quota.Reading{}}
	w := &world{
		says: map[string]quota.Reading{}, view: map[string][]string{}, hidden: map[string]bool{}, asked: map[string]int{},
		restart: 20 * time.Second, journal: d, disk: d,
	}
	w.add("main", ids...)
	return w
}

// add gives an agent the profiles of these accounts.
func (w *world) add(agent string, ids ...string) {
	pl := profiles.Pool{Agent: agent, Provider: "openai", Order: ids, Source: profiles.OrderStored}
	for _, id := range ids {
		p := profiles.Profile{ID: id, Provider: "openai", Type: profiles.OAuth, Account: "acct-" + id, Status: profiles.Usable}
		if id == "key" {
			p.Type = profiles.APIKey
		}
		pl.Profiles = append(pl.Profiles, p)
	}
	w.pools = append(w.pools, pl)
	w.view[poolKey(agent, "openai")] = slices.Clone(ids)
}

// with changes the world while nobody else does.
func (w *world) with(change func()) {
	w.mu.Lock()
	defer w.mu.Unlock()
	change()
}

// newCode gives out a code.
func (w *world) newCode(agent string) (code string) {
	w.with(func() { w.codes++; code, w.open = fmt.Sprint("CODE-", w.codes), agent })
	return code
}

// drain is how long the gateway's work takes to end before a restart.
func (w *world) drain() (d time.Duration) {
	w.with(func() {
		if w.open != "" {
			d = 5 * time.Minute
		}
	})
	return d
}

// login gives main a profile of account, and puts it first, as OpenClaw does.
func (w *world) login(id, account string) {
	w.with(func() {
		pl := &w.pools[0]
		if i := slices.IndexFunc(pl.Profiles, func(p profiles.Profile) bool { return p.ID == id }); i >= 0 {
			pl.Profiles[i].Account = account
			pl.Profiles[i].Revision++
		} else {
			pl.Profiles = append(pl.Profiles, profiles.Profile{ID: id, Provider: "openai", Type: profiles.OAuth, Account: account, Status: profiles.Usable})
		}
		pl.Order = append([]string{id}, slices.DeleteFunc(slices.Clone(pl.Order), func(x string) bool { return x == id })...)
		w.view[poolKey("main", "openai")] = slices.Clone(pl.Order)
	})
}

// say makes the provider answer r for an account from now on.
func (w *world) say(id string, r quota.Reading) {
	w.with(func() { w.says["acct-"+id] = r })
}

// order is main's order as the store has it.
func (w *world) order() string {
	w.mu.Lock()
	defer w.mu.Unlock()
	return strings.Join(w.pools[0].Order, " ")
}

// gatewayOrder is main's order as the running gateway goes by it.
func (w *world) gatewayOrder() string {
	w.mu.Lock()
	defer w.mu.Unlock()
	return strings.Join(w.view[poolKey("main", "openai")], " ")
}

// did lists what was done to the world: orders set and restarts.
func (w *world) did() string {
	w.mu.Lock()
	defer w.mu.Unlock()
	return strings.Join(w.trace, "; ")
}

// askedOf is how often an account was asked.
func (w *world) askedOf(id string) (n int) {
	w.with(func() { n = w.asked["acct-"+id] })
	return n
}

func (w *world) snapshot() (profiles.Snapshot, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.looks++
	if w.unread != nil {
		return profiles.Snapshot{}, w.unread
	}
	snap := profiles.Snapshot{At: time.Now(), Problems: slices.Clone(w.problems), Layout: w.layout}
	for _, pl := range w.pools {
		if !w.hidden[pl.Agent] {
			pl.Order, pl.Profiles = slices.Clone(pl.Order), slices.Clone(pl.Profiles)
			snap.Pools = append(snap.Pools, pl)
		}
	}
	return snap, nil
}

func (w *world) mustSnapshot(t *testing.T) profiles.Snapshot {
	t.Helper()
	snap, err := w.snapshot()
	if err != nil {
		t.Fatal(err)
	}
	return snap
}

func (w *world) answer(account string) quota.Reading {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.asked[account]++
	now := time.Now().UTC()
	r, ok := w.says[account]
	switch {
	case w.live != nil:
		r = w.live(account, now)
	case !ok:
		r = used(10)
	}
	r.Account, r.Provider, r.At, r.Source = account, "openai", now, quota.FromUsage
	if len(w.pools) > 0 {
		r.Provider = w.pools[0].Provider
	}
	return r
}

func (w *world) setOrder(agent, provider string, ids []string) (profiles.Applied, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	i := slices.IndexFunc(w.pools, func(p profiles.Pool) bool { return p.Agent == agent && p.Provider == provider })
	if i < 0 {
		return profiles.Applied{}, fmt.Errorf("no pool %s/%s", agent, provider)
	}
	a := profiles.Applied{Via: profiles.ViaStore, Stored: true, Gateway: profiles.ViewConfirmed}
	if !slices.Equal(w.pools[i].Order, ids) {
		a.Via = profiles.ViaRPC
		w.pools[i].Order, w.pools[i].Source = slices.Clone(ids), profiles.OrderStored
		w.trace = append(w.trace, agent+": "+strings.Join(ids, " "))
	}
	key := poolKey(agent, provider)
	switch {
	case w.down:
		a.Gateway = profiles.ViewDown
	case !w.deaf:
		w.view[key] = slices.Clone(ids)
	case !slices.Equal(w.view[key], ids):
		a.Gateway = profiles.ViewOld
	}
	return a, nil
}

// restarted makes the gateway start anew: it reads the store.
func (w *world) restarted() {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.trace = append(w.trace, "restart")
	w.restarts = append(w.restarts, time.Now())
	w.down = false
	for _, pl := range w.pools {
		w.view[poolKey(pl.Agent, pl.Provider)] = slices.Clone(pl.Order)
	}
}

func (w *world) health() openclaw.Health {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.down {
		return openclaw.Health{Detail: "healthz: connection refused"}
	}
	return openclaw.Health{Live: true, Ready: true}
}

// bubble runs f in a world with a clock of its own.
func bubble(t *testing.T, ids []string, f func(t *testing.T, w *world)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) { f(t, newWorld(ids...)) })
}

func used(p float64) quota.Reading {
	return quota.Reading{Verdict: quota.OK, Windows: []quota.Window{
		{Name: quota.FiveHour, UsedPercent: quota.Percent(p), ResetsAt: time.Now().UTC().Add(5 * time.Hour)},
	}}
}

func spent(in time.Duration) quota.Reading {
	return quota.Reading{Verdict: quota.Exhausted, Reason: "5h window 100 % used", Until: time.Now().UTC().Add(in)}
}

func verdict(v quota.Verdict) quota.Reading { return quota.Reading{Verdict: v, Reason: string(v)} }

// disk is a journal in memory, with the real one's rules: a round is stored
// whole or not at all, and a message that is there already is not added again.
type disk struct {
	mu       sync.Mutex
	docs     map[string]json.RawMessage
	readings map[string][]quota.Reading // by account
	messages []journal.Message
	switches []journal.Switch
	restarts []journal.Restart
	logins   []journal.Login
	episodes []journal.Episode
	commits  int
}

func (d *disk) Commit(ctx context.Context, r journal.Round) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	d.commits++
	for key, doc := range r.State {
		if doc == nil {
			delete(d.docs, key)
		} else {
			d.docs[key] = slices.Clone(doc)
		}
	}
	for _, m := range r.Messages {
		if !slices.ContainsFunc(d.messages, func(old journal.Message) bool { return old.ID == m.ID }) {
			d.messages = append(d.messages, m)
		}
	}
	for _, next := range r.Readings {
		kept := d.readings[next.Account]
		if len(kept) == 0 || journal.WorthKeeping(kept[len(kept)-1], next) {
			d.readings[next.Account] = append(kept, next)
		}
	}
	d.switches = append(d.switches, r.Switches...)
	d.restarts = append(d.restarts, r.Restarts...)
	d.keepHistory(r)
	return nil
}

func (d *disk) State(context.Context, string) (map[string]json.RawMessage, error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	return maps.Clone(d.docs), nil
}

func (d *disk) Readings(_ context.Context, account string, since time.Time) ([]quota.Reading, error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	return slices.DeleteFunc(slices.Clone(d.readings[account]), func(r quota.Reading) bool { return r.At.Before(since) }), nil
}

// has reports whether the journal has a document.
func (d *disk) has(key string) bool {
	d.mu.Lock()
	defer d.mu.Unlock()
	_, ok := d.docs[key]
	return ok
}

// told lists the events in the outbox: "profile.low:alice", "pool.depleted:login".
func (d *disk) told() []string {
	d.mu.Lock()
	defer d.mu.Unlock()
	out := make([]string, len(d.messages))
	for i, m := range d.messages {
		out[i] = string(m.Body)
	}
	return out
}

// news is told on one line, without the watchdog's own coming and going.
func (w *world) news() string {
	return strings.Join(slices.DeleteFunc(w.disk.told(), func(e string) bool {
		return e == "watchdog.started" || e == "watchdog.stopped"
	}), " ")
}
