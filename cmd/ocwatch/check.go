package main

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"time"

	"github.com/spf13/cobra"

	"github.com/ocwatch/ocwatch/cmd/ocwatch/internal/app"
	"github.com/ocwatch/ocwatch/internal/web"
)

const exitHelp = "\nExit codes: 0 ok, 1 warning, 2 depleted, 3 unknown."

func newCheckCommand(g *global) *cobra.Command {
	var asJSON bool
	cmd := &cobra.Command{
		Use:   "check",
		Short: "ask every account once and change nothing",
		Long: `Asks every account once what it has left and prints it. Changes nothing and
needs no running watchdog.` + exitHelp,
		Annotations: forMonitors,
		Args:        noArguments,
		RunE: func(cmd *cobra.Command, _ []string) error {
			cfg, _, err := g.load()
			if err != nil {
				return err
			}
			s, err := app.Check(cmd.Context(), app.Options{Config: cfg, Log: newLog(cfg.Log, os.Stderr).Level(quiet), Version: version})
			if err != nil {
				return err
			}
			return printStatus(cmd, s, asJSON)
		},
	}
	cmd.Flags().BoolVar(&asJSON, "json", false, "print JSON, as status --json")
	return cmd
}

func newStatusCommand(g *global) *cobra.Command {
	var asJSON, live bool
	cmd := &cobra.Command{
		Use:   "status",
		Short: "show what the running watchdog knows",
		Long:  "Shows what the running watchdog knows, without asking any provider." + exitHelp,

		Annotations: forMonitors,
		Args:        noArguments,
		RunE: func(cmd *cobra.Command, _ []string) error {
			cfg, _, err := g.load()
			if err != nil {
				return err
			}
			client := web.NewClient(cfg.DataDir)
			if live {
				return watchStatus(cmd.Context(), cmd.OutOrStdout(), func(ctx context.Context) (app.Status, error) { return askStatus(ctx, client) })
			}
			s, err := askStatus(cmd.Context(), client)
			if err != nil {
				return err
			}
			return printStatus(cmd, s, asJSON)
		},
	}
	cmd.Flags().BoolVar(&asJSON, "json", false, "print JSON")
	cmd.Flags().BoolVarP(&live, "watch", "w", false, "show it again every 2 seconds, until Ctrl-C")
	cmd.MarkFlagsMutuallyExclusive("json", "watch")
	return cmd
}

// askStatus asks the running watchdog.
func askStatus(ctx context.Context, client *web.Client) (s app.Status, err error) {
	doc, err := client.Status(ctx)
	if err != nil {
		return s, err
	}
	if err := json.Unmarshal(doc, &s); err != nil {
		return s, fmt.Errorf("status: answer not understood: %w (is another version running?)", err)
	}
	return s, nil
}

// forMonitors marks the commands whose exit code is read by monitoring.
var forMonitors = map[string]string{"exit": "monitoring"}

// failureOf is the exit code of a command that could not do its work. To a
// monitor that is unknown, whatever the reason: 1 would be a warning about
// quota.
func failureOf(cmd *cobra.Command) int {
	if cmd != nil && cmd.Annotations["exit"] != "" {
		return codeUnknown
	}
	return 1
}

func printStatus(cmd *cobra.Command, s app.Status, asJSON bool) error {
	if err := writeStatus(cmd, s, asJSON); err != nil {
		return err
	}
	if code := codeOf(s); code != codeOK {
		return exitCode(code)
	}
	return nil
}

func writeStatus(cmd *cobra.Command, s app.Status, asJSON bool) error {
	if !asJSON {
		return writeTable(cmd.OutOrStdout(), s, lookOf(cmd.OutOrStdout(), os.Getenv), time.Now())
	}
	return writeJSON(cmd.OutOrStdout(), s)
}

// writeJSON prints what --json asks for.
func writeJSON(w io.Writer, doc any) error {
	enc := json.NewEncoder(w)
	enc.SetIndent("", "  ")
	return enc.Encode(doc)
}
