package main

import (
	"fmt"
	"io"
	"runtime"
	"sync"
	"text/tabwriter"
	"time"

	"github.com/ocwatch/ocwatch/failover"
	"github.com/ocwatch/ocwatch/failover/forecast"
	"github.com/ocwatch/ocwatch/internal/journal"
	"github.com/ocwatch/ocwatch/internal/quota"
	"github.com/ocwatch/ocwatch/internal/sim"
)

const (
	// judgeEvery is how often a forecast is judged, and warnEvery how often it
	// is looked whether to warn.
	judgeEvery = 2 * time.Hour
	warnEvery  = 15 * time.Minute
	// forecastShare is how many weeks are compared for one that is forecast:
	// that takes hundreds of forecasts, of some milliseconds each.
	forecastShare = 2
)

// foretold is how far forecasts were off.
type foretold struct {
	errors forecast.Errors
	warned forecast.Warned
}

// foretell plays weeks under ocwatch, records what its journal would keep, and
// prints how the forecasts of that turned out.
func foretell(weeks int, out io.Writer) error {
	all := make([]foretold, weeks)
	seeds := make(chan int)
	var workers sync.WaitGroup
	for range runtime.GOMAXPROCS(0) {
		workers.Go(func() {
			for i := range seeds {
				p := recorded(sim.Draw(uint64(i + 1))) //nolint:gosec // i counts from 0
				all[i] = foretold{forecast.Replay(p, judgeEvery), forecast.ReplayWarnings(p, warnEvery, failover.DefaultPolicy().LoginAfter)}
			}
		})
	}
	for i := range weeks {
		seeds <- i
	}
	close(seeds)
	workers.Wait()
	var sum foretold
	for _, f := range all {
		sum.errors.Add(f.errors)
		sum.warned.Add(f.warned)
	}
	return sum.print(weeks, out)
}

// recorded is the pool as the journal has it after the week w.
func recorded(w *sim.World) forecast.Pool {
	policy := failover.DefaultPolicy()
	p := forecast.Pool{SwitchAt: policy.SwitchAt}
	index := map[string]int{}
	for _, a := range w.Accounts {
		if !a.Paid {
			index[a.ID] = len(p.Accounts)
			p.Accounts = append(p.Accounts, forecast.Account{ID: a.ID})
		}
	}
	dog := sim.NewWatchdog(policy, w.Seed)
	dog.Heard = func(r quota.Reading) {
		i, ok := index[r.Account]
		if !ok {
			return
		}
		kept := &p.Accounts[i].Readings
		if n := len(*kept); n == 0 || journal.WorthKeeping((*kept)[n-1], r) {
			*kept = append(*kept, r)
		}
	}
	sim.Play(w, dog)
	return p
}

func (f foretold) print(weeks int, out io.Writer) error {
	_, _ = fmt.Fprintf(out, "\nforecasts over %d simulated weeks, judged every %s from the second day on\n\n", weeks, judgeEvery)
	w := tabwriter.NewWriter(out, 0, 0, 2, ' ', 0)
	_, _ = fmt.Fprintln(w, "of\tcame\toff, median\toff, 90 %\tdid not come\tcame untold\tneither") // seen by Flush
	for _, row := range []struct {
		name string
		d    forecast.Distribution
	}{
		{"thresholds of windows in use", f.errors.Windows.All},
		{"  with high confidence", f.errors.Windows.Sure},
		{"pools running dry within " + forecast.Judged.String(), f.errors.Pools.All},
		{"  with high confidence", f.errors.Pools.Sure},
	} {
		_, _ = fmt.Fprintf(w, "%s\t%d\t%.0f %%\t%.0f %%\t%d\t%d\t%d\n",
			row.name, row.d.Came, 100*row.d.Median, 100*row.d.P90, row.d.False, row.d.Missed, row.d.Quiet)
	}
	if err := w.Flush(); err != nil {
		return fmt.Errorf("print the forecasts: %w", err)
	}
	v := f.warned
	_, err := fmt.Fprintf(out, `
off: of the time that was left, |foretold - actual| / actual
warnings: %d gaps of %s or more, %d told ahead (by %s on average), %d missed; %d messages, %d of them without a gap
`, v.Gaps, failover.DefaultPolicy().LoginAfter, v.Told, (v.Ahead / time.Duration(max(v.Told, 1))).Round(time.Minute), v.Missed(), v.Messages, v.False)
	return err
}
