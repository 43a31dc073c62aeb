package watchdog

import (
	"context"
	"encoding/json"
	"errors"
	"strings"
	"time"

	"github.com/ocwatch/ocwatch/failover"
	"github.com/ocwatch/ocwatch/internal/event"
	"github.com/ocwatch/ocwatch/internal/journal"
	"github.com/ocwatch/ocwatch/internal/quota"
)

// asksPrefix is where events are journalled that wait for a login's code. They
// are owed from the round on that decided them: whatever becomes of ocwatch,
// each is told once, with one code.
const asksPrefix = "login/"

func asksKey(poolKey string) string { return asksPrefix + strings.TrimPrefix(poolKey, poolPrefix) }

// codeWithin is how long an event waits for its code. Without one it names the
// command alone: late is worse than plain.
const codeWithin = 90 * time.Second

// ask is an event that asks for a login and waits for link and code.
type ask struct {
	Event event.Event `json:"event"`
	// First: nothing of its episode was told before. Should the pool recover
	// first, nobody needs to hear of either.
	First bool `json:"first,omitempty"`
}

// fetch is one wait for a code.
type fetch struct{ cancel context.CancelFunc }

// holdAsks keeps back what of the plan's events waits for a code, journals it,
// and returns the others.
func (w *Watchdog) holdAsks(rd *journal.Round, p *pool, before failover.Memory) []event.Event {
	first := before.Depleted == nil || !before.Depleted.Announced
	now := w.releaseAsks(p)
	for _, e := range p.plan.Events {
		if e.Data.Login != nil && !e.Data.Login.Key {
			e.Data.Login.Chat = chatCommand(e.Data.Provider, w.shared)
		}
		switch {
		case e.Type == event.PoolRecovered:
			now = append(now, w.dropAsks(p, e)...)
		case w.waits(e):
			p.asks = append(p.asks, ask{Event: e, First: first && e.Type == event.PoolDepleted})
		default:
			now = append(now, e)
		}
	}
	if p.plan.State == failover.PoolDepleted {
		for i, a := range p.asks {
			if a.Event.Type == event.PoolDepleted {
				p.asks[i].Event.Data = p.plan.Describe(a.Event.Data)
			}
		}
	}
	w.rememberAsks(rd, p)
	return now
}

// waits reports whether e is to carry a code. Where nobody would hear it, none
// is asked for, and none where only an API key helps: a login would be one of
// another pool, if of any.
func (w *Watchdog) waits(e event.Event) bool {
	if w.Logins == nil || w.paused != nil || e.Data.Action != event.ActionLogin || e.Data.Login == nil || e.Data.Login.Key {
		return false
	}
	msgs, err := w.Notifier.Route(e)
	return err == nil && len(msgs) > 0
}

func (w *Watchdog) rememberAsks(rd *journal.Round, p *pool) {
	key := asksKey(poolKey(p.now.Agent, p.now.Provider))
	if len(p.asks) == 0 {
		w.forget(rd, key)
		return
	}
	w.remember(rd, key, p.asks)
}

// dropAsks gives up what a recovery makes pointless, and returns what is still
// to be told: not the recovery from what nobody heard of.
func (w *Watchdog) dropAsks(p *pool, recovered event.Event) []event.Event {
	var now []event.Event
	unheard := false
	for _, a := range p.asks {
		unheard = unheard || a.First
		if a.Event.Type != event.PoolDepleted {
			now = append(now, a.Event)
		}
	}
	p.asks = nil
	w.stopFetch(p)
	if unheard {
		w.Log.Info().Str("agent", p.now.Agent).Str("provider", p.now.Provider).
			Msg("the pool recovered before anybody was asked to log in")
		return now
	}
	return append(now, recovered)
}

// stopFetch ends the wait for a code that nobody needs any more.
func (w *Watchdog) stopFetch(p *pool) {
	if p.fetch != nil {
		p.fetch.cancel()
		p.fetch = nil
	}
}

// fetchCodes begins to wait for the codes that are needed, beside the rounds.
// It comes after the commit that journalled what they are for.
func (w *Watchdog) fetchCodes(ctx context.Context) {
	for key, p := range w.pools {
		if len(p.asks) == 0 || p.fetch != nil || w.paused != nil || p.plan.State != failover.PoolDepleted {
			continue
		}
		within, cancel := context.WithTimeout(ctx, codeWithin)
		f, agent, provider := &fetch{cancel}, p.now.Agent, p.now.Provider
		p.fetch = f
		w.codes.Go(func() {
			defer w.survive("a login's code could not be told")
			defer cancel()
			code, err := w.code(within, agent, provider)
			if ctx.Err() != nil {
				return // ocwatch stops; what is owed is in the journal
			}
			if unused := w.settleAsks(ctx, key, f, code, err); unused && err == nil {
				w.Logins.Withdraw(agent, provider)
			}
		})
	}
}

// code waits for a code until ctx ends, even for a Prompt that does not. A
// gateway that is about to restart would end the login along with itself.
func (w *Watchdog) code(ctx context.Context, agent, provider string) (event.Login, error) {
	type answer struct {
		login event.Login
		err   error
	}
	answers := make(chan answer, 1)
	go func() { // not waited for: it may not heed ctx
		a := answer{err: errors.New("the login failed within ocwatch")}
		defer func() { answers <- a }()
		defer w.survive("a login could not be begun")
		if err := w.restarts.settled(ctx); err != nil {
			a.err = err
			return
		}
		a.login, a.err = w.Logins.Prompt(ctx, agent, provider)
		if a.err == nil && ctx.Err() != nil {
			w.Logins.Withdraw(agent, provider) // too late for its message
		}
	}()
	select {
	case a := <-answers:
		return a.login, a.err
	case <-ctx.Done():
		return event.Login{}, ctx.Err()
	}
}

// settleAsks sends what waited for the code, and journals both at once. It
// returns true where nothing waits for any code any more.
func (w *Watchdog) settleAsks(ctx context.Context, key string, f *fetch, code event.Login, err error) (unused bool) {
	w.round.Lock()
	defer w.round.Unlock()
	p := w.pools[key]
	if p == nil || p.fetch != f {
		return p == nil || p.fetch == nil
	}
	if err != nil {
		w.Log.Warn().Err(err).Str("agent", p.now.Agent).Str("provider", p.now.Provider).
			Msg("there is no code for the login message: it names the command alone")
	}
	rd := journal.Round{At: time.Now().UTC(), State: map[string]json.RawMessage{}}
	told := map[string]bool{}
	for _, a := range p.asks {
		w.route(&rd, told, withCode(a.Event, code))
	}
	p.asks, p.fetch = nil, nil
	w.rememberAsks(&rd, p)
	w.commit(ctx, rd)
	return false
}

// withCode puts link and code into e, beside the commands that do the same by
// hand.
func withCode(e event.Event, code event.Login) event.Event {
	code.Command, code.Chat = e.Data.Login.Command, e.Data.Login.Chat
	e.Data.Login = &code
	return e
}

// chatCommand is what the owner may send OpenClaw in a private chat instead, ""
// where this OpenClaw has no such command. The releases that have it keep their
// profiles in the shared database.
func chatCommand(provider string, shared bool) string {
	if shared && quota.Canonical(provider) == "openai" {
		return "/login codex"
	}
	return ""
}
