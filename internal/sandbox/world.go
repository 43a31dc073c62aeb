// Package sandbox is a stand-in world on loopback: the providers' usage
// endpoints with quota that drains and resets, and one OpenClaw install with
// its state directory, its gateway and its command. What decides and acts
// against it is the same code that decides and acts against the real ones.
//
// Each behaviour is one that was seen on OpenClaw 2026.9.6, or that the
// providers' clients and recorded answers show; the recordings that the
// stand-in is compared with are in testdata.
package sandbox

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"slices"
	"sync"
	"time"

	"github.com/ocwatch/ocwatch/internal/secret"
)

// Options say what the world is like at its beginning.
type Options struct {
	// Dir is an existing directory; the state directory goes below it.
	Dir      string
	Accounts []Account
	// Agents are the ids of OpenClaw's agents; none means main alone.
	Agents []string
	// Order is the stored order of the first agent, by provider. Providers
	// that are not in it have none, as on a fresh install.
	Order map[string][]string
	// ConfigOrder becomes auth.order in openclaw.json.
	ConfigOrder map[string][]string
	// TurnCost is the percentage of every window that one served turn uses;
	// 0 means 1.
	TurnCost float64
	// GatewayUptime is how long the gateway says it runs already.
	GatewayUptime time.Duration
	// RestartOutage is how long the gateway's port is closed during a restart;
	// 0 means 200 ms, where the real one takes 4 to 9 s.
	RestartOutage time.Duration
	// WithoutMethods are gateway methods that are neither announced nor
	// served, as on an older gateway.
	WithoutMethods []string
	// Stale says how long the gateway goes on with an old order.
	Stale Stale
	// RestrictModels: the config allows certain models only, so that a login
	// ends with a question about that.
	RestrictModels bool
}

// Stale says how long the running gateway goes on with the order it had.
type Stale int

// The kinds of staleness.
const (
	// NotStale: an order that was set is served at once, as by 2026.9.6.
	NotStale Stale = iota
	// UntilRefresh: the order is saved, its publication in the gateway failed
	// (models.authOrderSet then answers with a warning), and the gateway has
	// the old one until models.authRefresh.
	UntilRefresh
	// UntilRestart: only a restart makes the gateway read the order, as with
	// releases before 2026.4.2.
	UntilRestart
)

// World is a running stand-in world. Its methods may be called concurrently.
type World struct {
	opts     Options
	agents   []string
	accounts []*account // guarded by mu
	store    *store
	usage    *usageServer
	gateway  *gateway
	token    secret.Value
	logins   *logins

	mu     sync.Mutex // guards what follows, and the accounts' state
	memory memory
	writes []Write
	turns  []Turn
}

// Start makes the state directory and starts the servers on free ports of
// 127.0.0.1. The world ends with Close; ctx bounds the start only.
func Start(ctx context.Context, o Options) (*World, error) {
	if o.TurnCost == 0 {
		o.TurnCost = 1
	}
	if o.RestartOutage == 0 {
		o.RestartOutage = 200 * time.Millisecond
	}
	w := &World{opts: o, agents: o.Agents, token: randomSecret(""), logins: newLogins()}
	if len(w.agents) == 0 {
		w.agents = []string{"main"}
	}
	if err := w.addAccounts(o.Accounts, time.Now()); err != nil {
		return nil, err
	}
	if err := w.start(ctx); err != nil {
		return nil, errors.Join(err, w.Close())
	}
	return w, nil
}

func (w *World) start(ctx context.Context) (err error) {
	if w.store, err = newStore(ctx, filepath.Join(w.opts.Dir, ".openclaw")); err != nil {
		return err
	}
	if err := w.store.saveProfiles(ctx, w.credentials()); err != nil {
		return err
	}
	for provider, order := range w.opts.Order {
		if err := w.store.setOrder(ctx, w.agents[0], provider, order); err != nil {
			return err
		}
	}
	if w.usage, err = newUsageServer(ctx, w); err != nil {
		return err
	}
	w.gateway = newGateway(w)
	if err := w.gateway.start(ctx); err != nil {
		return err
	}
	return w.writeConfig()
}

// Close stops the servers and waits for everything they run. The state
// directory stays.
func (w *World) Close() error {
	var errs []error
	if w.gateway != nil {
		errs = append(errs, w.gateway.close())
	}
	if w.usage != nil {
		errs = append(errs, w.usage.close())
	}
	if w.store != nil {
		errs = append(errs, w.store.close())
	}
	return errors.Join(errs...)
}

// StateDir is OpenClaw's state directory.
func (w *World) StateDir() string { return w.store.dir }

// GatewayURL is where the gateway's RPC is, whether it runs or not.
func (w *World) GatewayURL() string { return "ws://" + w.gateway.address() }

// Token is what the gateway accepts.
func (w *World) Token() secret.Value { return w.token }

// UsageURL is the endpoint that tells what an account of provider has left,
// or, for an API key, whether the key is valid ("openai-models",
// "anthropic-models"). It is "" for a provider that the world does not have.
func (w *World) UsageURL(provider string) string { return w.usage.url(provider) }

// Profiles lists the profile ids of provider in the order of Options.Accounts,
// those that logins brought last.
func (w *World) Profiles(provider string) []string {
	w.mu.Lock()
	defer w.mu.Unlock()
	var ids []string
	for _, a := range w.accounts {
		if a.Provider == provider {
			ids = append(ids, a.Profile)
		}
	}
	return ids
}

// account finds a profile, with w.mu held.
func (w *World) account(profile string) (*account, error) {
	i := slices.IndexFunc(w.accounts, func(a *account) bool { return a.Profile == profile })
	if i < 0 {
		return nil, fmt.Errorf("sandbox: no profile %q", profile)
	}
	return w.accounts[i], nil
}

// lookup is account for callers that do not hold w.mu.
func (w *World) lookup(profile string) (*account, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.account(profile)
}

// mustAccount serves the methods that steer the world, where an unknown
// profile is a mistake of the program and not of the world.
func (w *World) mustAccount(profile string) *account {
	a, err := w.account(profile)
	if err != nil {
		panic(err)
	}
	return a
}
