package replace

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/ocwatch/ocwatch/failover/restart"
	"github.com/ocwatch/ocwatch/profiles"
)

const (
	// startAnyway is how long a gateway that we stopped is given to come up where
	// the change was cancelled. Whoever pressed Ctrl-C waits for it.
	startAnyway  = 3 * time.Minute
	healthWithin = 3 * time.Minute
	healthPoll   = 500 * time.Millisecond
)

// stop notes what runs the gateway before it is stopped: after a crash in
// between somebody has to start it.
func (c *change) stop(ctx context.Context) error {
	c.progress.Agent, c.progress.Provider, c.progress.Old = c.Agent, c.provider, c.Old
	if c.progress.At.IsZero() {
		c.progress.At = time.Now().UTC()
	}
	c.progress.Service = c.service
	if err := c.progress.save(c.Dir); err != nil {
		return err
	}
	c.state.stopped = c.service.Running() // also where stopping fails half-way
	if err := c.Gateway.Stop(ctx, c.service); err != nil {
		return err
	}
	c.state.running = false
	return nil
}

func (c *change) start(ctx context.Context) error {
	if err := c.Gateway.Start(ctx, c.service); err != nil {
		return err
	}
	c.state.stopped, c.state.running = false, true
	c.progress.Service = restart.Service{}
	return c.progress.save(c.Dir)
}

// leave ends a run. A gateway that is stopped is started, whatever happened.
func (c *change) leave(ctx context.Context, err error) error {
	if c.state.stopped {
		c.Progress(Start)
		ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), startAnyway)
		defer cancel()
		if failed := c.start(ctx); failed != nil {
			return &StoppedError{Command: c.service.StartCommand(), Err: err, Start: failed}
		}
	}
	// A profile that was only left out of the order can be removed by a later
	// run, which must then ask for no other login.
	if err == nil && c.result.Removed != profiles.RemoveByOrder {
		err = forget(c.Dir, c.Agent, c.Old)
	}
	return err
}

// healthy waits for the gateway where one ran, and looks whether what was done
// is still so.
func (c *change) healthy(ctx context.Context) error {
	if !c.before.Down || c.service.Running() {
		if err := c.awaitGateway(ctx); err != nil {
			return err
		}
	} else {
		c.note("no gateway runs; it takes the new login when it is started")
	}
	if err := c.stillSo(ctx); err != nil {
		return err
	}
	c.notePins(ctx)
	c.state.healthy = true
	return nil
}

func (c *change) awaitGateway(ctx context.Context) error {
	limit := time.After(healthWithin)
	tick := time.NewTicker(healthPoll)
	defer tick.Stop()
	for {
		h := c.Install.Health(ctx)
		if h.Live || h.Answers && (c.service.Mute || c.before.Answers && !c.before.Live) {
			return nil
		}
		select {
		case <-tick.C:
		case <-ctx.Done():
			return ctx.Err()
		case <-limit:
			return fmt.Errorf("the account is changed, and the gateway is not healthy after %s: %s; see openclaw gateway status", healthWithin, h.Detail)
		}
	}
}

// stillSo looks for an old login that came back.
func (c *change) stillSo(ctx context.Context) error {
	_, pools, err := c.look(ctx)
	if err != nil {
		return err
	}
	_, p, there := lookup(pools, c.progress.New)
	_, _, back := lookup(pools, c.Old)
	var what string
	switch {
	case !there:
		what = "the new login is gone again from OpenClaw's store"
	case c.compare(p) != nil:
		what = c.progress.New + " has the old login again"
	case back && c.state.removed:
		what = c.Old + " is back in OpenClaw's store"
	default:
		return nil
	}
	kept := progress{Agent: c.Agent, Provider: c.provider, Old: c.Old, At: time.Now().UTC(), WritesBack: true}
	if there && c.compare(p) == nil {
		kept.New, kept.Before = c.progress.New, c.progress.Before
	}
	return errors.Join(&RevertedError{What: what}, kept.save(c.Dir))
}

// notePins names the conversations that stay with the old profile. OpenClaw moves
// those that it tied to a profile by itself; one that a person tied stays.
func (c *change) notePins(ctx context.Context) {
	if c.result.InPlace {
		return
	}
	pins, err := c.Install.Pins(ctx, c.Agent)
	if err != nil {
		c.note("whether a conversation is tied to %s could not be seen: %v", c.Old, err)
		return
	}
	var tied []string
	for _, pin := range pins {
		if pin.Profile == c.Old && pin.ByPerson {
			tied = append(tied, pin.Session)
		}
	}
	if len(tied) > 0 {
		c.note("tied to %s by hand, and not moved: %s. Send /new there, or choose its model again", c.Old, strings.Join(tied, ", "))
	}
}
