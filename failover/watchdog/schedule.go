package watchdog

import (
	"context"
	"math/rand/v2"
	"time"

	"github.com/robfig/cron/v3"
	"github.com/rs/zerolog"
)

// schedule starts cron with one job that asks for a round. The recovery is the
// innermost of the chain: outside SkipIfStillRunning one panic would keep the
// job from ever running again.
func (w *Watchdog) schedule(ctx context.Context, ticks chan<- struct{}) *cron.Cron {
	log := cronLog{w.Log}
	c := cron.New(cron.WithLocation(time.UTC), cron.WithLogger(log),
		cron.WithChain(cron.SkipIfStillRunning(log), cron.Recover(log)))
	c.Schedule(w.config().Schedule, cron.FuncJob(func() {
		if pause(ctx, time.Duration(rand.Float64()*float64(w.config().Jitter))) != nil {
			return
		}
		select {
		case ticks <- struct{}{}:
		default: // a round is due already
		}
	}))
	c.Start()
	return c
}

// cronLog lets cron speak through zerolog, at debug level: a skipped tick is
// no news, and a panic is logged with its stack as an error.
type cronLog struct{ log zerolog.Logger }

func (l cronLog) Info(msg string, kv ...any) { l.log.Debug().Fields(kv).Msg("scheduler: " + msg) }

func (l cronLog) Error(err error, msg string, kv ...any) {
	l.log.Error().Err(err).Fields(kv).Msg("scheduler: " + msg)
}

// pause waits for d, or less when ctx ends.
func pause(ctx context.Context, d time.Duration) error {
	if d <= 0 {
		return ctx.Err()
	}
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-t.C:
		return nil
	}
}
