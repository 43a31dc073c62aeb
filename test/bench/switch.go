package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/ocwatch/ocwatch/failover/watchdog"
	"github.com/ocwatch/ocwatch/internal/openclaw"
	"github.com/ocwatch/ocwatch/profiles"
	"github.com/ocwatch/ocwatch/test/lab"
)

// switchResult is what a child found on the real gateway.
type switchResult struct {
	Ours, Pair, CLI []time.Duration
	// Steps and Calls are what the first two are made of.
	Steps, Calls stretches
}

type stretches []stretch

// stretch is a part of the way, over and over.
type stretch struct {
	Name string
	Took []time.Duration
}

// measureSwitch has a child measure on the real gateway.
func measureSwitch(ctx context.Context, o options, progress io.Writer) ([]row, error) {
	var r switchResult
	err := inChild(ctx, job{Part: partSwitch, Runs: o.runs, CLI: o.cli}, progress, &r)
	if errors.Is(err, errSkipped) {
		return []row{plain("switch on OpenClaw "+lab.SharedDatabase, "not measured: see above")}, nil
	}
	if err != nil {
		return nil, err
	}
	return r.rows(), nil
}

func (r switchResult) rows() []row {
	ours, pair, cli := median(r.Ours), median(r.Pair), median(r.CLI)
	rows := []row{plain("switch: reading to confirmed order, OpenClaw "+lab.SharedDatabase, spread(r.Ours))}
	rows = append(rows, r.Steps.rows()...)
	rows = append(rows, plain("the bare pair of calls", spread(r.Pair)))
	rows = append(rows, r.Calls.rows()...)
	return append(rows,
		plain("openclaw models auth order set + get", spread(r.CLI)),
		atMost("switch against the bare pair", ours.Seconds()/pair.Seconds(), 1.5, "%.2f ×"),
		atLeast("the command against the switch", cli.Seconds()/ours.Seconds(), 12, "%.1f ×"),
	)
}

func (s stretches) rows() []row {
	rows := make([]row, len(s))
	for i, stretch := range s {
		rows[i] = plain("  "+stretch.Name, spread(stretch.Took))
	}
	return rows
}

func (s *stretches) note(name string, took time.Duration) {
	i := slices.IndexFunc(*s, func(s stretch) bool { return s.Name == name })
	if i < 0 {
		i = len(*s)
		*s = append(*s, stretch{Name: name})
	}
	(*s)[i].Took = append((*s)[i].Took, took)
}

// bench is the real gateway with a watchdog and bare connections.
type bench struct {
	stop   <-chan struct{} // closed when the person gives up
	lab    *lab.Lab
	rig    *rig
	watch  *stopwatch
	bare   [2]*lab.RPC
	result switchResult
}

// switching takes the three ways in turn, so that a busy moment hits them all.
func switching(t *testing.T, stop <-chan struct{}, j job) {
	t.Helper()
	b := newBench(t, stop, j)
	b.ours(t)
	b.pair(t)
	b.result = switchResult{} // those opened the connections
	every := max(1, j.Runs/j.CLI)
	for i := range j.Runs {
		b.ours(t)
		b.pair(t)
		if i%every == 0 && len(b.result.CLI) < j.CLI {
			b.command(t)
		}
	}
	for len(b.result.CLI) < j.CLI {
		b.command(t)
	}
	check(t, j.answer(b.result))
}

func newBench(t *testing.T, stop <-chan struct{}, j job) *bench {
	t.Helper()
	l := lab.New(t, lab.Options{Version: lab.SharedDatabase})
	l.Start(t)
	b := &bench{stop: stop, lab: l, watch: &stopwatch{}, bare: [2]*lab.RPC{l.Dial(t), l.Dial(t)}}
	usage := map[string]string{
		"openai":    l.Provider.URL + "/backend-api/wham/usage",
		"anthropic": l.Provider.URL + "/api/oauth/usage",
	}
	find := openclaw.Options{StateDir: l.StateDir, Home: l.Home, Command: l.Install.CLI(), Getenv: lookup(l.Env())}
	var err error
	b.rig, err = newRig(t.Context(), find, usage, j.Dir, func(o *watchdog.Options) {
		b.watch.around(o)
	})
	check(t, err)
	t.Cleanup(func() { _ = b.rig.Close() })
	b.watch.order = l.IDs(l.Pool()...)
	return b
}

// breath is how long the gateway is left alone before anything is timed. What
// an order sets off in it goes on for a while, and would be the next one's.
// It also keeps each connection, which has one of every three turns, below the
// 30 orders a minute that the gateway takes from one.
const breath = 750 * time.Millisecond

func (b *bench) rest(t *testing.T) {
	t.Helper()
	timer := time.NewTimer(breath)
	defer timer.Stop()
	select {
	case <-timer.C:
	case <-b.stop:
		t.Fatal("interrupted")
	}
}

// ours lets the first account pass the threshold and times what the watchdog
// makes of it.
func (b *bench) ours(t *testing.T) {
	t.Helper()
	b.rest(t)
	for _, name := range b.lab.Pool() {
		used := 10.0
		if b.lab.ID(name) == b.watch.order[0] {
			used = 97
		}
		b.lab.Provider.SetQuota(name, lab.Quota{FiveHour: used})
	}
	before := b.watch.sets
	b.rig.Round(t.Context())
	if b.watch.sets != before+1 || b.watch.applied.Gateway != profiles.ViewConfirmed {
		t.Fatalf("the round set %d orders, and the gateway's view is %q; notes: %v; status: %+v",
			b.watch.sets-before, b.watch.applied.Gateway, b.watch.applied.Notes, b.rig.Status())
	}
	r := &b.result
	r.Ours = append(r.Ours, b.watch.confirmed.Sub(b.watch.read))
	for _, s := range b.watch.steps() {
		r.Steps.note(s.Name, s.Took)
	}
}

// pair times the bare calls, there and back: the watchdog finds the order as
// it left it.
func (b *bench) pair(t *testing.T) {
	t.Helper()
	r := &b.result
	for i, ids := range [][]string{rotated(b.watch.order), b.watch.order} {
		b.rest(t)
		set, status := b.setBare(t, b.bare[i], ids)
		r.Pair = append(r.Pair, set+status)
		r.Calls.note("models.authOrderSet", set)
		r.Calls.note("models.authStatus", status)
	}
}

func (b *bench) setBare(t *testing.T, rpc *lab.RPC, ids []string) (set, status time.Duration) {
	t.Helper()
	began := time.Now()
	rpc.Must(t, "models.authOrderSet", map[string]any{"provider": b.lab.ProviderID(), "agentId": "main", "profileIds": ids})
	between := time.Now()
	rpc.Must(t, "models.authStatus", map[string]any{"agentId": "main"})
	return between.Sub(began), time.Since(between)
}

// command times the same through OpenClaw's command.
func (b *bench) command(t *testing.T) {
	t.Helper()
	b.rest(t)
	want := rotated(b.watch.order)
	began := time.Now()
	b.lab.OrderSetCLI(t, want...)
	got := b.lab.OrderGetCLI(t)
	b.result.CLI = append(b.result.CLI, time.Since(began))
	if !slices.Equal(got, want) {
		t.Fatalf("the command stored %v, want %v", got, want)
	}
	b.setBare(t, b.bare[0], b.watch.order)
}

func rotated(ids []string) []string { return slices.Concat(ids[1:], ids[:1]) }

func check(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// lookup makes a Getenv of an environment.
func lookup(env []string) func(string) string {
	return func(name string) string {
		for _, e := range slices.Backward(env) {
			if v, ok := strings.CutPrefix(e, fmt.Sprintf("%s=", name)); ok {
				return v
			}
		}
		return ""
	}
}
