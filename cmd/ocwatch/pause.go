package main

import (
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/ocwatch/ocwatch/internal/web"
)

func newPauseCommand(g *global) *cobra.Command {
	var lasts, reason string
	cmd := &cobra.Command{
		Use:   "pause",
		Short: "keep watching, change nothing",
		Long: `Has the running watchdog keep watching and telling, and change nothing: it sets
no order, restarts no gateway and begins no login, until ocwatch resume or the
end of --for. A pause outlives a restart of ocwatch. A second one replaces the
first.`,
		Args: noArguments,
		RunE: func(cmd *cobra.Command, _ []string) error {
			until, err := parseFor(lasts, time.Now())
			if err != nil {
				return err
			}
			cfg, _, err := g.load()
			if err != nil {
				return err
			}
			if err := web.NewClient(cfg.DataDir).Pause(cmd.Context(), web.PauseRequest{Until: until, Reason: reason}); err != nil {
				return err
			}
			_, err = fmt.Fprintf(cmd.OutOrStdout(), "paused%s: nothing is changed meanwhile; ocwatch resume ends it\n", untilText(&until, time.Now()))
			return err
		},
	}
	cmd.Flags().StringVar(&lasts, "for", "", "how long: a `time` like 30m, 8h, 2d or 1w\n(default until ocwatch resume)")
	cmd.Flags().StringVar(&reason, "reason", "", "a `text` for whoever asks why, shown by status")
	return cmd
}

func newResumeCommand(g *global) *cobra.Command {
	return &cobra.Command{
		Use:   "resume",
		Short: "end a pause",
		Args:  noArguments,
		RunE: func(cmd *cobra.Command, _ []string) error {
			cfg, _, err := g.load()
			if err != nil {
				return err
			}
			ended, err := web.NewClient(cfg.DataDir).Resume(cmd.Context())
			if err != nil {
				return err
			}
			text := "resumed: the watchdog acts again"
			if !ended.Was {
				text = "there was no pause: the watchdog acts"
			}
			_, err = fmt.Fprintln(cmd.OutOrStdout(), text)
			return err
		},
	}
}

// longestFor bounds --for; who wants longer leaves it out.
const longestFor = 366 * 24 * time.Hour

// parseFor reads how long something is to last and returns its end, the zero
// time for "".
func parseFor(text string, now time.Time) (time.Time, error) {
	if text == "" {
		return time.Time{}, nil
	}
	d, err := time.ParseDuration(text)
	for suffix, unit := range map[string]time.Duration{"d": 24 * time.Hour, "w": 7 * 24 * time.Hour} {
		if number, ok := strings.CutSuffix(text, suffix); ok {
			var n uint64
			n, err = strconv.ParseUint(number, 10, 12)
			d = time.Duration(n) * unit
		}
	}
	if err != nil || d <= 0 || d > longestFor {
		return time.Time{}, fmt.Errorf("--for %q: want a time like 30m, 8h, 2d or 1w, a year at most", text)
	}
	return now.Add(d), nil
}

// untilText is " until …" in the time of this machine, "" for no end.
func untilText(until *time.Time, now time.Time) string {
	if until == nil || until.IsZero() {
		return ""
	}
	return " until " + backCell(until, now)
}
