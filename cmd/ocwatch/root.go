package main

import (
	"fmt"
	"io"
	"os"
	"runtime"

	"github.com/rs/zerolog"
	"github.com/spf13/cobra"
	"golang.org/x/term"

	"github.com/ocwatch/ocwatch/cmd/ocwatch/internal/config"
)

// global holds what every command shares.
type global struct {
	configPath string
}

func newRoot() *cobra.Command {
	g := &global{}
	root := &cobra.Command{
		Use:   "ocwatch",
		Short: "quota watchdog with account failover for OpenClaw",
		Long: `ocwatch sees how much quota every account of an OpenClaw gateway has left, puts
the right one first before the wrong one fails, and asks a person only when
every account is spent. It never writes, refreshes or stores a credential.`,
		Version:       version,
		SilenceUsage:  true,
		SilenceErrors: true,
	}
	root.SetVersionTemplate(versionLine())
	root.PersistentFlags().StringVar(&g.configPath, "config", "", "config `file` (default ~/.config/ocwatch/config.yaml,\nelse /etc/ocwatch/config.yaml)")
	root.SetFlagErrorFunc(flagError)
	root.AddCommand(
		newRunCommand(g), newCheckCommand(g), newStatusCommand(g), newDashboardCommand(g), newWhyCommand(g), newSwitchCommand(g), newPauseCommand(g), newResumeCommand(g),
		newHistoryCommand(g), newReplayCommand(g), newLoginCommand(g), newDoctorCommand(g),
		newInstallCommand(g), newUninstallCommand(g),
		newConfigCommand(g), newNotifyCommand(g), newDemoCommand(), newVersionCommand(),
	)
	g.complete(root)
	return root
}

func newVersionCommand() *cobra.Command {
	return &cobra.Command{
		Use:   "version",
		Short: "print the version",
		Args:  noArguments,
		RunE: func(cmd *cobra.Command, _ []string) error {
			_, err := io.WriteString(cmd.OutOrStdout(), versionLine())
			return err
		},
	}
}

func versionLine() string {
	return fmt.Sprintf("ocwatch %s %s/%s %s\n", version, runtime.GOOS, runtime.GOARCH, runtime.Version())
}

// group makes cmd, which only holds others, refuse what it does not know. By
// itself cobra would print the help and call that a success.
func group(cmd *cobra.Command) *cobra.Command {
	cmd.SuggestionsMinimumDistance = 2
	cmd.DisableFlagsInUseLine = true
	cmd.Args = func(cmd *cobra.Command, args []string) error {
		if len(args) == 0 {
			return nil
		}
		meant := ""
		if near := cmd.SuggestionsFor(args[0]); len(near) > 0 {
			meant = fmt.Sprintf("; did you mean %s?", near[0])
		}
		return fmt.Errorf("unknown command %q for %q%s (see %s --help)", args[0], cmd.CommandPath(), meant, cmd.CommandPath())
	}
	cmd.RunE = func(cmd *cobra.Command, _ []string) error { return cmd.Help() }
	return cmd
}

// load reads the configuration that is in force.
func (g *global) load() (*config.Config, string, error) {
	path, found, err := config.Find(g.configPath)
	if err != nil {
		return nil, "", err
	}
	if !found {
		path = ""
	}
	cfg, err := config.Load(path, environment(path))
	return cfg, path, err
}

// newLog returns the log that the config asks for: for people on a terminal,
// JSON for everything else.
func newLog(l config.Log, w *os.File) zerolog.Logger {
	level, err := zerolog.ParseLevel(l.Level)
	if err != nil {
		level = zerolog.InfoLevel
	}
	if l.Format == "console" || l.Format == "auto" && isTerminal(w) {
		return zerolog.New(zerolog.ConsoleWriter{Out: w, NoColor: os.Getenv("NO_COLOR") != "" || !isTerminal(w), TimeFormat: "15:04:05"}).
			Level(level).With().Timestamp().Logger()
	}
	return zerolog.New(w).Level(level).With().Timestamp().Logger()
}

func isTerminal(f *os.File) bool { return term.IsTerminal(int(f.Fd())) }
