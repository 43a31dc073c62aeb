package sim

import (
	"reflect"
	"slices"
	"testing"
	"time"

	"github.com/ocwatch/ocwatch/failover"
)

// TestSameSeedSameWeek: a world is drawn from its seed alone, is not changed by
// being played, and is the same for everybody who decides in it.
func TestSameSeedSameWeek(t *testing.T) {
	for seed := range uint64(3) {
		w := Draw(seed)
		if !reflect.DeepEqual(w, Draw(seed)) {
			t.Fatalf("seed %d draws two worlds", seed)
		}
		var turns []int
		for _, way := range Ways() {
			first := Play(w, way.New(w))
			if again := Play(w, way.New(w)); again != first {
				t.Errorf("seed %d, %s: %+v, then %+v", seed, way.Name, first, again)
			}
			turns = append(turns, first.Turns)
		}
		if !reflect.DeepEqual(w, Draw(seed)) {
			t.Errorf("seed %d: the world was changed by being played", seed)
		}
		if slices.Min(turns) != slices.Max(turns) || turns[0] < 300 {
			t.Errorf("seed %d: turns by way %v", seed, turns)
		}
	}
}

// TestCompare: in any order of its workers a comparison gives the results of
// its worlds, and what they say is what each way is for.
func TestCompare(t *testing.T) {
	if testing.Short() {
		t.Skip("weeks take many seconds under the race detector; -short leaves it out")
	}
	const weeks = 6
	ways := Ways()
	results := Compare(ways, weeks)
	sums := make([]Result, len(ways))
	for i, list := range results {
		for j, r := range list {
			if i == 0 && r != Play(Draw(uint64(j+1)), nil) {
				t.Errorf("the result of week %d is another one's", j)
			}
			sums[i].Avoidable += r.Avoidable
			sums[i].Refused += r.Refused
			sums[i].Switches += r.Switches
			sums[i].Restarts += r.Restarts
			if r.Avoidable > r.Unusable || r.Failed > r.Turns || r.Unusable > Week {
				t.Errorf("%s, week %d: %+v", ways[i].Name, j, r)
			}
		}
	}
	alone, shell := sums[0], sums[1]
	if alone.Switches+alone.Restarts > 0 || shell.Restarts == 0 {
		t.Errorf("alone %+v, shell %+v", alone, shell)
	}
	for i, ocwatch := range sums[2:] {
		if ocwatch.Avoidable*4 > alone.Avoidable || ocwatch.Refused >= alone.Refused || ocwatch.Restarts > 0 {
			t.Errorf("%s: %+v, OpenClaw alone: %+v", ways[2+i].Name, ocwatch, alone)
		}
	}
}

// TestWorlds: the draws cover what a comparison promises to cover.
func TestWorlds(t *testing.T) {
	accounts, providers, models := map[int]bool{}, map[string]bool{}, map[int]bool{}
	paid, resets, throttles, outages, elsewhere := 0, 0, 0, 0, 0
	for seed := range uint64(200) {
		w := Draw(seed)
		providers[w.Provider], models[w.Models] = true, true
		free := 0
		for _, a := range w.Accounts {
			resets += len(a.meter.resets)
			throttles += len(a.throttled)
			if a.Paid {
				paid++
			} else {
				free++
			}
		}
		accounts[free] = true
		outages += len(w.outages)
		elsewhere += min(1, len(w.elsewhere))
		if !slices.IsSortedFunc(w.turns, byTime) || !slices.IsSortedFunc(w.elsewhere, byTime) {
			t.Errorf("seed %d: its turns are not in order", seed)
		}
		for _, turn := range w.turns {
			if turn.at.Before(w.Start) || turn.at.After(w.Start.Add(Week)) || turn.cost <= 0 {
				t.Fatalf("seed %d: turn %+v", seed, turn)
			}
		}
	}
	if len(accounts) != 6 || len(providers) != 2 || len(models) != 2 {
		t.Errorf("accounts %v, providers %v, models %v", accounts, providers, models)
	}
	if paid < 30 || resets < 100 || throttles < 300 || outages < 100 || elsewhere < 30 {
		t.Errorf("paid %d, early resets %d, throttles %d, outages %d, used elsewhere %d", paid, resets, throttles, outages, elsewhere)
	}
}

func TestMeter(t *testing.T) {
	now := time.Date(2026, 11, 2, 10, 0, 0, 0, time.UTC)
	m := meter{size: 2, week: 0.5, resets: []time.Time{now.Add(30 * time.Hour)}}
	m.use(now, 100)
	if m.five != 50 || m.weekly != 25 || m.spent(now) {
		t.Errorf("after half of five hours: %+v", m)
	}
	m.use(now.Add(time.Hour), 110)
	if !m.spent(now.Add(time.Hour)) || !m.until(now.Add(time.Hour)).Equal(now.Add(5*time.Hour)) {
		t.Errorf("a window ends five hours after its first use: %+v", m)
	}
	if r := m.reading(now.Add(time.Hour)); r.Verdict != "exhausted" || *r.Windows[0].UsedPercent != 100 {
		t.Errorf("reading %+v", r)
	}
	m.use(now.Add(5*time.Hour), 190)
	if m.five != 95 || m.weekly != 100 || !m.until(now.Add(5*time.Hour)).Equal(now.Add(longWindow)) {
		t.Errorf("the week is spent: %+v", m)
	}
	if m.spent(now.Add(30 * time.Hour)) {
		t.Errorf("given back early: %+v", m)
	}
	paid := meter{paid: true}
	if paid.use(now, 1e9); paid.spent(now) || !paid.until(now).IsZero() {
		t.Errorf("a key is never spent: %+v", paid)
	}
}

// TestWatchdogSees: what the simulated ocwatch is shown is what it acts on.
func TestWatchdogSees(t *testing.T) {
	w := &World{Start: time.Date(2026, 11, 2, 10, 0, 0, 0, time.UTC), Length: Week, Provider: "openai", Models: 1}
	for _, id := range []string{"alice", "bob"} {
		w.Accounts = append(w.Accounts, Account{ID: id, Size: 1, meter: meter{size: 1, week: 0.1}, token: w.Start.Add(10 * Week)})
	}
	w.Accounts[0].meter.five, w.Accounts[0].meter.fiveEnds = 90, w.Start.Add(4*time.Hour)
	w.Accounts[0].meter.weekEnds = w.Start.Add(Week)
	w.turns = []arrival{{at: w.Start.Add(time.Minute), cost: 7}, {at: w.Start.Add(20 * time.Minute), cost: 20}}
	r := Play(w, NewWatchdog(failover.DefaultPolicy(), 1))
	want := Result{Turns: 2, Switches: 2} // to bob at 97 %, and back after the reset
	r.Asked = 0
	if r != want {
		t.Errorf("with ocwatch %+v, want %+v", r, want)
	}
	w.turns[1].at = w.Start.Add(61 * time.Second) // before anybody could look
	if r = Play(w, NewWatchdog(failover.DefaultPolicy(), 1)); r.Refused != 0 || r.Switches != 2 {
		t.Errorf("too fast for a look: %+v", r)
	}
	if alone := Play(w, nil); alone.Unusable < 3*time.Hour || alone.Avoidable != alone.Unusable {
		t.Errorf("alone: %+v", alone)
	}
}

// TestShell: by the token's end, and a restart for a refusal.
func TestShell(t *testing.T) {
	w := &World{Start: time.Date(2026, 11, 2, 10, 0, 0, 0, time.UTC), Length: Week, Provider: "openai", Models: 1}
	for i, id := range []string{"alice", "bob", "key"} {
		w.Accounts = append(w.Accounts, Account{
			ID: id, Size: 1, Paid: id == "key", meter: meter{size: 1, week: 0.1, paid: id == "key"},
			token: w.Start.Add(time.Duration(i+8) * 24 * time.Hour),
		})
	}
	w.Accounts[1].meter.five, w.Accounts[1].meter.fiveEnds, w.Accounts[1].meter.weekEnds = 100, w.Start.Add(time.Hour), w.Start.Add(Week)
	w.turns = []arrival{{at: w.Start.Add(time.Minute), cost: 1}, {at: w.Start.Add(10*time.Minute + 5*time.Second), cost: 1}}
	got := Play(w, Shell{})
	want := Result{Turns: 2, Refused: 1, Failed: 1, Switches: 1, Restarts: 1, Unusable: time.Minute, Avoidable: time.Minute}
	if got != want {
		t.Errorf("%+v, want %+v", got, want)
	}
}
