package replace

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/ocwatch/ocwatch/internal/quota"
	"github.com/ocwatch/ocwatch/profiles"
)

// The provider is asked again where it could not be reached: a minute's trouble
// must not end a change for which somebody holds a phone.
const (
	probes     = 4
	probePause = 5 * time.Second
)

var errVanished = errors.New("the new login is no longer in OpenClaw's store")

// check proves that the new login is another account than every one that was
// there before, and that its provider serves it.
func (c *change) check(ctx context.Context) error {
	p, err := c.newProfile(ctx)
	if errors.Is(err, errVanished) {
		return c.giveUp(err)
	}
	if err != nil {
		return err
	}
	if err := c.compare(p); err != nil {
		return c.giveUp(err)
	}
	reading, err := c.probe(ctx, p)
	if err != nil {
		return err
	}
	c.result.Reading = reading
	why := ""
	switch reading.Verdict {
	case quota.Revoked, quota.Billing:
		return c.giveUp(&NotWorkingError{Old: c.Old, New: p.ID, Reading: reading})
	case quota.Exhausted:
		c.note("the new account %s is spent too: %s", p.ID, reading.Reason)
	case quota.Stale, quota.Throttled, quota.Unreachable, quota.Unknown:
		why = "the new login could not be checked at its provider (" + reading.Reason + ")"
	case quota.OK, quota.Unsupported:
	}
	if c.result.Account == Untold {
		why = c.untold(p)
	}
	if why != "" {
		if !c.Unproven {
			return &UnprovenError{Old: c.Old, New: p.ID, Why: why}
		}
		c.note("%s", why)
	}
	c.state.checked = true
	return nil
}

// giveUp forgets a login that is of no use, so that the next run asks for
// another one.
func (c *change) giveUp(err error) error {
	c.progress.New, c.progress.Before = "", nil
	return errors.Join(err, forget(c.Dir, c.Agent, c.Old))
}

func (c *change) newProfile(ctx context.Context) (profiles.Profile, error) {
	_, pools, err := c.look(ctx)
	if err != nil {
		return profiles.Profile{}, err
	}
	_, p, there := lookup(pools, c.progress.New)
	if !there {
		return p, errVanished
	}
	return p, nil
}

// compare holds the new login against each that was there before it.
func (c *change) compare(p profiles.Profile) error {
	is := identify(p)
	old, known := c.progress.Before[c.Old]
	c.result.Account, c.result.InPlace = Untold, p.ID == c.Old
	if known {
		c.result.Account = compare(old, is)
	}
	if c.result.Account == Same {
		return &SameAccountError{Old: c.Old, New: p.ID, Who: p.Email}
	}
	for id, was := range c.progress.Before {
		if id != c.Old && compare(was, is) == Same {
			return &KnownAccountError{Old: c.Old, New: p.ID, Known: id}
		}
	}
	return nil
}

// untold says why nobody can tell whether two logins are one account.
func (c *change) untold(p profiles.Profile) string {
	is, was := identify(p), c.progress.Before[c.Old]
	switch {
	case is.Token != "" || was.Token != "":
		return "whether this is another account than " + c.Old + " cannot be told: such a token does not say whose it is"
	case is.Account != "" && is.Account == was.Account:
		return fmt.Sprintf("%s (%s) and %s (%s) are two people of one workspace, and may share its quota", p.ID, is.Email, c.Old, was.Email)
	case is.Email != "" && is.Email == was.Email:
		return fmt.Sprintf("%s has the e-mail address of %s, and which workspace each belongs to cannot be told", p.ID, c.Old)
	}
	return "whether this is another account than " + c.Old + " cannot be told: the login does not say whose it is"
}

func (c *change) probe(ctx context.Context, p profiles.Profile) (quota.Reading, error) {
	a := p.Inquiry(c.Store.TokenSource(c.Agent, p.ID))
	for n := 1; ; n++ {
		reading := c.Prober.Probe(ctx, a)
		if err := ctx.Err(); err != nil {
			return reading, err
		}
		if n == probes || reading.Verdict != quota.Unreachable && reading.Verdict != quota.Unknown {
			return reading, nil
		}
		select {
		case <-time.After(probePause):
		case <-ctx.Done():
			return reading, ctx.Err()
		}
	}
}
