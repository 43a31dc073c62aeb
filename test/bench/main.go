// Command bench measures what ocwatch promises of its speed and memory, all in
// one run, and prints one table: figure, measured, goal. It passes no judgement
// by its exit code, since the machine may be busy: 0 is for measured, 1 for
// what could not be measured.
//
//	go run ./test/bench
//	go run ./test/bench -only compare
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/signal"
	"slices"
	"strings"
	"sync"
	"syscall"
	"time"
)

// options are the command line.
type options struct {
	binary string
	parts  []string
	idle   time.Duration
	runs   int // of a switch, and of the bare pair
	cli    int // of the same through the command
	crowd  int // accounts of the large round
	weeks  int // simulated, of the comparison
}

// allParts are measured in this order. What is measured by wall clock goes
// first and alone; idle is measured by its own processor time and may have
// switching beside it, which keeps the whole under six minutes.
func allParts() []string {
	return []string{partBinary, partRound, partSwitch, partIdle, partCompare, partForecast}
}

const (
	partBinary = "binary"
	partRound  = "round"
	partSwitch = "switch"
	partIdle   = "idle"
	// partCompare and partForecast are simulated: they measure no time, and have
	// tables of their own.
	partCompare  = "compare"
	partForecast = "forecast"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	if isChild() {
		runChild(ctx)
		return
	}
	if err := run(ctx, os.Args[1:], os.Stdout, os.Stderr); err != nil {
		fmt.Fprintln(os.Stderr, "bench:", err)
		os.Exit(1)
	}
}

func run(ctx context.Context, args []string, out, progress io.Writer) error {
	o, err := parse(args, progress)
	if errors.Is(err, flag.ErrHelp) {
		return nil
	}
	if err != nil {
		return err
	}
	if slices.ContainsFunc(o.parts, func(p string) bool { return p != partCompare && p != partForecast }) {
		before := load()
		var rows []row
		rows, err = measure(ctx, o, progress)
		if tableErr := printTable(out, rows); tableErr != nil {
			return tableErr
		}
		_, _ = fmt.Fprintf(out, "\n%s; load average %s at the start, %s at the end\n", cpus(), before, load())
	}
	if slices.Contains(o.parts, partCompare) && ctx.Err() == nil {
		_, _ = fmt.Fprintf(progress, "comparing: %d simulated weeks\n", o.weeks)
		err = errors.Join(err, compare(o.weeks, out))
	}
	if slices.Contains(o.parts, partForecast) && ctx.Err() == nil {
		_, _ = fmt.Fprintf(progress, "forecasting: %d simulated weeks\n", o.weeks/forecastShare)
		err = errors.Join(err, foretell(max(1, o.weeks/forecastShare), out))
	}
	return err
}

func parse(args []string, usage io.Writer) (options, error) {
	o := options{}
	var parts string
	f := flag.NewFlagSet("bench", flag.ContinueOnError)
	f.SetOutput(usage)
	f.StringVar(&o.binary, "binary", "bin/ocwatch", "the `file` that make build made")
	f.StringVar(&parts, "only", strings.Join(allParts(), ","), "the same as -parts")
	f.StringVar(&parts, "parts", strings.Join(allParts(), ","), "what to measure, `names` with commas between")
	f.DurationVar(&o.idle, "idle", 3*time.Minute, "how `long` the idle watchdog is watched")
	f.IntVar(&o.runs, "runs", 40, "switches, and bare pairs, to time")
	f.IntVar(&o.cli, "cli", 3, "switches through the openclaw command to time")
	f.IntVar(&o.crowd, "accounts", 1000, "accounts of the large round")
	f.IntVar(&o.weeks, "weeks", 200, "simulated weeks of the comparison and of the forecasts")
	if err := f.Parse(args); err != nil {
		return o, err
	}
	o.parts = strings.Split(parts, ",")
	for _, p := range o.parts {
		if !slices.Contains(allParts(), p) {
			return o, fmt.Errorf("-parts: there is no %q; the parts are %s", p, strings.Join(allParts(), ", "))
		}
	}
	if f.NArg() > 0 || min(o.runs, o.cli, o.crowd, o.weeks) < 1 || o.idle < time.Second {
		return o, errors.New("want no arguments, numbers of 1 or more, and -idle of 1s or more")
	}
	return o, nil
}

// measure runs the parts. What one could not measure keeps no other from it.
func measure(ctx context.Context, o options, progress io.Writer) ([]row, error) {
	rows := map[string][]row{}
	errs := make(map[string]error)
	var mu sync.Mutex
	do := func(part string, f func(context.Context, options, io.Writer) ([]row, error)) {
		if !slices.Contains(o.parts, part) || ctx.Err() != nil {
			return
		}
		_, _ = fmt.Fprintf(progress, "measuring: %s\n", part)
		r, err := f(ctx, o, progress)
		mu.Lock()
		defer mu.Unlock()
		rows[part] = r
		if err != nil {
			errs[part] = fmt.Errorf("%s: %w", part, err)
		}
	}
	do(partBinary, measureBinary)
	do(partRound, measureRound)
	var both sync.WaitGroup
	both.Go(func() { do(partIdle, measureIdle) })
	both.Go(func() { do(partSwitch, measureSwitch) })
	both.Wait()
	var all []row
	var err error
	for _, part := range []string{partSwitch, partIdle, partRound, partBinary} {
		all = append(all, rows[part]...)
		err = errors.Join(err, errs[part])
	}
	return all, errors.Join(err, ctx.Err())
}
