package app

import (
	"context"
	"errors"
	"fmt"
	"net"
	"path/filepath"
	"reflect"
	"slices"
	"sync"
	"time"

	"github.com/rs/zerolog"

	"github.com/ocwatch/ocwatch/cmd/ocwatch/internal/config"
	"github.com/ocwatch/ocwatch/failover/relogin"
	"github.com/ocwatch/ocwatch/failover/watchdog"
	"github.com/ocwatch/ocwatch/internal/journal"
	"github.com/ocwatch/ocwatch/internal/metrics"
	"github.com/ocwatch/ocwatch/internal/web"
)

// Options make an App.
type Options struct {
	Config  *config.Config
	Log     zerolog.Logger
	Version string
	// Pace replaces the configured one; the demo's only.
	Pace *Pace
	// Systemd is told what goes on; nil: nobody is.
	Systemd Systemd
}

// Systemd is the service manager, which wants to hear that the watchdog lives.
type Systemd interface {
	Ready(status string)
	Beat(status string)
	Reloading()
	Stopping()
}

// App is the watchdog with all that it needs, from the lock on its data
// directory to the status socket.
type App struct {
	opts     Options
	install  *install
	lock     *lock
	journal  *journal.Journal
	watchdog *watchdog.Watchdog
	parts    *reloadable
	desk     *relogin.Desk
	web      *web.Server
	metrics  *metrics.Metrics
	started  time.Time

	serving sync.WaitGroup
}

// New finds OpenClaw, locks the data directory and opens the journal. Close
// must be called, whether or not Run was.
func New(ctx context.Context, o Options) (a *App, err error) {
	a = &App{opts: o, started: time.Now()}
	a.metrics = metrics.New(o.Version, a.measure)
	defer func() {
		if err != nil {
			a.Close()
			a = nil
		}
	}()
	if a.install, err = findInstall(o.Config, o.Log); err != nil {
		return a, err
	}
	switch a.lock, err = lockDir(o.Config.DataDir); {
	case noRoom(err):
		o.Log.Warn().Err(err).Msg("nothing keeps a second ocwatch run off data_dir")
	case err != nil:
		return a, err
	}
	a.journal, err = journal.Open(ctx, filepath.Join(o.Config.DataDir, journal.FileName), journal.MadeBy(o.Version))
	if err != nil {
		return a, fmt.Errorf("data_dir %s: %w", o.Config.DataDir, err)
	}
	for _, note := range a.journal.Notes() {
		o.Log.Warn().Msg(note)
	}
	if a.parts, err = newReloadable(a, o.Config); err != nil {
		return a, err
	}
	a.desk = a.newDesk()
	a.watchdog = watchdog.New(a.watchdogOptions(o))
	return a, a.listen(ctx)
}

func (a *App) watchdogOptions(o Options) watchdog.Options {
	return watchdog.Options{
		Source: a.install.store, Prober: a.parts, Orderer: a.install.orderer, Gateway: a.install,
		Restarter: a.parts, Logins: a.desk, Reread: a.install.reread, Journal: counted{a.journal, a}, Notifier: a.parts, Beat: a.beat, Log: o.Log, Version: o.Version,
		GatewayURL: a.install.gateway.URL(),
		Config:     watchdogConfig(o.Config, a.parts.current().prober, a.pace(o.Config)),
	}
}

// beat tells whoever listens that a round came to its end.
func (a *App) beat(summary string) {
	if a.opts.Systemd != nil {
		a.opts.Systemd.Beat(summary)
	}
	a.parts.current().heartbeat.Beat(a.watchdog.Failing())
	a.tellPages()
}

func (a *App) pace(cfg *config.Config) Pace {
	if a.opts.Pace != nil {
		return *a.opts.Pace
	}
	return defaultPace(cfg)
}

// listen opens the status socket and the status API.
func (a *App) listen(ctx context.Context) error {
	a.web = web.New(a.statusFor, owner{a.desk, a}, a.opts.Log)
	a.web.ServeWishes(wishes{a.watchdog}, a.why)
	a.web.ServeMetrics(a.metrics.Handler(a.opts.Log))
	port := a.opts.Config.Port()
	a.web.Guard(port)
	tcp, address := a.listenTCP(ctx, port)
	if err := a.serveDashboard(address); err != nil {
		return errors.Join(err, closeListener(tcp))
	}
	socket, err := web.ListenUnix(ctx, a.opts.Config.DataDir)
	switch {
	case noRoom(err):
		a.opts.Log.Warn().Err(err).Msg("ocwatch status and the owner's commands do not reach this watchdog")
	case err != nil:
		return errors.Join(err, closeListener(tcp))
	default:
		a.serving.Go(func() { a.web.ServeOwner(socket) })
	}
	if tcp != nil {
		a.serving.Go(func() { a.web.Serve(tcp) })
	}
	return nil
}

// listenTCP opens the port, where one is wanted and free. Another account's
// watchdog may have it. Watching matters more than being looked at, and the
// socket answers all the same.
func (a *App) listenTCP(ctx context.Context, port web.Port) (l net.Listener, address string) {
	if port.Address == "" {
		return nil, ""
	}
	l, err := port.Listen(ctx)
	if err != nil {
		a.opts.Log.Warn().Err(err).Msg("the status API is served on the unix socket alone, and no dashboard")
		return nil, ""
	}
	return l, l.Addr().String()
}

func closeListener(l net.Listener) error {
	if l == nil {
		return nil
	}
	return l.Close()
}

// Run watches until ctx ends, and delivers messages meanwhile.
func (a *App) Run(ctx context.Context) error {
	a.opts.Log.Info().Str("version", a.opts.Version).Str("openclaw", a.install.StateDir).
		Str("gateway", a.install.gateway.URL()).Str("data_dir", a.opts.Config.DataDir).Msg("watching")
	if a.opts.Systemd != nil {
		a.opts.Systemd.Ready("first round")
	}
	// Messages are sent until the watchdog said goodbye.
	sending := context.WithoutCancel(ctx)
	stop := a.parts.deliver(sending)
	unwatch := a.watch(ctx)
	err := a.watchdog.Run(ctx)
	unwatch()
	if a.opts.Systemd != nil {
		a.opts.Systemd.Stopping()
	}
	// Chats wait for messages to join; there is no more time for that.
	a.parts.current().notifier.Hurry()
	var closing sync.WaitGroup
	closing.Go(a.desk.Close)
	a.drain(sending)
	stop()
	closing.Wait()
	return err
}

// farewell is how long the last messages may take, besides the second that the
// notifier gives an attempt under way. What is not delivered by then is at the
// next start.
const farewell = 2 * time.Second

// drain waits until nothing is left to deliver, or for farewell.
func (a *App) drain(ctx context.Context) {
	ctx, cancel := context.WithTimeout(ctx, farewell)
	defer cancel()
	tick := time.NewTicker(20 * time.Millisecond)
	defer tick.Stop()
	for a.pending(ctx) {
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
	}
}

func (a *App) pending(ctx context.Context) bool {
	outbox, err := a.journal.Outbox(ctx)
	return err == nil && slices.ContainsFunc(outbox, func(e journal.EndpointStatus) bool { return e.Pending > 0 && !e.Disabled })
}

// Reload puts cfg in force. What cannot change while the watchdog runs is said.
func (a *App) Reload(cfg *config.Config) error {
	old := a.opts.Config
	if cfg.DataDir != old.DataDir || cfg.Listen != old.Listen || !reflect.DeepEqual(cfg.Web, old.Web) || cfg.OpenClaw.StateDir != old.OpenClaw.StateDir ||
		cfg.OpenClaw.Command != old.OpenClaw.Command || cfg.OpenClaw.Gateway != old.OpenClaw.Gateway {
		a.opts.Log.Warn().Msg("changed keys under openclaw and web, data_dir and listen take effect at the next start")
	}
	if err := a.parts.reload(a, cfg); err != nil {
		return err
	}
	a.watchdog.Reload(watchdogConfig(cfg, a.parts.current().prober, a.pace(cfg)))
	return nil
}

// Close releases everything. It may be called on a half-made App.
func (a *App) Close() {
	var errs []error
	if a.web != nil {
		errs = append(errs, a.web.Close())
		a.serving.Wait()
	}
	if a.desk != nil {
		a.desk.Close()
	}
	if a.parts != nil {
		a.parts.close()
	}
	if a.install != nil {
		a.install.close()
	}
	if a.journal != nil {
		errs = append(errs, a.journal.Close())
	}
	if a.lock != nil {
		errs = append(errs, a.lock.release())
	}
	if err := errors.Join(errs...); err != nil {
		a.opts.Log.Warn().Err(err).Msg("not everything was closed cleanly")
	}
}
