package watchdog

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"runtime"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/robfig/cron/v3"
	"github.com/rs/zerolog"
	"golang.org/x/oauth2"

	"github.com/ocwatch/ocwatch/failover"
	"github.com/ocwatch/ocwatch/failover/restart"
	"github.com/ocwatch/ocwatch/internal/event"
	"github.com/ocwatch/ocwatch/internal/journal"
	"github.com/ocwatch/ocwatch/internal/openclaw"
	"github.com/ocwatch/ocwatch/internal/quota"
	"github.com/ocwatch/ocwatch/probe"
	"github.com/ocwatch/ocwatch/profiles"
)

var errFault = errors.New("a fault of the test")

// fault is what goes wrong with one effect.
type fault int

const (
	none       fault = iota
	failBefore       // it is not done, and an error says so
	failAfter        // it is done, and an error says that it was not
	dieBefore        // ocwatch is killed before it
	dieAfter         // ocwatch is killed when it is done, and hears of nothing
	hang             // it is not done, and nothing comes back until the context ends
)

// process is one life of ocwatch in a world. All that the watchdog reads or
// does goes through effect. Once the process died, nothing it does has an
// effect any more: its goroutines end at their next one.
type process struct {
	*world
	t   *testing.T
	dog *Watchdog
	ctx context.Context
	end context.CancelFunc
	// meddle is asked before each effect, and may change the world then.
	meddle func(effect string) fault
	dead   atomic.Bool
	done   chan struct{} // Run returned or died
	beats  []string
}

func (p *process) effect(ctx context.Context, name string, do func() error) error {
	if p.dead.Load() {
		runtime.Goexit()
	}
	f := none
	if meddle := p.meddler(); meddle != nil {
		f = meddle(name)
	}
	switch f {
	case failBefore:
		return errFault
	case failAfter:
		return errors.Join(do(), errFault)
	case dieBefore:
		p.die()
	case dieAfter:
		_ = do()
		p.die()
	case hang:
		<-ctx.Done()
		return ctx.Err()
	case none:
	}
	return do()
}

func (p *process) meddler() (f func(string) fault) {
	p.with(func() { f = p.meddle })
	return f
}

// meddling changes meddle while the process runs.
func (p *process) meddling(f func(string) fault) { p.with(func() { p.meddle = f }) }

// die is kill -9: the calling goroutine goes no further, and the others only
// as far as their next effect.
func (p *process) die() {
	p.dead.Store(true)
	p.end()
	runtime.Goexit()
}

// Snapshot implements Source.
func (p *process) Snapshot(ctx context.Context) (snap profiles.Snapshot, err error) {
	err = p.effect(ctx, "snapshot", func() error { snap, err = p.snapshot(); return err })
	return snap, err
}

// TokenSource implements Source.
func (p *process) TokenSource(_, profile string) oauth2.TokenSource {
	return oauth2.StaticTokenSource(&oauth2.Token{AccessToken: "token-of-" + profile})
}

// ProbeAll implements Prober.
func (p *process) ProbeAll(ctx context.Context, accounts []probe.Account, _ int) []quota.Reading {
	out := make([]quota.Reading, len(accounts))
	err := p.effect(ctx, "probe", func() error {
		for i, a := range accounts {
			out[i] = p.answer(a.Key)
		}
		return nil
	})
	if err != nil {
		for i, a := range accounts {
			out[i] = quota.Reading{Account: a.Key, Provider: a.Provider, At: time.Now().UTC(), Verdict: quota.Unreachable, Reason: "no route"}
		}
	}
	return out
}

// Set implements Orderer.
func (p *process) Set(ctx context.Context, agent, provider string, ids []string) (a profiles.Applied, err error) {
	err = p.effect(ctx, "order", func() error { a, err = p.setOrder(agent, provider, ids); return err })
	if err != nil {
		return profiles.Applied{}, err
	}
	return a, nil
}

// Health implements Gateway.
func (p *process) Health(ctx context.Context) (h openclaw.Health) {
	if err := p.effect(ctx, "health", func() error { h = p.health(); return nil }); err != nil {
		return openclaw.Health{Detail: err.Error()}
	}
	return h
}

// Version implements Gateway.
func (p *process) Version(context.Context) string { return "2026.9.6" }

// Idle implements Gateway.
func (p *process) Idle(ctx context.Context) (idle bool, err error) {
	err = p.effect(ctx, "idle", func() error { p.with(func() { idle = !p.busy }); return nil })
	return idle, err
}

// Restart implements Restarter.
func (p *process) Restart(ctx context.Context, _ string) (restart.Result, error) {
	if p.yields {
		p.dog.YieldLogins()
	}
	if err := pause(ctx, p.drain()+p.restart); err != nil {
		return restart.Result{}, err
	}
	err := p.effect(ctx, "restart", func() error { p.restarted(); return nil })
	return restart.Result{At: time.Now(), Via: restart.RPC, OK: err == nil}, err
}

// Prompt implements Logins. Every code is another one.
func (p *process) Prompt(ctx context.Context, agent, _ string) (l event.Login, err error) {
	var takes time.Duration
	p.with(func() { takes = p.promptIn })
	if err := pause(ctx, takes); err != nil {
		return event.Login{}, err
	}
	err = p.effect(ctx, "prompt", func() error { l = event.Login{URL: "https://auth.example.com", Code: p.newCode(agent)}; return nil })
	return l, err
}

// Withdraw implements Logins.
func (p *process) Withdraw(agent, _ string) {
	p.with(func() { p.withdrawn = append(p.withdrawn, agent) })
}

// Yield implements Logins. The code that was given out last is under way.
func (p *process) Yield(void func(agent, provider string)) {
	open := ""
	p.with(func() { open, p.open = p.open, "" })
	if open != "" {
		void(open, "openai")
	}
}

// reread is what Options.Reread does.
func (p *process) reread(ctx context.Context, agent string) (method string, err error) {
	err = p.effect(ctx, "reread", func() error {
		p.with(func() { p.rereads++; err = p.rereadErr })
		return err
	})
	if err != nil || agent == "" {
		return "", err
	}
	return "secrets.reload", nil
}

// Commit implements Journal.
func (p *process) Commit(ctx context.Context, r journal.Round) error {
	return p.effect(ctx, "commit", func() error { return p.journal.Commit(ctx, r) })
}

// State implements Journal.
func (p *process) State(ctx context.Context, prefix string) (docs map[string]json.RawMessage, err error) {
	err = p.effect(ctx, "load", func() error { docs, err = p.journal.State(ctx, prefix); return err })
	return docs, err
}

// Readings implements Journal.
func (p *process) Readings(ctx context.Context, account string, since time.Time) (list []quota.Reading, err error) {
	err = p.effect(ctx, "past", func() error { list, err = p.journal.Readings(ctx, account, since); return err })
	return list, err
}

// Route implements Notifier. A message says what the event was in short:
// "profile.low:alice", "pool.depleted:login".
func (p *process) Route(e event.Event) ([]journal.Message, error) {
	body := string(e.Type)
	parts := []string{e.Data.Profile, e.Data.Action}
	if e.Data.RunsDryAt != nil {
		parts = append(parts, "dry")
	}
	if e.Data.Login != nil {
		parts = append(parts, e.Data.Login.Code)
	}
	if e.Type != event.PoolRecovered {
		parts = append(parts, string(e.Data.Ends))
	}
	for _, part := range parts {
		if part != "" {
			body += ":" + part
		}
	}
	m := journal.Message{Endpoint: "ops", Body: []byte(body), CreatedAt: e.Timestamp}
	p.with(func() { p.messages++; m.ID = fmt.Sprint("msg-", p.messages) })
	return []journal.Message{m}, nil
}

// Wake implements Notifier.
func (p *process) Wake() {}

// brisk asks every account in every round, a minute apart.
func brisk() Config {
	return Config{
		Schedule: cron.Every(time.Minute), MinGap: time.Second,
		Policy: func(string) failover.Policy { return failover.DefaultPolicy() },
		Next: func(now time.Time, _ probe.Account, _ quota.Reading, _ float64) time.Time {
			return now.Add(time.Minute)
		},
		Breaker: failover.BreakerTiming{Recheck: time.Minute, Settle: 30 * time.Second, First: time.Minute, Most: 30 * time.Minute},
		Restart: RestartAuto,
	}
}

// paced is what run uses.
func paced() Config {
	c := brisk()
	c.Jitter = 5 * time.Second
	c.Next = func(now time.Time, _ probe.Account, last quota.Reading, random float64) time.Time {
		return probe.Next(now, last, time.Minute, random)
	}
	c.Breaker = failover.DefaultBreakerTiming()
	return c
}

// relaying is born, with logins that a person elsewhere can approve.
func (w *world) relaying(t *testing.T, cfg Config) *process {
	t.Helper()
	p := w.born(t, cfg)
	p.dog.Logins = p
	return p
}

// born makes a watchdog in w. It is not running yet.
func (w *world) born(t *testing.T, cfg Config) *process {
	t.Helper()
	ctx, end := context.WithCancel(t.Context())
	p := &process{world: w, t: t, ctx: ctx, end: end, done: make(chan struct{})}
	p.dog = New(Options{
		Source: p, Prober: p, Orderer: p, Gateway: p, Restarter: p, Journal: p, Notifier: p,
		Log: zerolog.Nop(), Config: cfg, Reread: p.reread, Version: "1.2.3", GatewayURL: "ws://127.0.0.1:18789",
		Beat: func(s string) { p.with(func() { p.beats = append(p.beats, s) }) },
	})
	t.Cleanup(func() { p.end(); p.dog.restarts.wait(); p.dog.codes.Wait() })
	return p
}

// awake is born, with the memory of the life before.
func (w *world) awake(t *testing.T, cfg Config) *process {
	t.Helper()
	p := w.born(t, cfg)
	if err := p.dog.load(p.ctx); err != nil {
		t.Fatal(err)
	}
	return p
}

// rounds lets n rounds pass, a minute apart. Restarts go on beside them.
func (p *process) rounds(n int) {
	for range n {
		p.dog.Round(p.ctx)
		time.Sleep(time.Minute)
	}
}

// run starts Run beside the test. It ends with the test, or by stop.
func (p *process) run() *process {
	go func() {
		defer close(p.done)
		_ = p.dog.Run(p.ctx)
	}()
	return p
}

// stop is SIGTERM.
func (p *process) stop() {
	p.end()
	<-p.done
}

// beaten lists the summaries of the rounds that came to their end.
func (p *process) beaten() (list []string) {
	p.with(func() { list = slices.Clone(p.beats) })
	return list
}

func (p *process) pool(agent string) PoolStatus {
	for _, pl := range p.dog.Status().Pools {
		if pl.Agent == agent {
			return pl
		}
	}
	return PoolStatus{}
}

// on meddles with the n-th effect of a name, from 1.
func on(name string, n int32, do func() fault) func(string) fault {
	var seen atomic.Int32
	return func(effect string) fault {
		if effect == name && seen.Add(1) == n {
			return do()
		}
		return none
	}
}

// always meddles with every effect of a name.
func always(name string, f fault) func(string) fault {
	return func(effect string) fault {
		if strings.HasPrefix(effect, name) {
			return f
		}
		return none
	}
}

// refusing refuses every restart, by the budget.
type refusing struct {
	until time.Time
	tries []time.Time
}

// Restart implements Restarter.
func (r *refusing) Restart(context.Context, string) (restart.Result, error) {
	r.tries = append(r.tries, time.Now())
	return restart.Result{}, &restart.RefusedError{Err: restart.ErrBudget, Why: "3 restarts in the last 30m, 3 allowed", Until: r.until}
}
