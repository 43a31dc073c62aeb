package main

import (
	"fmt"
	"io"
	"os"
	"text/tabwriter"
	"time"

	"github.com/spf13/cobra"

	"github.com/ocwatch/ocwatch/cmd/ocwatch/internal/app"
	"github.com/ocwatch/ocwatch/notify"
)

func newNotifyCommand(g *global) *cobra.Command {
	cmd := group(&cobra.Command{Use: "notify", Short: "try out the notifications"})
	cmd.AddCommand(newNotifyTestCommand(g))
	return cmd
}

func newNotifyTestCommand(g *global) *cobra.Command {
	var only []string
	cmd := &cobra.Command{
		Use:   "test",
		Short: "send one test event to every endpoint and print what was answered",
		Long: `Sends one test event to every webhook and channel, whatever events they want,
and prints what each answered and how long that took. Nothing is tried again.
It ends with an error if one of them did not take the event.`,
		Args: noArguments,
		RunE: func(cmd *cobra.Command, _ []string) error {
			cfg, _, err := g.load()
			if err != nil {
				return err
			}
			o := app.Options{Config: cfg, Log: newLog(cfg.Log, os.Stderr).Level(quiet), Version: version}
			results, err := app.TestNotify(cmd.Context(), o, only)
			if err != nil {
				return err
			}
			return writeAnswers(cmd.OutOrStdout(), results)
		},
	}
	cmd.Flags().StringArrayVar(&only, "only", nil, "send to the endpoint of this `name`; may be given again")
	return cmd
}

// writeAnswers prints a line for each endpoint.
func writeAnswers(w io.Writer, results []notify.Result) error {
	tw := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	failed := 0
	for _, r := range results {
		if r.Err != nil {
			failed++
		}
		_, _ = fmt.Fprintf(tw, "%s\t%s\t%s\n", r.Endpoint, r.Took.Round(time.Millisecond), r.Answer)
	}
	if err := tw.Flush(); err != nil {
		return err
	}
	if failed > 0 {
		return fmt.Errorf("%d of %d endpoints did not take the test event", failed, len(results))
	}
	return nil
}
