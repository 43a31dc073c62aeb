package replace

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/ocwatch/ocwatch/profiles/login"
)

// errUnseen: OpenClaw says that the login worked, and its store does not show
// what came of it.
var errUnseen = errors.New("the login ended well, and openclaw's store does not show which profile it is about; nothing was removed: see openclaw models auth list")

// logIn notes what there was before the login, and which profile came of it
// after: a run that is killed in between leaves enough to find it.
func (c *change) logIn(ctx context.Context) error {
	_, pools, err := c.look(ctx)
	if err != nil {
		return err
	}
	c.progress.Agent, c.progress.Provider, c.progress.Old = c.Agent, c.provider, c.Old
	c.progress.At, c.progress.Before, c.progress.New = time.Now().UTC(), identities(c.pool(pools)), ""
	if err := c.progress.save(c.Dir); err != nil {
		return err
	}
	done, err := c.Login.Login(ctx, login.Request{Agent: c.Agent, Provider: c.provider, Profile: c.name()})
	if err != nil {
		return err
	}
	if done.Profile == "" {
		if _, pools, err = c.look(ctx); err != nil {
			return err
		}
		done.Profile = landed(c.progress.Before, c.pool(pools))
	}
	if done.Profile == "" {
		return errUnseen
	}
	c.progress.New, c.result.New = done.Profile, done.Profile
	c.state.loggedIn, c.state.inPlace = true, done.Profile == c.Old
	return c.progress.save(c.Dir)
}

// name gives a token or key an id of its own: OpenClaw would put it in the place
// of the old one, which is then gone before the new one is known to work. A login
// is named by OpenClaw, after its account.
func (c *change) name() string {
	if c.progress.Before[c.Old].Token == "" {
		return ""
	}
	day := c.provider + ":" + c.progress.At.Format(time.DateOnly)
	id := day
	for n := 2; ; n++ {
		if _, taken := c.progress.Before[id]; !taken {
			return id
		}
		id = fmt.Sprintf("%s-%d", day, n)
	}
}
