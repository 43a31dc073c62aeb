package main

import (
	"errors"
	"fmt"
	"os"
	"text/tabwriter"
	"time"

	"github.com/spf13/cobra"

	"github.com/ocwatch/ocwatch/cmd/ocwatch/internal/app"
)

func newNotifyCommand(g *global) *cobra.Command {
	cmd := group(&cobra.Command{Use: "notify", Short: "try out the notifications"})
	cmd.AddCommand(&cobra.Command{
		Use:   "test",
		Short: "send one test event to every endpoint and print what was answered",
		Args:  cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			cfg, _, err := g.load()
			if err != nil {
				return err
			}
			if len(cfg.Notify.Webhooks) == 0 {
				return errors.New("no endpoint to test: add one under notify.webhooks in the config file")
			}
			results, err := app.TestNotify(cmd.Context(), app.Options{Config: cfg, Log: newLog(cfg.Log, os.Stderr).Level(quiet), Version: version})
			if err != nil {
				return err
			}
			tw := tabwriter.NewWriter(cmd.OutOrStdout(), 0, 0, 2, ' ', 0)
			failed := 0
			for _, r := range results {
				if r.Err != nil {
					failed++
				}
				_, _ = fmt.Fprintf(tw, "%s\t%s\t%s\n", r.Endpoint, r.Answer, r.Took.Round(time.Millisecond))
			}
			if err := tw.Flush(); err != nil {
				return err
			}
			if failed > 0 {
				return fmt.Errorf("%d of %d endpoints did not take the test event", failed, len(results))
			}
			return nil
		},
	})
	return cmd
}
