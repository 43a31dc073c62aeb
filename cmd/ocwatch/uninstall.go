package main

import (
	"context"
	"fmt"
	"io"
	"os"

	"github.com/spf13/cobra"

	"github.com/ocwatch/ocwatch/cmd/ocwatch/internal/config"
	"github.com/ocwatch/ocwatch/deploy"
)

func newUninstallCommand(g *global) *cobra.Command {
	f := &installFlags{}
	cmd := &cobra.Command{
		Use:   "uninstall",
		Short: "stop the service of systemd and remove it",
		Long: `Stops what ocwatch install started and removes all that it wrote, the settings
of "systemctl edit" and the skill too. What is yours is kept and named: the config file, its
credentials, and what the watchdog has learned (data_dir).`,
		Args: noArguments,
		RunE: func(cmd *cobra.Command, _ []string) error {
			return g.uninstall(cmd.Context(), cmd.OutOrStdout(), f)
		},
	}
	f.register(cmd)
	return cmd
}

func (g *global) uninstall(ctx context.Context, out io.Writer, f *installFlags) error {
	who, err := f.who(os.Geteuid(), os.Getenv)
	if err != nil {
		return err
	}
	run := newCommands()
	self, err := os.Executable()
	if err != nil {
		return fmt.Errorf("finding the program itself: %w", err)
	}
	machine, err := deploy.Look(ctx, run, f.system, deploy.UnitFile(f.system, configHome(os.Getenv)), self, nil)
	if err != nil && !f.dryRun {
		return noManager(f.system, err)
	}
	if !who.other {
		machine.Skill = g.skillToRemove()
	}
	steps := deploy.Uninstall(f.system, machine)
	const nothing = "no service of ocwatch is installed here"
	if f.dryRun {
		err = showSteps(out, steps, nothing)
	} else {
		err = carryOut(ctx, out, steps, run, nothing)
	}
	if err != nil {
		return err
	}
	return g.tellKept(out, who)
}

// tellKept names what is left. An account's own places are known to that
// account alone.
func (g *global) tellKept(out io.Writer, who account) error {
	if who.other {
		_, err := fmt.Fprintf(out, "kept: the config file and data_dir of %s; ocwatch config show names them there\n", who.Username)
		return err
	}
	var kept []string
	path, found, err := config.Find(g.configPath)
	if err == nil && found {
		kept = append(kept, path)
		if dir := credentialsDir(path); isThere(dir) {
			kept = append(kept, dir)
		}
	} else {
		path = ""
	}
	// A config file that is wrong keeps nobody from uninstalling.
	if cfg, err := config.Load(path, environment(path)); err == nil && isThere(cfg.DataDir) {
		kept = append(kept, cfg.DataDir)
	}
	for _, k := range kept {
		if _, err := fmt.Fprintf(out, "kept: %s\n", k); err != nil {
			return err
		}
	}
	return nil
}

func isThere(path string) bool {
	_, err := os.Stat(path)
	return err == nil
}
