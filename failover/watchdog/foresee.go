package watchdog

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/ocwatch/ocwatch/failover"
	"github.com/ocwatch/ocwatch/failover/forecast"
	"github.com/ocwatch/ocwatch/internal/event"
	"github.com/ocwatch/ocwatch/internal/journal"
	"github.com/ocwatch/ocwatch/internal/quota"
)

// toldPrefix is where it is journalled what was told of a pool's gap.
const toldPrefix = "forecast/"

func toldKey(poolKey string) string { return toldPrefix + strings.TrimPrefix(poolKey, poolPrefix) }

// foreseeEvery is how long a forecast holds while nothing but time passes: one
// of ten busy accounts costs some ten milliseconds, and rounds may be a second
// apart.
const foreseeEvery = 45 * time.Second

// outlook is a pool's forecast.
type outlook struct {
	forecast.Forecast
	at time.Time
	of string // what it was made of, the readings apart
	// names are what its accounts are called in it.
	names map[string]string
}

// foresee makes the pool's forecast anew where it is time to, and returns the
// warning that is due. made holds the forecasts of this round: agents that share
// their accounts share them.
func (w *Watchdog) foresee(rd *journal.Round, p *pool, cfg Config, made map[string]forecast.Forecast) []event.Event {
	policy := cfg.Policy(p.now.Provider)
	if p.plan.State == failover.PoolBlind || len(p.now.Profiles) > foreseeMost {
		// What cannot be seen is not foreseen. What was told of it holds.
		p.outlook = outlook{}
		return nil
	}
	in, names := w.prospect(p, policy)
	of := describe(p.plan.State, in, names)
	if age := rd.At.Sub(p.outlook.at); p.outlook.of == of && age >= 0 && age < foreseeEvery {
		return nil
	}
	f, ok := made[of]
	if !ok {
		f = forecast.Of(rd.At, in)
		made[of] = f
	}
	p.outlook = outlook{Forecast: f, at: rd.At, of: of, names: names}
	return w.warn(rd, p, policy)
}

// warn tells of the gap that the forecast has, once. A pool that is depleted was
// told to be: there is nothing ahead of that.
func (w *Watchdog) warn(rd *journal.Round, p *pool, policy failover.Policy) []event.Event {
	key := toldKey(poolKey(p.now.Agent, p.now.Provider))
	var events []event.Event
	if p.plan.State == failover.PoolDepleted && p.told.At.IsZero() {
		p.told = forecast.Told{}
	} else {
		p.told, events = forecast.Warnings(rd.At, p.outlook.Forecast, policy.LoginAfter, p.told)
	}
	if p.told == (forecast.Told{}) {
		w.forget(rd, key)
	} else {
		w.remember(rd, key, p.told)
	}
	for i := range events {
		w.complete(&events[i].Data, p)
	}
	return events
}

// complete adds to a warning what is known of the pool, and what helps: one
// account more. No code is fetched: it would be void by then.
func (w *Watchdog) complete(d *event.Data, p *pool) {
	all := p.plan.Describe(event.Data{})
	d.Agent, d.Provider, d.Order = p.now.Agent, p.now.Provider, p.plan.Order
	d.Profiles = slices.DeleteFunc(all.Profiles, func(pr event.Profile) bool { return !slices.Contains(p.plan.Order, pr.ID) })
	d.Login = &event.Login{
		Command: failover.LoginCommand(p.now.Agent, p.now.Provider), Chat: chatCommand(p.now.Provider, w.shared),
	}
}

// foretold reports whether e is no news beside the warning that the pool runs
// dry: its accounts run low one after the other then, and "nothing to do" would
// be wrong. Where the gap went out of sight again it is.
func (p *pool) foretold(e event.Event) bool {
	gap := !p.outlook.Dry.IsZero() || p.outlook.at.IsZero()
	return e.Type == event.ProfileLow && e.Data.RunsDryAt == nil && !p.told.At.IsZero() && gap
}

// prospect is what the pool's forecast is made of: its accounts in the order in
// force, and how each is called there. Accounts billed per token are none that
// run dry, unless the pool has no others.
func (w *Watchdog) prospect(p *pool, policy failover.Policy) (forecast.Pool, map[string]string) {
	in := forecast.Pool{SwitchAt: policy.SwitchAt, Models: policy.Models}
	billed, as := map[string]string{}, map[string]failover.Assessment{}
	free := false
	for _, pr := range p.now.Profiles {
		billed[pr.ID] = pr.Account
	}
	for _, a := range p.plan.Profiles {
		as[a.ID] = a
		free = free || !a.Paid
	}
	names := map[string]string{}
	for _, id := range p.plan.Order {
		key, dead := billed[id], as[id].State == failover.Dead
		i := slices.IndexFunc(in.Accounts, func(a forecast.Account) bool { return a.ID == names[key] })
		switch {
		case as[id].Paid && free:
			if in.Paid == "" && as[id].Serves() {
				in.Paid = id
			}
		case i < 0:
			names[key] = id
			in.Accounts = append(in.Accounts, forecast.Account{ID: id, Readings: w.readingsOf(key), Dead: dead})
		case in.Accounts[i].Dead && !dead: // the login is another one, the account the same
			names[key], in.Accounts[i].ID, in.Accounts[i].Dead = id, id, false
		}
	}
	return in, names
}

func (w *Watchdog) readingsOf(key string) (list []quota.Reading) {
	if a := w.accounts[key]; a != nil {
		list = a.past.readings
	}
	return list
}

// describe says what a forecast is made of, the readings apart.
func describe(state failover.PoolState, in forecast.Pool, names map[string]string) string {
	var b strings.Builder
	fmt.Fprint(&b, state, in.SwitchAt, in.Models, in.Paid, names)
	for _, a := range in.Accounts {
		fmt.Fprint(&b, " ", a.ID, a.Dead)
	}
	return b.String()
}
