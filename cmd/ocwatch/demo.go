package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"os"
	"os/signal"
	"path/filepath"
	"sync"
	"syscall"
	"time"

	"github.com/rs/zerolog"
	"github.com/spf13/cobra"

	"github.com/ocwatch/ocwatch/cmd/ocwatch/internal/app"
	"github.com/ocwatch/ocwatch/cmd/ocwatch/internal/config"
	"github.com/ocwatch/ocwatch/failover"
	"github.com/ocwatch/ocwatch/internal/quota"
	"github.com/ocwatch/ocwatch/internal/sandbox"
	"github.com/ocwatch/ocwatch/internal/secret"
	"github.com/ocwatch/ocwatch/internal/web"
	"github.com/ocwatch/ocwatch/probe"
)

func newDemoCommand() *cobra.Command {
	var listen string
	cmd := &cobra.Command{
		Use:   "demo",
		Short: "watch the real watchdog at work on a built-in stand-in, half a minute",
		Long: `Runs the watchdog against a stand-in OpenClaw with three accounts whose quota
drains in seconds. What decides and acts is the code of ocwatch run; only the
world around it is made up. Nothing leaves this machine and nothing is kept.
With --listen the dashboard can be looked at meanwhile, and afterwards until
Ctrl-C.`,
		Args: noArguments,
		RunE: func(cmd *cobra.Command, _ []string) error {
			// A closed terminal and a closed pipe end it too, and neither may
			// leave the directory behind. That a pipe is closed is told by what is
			// printed next: the signal comes for every browser that goes away.
			ctx, stop := signal.NotifyContext(cmd.Context(), syscall.SIGHUP)
			defer stop()
			closed := make(chan os.Signal, 1)
			signal.Notify(closed, syscall.SIGPIPE)
			defer signal.Stop(closed)
			dir, err := os.MkdirTemp("", "ocwatch-demo-")
			if err != nil {
				return fmt.Errorf("make a temporary directory: %w (TMPDIR names where)", err)
			}
			defer func() { _ = os.RemoveAll(dir) }()
			err = demo(ctx, dir, listen, newScreen(cmd.OutOrStdout()))
			if errors.Is(err, context.Canceled) || errors.Is(err, syscall.EPIPE) {
				return nil
			}
			return err
		},
	}
	cmd.Flags().StringVar(&listen, "listen", "", "serve the dashboard on this loopback `address`, such as 127.0.0.1:18790")
	return cmd
}

// demo builds the world, sets the watchdog on it, and plays the demand. Where
// listen names an address, the dashboard is served there until ctx ends.
func demo(ctx context.Context, dir, listen string, scr *screen) error {
	if port := (web.Port{Address: listen}); port.Open() {
		return fmt.Errorf("--listen %q: the demo is for this machine alone; want a loopback address, like 127.0.0.1:18790", listen)
	}
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	scr.broken = cancel
	accounts, script := sandbox.Demo()
	script.Phone.Tell = scr.phone
	world, err := sandbox.Start(ctx, sandbox.Options{Dir: dir, Accounts: accounts})
	if err != nil {
		return fmt.Errorf("start the stand-in: %w", err)
	}
	defer func() { _ = world.Close() }()
	hook, err := sandbox.StartWebhook() //nolint:contextcheck // the receiver lives until its Close
	if err != nil {
		return fmt.Errorf("start the webhook receiver: %w", err)
	}
	defer func() { _ = hook.Close() }()
	cfg, err := demoConfig(dir, world, hook)
	if err != nil {
		return err
	}
	cfg.Listen = listen
	pace := demoPace()
	a, err := app.New(ctx, app.Options{Config: cfg, Log: zerolog.Nop(), Version: version, Pace: &pace})
	if err != nil {
		return err
	}
	defer a.Close()
	scr.begin(world, hook)
	if listen != "" {
		access, err := web.NewClient(cfg.DataDir).Dashboard(ctx)
		if err != nil {
			return err
		}
		scr.printf("Dashboard: %s, user %s, password %s\n\n", access.URL, access.User, access.Password)
	}
	return playDemo(ctx, a, world, script, scr, listen != "")
}

// playDemo runs the watchdog until the demand is over, or on until ctx ends.
func playDemo(ctx context.Context, a *app.App, world *sandbox.World, script sandbox.Script, scr *screen, goOn bool) error {
	watching, stop := context.WithCancel(ctx)
	var both sync.WaitGroup
	both.Go(func() { _ = a.Run(watching) })
	both.Go(func() { scr.follow(watching) })
	err := script.Play(ctx, world, scr.turn)
	if goOn && err == nil {
		<-ctx.Done()
	}
	stop()
	both.Wait()
	if err != nil {
		return cmp.Or(context.Cause(ctx), err)
	}
	scr.end()
	return context.Cause(ctx)
}

func demoConfig(dir string, world *sandbox.World, hook *sandbox.Webhook) (*config.Config, error) {
	cfg, err := config.Load("", func(name string) string {
		if name == "HOME" {
			return dir
		}
		return ""
	})
	if err != nil {
		return nil, err
	}
	cfg.DataDir, cfg.Listen = filepath.Join(dir, "ocwatch"), ""
	cfg.OpenClaw.StateDir = world.StateDir()
	cfg.Probe.Providers = map[string]config.Provider{"openai": {URL: world.UsageURL("openai")}}
	// Minutes become seconds, as the windows do.
	cfg.Failover.MinDwell = time.Second
	cfg.Notify.LoginAfter = 2 * time.Second
	cfg.Notify.Webhooks = []config.Webhook{{Name: "phone", URL: hook.URL(), Secret: secret.New(hook.Secret().Reveal())}}
	return cfg, nil
}

// demoPace looks three times a second, where a real provider is asked once a
// minute.
func demoPace() app.Pace {
	return app.Pace{
		Schedule: constantly(400 * time.Millisecond),
		MinGap:   100 * time.Millisecond,
		Breaker:  failover.BreakerTiming{Recheck: 300 * time.Millisecond, Settle: 200 * time.Millisecond, First: time.Second, Most: time.Second},
		Next: func(now time.Time, _ probe.Account, _ quota.Reading, _ float64) time.Time {
			return now.Add(300 * time.Millisecond)
		},
	}
}

// constantly is a schedule finer than a second, which cron's own are not.
type constantly time.Duration

// Next serves cron.
func (c constantly) Next(t time.Time) time.Time { return t.Add(time.Duration(c)) }
