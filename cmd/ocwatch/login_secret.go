package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"time"

	"golang.org/x/term"

	"github.com/ocwatch/ocwatch/internal/secret"
	"github.com/ocwatch/ocwatch/profiles"
	"github.com/ocwatch/ocwatch/profiles/login"
)

const (
	// secretMost is more than any token or key has.
	secretMost = 64 << 10
	// secretWithin is how long a prompt waits. Meanwhile no other login can
	// begin, not even the watchdog's own: one that was forgotten must not keep
	// the owner from logging in by phone.
	secretWithin = 25 * time.Minute
)

var (
	errCancelled   = errors.New("the login was cancelled; nothing was changed")
	errNothingCame = fmt.Errorf("nothing was pasted within %d minutes; nothing was changed", int(secretWithin.Minutes()))
)

// enterSecret hands a token or key to OpenClaw.
func (s loginSession) enterSecret(ctx context.Context, r login.Request) (login.Result, error) {
	p := s.pasteRequest(r)
	if err := p.CheckTerms(); err != nil {
		return login.Result{}, err
	}
	name := r.Provider + " setup-token"
	if p.Type == profiles.APIKey {
		name = r.Provider + " API key"
	}
	waitCtx, stop := context.WithTimeoutCause(ctx, secretWithin, errNothingCame)
	defer stop()
	var err error
	if p.Secret, err = s.screen.readSecret(waitCtx, name); err != nil {
		return login.Result{}, err
	}
	if _, err := p.CheckSecret(); err != nil {
		return login.Result{}, err
	}
	s.screen.printf("Handing the %s to OpenClaw, which may take half a minute …\n", name)
	result, err := s.l.Paste(ctx, p)
	if ctx.Err() != nil {
		return result, errors.New("the login was interrupted; ocwatch check shows whether OpenClaw has stored it")
	}
	return result, err
}

// readSecret asks for a secret without showing it, or takes all of an input
// that is no terminal.
func (s loginScreen) readSecret(ctx context.Context, name string) (secret.Value, error) {
	if f, ok := s.in.(*os.File); ok && term.IsTerminal(int(f.Fd())) {
		return s.askSecret(ctx, f, name)
	}
	type entered struct {
		text []byte
		err  error
	}
	read := make(chan entered, 1)
	go func() {
		text, err := io.ReadAll(io.LimitReader(s.in, secretMost))
		read <- entered{text, err}
	}()
	select {
	case <-ctx.Done():
		return secret.Value{}, given(ctx)
	case e := <-read:
		if e.err != nil {
			return secret.Value{}, fmt.Errorf("read the %s: %w", name, e.err)
		}
		return secret.New(string(e.text)), nil
	}
}

// askSecret asks at a terminal. Raw mode keeps it from showing anything, and
// from stopping or ending the command by a key while nothing is shown.
func (s loginScreen) askSecret(ctx context.Context, f *os.File, name string) (secret.Value, error) {
	before, err := term.MakeRaw(int(f.Fd()))
	if err != nil {
		return secret.Value{}, fmt.Errorf("keep the terminal from showing the %s: %w", name, err)
	}
	s.printf("Paste the %s (it is not shown): ", name)
	text, err := readUnseen(ctx, keysOf(f))
	_ = term.Restore(int(f.Fd()), before) // one that is gone needs none
	s.printf("\n")
	if err != nil {
		return secret.Value{}, err
	}
	return secret.New(string(text)), nil
}

// given is why nothing was entered before ctx ended.
func given(ctx context.Context) error {
	if cause := context.Cause(ctx); errors.Is(cause, errNothingCame) {
		return cause
	}
	return errCancelled
}
