package app

import (
	"context"
	"fmt"
	"os"
	"time"

	"github.com/rs/zerolog"

	"github.com/ocwatch/ocwatch/failover/replace"
	"github.com/ocwatch/ocwatch/internal/event"
	"github.com/ocwatch/ocwatch/profiles"
	"github.com/ocwatch/ocwatch/profiles/login"
)

// Enter has a person log in.
type Enter func(ctx context.Context, r login.Request) (login.Result, error)

// Login serves the replacer.
func (e Enter) Login(ctx context.Context, r login.Request) (login.Result, error) { return e(ctx, r) }

// Replace changes the account of a profile; see replace.Replacer. Hold comes
// before it.
func (l *Login) Replace(ctx context.Context, enter Enter, q replace.Request) (replace.Result, error) {
	if err := os.MkdirAll(l.opts.Config.DataDir, 0o700); err != nil {
		return replace.Result{}, fmt.Errorf("data_dir: %w: set data_dir to a directory that this account can write", err)
	}
	in := l.install
	r := replace.New(replace.Options{
		Store: in.store, Login: enter, Prober: l.prober, Orderer: in.orderer,
		Remover: profiles.NewRemover(in.CLI(), in.store, in.Install, replace.Down(in.Install)),
		Gateway: newRestarter(in, l.opts.Config, noBudget{}, nil, l.opts.Log),
		Install: replace.Installed(in.Install, in.gateway),
		// What it came to is told by its result, and its error.
		Dir: l.opts.Config.DataDir, Log: zerolog.Nop(),
	})
	return r.Run(ctx, q)
}

// noBudget remembers no restarts: a person is there, and stops and starts the
// gateway at most once.
type noBudget struct{}

// Restarts serves the restarter.
func (noBudget) Restarts(context.Context, time.Time) ([]time.Time, error) { return nil, nil }

// Restarting serves the restarter.
func (noBudget) Restarting(context.Context, time.Time, string) error { return nil }

// Announce has the watchdog begin a login and send it to the endpoints.
func (l *Login) Announce(ctx context.Context, t Target) (event.Login, error) {
	return l.daemon.BeginLogin(ctx, t.Agent, t.Provider)
}
