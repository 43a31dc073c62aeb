// Package relogin keeps the logins that are under way: one for each provider,
// begun by the watchdog or by the owner, approved by a person who may be far
// away, and told to whoever wants to know when they end.
package relogin

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/rs/zerolog"

	"github.com/ocwatch/ocwatch/failover"
	"github.com/ocwatch/ocwatch/internal/event"
	"github.com/ocwatch/ocwatch/internal/quota"
	"github.com/ocwatch/ocwatch/profiles/login"
)

// shareFor is how long a login that one agent began is given to the others of
// its provider: agents that share accounts run out of them in the same round.
const shareFor = 2 * time.Minute

var (
	errClosed = errors.New("ocwatch is stopping")
	errOther  = errors.New("a login to the same provider under its other name is under way, and this one would end it")
)

// Attempt is a login under way; *login.Attempt is one.
type Attempt interface {
	Prompt() login.Prompt
	Paste(ctx context.Context, address string) error
	Wait(ctx context.Context) (login.Result, error)
	Cancel()
}

// Options make a Desk.
type Options struct {
	// Start begins a login at OpenClaw. ctx bounds the beginning only.
	Start func(ctx context.Context, r login.Request) (Attempt, error)
	// Dir is the data directory, where the lock is.
	Dir string
	// OnStarted is called when a login was begun on request, and OnDone when
	// one ended that the desk did not end itself. Neither may block. Nil:
	// nobody is told.
	OnStarted func(agent, provider string, prompt event.Login)
	OnDone    func(agent, provider string, result login.Result, err error)
	Log       zerolog.Logger
}

// Desk holds the logins under way.
type Desk struct {
	o       Options
	life    context.Context //nolint:containedctx // the logins outlive the calls that begin them
	end     context.CancelFunc
	running sync.WaitGroup

	mu      sync.Mutex // guards the fields below
	turns   map[string]chan struct{}
	logins  map[string]*entry
	locked  int // logins that need the lock, beginning ones included
	release func()
}

// entry is one login under way.
type entry struct {
	Attempt
	agent, provider string
	since           time.Time
	others          []string // agents that were given the same prompt
	requested       bool     // by a person
	dropped         bool     // ended by the desk: nobody needs to hear of it
}

// New returns a Desk. Close must be called.
func New(o Options) *Desk {
	if o.OnStarted == nil {
		o.OnStarted = func(string, string, event.Login) {}
	}
	if o.OnDone == nil {
		o.OnDone = func(string, string, login.Result, error) {}
	}
	d := &Desk{o: o, turns: map[string]chan struct{}{}, logins: map[string]*entry{}}
	d.life, d.end = context.WithCancel(context.Background())
	return d
}

// Prompt gives a fresh link and code for a login of the agent, for the
// watchdog's own messages. An older login of the provider is cancelled first,
// unless it was begun just now by another agent or a person: then both have the
// same. One to the provider's other name, openai or openai-codex, is left alone:
// these are two pools of one OpenClaw, and a login helps only its own.
func (d *Desk) Prompt(ctx context.Context, agent, provider string) (event.Login, error) {
	e, err := d.begin(ctx, agent, provider, false)
	if err != nil {
		return event.Login{}, err
	}
	return promptOf(e), nil
}

// Begin is Prompt for a person who asked for it: the login is announced, and so
// is what becomes of it.
func (d *Desk) Begin(ctx context.Context, agent, provider string) (event.Login, error) {
	e, err := d.begin(ctx, agent, provider, true)
	if err != nil {
		return event.Login{}, err
	}
	prompt := promptOf(e)
	d.o.OnStarted(agent, provider, prompt)
	return prompt, nil
}

// begin starts a login, one at a time for each provider.
func (d *Desk) begin(ctx context.Context, agent, provider string, requested bool) (*entry, error) {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	defer context.AfterFunc(d.life, cancel)() //nolint:contextcheck // Close ends what begins, too
	done, err := d.turn(ctx, provider)
	if err != nil {
		return nil, d.stopped(err)
	}
	defer done()
	older := d.current(provider)
	switch {
	case older == nil:
	case !requested && d.joins(older, agent):
		return older, nil
	case older.provider == provider:
		// OpenClaw offers this login, and 2026.9 has one at a time.
		d.drop(older)
		older = nil
	case !requested:
		return nil, fmt.Errorf("begin a login to %s: %w", provider, errOther)
	}
	if err := d.lock(); err != nil {
		return nil, err
	}
	a, err := d.o.Start(ctx, login.Request{Agent: agent, Provider: provider})
	if err != nil {
		d.unlock()
		return nil, fmt.Errorf("begin a login to %s: %w", provider, d.stopped(err))
	}
	if older != nil {
		d.drop(older) // only now: the other name may have had no login to offer
	}
	return d.add(&entry{Attempt: a, agent: agent, provider: provider, since: time.Now().UTC(), requested: requested}) //nolint:contextcheck // a login outlives the call that begins it
}

// add takes a login in, and waits for its end beside everything else.
func (d *Desk) add(e *entry) (*entry, error) {
	d.mu.Lock()
	closed := d.life.Err() != nil
	if !closed {
		d.logins[quota.Canonical(e.provider)] = e
		d.running.Go(func() { d.follow(e) })
	}
	d.mu.Unlock()
	if closed {
		e.Cancel()
		d.unlock()
		return nil, errClosed
	}
	p := e.Prompt()
	d.o.Log.Info().Str("agent", e.agent).Str("provider", e.provider).Str("via", string(p.Via)).Bool("paste", p.Paste).
		Msg("a login waits to be approved")
	return e, nil
}

// follow waits for the end of a login and tells it. One that the desk cancelled
// is told only where it worked all the same.
func (d *Desk) follow(e *entry) {
	result, err := e.Wait(context.WithoutCancel(d.life))
	d.mu.Lock()
	if key := quota.Canonical(e.provider); d.logins[key] == e {
		delete(d.logins, key)
	}
	dropped := e.dropped
	d.mu.Unlock()
	d.unlock()
	if dropped && err != nil {
		return
	}
	d.o.OnDone(e.agent, e.provider, result, err)
}

// turn waits until nobody else begins a login at the provider.
func (d *Desk) turn(ctx context.Context, provider string) (done func(), err error) {
	key := quota.Canonical(provider)
	d.mu.Lock()
	if d.turns[key] == nil {
		d.turns[key] = make(chan struct{}, 1)
	}
	turn := d.turns[key]
	d.mu.Unlock()
	select {
	case turn <- struct{}{}:
		return func() { <-turn }, nil
	case <-ctx.Done():
		return nil, ctx.Err()
	}
}

// stopped says why ctx ended where it was the desk.
func (d *Desk) stopped(err error) error {
	if d.life.Err() != nil {
		return errClosed
	}
	return err
}

// lock takes the lock for one more login.
func (d *Desk) lock() error {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.locked == 0 {
		release, err := Lock(d.o.Dir)
		if err != nil {
			return err
		}
		d.release = release
	}
	d.locked++
	return nil
}

func (d *Desk) unlock() {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.locked--; d.locked == 0 {
		d.release()
	}
}

func promptOf(e *entry) event.Login {
	p := e.Prompt()
	return event.Login{
		URL: p.URL, Code: p.Code, ExpiresAt: timePtr(p.ExpiresAt), Paste: p.Paste,
		Command: failover.LoginCommand(e.agent, e.provider),
	}
}

func timePtr(t time.Time) *time.Time {
	if t.IsZero() {
		return nil
	}
	t = t.UTC()
	return &t
}
