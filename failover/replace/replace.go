// Package replace changes the account behind an OpenClaw profile in one go: it
// logs in first, proves that the login is another account and works, puts it
// first, and only then removes the old profile. Interrupted at any moment it
// has lost nothing, and run again it goes on where it was.
package replace

import (
	"context"
	"fmt"
	"time"

	"github.com/rs/zerolog"
	"golang.org/x/oauth2"

	"github.com/ocwatch/ocwatch/failover/restart"
	"github.com/ocwatch/ocwatch/internal/openclaw"
	"github.com/ocwatch/ocwatch/internal/quota"
	"github.com/ocwatch/ocwatch/probe"
	"github.com/ocwatch/ocwatch/profiles"
	"github.com/ocwatch/ocwatch/profiles/login"
)

// Store shows OpenClaw's profiles; *profiles.Store is one.
type Store interface {
	Snapshot(ctx context.Context) (profiles.Snapshot, error)
	TokenSource(agent, profileID string) oauth2.TokenSource
}

// Login has a person log in, and returns when OpenClaw has stored it. The request
// names the profile where it is about a token or API key.
type Login interface {
	Login(ctx context.Context, r login.Request) (login.Result, error)
}

// Prober asks what an account has left; *probe.Prober is one.
type Prober interface {
	Probe(ctx context.Context, a probe.Account) quota.Reading
}

// Orderer sets the order of a pool; *profiles.Orderer is one.
type Orderer interface {
	Set(ctx context.Context, agent, provider string, ids []string) (profiles.Applied, error)
}

// Remover removes one profile; *profiles.Remover is one.
type Remover interface {
	Way(ctx context.Context, agent string) (profiles.RemoveWay, error)
	Remove(ctx context.Context, agent, id string, way profiles.RemoveWay) error
}

// Gateway stops and starts the gateway; *restart.Restarter does.
type Gateway interface {
	Service(ctx context.Context) (restart.Service, error)
	Stop(ctx context.Context, s restart.Service) error
	Start(ctx context.Context, s restart.Service) error
}

// Install is the rest of what is asked of OpenClaw.
type Install interface {
	Health(ctx context.Context) openclaw.Health
	// Version is the release that runs, or is installed where none runs.
	Version(ctx context.Context) (string, error)
	// Pins lists the sessions of agent that are tied to one profile.
	Pins(ctx context.Context, agent string) ([]openclaw.Pin, error)
}

// Options say what a Replacer works with. All must be set.
type Options struct {
	Store   Store
	Login   Login
	Prober  Prober
	Orderer Orderer
	Remover Remover
	Gateway Gateway
	Install Install
	// Dir is where the progress is kept: the data directory. The document there
	// holds ids and hashed account keys, and no credential.
	Dir string
	Log zerolog.Logger
}

// Replacer changes accounts.
type Replacer struct{ Options }

// New returns a Replacer.
func New(o Options) *Replacer { return &Replacer{o} }

// Request says which profile is to be replaced.
type Request struct {
	Agent string // "": main
	Old   string // profile id
	// Unproven: go on where nobody can tell whether the new login is another
	// account, which is so for Anthropic tokens, or whether it works.
	Unproven bool
	// Progress is told of each step before it begins; nil: nobody is.
	Progress func(Step)
}

// Result is what the change came to.
type Result struct {
	Agent, Provider string
	Old, New        string
	// InPlace: OpenClaw gave the new login the old one's id, so that there was
	// nothing to remove.
	InPlace bool
	// Removed is how the old profile went. RemoveByOrder: it is still there, and
	// is never tried. "": InPlace, or it was gone already.
	Removed profiles.RemoveWay
	// Account says whether the new login is another account.
	Account Sameness
	// Reading is what the provider said of the new account.
	Reading quota.Reading
	// Resumed: the login was of an earlier run.
	Resumed bool
	// Notes say in words what else is to be known or done.
	Notes []string
	Took  time.Duration
}

// Run replaces q.Old by a fresh login. It may take as long as the person does,
// and the restart of a gateway besides. Whatever error it returns, no credential
// was lost, a gateway that it stopped was started again (a *StoppedError says
// where that failed, with the command), and running it again goes on from there.
//
// Errors of its own: *UnknownProfileError, *SameAccountError,
// *KnownAccountError, *UnprovenError, *NotWorkingError, *RevertedError,
// *StoppedError. Those of the login come as the login gave them.
func (r *Replacer) Run(ctx context.Context, q Request) (res Result, err error) {
	if q.Agent == "" {
		q.Agent = "main"
	}
	if q.Progress == nil {
		q.Progress = func(Step) {}
	}
	began := time.Now()
	unlock, err := lock(r.Dir)
	if err != nil {
		return Result{}, err
	}
	defer unlock()
	c := &change{Replacer: r, Request: q, result: Result{Agent: q.Agent, Old: q.Old}}
	err = c.run(ctx)
	c.result.Took = time.Since(began)
	c.report(err)
	return c.result, err
}

// change is one run.
type change struct {
	*Replacer
	Request

	state    state
	progress progress
	service  restart.Service // what was stopped, or may have to be
	provider string
	// byHand: the old profile could be removed if the gateway could be stopped.
	byHand bool
	before openclaw.Health
	result Result
}

func (c *change) run(ctx context.Context) (err error) {
	if err := c.begin(ctx); err != nil {
		return err
	}
	defer func() { err = c.leave(ctx, err) }()
	for {
		step := next(c.state)
		if step == Done {
			return nil
		}
		if err := ctx.Err(); err != nil {
			return err
		}
		c.Progress(step)
		if err := c.do(ctx, step); err != nil {
			return err
		}
	}
}

func (c *change) do(ctx context.Context, step Step) error {
	switch step {
	case Stop:
		return c.stop(ctx)
	case LogIn:
		return c.logIn(ctx)
	case Check:
		return c.check(ctx)
	case PutFirst:
		return c.putFirst(ctx)
	case Remove:
		return c.remove(ctx)
	case Settle:
		return c.settle(ctx)
	case Start:
		return c.start(ctx)
	case Health:
		return c.healthy(ctx)
	case Done:
	}
	return fmt.Errorf("there is no step %q", step)
}

func (c *change) note(format string, args ...any) {
	c.result.Notes = append(c.result.Notes, fmt.Sprintf(format, args...))
}

func (c *change) report(err error) {
	level := zerolog.InfoLevel
	if err != nil {
		level = zerolog.WarnLevel
	}
	c.Log.WithLevel(level).Err(err).Str("agent", c.Agent).Str("old", c.Old).Str("new", c.result.New).Str("account", string(c.result.Account)).
		Str("removed", string(c.result.Removed)).Bool("resumed", c.result.Resumed).Dur("took", c.result.Took).Msg("account change")
}
