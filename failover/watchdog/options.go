package watchdog

import (
	"context"
	"encoding/json"
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

// Source reads OpenClaw.
type Source interface {
	Snapshot(ctx context.Context) (profiles.Snapshot, error)
	TokenSource(agent, profile string) oauth2.TokenSource
}

// Prober asks providers. Readings come back in the order of the accounts.
type Prober interface {
	ProbeAll(ctx context.Context, accounts []probe.Account, limit int) []quota.Reading
}

// Orderer puts an order in force and says what came of it.
type Orderer interface {
	Set(ctx context.Context, agent, provider string, ids []string) (profiles.Applied, error)
}

// Gateway tells of the running gateway.
type Gateway interface {
	Health(ctx context.Context) openclaw.Health
	// Version is the gateway's release, "" where it cannot be told.
	Version(ctx context.Context) string
	// Idle reports that no turn, queue or task is active.
	Idle(ctx context.Context) (bool, error)
}

// Logins begins logins at OpenClaw that a person elsewhere can approve.
type Logins interface {
	// Prompt gives a fresh link and code. What came of it is told to LoginDone.
	Prompt(ctx context.Context, agent, provider string) (event.Login, error)
	// Withdraw says that nobody was told of the agent's code.
	Withdraw(agent, provider string)
	// Yield ends the automatic logins that keep the gateway at work, and calls
	// void for each agent whose code that made void.
	Yield(void func(agent, provider string))
}

// Restarter restarts the gateway.
type Restarter interface {
	Restart(ctx context.Context, reason string) (restart.Result, error)
}

// Journal keeps what cannot be read again.
type Journal interface {
	Commit(ctx context.Context, r journal.Round) error
	State(ctx context.Context, prefix string) (map[string]json.RawMessage, error)
	// Readings are what was kept of an account since a time, oldest first.
	Readings(ctx context.Context, account string, since time.Time) ([]quota.Reading, error)
}

// Notifier turns an event into messages for the journal's outbox, and is woken
// once they are there.
type Notifier interface {
	Route(e event.Event) ([]journal.Message, error)
	Wake()
}

// RestartWhen is when a switch is followed by a restart of the gateway.
type RestartWhen string

// The restart policies.
const (
	RestartAuto   RestartWhen = "auto"   // where the gateway would not notice the order otherwise
	RestartIdle   RestartWhen = "idle"   // after each switch, once nothing is active
	RestartAlways RestartWhen = "always" // after each switch
	RestartNever  RestartWhen = "never"
)

// Config is what a reload may change.
type Config struct {
	// Schedule says when rounds are due.
	Schedule cron.Schedule
	// Jitter is the longest random delay of a scheduled round.
	Jitter time.Duration
	// MinGap is the least time between two rounds, whatever asks for one.
	MinGap time.Duration
	// Policy is the owner's wish for a provider's pools.
	Policy func(provider string) failover.Policy
	// Next says when an account is to be asked again; random is in [0,1).
	Next func(now time.Time, a probe.Account, last quota.Reading, random float64) time.Time
	// Breaker holds the periods of the account breakers.
	Breaker failover.BreakerTiming
	// Probes is how many accounts are asked at once.
	Probes int
	// Live are the profiles that may be asked with real requests, where their
	// usage cannot be read otherwise.
	Live    []string
	Restart RestartWhen
}

// Options are a Watchdog's surroundings.
type Options struct {
	Source    Source
	Prober    Prober
	Orderer   Orderer
	Gateway   Gateway
	Restarter Restarter
	Logins    Logins // nil: messages name the command alone
	Journal   Journal
	Notifier  Notifier
	Log       zerolog.Logger
	Config    Config
	Version   string
	// GatewayURL is shown in the status.
	GatewayURL string
	// Reread has the running gateway read OpenClaw's store again, and returns
	// the method that did it, "" for none. Nil: nobody does.
	Reread func(ctx context.Context, agent string) (method string, err error)
	// Beat is called after each completed round, with the pool states in one
	// line; it feeds systemd. It may be nil.
	Beat func(summary string)
}
