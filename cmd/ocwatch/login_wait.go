package main

import (
	"bufio"
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"strings"
	"time"

	"github.com/mdp/qrterminal/v3"

	"github.com/ocwatch/ocwatch/profiles/login"
)

// attempt is a login under way; *login.Attempt is one.
type attempt interface {
	Prompt() login.Prompt
	Paste(ctx context.Context, address string) error
	Wait(ctx context.Context) (login.Result, error)
	Cancel()
}

// loginScreen shows a login to the person at the terminal.
type loginScreen struct {
	in       io.Reader
	out      io.Writer
	terminal bool // out is one: a code to scan makes sense
	now      func() time.Time
}

// see shows what is to be done and returns once the login came to its end. The
// end of ctx cancels the login at OpenClaw.
func (s loginScreen) see(ctx context.Context, provider string, a attempt) (login.Result, error) {
	defer a.Cancel()
	s.show(provider, a.Prompt())
	waitCtx, stop := context.WithCancelCause(ctx)
	defer stop(nil)
	if a.Prompt().Paste {
		go func() {
			if err := s.readAddress(waitCtx, a); err != nil {
				stop(err)
			}
		}()
	}
	r, err := a.Wait(waitCtx)
	switch {
	case ctx.Err() != nil:
		return s.cancelled(ctx, a)
	case errors.Is(err, login.ErrExpired):
		return r, fmt.Errorf("%w: run this again for a fresh one", err)
	case err != nil && context.Cause(waitCtx) != nil:
		return r, context.Cause(waitCtx)
	}
	return r, err
}

func (s loginScreen) showPrompt(url, code string) {
	s.printf("  open  %s\n", url)
	if code != "" {
		s.printf("  type  %s\n", code)
	}
}

// cancelled ends the login. It may have succeeded in the same moment.
func (s loginScreen) cancelled(ctx context.Context, a attempt) (login.Result, error) {
	if s.terminal {
		s.printf("\n") // after the ^C
	}
	a.Cancel()
	r, err := a.Wait(context.WithoutCancel(ctx))
	if err != nil {
		return r, errCancelled
	}
	return r, storedAnyway(r)
}

// storedAnyway is told where somebody interrupts what comes after a login.
func storedAnyway(r login.Result) error {
	return fmt.Errorf("interrupted; the login had been stored by then, as %s, and nobody looked what it brings: see ocwatch check", cmp.Or(r.Profile, "a profile that is not known"))
}

func (s loginScreen) show(provider string, p login.Prompt) {
	s.printf("Log in to %s as the account that OpenClaw shall use:\n\n", provider)
	s.showPrompt(p.URL, p.Code)
	if left := p.ExpiresAt.Sub(s.now()); !p.ExpiresAt.IsZero() && left > 0 {
		s.printf("\nThe code holds until %s, for %d minutes. Do not share it.\n", p.ExpiresAt.UTC().Format("15:04 UTC"), int(left.Minutes()+0.5))
	}
	if s.terminal && !p.Paste {
		s.printf("\n")
		qrterminal.GenerateHalfBlock(p.URL, qrterminal.L, s.out)
	}
	if p.Paste {
		s.printf("\nAfter the login the browser ends on an address that begins with http://localhost:1455/ and shows an\n" +
			"error there: that is expected. Copy the whole address and paste it here.\n\nAddress: ")
		return
	}
	s.printf("\nWaiting for the login. A browser that is still logged in as another account logs that one in:\n" +
		"use a private window. Ctrl-C cancels.\n")
}

// readAddress hands lines over until one is taken. An address that is not it
// costs nothing: the login waits on.
func (s loginScreen) readAddress(ctx context.Context, a attempt) error {
	lines := bufio.NewScanner(s.in)
	lines.Buffer(nil, 64<<10)
	for lines.Scan() {
		line := strings.TrimSpace(lines.Text())
		if line == "" {
			continue
		}
		err := a.Paste(ctx, line)
		if _, useless := errors.AsType[*login.PasteError](err); useless {
			s.printf("%v\n\nAddress: ", err)
			continue
		}
		return err
	}
	if ctx.Err() != nil {
		return nil //nolint:nilerr // whoever ended it says why
	}
	return errors.New("no address was pasted: the input ended; run it in a terminal, or begin with ocwatch login --notify and hand the address over with ocwatch login --paste")
}

// printf writes to the terminal; one that is gone changes nothing.
func (s loginScreen) printf(format string, args ...any) {
	_, _ = fmt.Fprintf(s.out, format, args...)
}
