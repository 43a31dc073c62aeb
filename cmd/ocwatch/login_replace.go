package main

import (
	"context"
	"errors"
	"fmt"

	"github.com/ocwatch/ocwatch/cmd/ocwatch/internal/app"
	"github.com/ocwatch/ocwatch/failover/replace"
	"github.com/ocwatch/ocwatch/profiles"
	"github.com/ocwatch/ocwatch/profiles/login"
)

// replace changes the account of a profile in one go.
func (s loginSession) replace(ctx context.Context) error {
	t, err := s.l.TargetOf(ctx, s.flags.agent, s.flags.replace)
	if err != nil && ctx.Err() != nil {
		return err
	} else if err != nil {
		// It may be gone already, by a run that was interrupted since.
		t = app.TargetLike(s.flags.agent, s.flags.replace)
	}
	for _, p := range t.Pool.Profiles {
		if p.ID == s.flags.replace {
			s.flags.apiKey = p.Type == profiles.APIKey
		}
	}
	release, err := s.l.Hold(ctx, t)
	if ctx.Err() != nil {
		return errCancelled
	}
	if err != nil {
		return err
	}
	defer release()
	entered := false
	enter := func(ctx context.Context, r login.Request) (login.Result, error) {
		entered = true
		return s.enter(ctx, r)
	}
	res, err := s.l.Replace(ctx, enter, replace.Request{
		Agent: t.Agent, Old: s.flags.replace, Unproven: s.flags.unproven,
		Progress: func(step replace.Step) {
			if step == replace.Check && !entered {
				s.screen.printf("Going on from an earlier run: its login is used.\n")
			}
			s.screen.printf("%s", sayStep(step, s.flags.replace))
		},
	})
	for _, note := range res.Notes {
		s.screen.printf("note: %s\n", note)
	}
	if err != nil {
		return interrupted(ctx, err)
	}
	if err := s.l.Tell(ctx, t, res.New); err != nil {
		s.screen.printf("note: %v\n", err)
	}
	s.screen.printf("\n%s\n", sayReplaced(res))
	return nil
}

// interrupted says that what was begun can be finished.
func interrupted(ctx context.Context, err error) error {
	var stopped *replace.StoppedError
	if ctx.Err() == nil || errors.As(err, &stopped) {
		return err
	}
	return errors.New("interrupted; nothing is lost: run it again to go on from there")
}

func sayStep(step replace.Step, old string) string {
	switch step {
	case replace.Stop:
		return "Stopping the gateway: this release cannot change logins while it runs.\n"
	case replace.LogIn:
		return ""
	case replace.Check:
		return "\nAsking the provider who this is, and whether it works.\n"
	case replace.PutFirst:
		return "Putting it first.\n"
	case replace.Remove:
		return fmt.Sprintf("Removing %s.\n", old)
	case replace.Settle:
		return "Setting the order without it.\n"
	case replace.Start:
		return "Starting the gateway.\n"
	case replace.Health:
		return "Waiting until the gateway answers.\n"
	case replace.Done:
	}
	return ""
}

func sayReplaced(r replace.Result) string {
	text := fmt.Sprintf("%s has taken the place of %s and goes first", r.New, r.Old)
	if r.InPlace {
		text = fmt.Sprintf("%s is another account now and goes first", r.New)
	}
	if r.Reading.Reason != "" {
		text += " (" + r.Reading.Reason + ")"
	}
	return text + "."
}
