package main

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"os/user"
	"path/filepath"

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
			if f.whereabouts {
				return json.NewEncoder(cmd.OutOrStdout()).Encode(g.remains())
			}
			return g.uninstall(cmd.Context(), cmd.OutOrStdout(), f)
		},
	}
	f.register(cmd)
	cmd.Flags().BoolVar(&f.whereabouts, whereaboutsFlag, false, "print what the account has of ocwatch, as JSON")
	_ = cmd.Flags().MarkHidden(whereaboutsFlag)
	return cmd
}

func (g *global) uninstall(ctx context.Context, out io.Writer, f *installFlags) error {
	home := configHome(os.Getenv)
	if !f.system && !filepath.IsAbs(home) {
		return errNoHome
	}
	unitFile := deploy.UnitFile(f.system, home)
	if name := deploy.AccountOf(unitFile); f.system && f.account == "" && name != "" {
		if _, err := user.Lookup(name); err == nil { // an account that is gone keeps nobody from it
			f.account = name
		}
	}
	who, err := f.who(os.Geteuid(), os.Getenv)
	if err != nil {
		return err
	}
	run := newCommands()
	self, err := os.Executable()
	if err != nil {
		return fmt.Errorf("finding the program itself: %w", err)
	}
	machine, err := deploy.Look(ctx, run, f.system, unitFile, self, nil)
	if err != nil && !f.dryRun && machine.Unit != "" { // without a unit there is nothing to ask systemd for
		return noManager(f.system, err)
	}
	if machine.Foreign() {
		return fmt.Errorf("%s was not written by ocwatch install: whoever wrote it has to remove it", machine.UnitFile)
	}
	left, err := g.remainsOf(ctx, who)
	if err != nil {
		left.Kept = []string{fmt.Sprintf("what %s has of ocwatch, which could not be seen (%v)", who.Username, err)}
	}
	machine.Skill = left.Skill
	if who.other {
		machine.As = who.Username
	}
	steps := deploy.Uninstall(f.system, machine)
	if err := proceed(ctx, out, steps, run, f.dryRun, "no service of ocwatch is installed here"); err != nil {
		return err
	}
	for _, k := range left.Kept {
		if _, err := fmt.Fprintf(out, "kept: %s\n", k); err != nil {
			return err
		}
	}
	return nil
}

// remains are what an account has of ocwatch besides the service.
type remains struct {
	Skill string   `json:"skill"` // its directory, "" for none
	Kept  []string `json:"kept"`
}

// remainsOf asks as the account itself: only that knows its places.
func (g *global) remainsOf(ctx context.Context, who account) (r remains, err error) {
	if !who.other {
		return g.remains(), nil
	}
	out, err := g.runAs(ctx, who, "uninstall", "--"+whereaboutsFlag)
	if err == nil {
		err = json.Unmarshal(out, &r)
	}
	return r, err
}

func (g *global) remains() remains {
	r := remains{Skill: g.skillToRemove()}
	path, found, err := config.Find(g.configPath)
	if err == nil && found {
		r.Kept = append(r.Kept, path)
		if dir := credentialsDir(path); isThere(dir) {
			r.Kept = append(r.Kept, dir)
		}
	} else {
		path = ""
	}
	// A config file that is wrong keeps nobody from uninstalling.
	if cfg, err := config.Load(path, environment(path)); err == nil && isThere(cfg.DataDir) {
		r.Kept = append(r.Kept, cfg.DataDir)
	}
	return r
}

func isThere(path string) bool {
	_, err := os.Stat(path)
	return err == nil
}
