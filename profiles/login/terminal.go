package login

import (
	"context"
	"errors"
	"fmt"
	"io"
	"regexp"

	"github.com/ocwatch/ocwatch/internal/openclaw"
)

// Command runs OpenClaw's command; *openclaw.CLI is one.
type Command interface {
	Run(ctx context.Context, stdin io.Reader, args ...string) (openclaw.Output, error)
	Terminal(args ...string) (*openclaw.Terminal, error)
}

// errNoCodes: OpenClaw has no login by code for the provider, or the provider
// has none for this account. It may have one by link.
var errNoCodes = errors.New("no login by code")

// startTerminal starts a login in a terminal and returns once there is what a
// person needs: a code, else a link whose end has to be pasted. It fails with
// ErrNotOffered or *FailedError. stored reports whether the store shows that a
// login of this kind succeeded; see terminalFlow.
func startTerminal(ctx context.Context, cmd Command, r Request, stored storedFunc, l limits) (flow, error) {
	byCode, err := hasOption(ctx, cmd, "login", "--device-code")
	if err != nil {
		return nil, err
	}
	if byCode {
		f, err := openTerminal(ctx, cmd, loginArgs(r, true), stored, l)
		if !errors.Is(err, errNoCodes) {
			return f, err
		}
	}
	f, err := openTerminal(ctx, cmd, loginArgs(r, false), stored, l)
	if errors.Is(err, errNoCodes) {
		return nil, ErrNotOffered
	}
	return f, err
}

// loginArgs puts --agent where all releases take it: older ones know it as an
// option of auth alone.
func loginArgs(r Request, byCode bool) []string {
	args := []string{"models", "auth", "--agent", r.Agent, "login", "--provider", r.Provider}
	if byCode {
		args = append(args, "--device-code")
	}
	if r.Profile != "" {
		args = append(args, "--profile-id", r.Profile)
	}
	return args
}

// helpFor asks OpenClaw's command what a subcommand of models auth takes. A
// release that lacks it answers with the help of models auth itself.
func helpFor(ctx context.Context, cmd Command, subcommand string) (string, bool, error) {
	out, err := cmd.Run(ctx, nil, "models", "auth", subcommand, "--help")
	if err != nil {
		return "", false, fmt.Errorf("ask openclaw what it offers: %w", err)
	}
	help := string(out.Stdout)
	usage := regexp.MustCompile(`(?m)^Usage: .*\bmodels auth ` + regexp.QuoteMeta(subcommand) + `\b`)
	return help, usage.MatchString(help), nil
}

// hasOption reports whether this release's subcommand of models auth takes
// option.
func hasOption(ctx context.Context, cmd Command, subcommand, option string) (bool, error) {
	help, known, err := helpFor(ctx, cmd, subcommand)
	if err != nil || !known {
		return false, err
	}
	return regexp.MustCompile(`(?m)^\s+` + regexp.QuoteMeta(option) + `\b`).MatchString(help), nil
}

// openTerminal runs one login command up to its prompt.
func openTerminal(ctx context.Context, cmd Command, args []string, stored storedFunc, l limits) (flow, error) {
	if err := ctx.Err(); err != nil {
		return nil, fmt.Errorf("start a login in a terminal: %w", err)
	}
	term, err := cmd.Terminal(args...)
	if err != nil {
		return nil, err // it says what is missing
	}
	f := newTerminalFlow(ctx, term, stored, l)
	select {
	case <-f.prompted:
		return f, nil
	case <-f.done:
		return nil, f.unprompted()
	case <-ctx.Done():
		f.cancel()
		return nil, fmt.Errorf("start a login in a terminal: openclaw showed neither a code nor a link: %w", ctx.Err())
	}
}
