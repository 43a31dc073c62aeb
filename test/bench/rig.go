package main

import (
	"context"
	"errors"
	"path/filepath"
	"time"

	"github.com/robfig/cron/v3"
	"github.com/rs/zerolog"

	"github.com/ocwatch/ocwatch/failover"
	"github.com/ocwatch/ocwatch/failover/restart"
	"github.com/ocwatch/ocwatch/failover/watchdog"
	"github.com/ocwatch/ocwatch/internal/journal"
	"github.com/ocwatch/ocwatch/internal/openclaw"
	"github.com/ocwatch/ocwatch/internal/quota"
	"github.com/ocwatch/ocwatch/internal/secret"
	"github.com/ocwatch/ocwatch/notify"
	"github.com/ocwatch/ocwatch/probe"
	"github.com/ocwatch/ocwatch/profiles"
)

// rig is a watchdog of the parts that `ocwatch run` is wired of, whose rounds
// are run one by one. Every account is due in every round, and nothing is sent
// to the endpoint that its events are queued for.
type rig struct {
	*watchdog.Watchdog

	gateway *openclaw.Gateway
	prober  *probe.Prober
	journal *journal.Journal
}

// newRig watches the install that find means. usage holds the provider's
// endpoints by provider id; edit may put something between the watchdog and
// its parts.
func newRig(ctx context.Context, find openclaw.Options, usage map[string]string, dir string, edit func(*watchdog.Options)) (*rig, error) {
	install, err := openclaw.Find(find)
	if err != nil {
		return nil, err
	}
	j, err := journal.Open(ctx, filepath.Join(dir, "journal.db"))
	if err != nil {
		return nil, err
	}
	settings := map[string]probe.Settings{}
	for provider, url := range usage {
		settings[provider] = probe.Settings{URL: url}
	}
	r := &rig{gateway: install.Gateway(), prober: probe.New(probe.Options{Providers: settings}), journal: j}
	o, err := r.options(install)
	if err != nil {
		return nil, errors.Join(err, r.Close())
	}
	edit(&o)
	r.Watchdog = watchdog.New(o)
	return r, nil
}

func (r *rig) options(install *openclaw.Install) (watchdog.Options, error) {
	hook, err := notify.Webhook(secret.New("http://127.0.0.1:9/hook"), secret.Value{}, "ocwatch/bench", nil)
	if err != nil {
		return watchdog.Options{}, err
	}
	queue, err := notify.New(notify.Options{
		Endpoints: []notify.Endpoint{{Name: "phone", Sender: hook}}, Store: r.journal, Log: zerolog.Nop(), Host: "bench",
	})
	store := profiles.NewStore(install, profiles.Options{})
	policy := failover.DefaultPolicy()
	policy.MinDwell = 0 // as many switches as there are rounds
	return watchdog.Options{
		Source: store, Prober: r.prober, Orderer: profiles.NewOrderer(r.gateway, install.CLI(), store),
		Gateway: shown{install, r.gateway}, Restarter: never{}, Journal: r.journal, Notifier: queue,
		Log: zerolog.Nop(), Version: "bench", GatewayURL: r.gateway.URL(),
		Config: watchdog.Config{
			Schedule: cron.Every(time.Minute), MinGap: time.Second,
			Policy:  func(string) failover.Policy { return policy },
			Breaker: failover.DefaultBreakerTiming(), Restart: watchdog.RestartAuto,
			Next: func(now time.Time, _ probe.Account, _ quota.Reading, _ float64) time.Time { return now },
		},
	}, err
}

// Close lets go of everything.
func (r *rig) Close() error {
	r.prober.Close()
	return errors.Join(r.gateway.Close(), r.journal.Close())
}

// shown is the gateway as the watchdog sees it.
type shown struct {
	*openclaw.Install

	rpc *openclaw.Gateway
}

// Version is the running gateway's release.
func (s shown) Version(ctx context.Context) string {
	hello, err := s.rpc.Hello(ctx)
	if err != nil {
		return ""
	}
	return hello.Version
}

// Idle reports that nothing is active.
func (shown) Idle(context.Context) (bool, error) { return true, nil }

// never refuses to restart a gateway that is being measured.
type never struct{}

// Restart refuses.
func (never) Restart(context.Context, string) (restart.Result, error) {
	return restart.Result{}, errors.New("nothing is restarted while it is measured")
}
