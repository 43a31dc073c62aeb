// Package app wires the watchdog together, for the commands and for tests.
package app

import (
	"context"
	"errors"
	"fmt"
	"os"
	"sync"
	"time"

	"github.com/robfig/cron/v3"
	"github.com/rs/zerolog"

	"github.com/ocwatch/ocwatch/cmd/ocwatch/internal/config"
	"github.com/ocwatch/ocwatch/failover"
	"github.com/ocwatch/ocwatch/failover/watchdog"
	"github.com/ocwatch/ocwatch/internal/openclaw"
	"github.com/ocwatch/ocwatch/internal/quota"
	"github.com/ocwatch/ocwatch/probe"
	"github.com/ocwatch/ocwatch/profiles"
)

// Pace is how fast the watchdog goes. The demo goes faster than a provider
// would like.
type Pace struct {
	Schedule cron.Schedule
	Jitter   time.Duration
	MinGap   time.Duration
	Breaker  failover.BreakerTiming
	// Next says when an account is asked again; nil is a probe.Pacer by the
	// configured intervals.
	Next func(now time.Time, a probe.Account, last quota.Reading, random float64) time.Time
}

// defaultPace follows the config.
func defaultPace(cfg *config.Config) Pace {
	return Pace{
		Schedule: cfg.Probe.Every,
		Jitter:   min(5*time.Second, cfg.Probe.Every.Shortest()/10),
		MinGap:   time.Second,
		Breaker:  failover.DefaultBreakerTiming(),
	}
}

// install is one OpenClaw and what reads and moves it.
type install struct {
	*openclaw.Install
	gateway *openclaw.Gateway
	store   *profiles.Store
	orderer *profiles.Orderer
	log     zerolog.Logger

	mu      sync.Mutex
	trouble error // why the gateway cannot be asked; nil where it can
}

func findInstall(cfg *config.Config, log zerolog.Logger) (*install, error) {
	oc := cfg.OpenClaw
	found, err := openclaw.Find(openclaw.Options{
		StateDir: oc.StateDir, Command: oc.Command, GatewayURL: oc.Gateway.URL, GatewayToken: oc.Gateway.Token,
		Hide: cfg.SecretEnv(),
	})
	if err != nil {
		return nil, err
	}
	for _, other := range found.Others {
		if oc.StateDir != "" || !found.Default {
			break // it was chosen
		}
		log.Warn().Str("watched", found.StateDir).Str("not_watched", other).
			Msg("there is another OpenClaw state directory: set openclaw.state_dir to choose")
	}
	in := &install{Install: found, gateway: found.Gateway(), log: log}
	in.store = profiles.NewStore(found, profiles.Options{Agents: oc.Agents})
	in.orderer = profiles.NewOrderer(in.gateway, found.CLI(), in.store)
	return in, nil
}

func (i *install) close() { _ = i.gateway.Close() }

// Version is the running gateway's release.
func (i *install) Version(ctx context.Context) string {
	ctx, cancel := context.WithTimeout(ctx, 5*time.Second)
	defer cancel()
	hello, err := i.gateway.Hello(ctx)
	i.setTrouble(err)
	if err != nil {
		i.log.Debug().Err(err).Msg("the gateway's release cannot be told")
	}
	return hello.Version
}

// Idle asks the gateway whether anything is active.
func (i *install) Idle(ctx context.Context) (bool, error) {
	var answer struct {
		Safe   bool `json:"safe"`
		Counts struct {
			TotalActive int `json:"totalActive"`
		} `json:"counts"`
	}
	if err := i.gateway.Call(ctx, "gateway.restart.preflight", map[string]any{}, &answer); err != nil {
		return false, fmt.Errorf("ask for active work: %w", err)
	}
	return answer.Safe && answer.Counts.TotalActive == 0, nil
}

// reread has the running gateway read the store again.
func (i *install) reread(ctx context.Context, agent string) (method string, err error) {
	method, errs := profiles.Reread(ctx, i.gateway, agent)
	return method, errors.Join(errs...)
}

// observer hears of each probe; nil: nobody does.
type observer = func(provider string, v quota.Verdict, took time.Duration)

func newProber(cfg *config.Config, version string, observe observer) *probe.Prober {
	settings := map[string]probe.Settings{}
	for provider, p := range cfg.Probe.Providers {
		settings[provider] = probe.Settings{Every: p.Every, URL: p.URL, Generic: p.Generic.Probe()}
	}
	return probe.New(probe.Options{UserAgent: "ocwatch/" + version, Timeout: cfg.Probe.Timeout, Providers: settings, Observe: observe})
}

func watchdogConfig(cfg *config.Config, prober *probe.Prober, pace Pace) watchdog.Config {
	if pace.Next == nil {
		pacer := probe.NewPacer()
		pace.Next = func(now time.Time, a probe.Account, last quota.Reading, random float64) time.Time {
			policy := cfg.Policy(a.Provider)
			return pacer.Next(now, a, last, probe.Watch{
				// A provider may be asked more rarely than probe.every says.
				Every:    max(prober.Every(a), cfg.Probe.Every.Shortest()),
				SwitchAt: policy.SwitchAt, Models: policy.Models,
			}, random)
		}
	}
	return watchdog.Config{
		Schedule: pace.Schedule, Jitter: pace.Jitter, MinGap: pace.MinGap, Next: pace.Next, Breaker: pace.Breaker,
		Policy: cfg.Policy, Restart: watchdog.RestartWhen(cfg.Restart.When), Live: cfg.Probe.Live,
	}
}

func hostname() string {
	name, err := os.Hostname()
	if err != nil {
		return "localhost"
	}
	return name
}
