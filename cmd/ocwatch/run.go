package main

import (
	"context"
	"os"
	"os/signal"
	"syscall"

	"github.com/rs/zerolog"
	"github.com/spf13/cobra"

	"github.com/ocwatch/ocwatch/cmd/ocwatch/internal/app"
)

// quiet is the log level of commands whose output is the answer.
const quiet = zerolog.WarnLevel

func newRunCommand(g *global) *cobra.Command {
	return &cobra.Command{
		Use:   "run",
		Short: "watch until stopped",
		Long: `Watches until SIGTERM or Ctrl-C. SIGHUP reads the config file again; a bad one
keeps the old one running. Logs go to stderr.`,
		Args: noArguments,
		RunE: func(cmd *cobra.Command, _ []string) error {
			cfg, _, err := g.load()
			if err != nil {
				return err
			}
			log := newLog(cfg.Log, os.Stderr)
			// Heard from the start: the default of SIGHUP is to end the process.
			hangup := make(chan os.Signal, 1)
			signal.Notify(hangup, syscall.SIGHUP)
			defer signal.Stop(hangup)
			systemd, err := newSystemd(cfg, log)
			if err != nil {
				log.Warn().Err(err).Msg("the watchdog of systemd is not served")
			}
			a, err := app.New(cmd.Context(), app.Options{Config: cfg, Log: log, Version: version, Systemd: systemd})
			if err != nil {
				return err
			}
			defer a.Close()
			ctx, stop := context.WithCancel(cmd.Context())
			defer stop()
			go systemd.watch(ctx)
			go g.reloadOnHangup(ctx, hangup, a, systemd, log)
			return a.Run(ctx)
		},
	}
}

// reloadOnHangup puts the config file in force again with each SIGHUP.
func (g *global) reloadOnHangup(ctx context.Context, hangup <-chan os.Signal, a *app.App, systemd *systemd, log zerolog.Logger) {
	for {
		select {
		case <-ctx.Done():
			return
		case <-hangup:
			systemd.Reloading()
			systemd.Ready(g.reload(a, systemd, log))
		}
	}
}

// reload returns the line that systemctl status shows.
func (g *global) reload(a *app.App, systemd *systemd, log zerolog.Logger) string {
	cfg, path, err := g.load()
	if err == nil {
		err = a.Reload(cfg)
	}
	if err != nil {
		log.Error().Err(err).Msg("the config file was not reloaded: the old one stays in force")
		return "config file refused, the old one stays in force"
	}
	systemd.follow(cfg)
	log.Info().Str("file", path).Msg("config reloaded")
	return "config reloaded"
}
