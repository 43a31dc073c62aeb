package app

import (
	"context"
	"encoding/json"
	"errors"
	"path/filepath"
	"time"

	"github.com/ocwatch/ocwatch/cmd/ocwatch/internal/config"
	"github.com/ocwatch/ocwatch/failover/restart"
	"github.com/ocwatch/ocwatch/failover/watchdog"
	"github.com/ocwatch/ocwatch/internal/event"
	"github.com/ocwatch/ocwatch/internal/journal"
	"github.com/ocwatch/ocwatch/internal/quota"
	"github.com/ocwatch/ocwatch/probe"
	"github.com/ocwatch/ocwatch/profiles"
)

var errOnlyLooking = errors.New("a check changes nothing")

// Check asks every account once and says what the watchdog would make of it.
// It changes nothing, not even ocwatch's own files.
func Check(ctx context.Context, o Options) (Status, error) {
	s, _, err := look(ctx, o)
	return s, err
}

// CheckWhy is Check with the explanation of what it found. Without the
// watchdog's memory it knows of no pin and no earlier change.
func CheckWhy(ctx context.Context, o Options) (watchdog.Why, error) {
	_, why, err := look(ctx, o)
	return why, err
}

func look(ctx context.Context, o Options) (Status, watchdog.Why, error) {
	in, err := findInstall(o.Config, o.Log)
	if err != nil {
		return Status{}, watchdog.Why{}, err
	}
	defer in.close()
	prober := newProber(o.Config, o.Version, nil)
	defer prober.Close()
	past := pastIn(ctx, o.Config.DataDir)
	defer past.close()
	w := watchdog.New(watchdog.Options{
		Source: in.store, Prober: prober, Gateway: in, Orderer: nothing{}, Restarter: nothing{}, Journal: past, Notifier: nothing{},
		Log: o.Log, Version: o.Version, GatewayURL: in.gateway.URL(),
		Config: checkConfig(o.Config, prober),
	})
	s, err := w.Check(ctx)
	return in.status(s, o.Config), w.Why(), err
}

// pastOnly is the journal of a watchdog that may be running, for its readings
// alone: forecasts need more than one look.
type pastOnly struct {
	nothing
	j *journal.Journal // nil: there is none
}

func pastIn(ctx context.Context, dataDir string) pastOnly {
	j, err := journal.OpenReadOnly(ctx, filepath.Join(dataDir, journal.FileName))
	if err != nil {
		return pastOnly{} // a check shows what it can
	}
	return pastOnly{j: j}
}

// Readings implements watchdog.Journal.
func (p pastOnly) Readings(ctx context.Context, account string, since time.Time) ([]quota.Reading, error) {
	if p.j == nil {
		return nil, nil
	}
	return p.j.Readings(ctx, account, since)
}

func (p pastOnly) close() {
	if p.j != nil {
		_ = p.j.Close()
	}
}

// checkConfig is the watchdog's without real requests: nothing here remembers
// when the last one was.
func checkConfig(cfg *config.Config, prober *probe.Prober) watchdog.Config {
	c := watchdogConfig(cfg, prober, defaultPace(cfg))
	c.Live = nil
	return c
}

// nothing stands for everything that a check must not touch.
type nothing struct{}

// Commit keeps nothing.
func (nothing) Commit(context.Context, journal.Round) error { return nil }

// State remembers nothing.
func (nothing) State(context.Context, string) (map[string]json.RawMessage, error) { return nil, nil }

// Readings has none.
func (nothing) Readings(context.Context, string, time.Time) ([]quota.Reading, error) { return nil, nil }

// Route sends nothing.
func (nothing) Route(event.Event) ([]journal.Message, error) { return nil, nil }

// Wake wakes nobody.
func (nothing) Wake() {}

// Restart refuses.
func (nothing) Restart(context.Context, string) (restart.Result, error) {
	return restart.Result{}, errOnlyLooking
}

// Set refuses.
func (nothing) Set(context.Context, string, string, []string) (profiles.Applied, error) {
	return profiles.Applied{}, errOnlyLooking
}
