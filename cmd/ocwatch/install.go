package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"slices"
	"time"

	"github.com/spf13/cobra"

	"github.com/ocwatch/ocwatch/deploy"
	"github.com/ocwatch/ocwatch/internal/web"
)

// installFlags are those of install and uninstall.
type installFlags struct {
	system, dryRun bool
	skill          bool // nothing but the skill
	account        string
	force          bool // of install alone: whatever doctor finds
	whereabouts    bool // hidden: how root asks what another account's ocwatch would use
}

func newInstallCommand(g *global) *cobra.Command {
	f := &installFlags{}
	cmd := &cobra.Command{
		Use:   "install",
		Short: "run the watchdog as a service of systemd",
		Long: `Writes a hardened systemd unit, starts it, and has it start at boot. Without
--system it is a unit of your own service manager, beside OpenClaw's gateway as
"openclaw gateway install" makes it. With --system it is one of the system, which
runs as the account that OpenClaw runs as.

Run it again after an update of ocwatch, a new file in the credentials directory
or a move of OpenClaw: it does only what is left to do.

First it examines the set-up as "ocwatch doctor" does. Warnings are printed; an
error keeps it from installing, unless it is one that the service is there for:
a gateway that does not run, a login that is dead.`,
		Args: noArguments,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if f.whereabouts {
				return g.writeWhereabouts(cmd.OutOrStdout())
			}
			if f.skill {
				return g.installSkill(cmd.Context(), cmd.OutOrStdout(), f.dryRun)
			}
			return g.install(cmd.Context(), cmd.OutOrStdout(), f)
		},
	}
	f.register(cmd)
	cmd.Flags().BoolVar(&f.skill, "skill", false, "install the skill that teaches OpenClaw's agents to ask ocwatch, and\nno service")
	cmd.Flags().BoolVar(&f.force, "force", false, "install although doctor found errors")
	cmd.MarkFlagsMutuallyExclusive("skill", "system")
	cmd.Flags().BoolVar(&f.whereabouts, whereaboutsFlag, false, "print what the service would use, as JSON")
	_ = cmd.Flags().MarkHidden(whereaboutsFlag)
	return cmd
}

func (f *installFlags) register(cmd *cobra.Command) {
	cmd.Flags().BoolVar(&f.system, "system", false, "a service of the system instead of your account's (root)")
	cmd.Flags().BoolVar(&f.dryRun, "dry-run", false, "show what would be done, and do nothing")
	cmd.Flags().StringVar(&f.account, "account", "", "with --system, the `name` of the account that OpenClaw runs as (default $SUDO_USER)")
}

func (g *global) install(ctx context.Context, out io.Writer, f *installFlags) error {
	who, err := f.who(os.Geteuid(), os.Getenv)
	if err != nil {
		return err
	}
	place, err := g.whereaboutsOf(ctx, who)
	if err != nil {
		return err
	}
	report, err := g.examineAs(ctx, who, f.system)
	if err != nil {
		return err
	}
	if err := tellFindings(out, report.Findings); err != nil {
		return err
	}
	refusal := f.refusal(report)
	if refusal != nil && !f.dryRun {
		return refusal
	}
	run := newCommands()
	service, err := g.service(ctx, f, who, place, run)
	if err != nil {
		return err
	}
	wanted := []string{place.CacheDir}
	if service.StateDirectory == "" {
		wanted = append(wanted, place.DataDir)
	}
	machine, err := deploy.Look(ctx, run, f.system, deploy.UnitFile(f.system, place.ConfigHome), service.Exec[0], wanted)
	if err != nil && !f.dryRun {
		return noManager(f.system, err)
	}
	if err != nil {
		service.Confined = true // as it is nearly everywhere
		_, _ = fmt.Fprintf(out, "%v; so nothing is known of what runs\n\n", noManager(f.system, err))
	}
	if who.other {
		machine.As = who.Username
	}
	if machine.Foreign() && !f.force {
		return fmt.Errorf("%s was not written by ocwatch install: move it elsewhere, or replace it with --force", machine.UnitFile)
	}
	if !machine.Active && !f.force && !f.dryRun {
		if err := inTheWay(ctx, place.DataDir); err != nil {
			return err
		}
	}
	steps, err := deploy.Install(service, machine)
	if err != nil {
		return err
	}
	if err := proceed(ctx, out, steps, run, f.dryRun, "already installed, and running"); err != nil {
		if f.dryRun {
			return err
		}
		if _, ok := errors.AsType[*fs.PathError](err); ok {
			return fmt.Errorf("%w; make that possible, and run it again", err)
		}
		return fmt.Errorf("%w; see %s status %s", err, service.Systemctl(), deploy.Unit)
	}
	if err := tellInstalled(out, service, place, who); err != nil {
		return err
	}
	return refusal
}

// refusal is why nothing is done, nil for no reason.
func (f *installFlags) refusal(report doctorReport) error {
	if f.force {
		return nil
	}
	if err := twice(report, f.system); err != nil {
		return err
	}
	return blocked(report.Findings)
}

// inTheWay is the error for a watchdog that somebody runs in a terminal: beside it
// the service could not start, and systemd would say no more than that.
func inTheWay(ctx context.Context, dataDir string) error {
	ctx, cancel := context.WithTimeout(ctx, 2*time.Second)
	defer cancel()
	if _, err := web.NewClient(dataDir).Status(ctx); err != nil {
		return nil // there is none, or the start says what is wrong with it
	}
	return errors.New("ocwatch run watches already, in a terminal or under another supervisor, and two would be in each other's way: end it first (Ctrl-C there)")
}

// tellInstalled says what the owner should know of the service.
func tellInstalled(out io.Writer, service deploy.Service, place whereabouts, who account) error {
	notes := slices.Clone(place.Notes)
	if !service.System && !deploy.Lingers(who.Username) {
		notes = append(notes, fmt.Sprintf("the service ends with your last login and starts with the next: loginctl enable-linger %s keeps it running", who.Username))
	}
	if !service.Confined {
		notes = append(notes, "this kernel lets no account confine a service's view of the file system (user namespaces), so the unit goes without; ocwatch install --system has it")
	}
	if service.System && slices.Contains(service.Beside, place.GatewayUnit) && service.Restarts == "" && who.uid != 0 {
		notes = append(notes, fmt.Sprintf("%s is a unit of the system, and without polkit its account may not restart it: only the gateway itself can, when it is asked (Debian: polkitd; then install again)", place.GatewayUnit))
	}
	for _, note := range notes {
		if _, err := fmt.Fprintf(out, "note: %s\n", note); err != nil {
			return err
		}
	}
	return nil
}

// showSteps prints the steps, with the text of what would be written.
func showSteps(out io.Writer, steps []deploy.Step, nothing string) error {
	if len(steps) == 0 {
		_, err := fmt.Fprintf(out, "nothing to do: %s\n", nothing)
		return err
	}
	for _, s := range steps {
		if _, err := fmt.Fprintf(out, "would %s\n", s); err != nil {
			return err
		}
	}
	for _, s := range steps {
		if s.Kind != deploy.Write {
			continue
		}
		if _, err := fmt.Fprintf(out, "\n%s:\n%s\n", s.Path, s.Content); err != nil {
			return err
		}
	}
	return nil
}

// proceed does the steps, or shows them. nothing is said where there are none.
func proceed(ctx context.Context, out io.Writer, steps []deploy.Step, run deploy.Runner, dryRun bool, nothing string) error {
	if dryRun {
		return showSteps(out, steps, nothing)
	}
	return carryOut(ctx, out, steps, run, nothing)
}

func carryOut(ctx context.Context, out io.Writer, steps []deploy.Step, run deploy.Runner, nothing string) error {
	if len(steps) == 0 {
		_, err := fmt.Fprintf(out, "nothing to do: %s\n", nothing)
		return err
	}
	return deploy.Apply(ctx, steps, run, func(s deploy.Step) { _, _ = fmt.Fprintln(out, s) })
}

// errNoManager: systemd did not answer.
var errNoManager = errors.New("systemd does not answer")

func noManager(system bool, err error) error {
	if system {
		return fmt.Errorf("%w: %w; without systemd, have your own supervisor run: ocwatch run", errNoManager, err)
	}
	return fmt.Errorf("%w: %w; where systemd runs this machine, log in as this account itself (by ssh or machinectl shell, not by su or sudo) or install with --system; where it does not, have what starts OpenClaw start this too: ocwatch run", errNoManager, err)
}
