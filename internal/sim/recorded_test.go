package sim

import (
	"math"
	"testing"
	"time"

	"github.com/ocwatch/ocwatch/failover"
	"github.com/ocwatch/ocwatch/internal/quota"
)

func recordStart() time.Time { return time.Date(2026, 11, 2, 8, 0, 0, 0, time.UTC) }

// told makes a reading of an account after some hours of the record.
func told(hours, five, weekly, resets float64, plan string) quota.Reading {
	at := func(h float64) time.Time { return recordStart().Add(time.Duration(h * float64(time.Hour))) }
	r := quota.Reading{At: at(hours), Verdict: quota.OK, Plan: plan, Windows: []quota.Window{
		{Name: quota.FiveHour, UsedPercent: quota.Percent(five), Length: shortWindow},
		{Name: quota.Weekly, UsedPercent: quota.Percent(weekly), ResetsAt: at(100), Length: longWindow},
	}}
	if five > 0 {
		r.Windows[0].ResetsAt = at(resets)
	}
	if five >= 100 {
		r.Verdict, r.Until = quota.Exhausted, at(resets)
	}
	return r
}

// draining is a morning in which alice, who is first, is used up within two of
// her five hours, while bob rests.
func draining(plan string) *Record {
	r := &Record{
		Provider: "openai", From: recordStart(), To: recordStart().Add(6 * time.Hour),
		Order: []string{"alice", "bob"}, First: []Stretch{{At: recordStart(), ID: "alice"}},
	}
	alice, bob := RecordedAccount{ID: "alice"}, RecordedAccount{ID: "bob"}
	for i := range 24 {
		h := float64(i) / 4
		used := math.Min(100, 50*h)
		if h >= 5 {
			used = 0
		}
		alice.Readings = append(alice.Readings, told(h, used, math.Min(10, 5*h), 5, plan))
		bob.Readings = append(bob.Readings, told(h, 0, 0, 0, "plus"))
	}
	r.Accounts = []RecordedAccount{alice, bob}
	return r
}

func TestReplay(t *testing.T) {
	key := RecordedAccount{ID: "key", Paid: true, Readings: []quota.Reading{{At: recordStart(), Verdict: quota.OK, Source: quota.FromValidity}}}
	policy := func(f func(*failover.Policy)) failover.Policy {
		p := failover.DefaultPolicy()
		if f != nil {
			f(&p)
		}
		return p
	}
	for _, tc := range []struct {
		name   string
		record func() *Record
		policy failover.Policy
		past   Past
		want   Result // Turns, Asked, Refused and Moved are left out
	}{
		{
			"what drained goes to the next account, and back after the reset", func() *Record { return draining("plus") }, policy(nil),
			Past{Unusable: 3 * time.Hour, Readings: 48},
			Result{Switches: 2},
		},
		{
			"sticky does not come back", func() *Record { return draining("plus") },
			policy(func(p *failover.Policy) { p.Strategy = failover.Sticky }),
			Past{Unusable: 3 * time.Hour, Readings: 48},
			Result{Switches: 1},
		},
		{
			"a key goes first when nothing else is left", func() *Record {
				r := draining("plus")
				r.Accounts[1], r.Order = key, []string{"alice", "key"}
				return r
			}, policy(nil),
			Past{Unusable: 3 * time.Hour, Dry: 3 * time.Hour, Readings: 25},
			Result{Switches: 2, Dry: 3 * time.Hour, PaidFirst: 3 * time.Hour},
		},
		{
			"a key that may not be used is not", func() *Record {
				r := draining("plus")
				r.Accounts[1], r.Order = key, []string{"alice", "key"}
				return r
			}, policy(func(p *failover.Policy) { p.Paid = failover.PaidNever }),
			Past{Unusable: 3 * time.Hour, Dry: 3 * time.Hour, Readings: 25},
			Result{Unusable: 3 * time.Hour, Dry: 3 * time.Hour},
		},
		{
			"alone there is nothing to win", func() *Record {
				r := draining("plus")
				r.Accounts, r.Order = r.Accounts[:1], r.Order[:1]
				return r
			}, policy(nil),
			Past{Unusable: 3 * time.Hour, Dry: 3 * time.Hour, Readings: 24},
			Result{Unusable: 3 * time.Hour, Dry: 3 * time.Hour},
		},
		{
			"what happened had switches of its own", func() *Record {
				r := draining("plus")
				r.First = append(r.First, Stretch{recordStart().Add(2 * time.Hour), "bob"}, Stretch{recordStart().Add(5 * time.Hour), "alice"})
				return r
			}, policy(nil),
			Past{Switches: 2, Readings: 48},
			Result{Switches: 2},
		},
	} {
		t.Run(tc.name, func(t *testing.T) {
			r := tc.record()
			if got := r.Happened(); got != tc.past {
				t.Errorf("happened %+v, want %+v", got, tc.past)
			}
			got := Replay(r, tc.policy)
			for _, d := range []struct {
				name      string
				got, want time.Duration
			}{{"unusable", got.Unusable, tc.want.Unusable}, {"dry", got.Dry, tc.want.Dry}, {"paid first", got.PaidFirst, tc.want.PaidFirst}} {
				if (d.got - d.want).Abs() > 20*time.Minute {
					t.Errorf("%s %v, want about %v", d.name, d.got, d.want)
				}
			}
			if got.Switches != tc.want.Switches {
				t.Errorf("%d switches, want %d", got.Switches, tc.want.Switches)
			}
			if again := Replay(r, tc.policy); again != got {
				t.Errorf("replayed again %+v, was %+v", again, got)
			}
		})
	}
}

// TestPiecesAndRates: use is what a window filled, across resets and gaps.
func TestPiecesAndRates(t *testing.T) {
	r := draining("plus")
	alice := &r.Accounts[0]
	sum := 0.0
	for _, p := range alice.pieces() {
		sum += p.percent
	}
	if sum != 100 || len(r.Accounts[1].pieces()) != 0 {
		t.Errorf("alice was used %v %% of her five hours, bob in %d pieces", sum, len(r.Accounts[1].pieces()))
	}
	if got := alice.weekShare(); got != 0.1 {
		t.Errorf("a percent of five hours was %v of the week, want 0.1", got)
	}
	if got := r.Accounts[1].weekShare(); got != usualWeekShare {
		t.Errorf("of an account at rest nothing is known: %v", got)
	}
	w := r.world()
	demand := 0.0
	for _, turn := range w.turns {
		demand += turn.cost
	}
	if math.Abs(demand-100) > 1e-6 || len(w.elsewhere) != 0 || w.Accounts[0].meter.week != 0.1 {
		t.Errorf("demand %v, %d uses elsewhere", demand, len(w.elsewhere))
	}
	r.First[0].ID = "bob"
	if w = r.world(); len(w.turns) != 0 || len(w.elsewhere) == 0 || w.elsewhere[0].session != "alice" {
		t.Errorf("use of an account that is not first stays with it: %d turns, %d uses elsewhere", len(w.turns), len(w.elsewhere))
	}
}

// TestSizes: plans are told apart by how fast they filled, accounts of one plan
// are alike whatever they were used for.
func TestSizes(t *testing.T) {
	r := draining("plus")
	r.Accounts[1] = RecordedAccount{ID: "bob"}
	for i := range 24 {
		h := float64(i) / 4
		r.Accounts[1].Readings = append(r.Accounts[1].Readings, told(h, 10*h, h, 7, "pro"))
	}
	r.First = append(r.First, Stretch{recordStart().Add(2 * time.Hour), "bob"})
	sizes := r.sizes()
	// alice: 100 % in 2 h before she was spent; bob: some 10 % an hour.
	if ratio := sizes[1] / sizes[0]; ratio < 3 || ratio > 7 {
		t.Errorf("a percent of pro is worth %v of plus, want about 5", ratio)
	}
	for i := range r.Accounts[1].Readings {
		r.Accounts[1].Readings[i].Plan = "plus"
	}
	if sizes := r.sizes(); sizes[0] != 1 || sizes[1] != 1 {
		t.Errorf("one plan, sizes %v", sizes)
	}
}
