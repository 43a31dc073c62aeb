// Package sdnotify tells systemd how ocwatch is doing: when it is ready,
// reloading and stopping, one line of status, and that it is alive.
//
// # The watchdog
//
// With WatchdogSec= in the unit, systemd kills and restarts a service that it
// has not heard of for that long. Pings from a free-running ticker would only
// prove that the process exists, and would go on for ever beside a round that
// hangs, or a scheduler that never starts another one. So a ping is sent only
// while a promise holds: the loop calls Beat when a round is finished, saying
// how soon it will call again. Until then the pings go on, however rare the
// rounds are, since an idle wait is as it should be; once the promise is broken
// they stop, and systemd restarts the service one watchdog period later.
//
//	WatchdogSec=60, a round every 5 minutes that takes 2 at most:
//
//	Beat(7m) ── ping every 30 s ── … ── Beat(7m) ── …       all is well
//	Beat(7m) ── ping every 30 s ── … ── 7m ── silence ── 8m killed
//
// Outside of systemd everything here does nothing, without an error.
package sdnotify

import (
	"context"
	"fmt"
	"strings"
	"sync"
	"time"
	"unicode"

	"github.com/coreos/go-systemd/v22/daemon"
	"github.com/rs/zerolog"
)

// statusMax is the longest status that is sent, in bytes. systemd would take
// more, and nobody reads it in systemctl status.
const statusMax = 500

// Notifier speaks to the service manager that started this process. Its methods
// may be called at the same time.
type Notifier struct {
	log    zerolog.Logger
	period time.Duration // WatchdogSec; 0: none

	mu      sync.Mutex
	until   time.Time // the promise of the last Beat
	silent  bool      // the promise is broken
	stopped bool
}

// New reads from the environment what systemd wants. The pings begin when Watch
// runs, and the first Beat is promised within first. An error means that the
// environment is wrong; the Notifier works all the same, without a watchdog.
func New(first time.Duration, log zerolog.Logger) (*Notifier, error) {
	n := &Notifier{log: log, until: time.Now().Add(first)}
	period, err := daemon.SdWatchdogEnabled(false)
	if err != nil {
		return n, fmt.Errorf("no watchdog: %w", err)
	}
	n.period = period
	return n, nil
}

// Period is the watchdog period of the unit, 0 where it has none.
func (n *Notifier) Period() time.Duration { return n.period }

// Ready says that the service is up, or that a reload is done.
func (n *Notifier) Ready(status string) error {
	return send(daemon.SdNotifyReady + "\nSTATUS=" + line(status))
}

// Status sets the line that systemctl status shows.
func (n *Notifier) Status(status string) error { return send("STATUS=" + line(status)) }

// Reloading says that the config is being read anew; Ready must follow, also
// where the new one is bad and the old one stays.
func (n *Notifier) Reloading() error {
	return send(daemon.SdNotifyReloading + "\n" + strings.TrimSuffix(daemon.SdNotifyMonotonicUsec(), "\n"))
}

// Stopping says that the service is on its way out. The pings go on, so that an
// orderly end is not taken for a hang; TimeoutStopSec= bounds it.
func (n *Notifier) Stopping(status string) error {
	n.mu.Lock()
	n.stopped = true
	n.mu.Unlock()
	return send(daemon.SdNotifyStopping + "\nSTATUS=" + line(status))
}

// Beat says that a round is finished, and promises the next Beat within that
// time: the longest pause between rounds and the longest round together.
func (n *Notifier) Beat(within time.Duration) {
	n.mu.Lock()
	n.until = time.Now().Add(within)
	late := n.silent
	n.silent = false
	n.mu.Unlock()
	if late {
		n.log.Info().Msg("a round has finished, late; the watchdog of systemd is served again")
	}
	n.ping()
}

// Watch sends the pings until ctx ends. It returns at once where the unit has
// no watchdog.
func (n *Notifier) Watch(ctx context.Context) {
	if n.period <= 0 {
		return
	}
	tick := time.NewTicker(n.period / 2)
	defer tick.Stop()
	for {
		if n.promised() {
			n.ping()
		}
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
	}
}

// promised reports whether the next Beat is not overdue, and tells once when it
// becomes so.
func (n *Notifier) promised() bool {
	n.mu.Lock()
	defer n.mu.Unlock()
	if n.stopped || !time.Now().After(n.until) {
		return true
	}
	if !n.silent {
		n.silent = true
		n.log.Error().Time("expected", n.until).Msg("no round has finished in its time; unless one does, systemd restarts ocwatch now")
	}
	return false
}

func (n *Notifier) ping() {
	if n.period <= 0 {
		return
	}
	if err := send(daemon.SdNotifyWatchdog); err != nil {
		n.log.Warn().Err(err).Msg("the watchdog of systemd could not be served")
	}
}

// send sends one datagram; without a service manager it does nothing.
func send(state string) error {
	if _, err := daemon.SdNotify(false, state); err != nil {
		return fmt.Errorf("telling systemd: %w", err)
	}
	return nil
}

// line makes a text fit for one assignment: a line break would begin another
// one, and systemd drops a status that is not valid UTF-8.
func line(s string) string {
	s = strings.Map(func(r rune) rune {
		if unicode.IsControl(r) {
			return ' '
		}
		return r
	}, strings.ToValidUTF8(s, "\uFFFD"))
	if len(s) <= statusMax {
		return s
	}
	const more = "…"
	cut := s[:statusMax-len(more)]
	return strings.ToValidUTF8(cut, "") + more
}
