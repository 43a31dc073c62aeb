package relogin

import (
	"cmp"
	"context"
	"errors"
	"slices"
	"sync"
	"time"

	"github.com/ocwatch/ocwatch/internal/quota"
	"github.com/ocwatch/ocwatch/profiles/login"
)

// closeWithin bounds Close. A login that cannot be cancelled in time ends with
// the process or at OpenClaw's own limit.
const closeWithin = 7 * time.Second

var errPaste = errors.New("no login waits for a pasted address: begin one with ocwatch login")

// Status is a login under way, as the status document shows it.
type Status struct {
	Agent     string     `json:"agent"`
	Provider  string     `json:"provider"`
	Since     time.Time  `json:"since"`
	URL       string     `json:"url"`
	Code      string     `json:"code,omitempty"`
	ExpiresAt *time.Time `json:"expires_at,omitempty"`
	Paste     bool       `json:"paste,omitempty"`
	Via       login.Via  `json:"via"`
}

func (d *Desk) current(provider string) *entry {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.logins[quota.Canonical(provider)]
}

// joins lets the agent have a login that another one, or a person, has just
// begun.
func (d *Desk) joins(e *entry, agent string) bool {
	d.mu.Lock()
	defer d.mu.Unlock()
	own := e.agent == agent || slices.Contains(e.others, agent)
	if e.dropped || time.Since(e.since) >= shareFor || own && !e.requested {
		return false
	}
	if !own {
		e.others = append(e.others, agent)
	}
	return true
}

// drop ends a login of the desk's own accord.
func (d *Desk) drop(e *entry) {
	d.mu.Lock()
	e.dropped = true
	d.mu.Unlock()
	e.Cancel()
	d.mu.Lock()
	defer d.mu.Unlock()
	if key := quota.Canonical(e.provider); d.logins[key] == e {
		delete(d.logins, key)
	}
}

// Withdraw says that the agent's prompt was told to nobody. A login that no
// other agent was given is cancelled.
func (d *Desk) Withdraw(agent, provider string) {
	e := d.current(provider)
	if e == nil || e.requested {
		return
	}
	d.mu.Lock()
	all := append([]string{e.agent}, e.others...)
	rest := slices.DeleteFunc(all, func(a string) bool { return a == agent })
	if len(rest) > 0 {
		e.agent, e.others = rest[0], rest[1:]
	}
	d.mu.Unlock()
	if len(rest) == 0 {
		d.drop(e)
	}
}

// Yield ends the automatic logins that run in the gateway, which counts them as
// work and waits for them before it restarts. void is called for each agent that
// was given the code of one that came to nothing by it. A person's own login is
// left alone. It takes some 5 s.
func (d *Desk) Yield(void func(agent, provider string)) {
	d.mu.Lock()
	var list []*entry
	for _, e := range d.logins {
		if !e.requested && !e.dropped && e.Prompt().Via == login.ViaGateway {
			list = append(list, e)
		}
	}
	d.mu.Unlock()
	var ends sync.WaitGroup
	for _, e := range list {
		ends.Go(func() { d.drop(e) })
	}
	ends.Wait()
	for _, e := range list {
		if _, err := e.Wait(d.life); err == nil {
			continue // approved in the last moment
		}
		d.mu.Lock()
		agents := append([]string{e.agent}, e.others...)
		d.mu.Unlock()
		for _, agent := range agents {
			void(agent, e.provider)
		}
	}
}

// Cancel ends the login for a provider, if there is one: the owner wants none.
// Whoever was told of it hears that it was cancelled.
func (d *Desk) Cancel(_, provider string) {
	if e := d.current(provider); e != nil {
		e.Cancel()
	}
}

// Paste hands the address that a browser ended on to the login that waits for
// one. The address holds a code and is shown nowhere.
func (d *Desk) Paste(ctx context.Context, address string) error {
	err := errPaste
	for _, e := range d.all() {
		if !e.Prompt().Paste {
			continue
		}
		err = e.Paste(ctx, address)
		if _, other := errors.AsType[*login.PasteError](err); !other {
			return err
		}
	}
	return err
}

// List are the logins under way, oldest first.
func (d *Desk) List() []Status {
	out := []Status{}
	for _, e := range d.all() {
		p := e.Prompt()
		out = append(out, Status{
			Agent: e.agent, Provider: e.provider, Since: e.since, URL: p.URL, Code: p.Code,
			ExpiresAt: timePtr(p.ExpiresAt), Paste: p.Paste, Via: p.Via,
		})
	}
	return out
}

// all are copies of the entries, oldest first.
func (d *Desk) all() []entry {
	d.mu.Lock()
	defer d.mu.Unlock()
	out := make([]entry, 0, len(d.logins))
	for _, e := range d.logins {
		if !e.dropped {
			out = append(out, *e)
		}
	}
	slices.SortFunc(out, func(a, b entry) int {
		return cmp.Or(a.since.Compare(b.since), cmp.Compare(a.provider, b.provider))
	})
	return out
}

// Close cancels all logins and waits for their end, within seven seconds.
// Nothing is told of them: ocwatch stops. No login begins afterwards.
func (d *Desk) Close() {
	d.mu.Lock()
	if d.life.Err() != nil {
		d.mu.Unlock()
		return
	}
	d.end()
	entries := make([]*entry, 0, len(d.logins))
	for _, e := range d.logins {
		e.dropped = true
		entries = append(entries, e)
	}
	d.mu.Unlock()
	over := make(chan struct{})
	go func() {
		defer close(over)
		var cancels sync.WaitGroup
		for _, e := range entries {
			cancels.Go(e.Cancel)
		}
		cancels.Wait()
		d.running.Wait()
	}()
	limit := time.NewTimer(closeWithin)
	defer limit.Stop()
	select {
	case <-over:
	case <-limit.C:
		d.o.Log.Warn().Msg("a login could not be cancelled in time: it ends with its code")
	}
}
