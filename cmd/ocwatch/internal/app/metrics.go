package app

import (
	"cmp"
	"context"
	"time"

	"github.com/robfig/cron/v3"

	"github.com/ocwatch/ocwatch/failover"
	"github.com/ocwatch/ocwatch/internal/journal"
	"github.com/ocwatch/ocwatch/internal/metrics"
)

// measure is what a scrape shows. It is asked only once the App is whole: its
// listeners come last.
func (a *App) measure(ctx context.Context) metrics.Snapshot {
	cfg := a.parts.current().cfg
	s := a.install.status(a.watchdog.Status(), cfg)
	snap := metrics.Snapshot{
		Status: s.Status, Started: a.started, Warnings: len(s.Warnings), Logins: len(a.desk.List()),
		Journal: a.journal.Trouble() == nil,
	}
	snap.Interval = interval(a.pace(cfg).Schedule, cmp.Or(s.At, a.started))
	budget := cfg.Restart.Budget
	tried, budgetErr := attempts{a.journal}.Restarts(ctx, time.Now().Add(-budget.Per))
	snap.Restarts = metrics.Budget{Used: len(tried), Limit: budget.Count}
	queues, queueErr := a.queues(ctx)
	snap.Outbox = queues
	for _, err := range []error{budgetErr, queueErr} {
		if err != nil {
			snap.Journal = false
			a.opts.Log.Warn().Err(err).Msg("the metrics are not complete")
		}
	}
	return snap
}

// interval is how long after a round a schedule asks for the next one.
func interval(s cron.Schedule, round time.Time) time.Duration {
	round = round.Truncate(time.Second) // as schedules do, so that a minute is one
	return s.Next(round).Sub(round)
}

// queues is the outbox, with the age of what waits in it.
func (a *App) queues(ctx context.Context) ([]metrics.Queue, error) {
	outbox, err := a.journal.Outbox(ctx)
	queues := make([]metrics.Queue, 0, len(outbox))
	for _, e := range outbox {
		q := metrics.Queue{EndpointStatus: e}
		if e.Pending > 0 {
			head, headErr := a.journal.NextMessages(ctx, e.Endpoint, 1)
			if headErr != nil {
				return queues, headErr
			}
			if len(head) > 0 {
				q.Oldest = head[0].CreatedAt
			}
		}
		queues = append(queues, q)
	}
	return queues, err
}

// counted is the watchdog's journal. What a round did counts once it is there:
// a round that could not be written comes again with the next.
type counted struct {
	*journal.Journal

	app *App
}

// Commit serves the watchdog.
func (c counted) Commit(ctx context.Context, r journal.Round) error {
	err := c.Journal.Commit(ctx, r)
	if err == nil {
		c.app.metrics.Committed(r, c.app.stateOf)
	}
	return err
}

// stateOf is the state in which the last round found a profile.
func (a *App) stateOf(agent, provider, profile string) failover.State {
	for _, p := range a.watchdog.Status().Pools {
		if p.Agent != agent || p.Provider != provider {
			continue
		}
		for _, pr := range p.Profiles {
			if pr.ID == profile {
				return pr.State
			}
		}
	}
	return failover.Unknown
}
