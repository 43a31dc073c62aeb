package main

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/ocwatch/ocwatch/cmd/ocwatch/internal/config"
	"github.com/ocwatch/ocwatch/failover"
	"github.com/ocwatch/ocwatch/internal/journal"
	"github.com/ocwatch/ocwatch/internal/sim"
)

// replayOptions are what the flags of replay say.
type replayOptions struct {
	strategy string
	switchAt float64 // 0: as configured
	since    string
	asJSON   bool
}

// returnGap is how far below switch_at an account is come back to where a
// replay's threshold leaves no room for the configured one.
const returnGap = 15

func newReplayCommand(g *global) *cobra.Command {
	var o replayOptions
	cmd := &cobra.Command{
		Use:   "replay",
		Short: "show what another policy would have done",
		Long: `Plays another policy over the readings that the journal kept, and prints it
beside what happened and beside the configured policy: how long the first
profile was spent, how long all were, how often it was switched, how long a
paid profile was first. The watchdog may run or not; nothing is asked and
nothing is changed. It ends with what a replay cannot know.`,
		Example: `  ocwatch replay --strategy most-remaining
  ocwatch replay --switch-at 80 --since 30d`,
		Args: noArguments,
		RunE: func(cmd *cobra.Command, _ []string) error {
			cfg, _, err := g.load()
			if err != nil {
				return err
			}
			return o.run(cmd, cfg, time.Now())
		},
	}
	f := cmd.Flags()
	f.StringVar(&o.strategy, "strategy", "", "the `strategy` to play: "+strings.Join(strategyNames(), ", ")+"\n(default as configured)")
	f.Float64Var(&o.switchAt, "switch-at", 0, "the used `percent` at which an account is left, 1 to 100\n(default as configured)")
	f.StringVar(&o.since, "since", defaultSince, "how far to look back: a `time` like 12h, 7d or 2w, or a date")
	f.BoolVar(&o.asJSON, "json", false, "print JSON")
	return cmd
}

func strategyNames() []string {
	var names []string
	for _, s := range failover.Strategies() {
		names = append(names, string(s))
	}
	return names
}

func (o *replayOptions) run(cmd *cobra.Command, cfg *config.Config, now time.Time) error {
	since, err := o.check(now)
	if err != nil {
		return err
	}
	path := filepath.Join(cfg.DataDir, journal.FileName)
	pools, err := readPools(cmd.Context(), path, since)
	if errors.Is(err, journal.ErrNone) {
		pools, err = nil, nil
	}
	if err != nil {
		return err
	}
	r := replay{Version: version, At: now.UTC(), Pools: []replayedPool{}, Assumptions: sim.ReplayAssumptions()}
	for _, p := range pools {
		r.Pools = append(r.Pools, o.play(p, cfg.Policy(p.provider)))
	}
	switch {
	case o.asJSON:
		return writeJSON(cmd.OutOrStdout(), r)
	case len(r.Pools) == 0:
		_, err = fmt.Fprintf(cmd.OutOrStdout(), "There is nothing to replay: %s has no readings that span a minute since %s. ocwatch run keeps them.\n",
			filepath.Dir(path), since.Local().Format("Mon 2 Jan 2006 15:04"))
	default:
		_, err = cmd.OutOrStdout().Write([]byte(r.text(time.Local)))
	}
	return err
}

// check refuses what no replay can be made of.
func (o *replayOptions) check(now time.Time) (since time.Time, err error) {
	if o.strategy != "" && !slices.Contains(strategyNames(), o.strategy) {
		return since, fmt.Errorf("--strategy %q: want one of %s", o.strategy, strings.Join(strategyNames(), ", "))
	}
	if o.switchAt != 0 && !(o.switchAt >= 1 && o.switchAt <= 100) {
		return since, fmt.Errorf("--switch-at %v: want a used percentage, 1 to 100", o.switchAt)
	}
	return parseSince(o.since, now)
}

// policy is the configured one with what the flags change of it.
func (o *replayOptions) policy(p failover.Policy) failover.Policy {
	if o.strategy != "" {
		p.Strategy = failover.Strategy(o.strategy)
	}
	if o.switchAt != 0 {
		p.SwitchAt = o.switchAt
		if p.ReturnBelow >= p.SwitchAt {
			p.ReturnBelow = max(0, p.SwitchAt-returnGap)
		}
	}
	return p
}

func (o *replayOptions) play(p recordedPool, configured failover.Policy) replayedPool {
	past := p.record.Happened()
	out := replayedPool{
		Agent: p.agent, Provider: p.provider, From: p.record.From.UTC(), To: p.record.To.UTC(), Left: p.left,
		Readings: past.Readings, UnwatchedHours: past.Unwatched.Hours(),
		Happened: outcome{
			FirstSpentHours: past.Unusable.Hours(), AllSpentHours: past.Dry.Hours(), PaidHours: past.PaidFirst.Hours(), Switches: past.Switches,
		},
		Configured: outcomeOf(&p.record, configured),
		Replayed:   outcomeOf(&p.record, o.policy(configured)),
	}
	for _, a := range p.record.Accounts {
		out.Profiles = append(out.Profiles, a.ID)
	}
	return out
}

func outcomeOf(r *sim.Record, p failover.Policy) replayedOutcome {
	got := sim.Replay(r, p)
	return replayedOutcome{Strategy: string(p.Strategy), SwitchAt: p.SwitchAt, outcome: outcome{
		FirstSpentHours: got.Unusable.Hours(), AllSpentHours: got.Dry.Hours(), PaidHours: got.PaidFirst.Hours(), Switches: got.Switches,
	}}
}

// readPools reads the journal for as short as can be: the watchdog may want to
// write.
func readPools(ctx context.Context, path string, since time.Time) (pools []recordedPool, err error) {
	j, err := journal.OpenReadOnly(ctx, path)
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, j.Close()) }()
	return recordedPools(ctx, j, since)
}
