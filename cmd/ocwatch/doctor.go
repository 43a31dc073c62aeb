package main

import (
	"context"
	"fmt"
	"os"
	"time"

	"github.com/spf13/cobra"

	"github.com/ocwatch/ocwatch/cmd/ocwatch/internal/app"
	"github.com/ocwatch/ocwatch/cmd/ocwatch/internal/config"
	"github.com/ocwatch/ocwatch/internal/doctor"
	"github.com/ocwatch/ocwatch/internal/doctor/gather"
)

// doctorReport is the document of doctor --json.
type doctorReport struct {
	Version  string           `json:"version"`
	At       time.Time        `json:"at"`
	OK       bool             `json:"ok"`
	OpenClaw doctorOpenClaw   `json:"openclaw"`
	Units    []doctorUnit     `json:"units"`
	Findings []doctor.Finding `json:"findings"`
	Fixed    []string         `json:"fixed"`
}

type doctorOpenClaw struct {
	StateDir string   `json:"state_dir"`
	Layout   string   `json:"layout"`
	Gateway  string   `json:"gateway"`
	Version  string   `json:"version"`
	Scopes   []string `json:"scopes"`
}

type doctorUnit struct {
	Name     string `json:"name"`
	User     bool   `json:"user"`
	Active   string `json:"active"`
	Restarts int    `json:"restarts"`
}

func newDoctorCommand(g *global) *cobra.Command {
	var asJSON, fix bool
	cmd := &cobra.Command{
		Use:   "doctor",
		Short: "say what is wrong with this set-up, and what mends it",
		Long: `Examines OpenClaw, its gateway, its logins and orders, systemd, the clock, the
endpoints and ocwatch's own files. Each finding says what is wrong, why it
matters, and the command that mends it.

It changes nothing, sends no message, and asks no account what it has left. No
credential leaves with what it asks, but for the gateway's token, which the
gateway gets. Whatever does not answer is given up after 10 seconds. With --fix it takes away what others may do with ocwatch's own files; all else it
leaves to you.

Exit codes: 0 nothing is wrong (there may be notes), 1 there is something.`,
		Args: noArguments,
		RunE: func(cmd *cobra.Command, _ []string) error {
			report, err := examine(cmd.Context(), g, fix)
			if err != nil {
				return err
			}
			if asJSON {
				err = writeJSON(cmd.OutOrStdout(), report)
			} else {
				err = writeReport(cmd.OutOrStdout(), report, lookOf(cmd.OutOrStdout(), os.Getenv))
			}
			if err == nil && !report.OK {
				return exitCode(1)
			}
			return err
		},
	}
	cmd.Flags().BoolVar(&asJSON, "json", false, "print JSON")
	cmd.Flags().BoolVar(&fix, "fix", false, "mend the modes of ocwatch's own files, and nothing else")
	return cmd
}

// examine looks, mends what it may, and then looks again: a config file that
// others could read was not even loaded.
func examine(ctx context.Context, g *global, fix bool) (doctorReport, error) {
	w, err := g.world(ctx)
	if err != nil {
		return doctorReport{}, err
	}
	fixed := []string{}
	if fix {
		done, err := gather.Mend(w.Files)
		if err != nil {
			return doctorReport{}, fmt.Errorf("--fix: %w", err)
		}
		if len(done) > 0 {
			fixed = done
			if w, err = g.world(ctx); err != nil {
				return doctorReport{}, err
			}
		}
	}
	return reportOf(w, fixed), ctx.Err()
}

// world gathers, whether or not the config file can be used. An explicit one
// that is not there is a slip of the pen, and no finding.
func (g *global) world(ctx context.Context) (doctor.World, error) {
	path, found, err := config.Find(g.configPath)
	if err != nil {
		return doctor.World{}, err
	}
	if !found {
		path = ""
	}
	cfg, err := config.Load(path, environment(path))
	if err != nil {
		return app.World(ctx, app.Options{}, path, err), nil
	}
	o := app.Options{Config: cfg, Log: newLog(cfg.Log, os.Stderr).Level(quiet), Version: version}
	return app.World(ctx, o, path, nil), nil
}

func reportOf(w doctor.World, fixed []string) doctorReport {
	r := doctorReport{Version: version, At: w.Now, Findings: doctor.Examine(w), Fixed: fixed, Units: []doctorUnit{}}
	r.OK = doctor.Healthy(r.Findings)
	r.OpenClaw.Scopes = []string{}
	if w.OpenClaw != nil {
		r.OpenClaw.StateDir = w.OpenClaw.StateDir
	}
	if w.Auth != nil {
		r.OpenClaw.Layout = string(w.Auth.Snapshot.Layout)
	}
	if w.Gateway != nil {
		r.OpenClaw.Gateway, r.OpenClaw.Version = w.Gateway.URL, w.Gateway.Hello.Version
		r.OpenClaw.Scopes = append(r.OpenClaw.Scopes, w.Gateway.Hello.Scopes...)
	}
	if w.Service != nil {
		for _, u := range w.Service.Units {
			r.Units = append(r.Units, doctorUnit{Name: u.Name, User: u.User, Active: u.State.Active, Restarts: u.State.Restarts})
		}
	}
	return r
}
