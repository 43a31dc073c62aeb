package replace

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"github.com/ocwatch/ocwatch/profiles"
)

// putFirst sets the order with the new profile first and the old one last, so
// that every turn from here on is the new one's.
func (c *change) putFirst(ctx context.Context) error {
	if err := c.order(ctx, true); err != nil {
		return err
	}
	if !c.state.inPlace {
		if err := c.findWay(ctx); err != nil {
			return err
		}
	}
	c.state.first = true
	return nil
}

// settle sets the order without the old profile, and has the gateway look again.
func (c *change) settle(ctx context.Context) error {
	if err := c.order(ctx, c.state.inPlace); err != nil {
		return err
	}
	if c.state.way == profiles.RemoveByOrder && !c.state.inPlace && !c.state.removed {
		c.result.Removed = profiles.RemoveByOrder
		c.noteKept()
	}
	c.state.settled = true
	return nil
}

// noteKept says why the old profile is still in the store.
func (c *change) noteKept() {
	if c.byHand {
		c.note("%s stays in OpenClaw's store, left out of the order: it can only be removed while the gateway is stopped, and this one was started by hand. "+
			"Stop it and run this again to remove it: no other login is asked for", c.Old)
		return
	}
	c.note("%s stays in OpenClaw's store, left out of the order: this release has no way to remove one profile and leave the others", c.Old)
}

func (c *change) order(ctx context.Context, withOld bool) error {
	_, pools, err := c.look(ctx)
	if err != nil {
		return err
	}
	pool, p, there := lookup(pools, c.progress.New)
	if !there {
		return errVanished
	}
	applied, err := c.Orderer.Set(ctx, c.Agent, p.Provider, arrange(pool, p.ID, c.Old, withOld))
	if err != nil {
		return err
	}
	if applied.Gateway == profiles.ViewOld && c.state.first {
		c.note("the running gateway still goes by the old order: openclaw gateway restart makes it read the new one")
	}
	return nil
}

// arrange puts the new profile first and the old one last, or leaves it out. The
// others keep their places, and those that an owner left out stay out.
func arrange(pool profiles.Pool, fresh, old string, withOld bool) []string {
	list := pool.Order
	if len(list) == 0 {
		for _, p := range pool.Profiles {
			if !p.Excluded {
				list = append(list, p.ID)
			}
		}
	}
	out := []string{fresh}
	for _, id := range list {
		if id != fresh && id != old {
			out = append(out, id)
		}
	}
	has := slices.ContainsFunc(pool.Profiles, func(p profiles.Profile) bool { return p.ID == old })
	if withOld && has && old != fresh {
		out = append(out, old)
	}
	return out
}

// remove takes the old profile away, after one more look: what was proven a
// moment ago must still be so.
func (c *change) remove(ctx context.Context) error {
	_, pools, err := c.look(ctx)
	if err != nil {
		return err
	}
	pool, p, there := lookup(pools, c.progress.New)
	if !there {
		return errVanished
	}
	if err := c.compare(p); err != nil {
		return c.giveUp(err)
	}
	if len(pool.Order) == 0 || pool.Order[0] != p.ID {
		return fmt.Errorf("%s is no longer first: somebody else set the order meanwhile; nothing was removed: run this again", p.ID)
	}
	if err := c.Remover.Remove(ctx, c.Agent, c.Old, c.state.way); err != nil {
		if errors.Is(err, profiles.ErrGatewayUp) {
			return fmt.Errorf("%w: somebody started the gateway meanwhile; run this again", err)
		}
		return err
	}
	c.state.removed, c.result.Removed = true, c.state.way
	return nil
}
