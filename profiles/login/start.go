package login

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"
	"unicode"

	"github.com/rs/zerolog"

	"github.com/ocwatch/ocwatch/internal/quota"
)

const (
	// gatewayStart is how long the gateway may take to give a code.
	gatewayStart = 30 * time.Second
	// terminalStart is the same for the command, which takes 5 to 35 s on a
	// busy machine.
	terminalStart = 90 * time.Second
	// settleRead bounds the read of the store after a login.
	settleRead = 10 * time.Second
)

// Options are what a Starter works with.
type Options struct {
	// Dial gives a connection to the running gateway for one login; nil: there
	// is none, and every login goes through the command.
	Dial  func() Gateway
	CLI   Command
	Store Store
	Log   zerolog.Logger
}

// Starter starts logins. It is safe for concurrent use.
type Starter struct {
	Options

	limits limits
}

// New returns a Starter.
func New(o Options) *Starter { return &Starter{Options: o, limits: usualLimits()} }

// Start starts a login at OpenClaw and returns once there is what a person
// needs to approve it: through the gateway, where that offers a login by code
// for the provider and may name the profile itself, else in a terminal. ctx
// bounds the start, which takes 120 s at most; the login then lives for 25
// minutes. It fails with ErrNotOffered, *FailedError, and where OpenClaw's
// store or command is not to be had.
func (s *Starter) Start(ctx context.Context, r Request) (*Attempt, error) {
	if err := r.check(); err != nil {
		return nil, err
	}
	if onlyPasted(r.Provider) {
		return nil, ErrNotOffered
	}
	w, err := newWatch(ctx, s.Store, s.Log, r)
	if err != nil {
		return nil, fmt.Errorf("before a login: %w", err)
	}
	f, err := s.start(ctx, r, w)
	if err != nil {
		return nil, err
	}
	s.Log.Info().Str("agent", r.Agent).Str("provider", r.Provider).Str("via", string(f.prompt().Via)).
		Msg("a login is under way and waits for somebody to approve it")
	a := &Attempt{flow: f, watch: w, reread: s.reread, done: make(chan struct{})}
	go a.run(context.WithoutCancel(ctx))
	return a, nil
}

// start tries the gateway first: it needs no second process, and knows the new
// login at once.
func (s *Starter) start(ctx context.Context, r Request, w watch) (flow, error) {
	f, gatewayErr := s.startAtGateway(ctx, r)
	if gatewayErr == nil {
		return f, nil
	}
	if ctx.Err() != nil {
		return nil, gatewayErr
	}
	if errors.Is(gatewayErr, ErrNotOffered) {
		s.Log.Debug().Str("agent", r.Agent).Str("provider", r.Provider).Msg("the gateway offers no login for this; trying openclaw's command")
	} else {
		s.Log.Warn().Err(gatewayErr).Str("agent", r.Agent).Str("provider", r.Provider).
			Msg("the gateway starts no login; trying openclaw's command")
	}
	bounded, stop := context.WithTimeout(ctx, terminalStart)
	defer stop()
	f, err := startTerminal(bounded, s.CLI, r, w.stored, s.limits)
	if errors.Is(err, ErrNotOffered) && !errors.Is(gatewayErr, ErrNotOffered) {
		return nil, gatewayErr // it has one, and says why not now
	}
	return f, err
}

func (s *Starter) startAtGateway(ctx context.Context, r Request) (flow, error) {
	if s.Dial == nil || r.Profile != "" {
		return nil, ErrNotOffered
	}
	bounded, stop := context.WithTimeout(ctx, gatewayStart)
	defer stop()
	return startGateway(bounded, s.Dial(), r)
}

// onlyPasted: what OpenClaw has for Anthropic is a token or key that somebody
// made elsewhere, or the sign-in of another program on its own machine. Its
// command would ask which one, for ever.
func onlyPasted(provider string) bool { return quota.Canonical(provider) == "anthropic" }

// check keeps what comes from a person from being taken for an option.
func (r Request) check() error {
	for _, w := range []struct{ what, value string }{{"agent", r.Agent}, {"provider", r.Provider}} {
		if !word(w.value) {
			return fmt.Errorf("%q is no %s id", w.value, w.what)
		}
	}
	if r.Profile != "" && !word(r.Profile) {
		return fmt.Errorf("%q is no profile id", r.Profile)
	}
	return nil
}

const wordCap = 200

func word(s string) bool {
	return s != "" && len(s) <= wordCap && !strings.HasPrefix(s, "-") &&
		!strings.ContainsFunc(s, func(r rune) bool { return unicode.IsSpace(r) || !unicode.IsPrint(r) })
}

// Attempt is a login under way. It is safe for concurrent use.
type Attempt struct {
	flow   flow
	watch  watch
	reread func(ctx context.Context, agent string)

	done   chan struct{} // closed once result and err are set
	result Result
	err    error
}

// run sees the login to its end, and what came of it.
func (a *Attempt) run(ctx context.Context) {
	defer close(a.done)
	err := a.flow.wait(ctx)
	if named, ok := a.flow.(interface{ profile() string }); ok && named.profile() != "" {
		a.watch.request.Profile = named.profile()
	}
	look, stop := context.WithTimeout(ctx, settleRead)
	defer stop()
	a.result, a.err = a.watch.settle(look, err)
	if a.err == nil && a.flow.prompt().Via == ViaTerminal {
		a.reread(ctx, a.watch.request.Agent)
	}
}

// Prompt is what a person needs. It does not change.
func (a *Attempt) Prompt() Prompt { return a.flow.prompt() }

// Paste hands OpenClaw the address that the browser ended on, or the code in
// it, and returns once OpenClaw has stored the login or refused it. It fails
// with ErrNoPaste, with *PasteError where the address is of no use and the
// login goes on, or with what Wait fails with. The address is a secret.
func (a *Attempt) Paste(ctx context.Context, address string) error {
	err := a.flow.paste(ctx, address)
	if _, useless := errors.AsType[*PasteError](err); useless || errors.Is(err, ErrNoPaste) || ctx.Err() != nil {
		return err
	}
	_, err = a.Wait(ctx)
	return err
}

// Wait returns when the login is over: what OpenClaw stored, or ErrExpired,
// ErrCancelled or *FailedError. ctx bounds only this wait.
func (a *Attempt) Wait(ctx context.Context) (Result, error) {
	select {
	case <-a.done:
		return a.result, a.err
	case <-ctx.Done():
		return Result{}, ctx.Err()
	}
}

// Cancel ends the login at OpenClaw and returns when it is over, within some
// 5 s. A login that was stored in the same moment has succeeded. It may be
// called again, and after the end.
func (a *Attempt) Cancel() {
	a.flow.cancel()
	<-a.done
}

// stored reports whether the store shows that this login succeeded; see
// storedFunc. What cannot be read is looked at again.
func (w watch) stored(ctx context.Context, approved bool) bool {
	after, err := readRevisions(ctx, w.store, w.request)
	if err != nil {
		return false
	}
	found := compare(w.before, after, w.request.Profile)
	if w.request.Profile != "" && found.Profile != w.request.Profile {
		return false // somebody else's login
	}
	return found.New || approved && found.Profile != ""
}
