package main

import (
	"context"
	"slices"
	"time"

	"golang.org/x/oauth2"

	"github.com/ocwatch/ocwatch/failover/watchdog"
	"github.com/ocwatch/ocwatch/internal/journal"
	"github.com/ocwatch/ocwatch/internal/openclaw"
	"github.com/ocwatch/ocwatch/internal/quota"
	"github.com/ocwatch/ocwatch/probe"
	"github.com/ocwatch/ocwatch/profiles"
)

// stopwatch stands between the watchdog and its parts, and times the way from
// the readings to the confirmed order.
type stopwatch struct {
	parts watchdog.Options
	// watchdog.Gateway and watchdog.Journal are passed on as they are but for
	// the methods below.
	watchdog.Gateway
	watchdog.Journal

	read, asked, confirmed time.Time

	onTheWay []profiles.Step // since the readings are in
	sets     int
	order    []string // as set last
	applied  profiles.Applied
}

// around takes the place of the parts in o.
func (s *stopwatch) around(o *watchdog.Options) {
	s.parts, s.Gateway, s.Journal = *o, o.Gateway, o.Journal
	o.Source, o.Prober, o.Orderer, o.Gateway, o.Journal = s, s, s, s, s
}

// steps are the stretches of the way; what is left over is the decision's.
func (s *stopwatch) steps() []profiles.Step {
	rest := s.asked.Sub(s.read)
	for _, step := range s.onTheWay {
		rest -= step.Took
	}
	return slices.Concat([]profiles.Step{{Name: "decide, queue events", Took: rest}}, s.onTheWay, s.applied.Steps)
}

func (s *stopwatch) timed(name string) (done func()) {
	began := time.Now()
	return func() {
		if s.read.After(s.asked) { // what comes after the order is not on the way to it
			s.onTheWay = append(s.onTheWay, profiles.Step{Name: name, Took: time.Since(began)})
		}
	}
}

// ProbeAll notes when the readings were in.
func (s *stopwatch) ProbeAll(ctx context.Context, accounts []probe.Account, limit int) []quota.Reading {
	defer func() { s.read, s.onTheWay = time.Now(), nil }()
	return s.parts.Prober.ProbeAll(ctx, accounts, limit)
}

// Set notes when the gateway had confirmed the order.
func (s *stopwatch) Set(ctx context.Context, agent, provider string, ids []string) (a profiles.Applied, err error) {
	s.asked = time.Now()
	a, err = s.parts.Orderer.Set(ctx, agent, provider, ids)
	s.confirmed = time.Now()
	s.order, s.applied = ids, a
	s.sets++
	return a, err
}

// Snapshot is timed.
func (s *stopwatch) Snapshot(ctx context.Context) (profiles.Snapshot, error) {
	defer s.timed("read the store again")()
	return s.parts.Source.Snapshot(ctx)
}

// TokenSource is passed on.
func (s *stopwatch) TokenSource(agent, profile string) oauth2.TokenSource {
	return s.parts.Source.TokenSource(agent, profile)
}

// Health is timed.
func (s *stopwatch) Health(ctx context.Context) openclaw.Health {
	defer s.timed("ask the gateway's health")()
	return s.Gateway.Health(ctx)
}

// Commit is timed.
func (s *stopwatch) Commit(ctx context.Context, r journal.Round) error {
	defer s.timed("journal the round")()
	return s.Journal.Commit(ctx, r)
}
