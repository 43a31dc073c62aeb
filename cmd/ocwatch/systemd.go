package main

import (
	"context"
	"sync/atomic"
	"time"

	"github.com/rs/zerolog"

	"github.com/ocwatch/ocwatch/cmd/ocwatch/internal/config"
	"github.com/ocwatch/ocwatch/internal/sdnotify"
)

// longestRound is what one round may take at most: every probe at its timeout,
// and an order set through the command line, which has two minutes for it.
const longestRound = 6 * time.Minute

// systemd passes on what the watchdog says of itself. Outside of systemd all
// of it does nothing.
type systemd struct {
	n     *sdnotify.Notifier
	log   zerolog.Logger
	every atomic.Pointer[config.Schedule]
}

func newSystemd(cfg *config.Config, log zerolog.Logger) (*systemd, error) {
	n, err := sdnotify.New(longestRound, log)
	s := &systemd{n: n, log: log}
	s.follow(cfg)
	return s, err
}

// follow takes the schedule over, which says how rare rounds may be.
func (s *systemd) follow(cfg *config.Config) {
	every := cfg.Probe.Every
	s.every.Store(&every)
}

func (s *systemd) watch(ctx context.Context) { s.n.Watch(ctx) }

// Ready serves the app.
func (s *systemd) Ready(status string) { s.check(s.n.Ready(status)) }

// Beat serves the app: a round is finished, and the next one ends in time.
func (s *systemd) Beat(status string) {
	s.check(s.n.Status(status))
	now := time.Now()
	s.n.Beat(s.every.Load().Next(now).Sub(now) + longestRound)
}

// Reloading serves the app.
func (s *systemd) Reloading() { s.check(s.n.Reloading()) }

// Stopping serves the app.
func (s *systemd) Stopping() { s.check(s.n.Stopping("stopping")) }

func (s *systemd) check(err error) {
	if err != nil {
		s.log.Warn().Err(err).Msg("systemd was not told")
	}
}
