package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"

	"golang.org/x/term"

	"github.com/ocwatch/ocwatch/internal/secret"
	"github.com/ocwatch/ocwatch/profiles"
	"github.com/ocwatch/ocwatch/profiles/login"
)

// secretMost is more than any token or key has.
const secretMost = 64 << 10

var errCancelled = errors.New("the login was cancelled; nothing was changed")

// enterSecret hands a token or key to OpenClaw.
func (s loginSession) enterSecret(ctx context.Context, r login.Request) (login.Result, error) {
	p := s.pasteRequest(r)
	name := r.Provider + " setup-token"
	if p.Type == profiles.APIKey {
		name = r.Provider + " API key"
	}
	var err error
	if p.Secret, err = s.screen.readSecret(ctx, name); err != nil {
		return login.Result{}, err
	}
	s.screen.printf("Handing the %s to OpenClaw …\n", name)
	result, err := s.l.Paste(ctx, p)
	if ctx.Err() != nil {
		return result, errors.New("the login was interrupted; ocwatch check shows whether OpenClaw has stored it")
	}
	return result, err
}

// readSecret asks for a secret without showing it, or takes all of an input
// that is no terminal.
func (s loginScreen) readSecret(ctx context.Context, name string) (secret.Value, error) {
	type entered struct {
		text []byte
		err  error
	}
	read := make(chan entered, 1)
	restore := func() {}
	if f, ok := s.in.(*os.File); ok && term.IsTerminal(int(f.Fd())) {
		if state, err := term.GetState(int(f.Fd())); err == nil {
			restore = func() { _ = term.Restore(int(f.Fd()), state) }
		}
		s.printf("Paste the %s (it is not shown): ", name)
		go func() {
			text, err := term.ReadPassword(int(f.Fd()))
			s.printf("\n")
			read <- entered{text, err}
		}()
	} else {
		go func() {
			text, err := io.ReadAll(io.LimitReader(s.in, secretMost))
			read <- entered{text, err}
		}()
	}
	select {
	case <-ctx.Done():
		restore() // the echo is off until then
		return secret.Value{}, errCancelled
	case e := <-read:
		if e.err != nil && !errors.Is(e.err, io.EOF) {
			return secret.Value{}, fmt.Errorf("read the %s: %w", name, e.err)
		}
		return secret.New(string(e.text)), nil
	}
}
