package sandbox

import (
	"context"
	"crypto/rand"
	"fmt"
	"slices"
	"time"
)

// code is a device code that was given out.
type code struct {
	text    string
	said    chan verdict // holds one
	settled bool
}

// verdict is what became of a code.
type verdict struct {
	account Account
	refusal string // the provider's words, "" where it was approved
}

func (l *logins) give() *code {
	text := rand.Text()
	c := &code{text: text[:4] + "-" + text[4:9], said: make(chan verdict, 1)}
	l.mu.Lock()
	defer l.mu.Unlock()
	l.codes = append(l.codes, c)
	close(l.arrivals)
	l.arrivals = make(chan struct{})
	return c
}

func (c *code) wait(ctx context.Context) (verdict, error) {
	select {
	case v := <-c.said:
		return v, nil
	case <-ctx.Done():
		return verdict{}, context.Cause(ctx)
	}
}

// LoginCodes lists the device codes that logins were given, oldest first.
func (w *World) LoginCodes() []string {
	w.logins.mu.Lock()
	defer w.logins.mu.Unlock()
	return w.logins.texts()
}

func (l *logins) texts() []string {
	texts := make([]string, 0, len(l.codes))
	for _, c := range l.codes {
		texts = append(texts, c.text)
	}
	return texts
}

// AwaitLogin returns the n-th device code, counting from 0, once a login was
// given it.
func (w *World) AwaitLogin(ctx context.Context, n int) (string, error) {
	for {
		w.logins.mu.Lock()
		texts, more := w.logins.texts(), w.logins.arrivals
		w.logins.mu.Unlock()
		if len(texts) > n {
			return texts[n], nil
		}
		select {
		case <-more:
		case <-ctx.Done():
			return "", fmt.Errorf("sandbox: no login: %w", ctx.Err())
		}
	}
}

// Approve is a person who types code on the page and signs in as a. Where
// OpenClaw has a's profile, it gets a new credential; else the world has one
// more account.
func (w *World) Approve(code string, a Account) error {
	a, err := withDefaults(a)
	if err != nil {
		return err
	}
	return w.logins.settle(code, verdict{account: a})
}

// Deny is a person who says no to code.
func (w *World) Deny(code string) error {
	return w.logins.settle(code, verdict{refusal: "access_denied (The request was denied by the user.)"})
}

// Expire ends code before anybody typed it.
func (w *World) Expire(code string) error {
	return w.logins.settle(code, verdict{refusal: "expired_token (The code has expired.)"})
}

func (l *logins) settle(text string, v verdict) error {
	l.mu.Lock()
	defer l.mu.Unlock()
	i := slices.IndexFunc(l.codes, func(c *code) bool { return c.text == text })
	if i < 0 {
		return fmt.Errorf("sandbox: no login has the code %q", text)
	}
	if l.codes[i].settled {
		return fmt.Errorf("sandbox: the code %q is settled already", text)
	}
	l.codes[i].settled = true
	l.codes[i].said <- v
	return nil
}

// loggedIn stores what a login brought: the credential, a clean record, and
// the first place in the agent's order where it has one.
func (w *World) loggedIn(ctx context.Context, agent string, login Account) error {
	if err := w.keepLogin(ctx, login); err != nil {
		return err
	}
	stored, err := w.store.order(ctx, agent)
	if err != nil {
		return err
	}
	if order := stored[login.Provider]; len(order) > 0 {
		order = slices.DeleteFunc(order, func(id string) bool { return id == login.Profile })
		order = slices.Insert(order, 0, login.Profile)
		if err := w.store.setOrder(ctx, agent, login.Provider, order); err != nil {
			return err
		}
	}
	if w.opts.Stale == UntilRestart {
		return nil
	}
	return w.readAgent(ctx, agent)
}

func (w *World) keepLogin(ctx context.Context, login Account) error {
	w.mu.Lock()
	defer w.mu.Unlock()
	now := time.Now()
	a, err := w.account(login.Profile)
	if err != nil { // it is new
		w.addAccount(login, now)
		a = w.accounts[len(w.accounts)-1]
	}
	a.expires, a.plan = now.Add(login.ExpiresIn), login.Plan
	if a.fault == TokenInvalidated || a.fault == Unauthorized {
		a.fault = NoFault // that was the old login
	}
	a.issue(now)
	if err := w.store.saveProfiles(ctx, w.credentials()); err != nil {
		return err
	}
	stats, known := w.memory.usage[a.Profile]
	if !known {
		return nil
	}
	w.memory.usage[a.Profile] = usageStats{LastFailureAt: stats.LastFailureAt, LastProbeAt: stats.LastProbeAt}
	return w.store.saveUsage(ctx, w.memory.usage)
}
