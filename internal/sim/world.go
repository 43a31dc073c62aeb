package sim

import (
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"time"
)

// Week is how long a drawn world is played.
const Week = 7 * 24 * time.Hour

// tokenLife is how long an access token serves after its refresh.
const tokenLife = 10 * 24 * time.Hour

// World is one week's accounts, demand and mishaps. It is not changed by being
// played.
type World struct {
	Seed     uint64
	Start    time.Time
	Length   time.Duration
	Provider string // openai or anthropic
	Accounts []Account
	// Models are those of the provider that OpenClaw tries, one after the
	// other.
	Models int

	order     []string // at the start, nil: as the accounts are listed
	turns     []arrival
	elsewhere []arrival // use of an account outside of OpenClaw
	outages   []span    // the provider answers nobody
}

// Account is one profile with an account of its own.
type Account struct {
	ID    string
	Paid  bool // billed per call, never spent
	Size  float64
	meter meter
	token time.Time // when its access token ends
	// throttled is when the usage endpoint wants no more questions.
	throttled []span
}

// arrival is one turn of a session, or one use of an account elsewhere.
type arrival struct {
	at      time.Time
	session string
	cost    float64
}

type span struct{ from, to time.Time }

func within(spans []span, now time.Time) bool {
	return slices.ContainsFunc(spans, func(s span) bool { return !now.Before(s.from) && now.Before(s.to) })
}

// readable reports whether OpenClaw itself can read the provider's usage.
func (w *World) readable() bool { return w.Provider == "openai" }

func (w *World) ids() []string {
	ids := make([]string, len(w.Accounts))
	for i, a := range w.Accounts {
		ids[i] = a.ID
	}
	return ids
}

// draw makes random numbers. They decide on demand, not on keys.
func draw(seed, stream uint64) *rand.Rand {
	return rand.New(rand.NewPCG(seed, stream)) //nolint:gosec // see above
}

func between(r *rand.Rand, low, high float64) float64 { return low + r.Float64()*(high-low) }

func somewhere(r *rand.Rand, from time.Time) time.Time {
	return from.Add(time.Duration(r.Float64() * float64(Week)))
}

// Draw makes the world of a seed.
func Draw(seed uint64) *World {
	r := draw(seed, 1)
	w := &World{Seed: seed, Start: time.Date(2026, 11, 2, 0, 0, 0, 0, time.UTC), Length: Week, Provider: "openai", Models: 1 + r.IntN(2)}
	if r.Float64() < 0.3 {
		w.Provider = "anthropic"
	}
	for range r.IntN(3) {
		from := somewhere(r, w.Start)
		w.outages = append(w.outages, span{from, from.Add(time.Duration(between(r, 10, 90) * float64(time.Minute)))})
	}
	capacity := 0.0
	for i := range 1 + r.IntN(6) {
		a := w.account(r, i)
		capacity += 100 * a.Size / a.meter.week
		w.Accounts = append(w.Accounts, a)
	}
	w.demand(r, between(r, 0.2, 1.1)*capacity)
	if r.Float64() < 0.3 {
		w.useElsewhere(r)
	}
	if r.Float64() < 0.25 {
		id := fmt.Sprintf("%s:key", w.Provider)
		w.Accounts = append(w.Accounts, Account{ID: id, Paid: true, meter: meter{paid: true}, token: w.Start.Add(10 * Week)})
	}
	return w
}

func (w *World) account(r *rand.Rand, i int) Account {
	names := []string{"alice", "bob", "carol", "dave", "erin", "frank"}
	a := Account{
		ID:    fmt.Sprintf("%s:%s@example.com", w.Provider, names[i]),
		Size:  []float64{1, 1, 1, 5}[r.IntN(4)],
		token: w.Start.Add(time.Duration(r.Float64() * float64(tokenLife))),
	}
	a.meter = meter{
		size: a.Size, week: between(r, 0.1, 0.2), weekly: between(r, 0, 60),
		weekEnds: w.Start.Add(time.Duration(between(r, 0.1, 1) * float64(longWindow))),
	}
	if r.Float64() < 0.3 {
		a.meter.resets = []time.Time{somewhere(r, w.Start)}
	}
	for range r.IntN(4) {
		from := somewhere(r, w.Start)
		a.throttled = append(a.throttled, span{from, from.Add(time.Duration(between(r, 10, 60) * float64(time.Minute)))})
	}
	return a
}

// demand spreads total over the week's turns: mostly by day, less at the
// weekend, in bursts, some of them in chats that last a day.
func (w *World) demand(r *rand.Rand, total float64) {
	hours := make([]float64, 7*24)
	sum := 0.0
	for h := range hours {
		weight := 0.1
		switch day, hour := h/24, h%24; {
		case hour >= 8 && hour < 19 && day < 5:
			weight = 1
		case hour >= 8 && hour < 23:
			weight = 0.35
		}
		hours[h] = weight
	}
	for range 5 {
		hours[r.IntN(len(hours))] += 3
	}
	for _, weight := range hours {
		sum += weight
	}
	n := 400 + r.IntN(1600)
	for range n {
		// Costs are lognormal: many small turns and a few long ones.
		cost := total / float64(n) * math.Exp(0.8*r.NormFloat64()-0.32)
		w.turns = append(w.turns, w.arrival(r, hours, sum, cost))
	}
	slices.SortFunc(w.turns, byTime)
}

func (w *World) arrival(r *rand.Rand, hours []float64, sum, cost float64) arrival {
	pick, h := r.Float64()*sum, 0
	for pick > hours[h] && h < len(hours)-1 {
		pick -= hours[h]
		h++
	}
	a := arrival{at: w.Start.Add(time.Duration((float64(h) + r.Float64()) * float64(time.Hour))), cost: cost}
	if r.Float64() < 0.6 {
		// OpenClaw begins chats anew at four in the morning.
		a.session = fmt.Sprint("chat ", r.IntN(4), " of ", a.at.Add(-4*time.Hour).Format(time.DateOnly))
	}
	return a
}

// useElsewhere has somebody use the first account by hand, too.
func (w *World) useElsewhere(r *rand.Rand) {
	a := w.Accounts[0]
	total := between(r, 0.1, 0.4) * 100 * a.Size / a.meter.week
	for range 150 {
		at := w.Start.Add(time.Duration(r.IntN(7)*24+9+r.IntN(9)) * time.Hour).Add(time.Duration(r.Float64() * float64(time.Hour)))
		w.elsewhere = append(w.elsewhere, arrival{at: at, session: a.ID, cost: total / 150})
	}
	slices.SortFunc(w.elsewhere, byTime)
}

func byTime(a, b arrival) int { return a.at.Compare(b.at) }
