package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"time"

	"github.com/spf13/cobra"

	"github.com/ocwatch/ocwatch/cmd/ocwatch/internal/app"
	"github.com/ocwatch/ocwatch/failover/watchdog"
	"github.com/ocwatch/ocwatch/internal/say"
	"github.com/ocwatch/ocwatch/internal/web"
)

func newSwitchCommand(g *global) *cobra.Command {
	var agent, lasts string
	var auto bool
	cmd := &cobra.Command{
		Use:   "switch PROFILE",
		Short: "put an account first",
		Long: `Has the running watchdog put PROFILE first and keep it there, low or not, for as
long as --for says, or until ocwatch switch PROFILE --auto. Spent, it is left for
one that can serve, and come back to. An order that somebody sets in OpenClaw
since ends it too.`,
		Example: `  ocwatch switch openai:bob@example.com --for 2h
  ocwatch switch openai:bob@example.com --auto`,
		Args: oneProfile,
		RunE: func(cmd *cobra.Command, args []string) error {
			until, err := parseFor(lasts, time.Now())
			if err != nil {
				return err
			}
			cfg, _, err := g.load()
			if err != nil {
				return err
			}
			client := web.NewClient(cfg.DataDir)
			r := web.SwitchRequest{Profile: args[0], Agent: agent, Until: until, Auto: auto}
			took, err := client.Switch(cmd.Context(), r)
			if err != nil {
				return err
			}
			p, err := settled(cmd.Context(), client, took)
			if err != nil {
				return err
			}
			return tellSwitch(cmd.OutOrStdout(), r, took, p, time.Now())
		},
	}
	cmd.Flags().StringVar(&lasts, "for", "", "how long it stays first: a `time` like 30m, 2h, 1d or 1w\n(default until --auto)")
	cmd.Flags().BoolVar(&auto, "auto", false, "let the watchdog decide again")
	cmd.Flags().StringVar(&agent, "agent", "", "the `agent` (default main, else the one that has it)")
	cmd.MarkFlagsMutuallyExclusive("for", "auto")
	return cmd
}

// settleWithin is how long a switch may take: the slow way to set an order
// takes seconds.
const settleWithin = time.Minute

// settled waits until a round saw the request, and returns the pool as it is
// then.
func settled(ctx context.Context, client *web.Client, took web.Switched) (watchdog.PoolStatus, error) {
	ctx, cancel := context.WithTimeout(ctx, settleWithin)
	defer cancel()
	tick := time.NewTicker(100 * time.Millisecond)
	defer tick.Stop()
	for {
		doc, err := client.Status(ctx)
		if err != nil {
			return watchdog.PoolStatus{}, err
		}
		var s app.Status
		if err := json.Unmarshal(doc, &s); err != nil {
			return watchdog.PoolStatus{}, fmt.Errorf("status: answer not understood: %w (is another version running?)", err)
		}
		for _, p := range s.Pools {
			if s.At.After(took.At) && p.Agent == took.Agent && p.Provider == took.Provider {
				return p, nil
			}
		}
		select {
		case <-ctx.Done():
			return watchdog.PoolStatus{}, errors.New("it was taken, and no round came of it yet: see ocwatch status")
		case <-tick.C:
		}
	}
}

// tellSwitch says what came of it, and of which pool: several agents may have the
// profile.
func tellSwitch(w io.Writer, r web.SwitchRequest, took web.Switched, p watchdog.PoolStatus, now time.Time) error {
	var text string
	switch pinned := p.Pinned; {
	case r.Auto && took.Was == "":
		text = "nothing was pinned there: " + p.Reason
	case r.Auto:
		text = took.Was + " is not pinned any more, the watchdog decides again: " + p.Reason
	case pinned == nil || pinned.Profile != r.Profile:
		text = "the pin is over already: " + p.Reason
	case say.NotFirst(r.Profile, p) != "":
		text = r.Profile + " is pinned" + untilText(pinned.Until, now) + say.NotFirst(r.Profile, p) + ": " + p.Reason
	default:
		text = "pinned" + untilText(pinned.Until, now) + ": " + p.Reason
	}
	_, err := fmt.Fprintf(w, "%s / %s: %s\n", printable(p.Agent), printable(p.Provider), printable(text))
	return err
}
