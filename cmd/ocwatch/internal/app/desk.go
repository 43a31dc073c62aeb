package app

import (
	"context"

	"github.com/ocwatch/ocwatch/failover/relogin"
	"github.com/ocwatch/ocwatch/internal/event"
	"github.com/ocwatch/ocwatch/profiles/login"
)

// newDesk returns the desk for logins at the watched OpenClaw.
func (a *App) newDesk() *relogin.Desk {
	starter := a.install.starter(a.opts.Log)
	return relogin.New(relogin.Options{
		Start: func(ctx context.Context, r login.Request) (relogin.Attempt, error) {
			attempt, err := starter.Start(ctx, r)
			if err != nil {
				return nil, err
			}
			return attempt, nil
		},
		Dir: a.opts.Config.DataDir, Log: a.opts.Log,
		OnStarted: func(agent, provider string, prompt event.Login) {
			a.watchdog.LoginStarted(agent, provider, prompt)
			a.tellPages()
		},
		OnDone: func(agent, provider string, result login.Result, err error) {
			a.watchdog.LoginDone(agent, provider, result, err)
			a.tellPages()
		},
	})
}

// Logins are the logins under way.
func (a *App) Logins() *relogin.Desk { return a.desk }

// LoggedIn tells of a login that was made without the watchdog: a round follows
// at once, and proves it.
func (a *App) LoggedIn(agent, provider, profile string) {
	a.watchdog.LoginDone(agent, provider, login.Result{Profile: profile}, nil)
}

// Wake asks for a round soon. It never blocks.
func (a *App) Wake() { a.watchdog.Wake() }

// owner is what the owner's commands may do over the socket.
type owner struct {
	*relogin.Desk
	app *App
}

// LoggedIn serves the socket.
func (o owner) LoggedIn(agent, provider, profile string) { o.app.LoggedIn(agent, provider, profile) }
