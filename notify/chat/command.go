package chat

import (
	"context"
	"errors"
	"io"
	"strings"

	"github.com/ocwatch/ocwatch/internal/openclaw"
	"github.com/ocwatch/ocwatch/notify"
)

// CLI runs OpenClaw's command; *openclaw.CLI is one.
type CLI interface {
	Run(ctx context.Context, stdin io.Reader, args ...string) (openclaw.Output, error)
}

// command sends with openclaw message send. It takes a text as an argument
// only, neither by standard input nor from a file, so whoever may list the
// processes of this machine can read it for as long as the command runs.
func (c *sender) command(ctx context.Context, text string) notify.Answer {
	args := []string{"message", "send", "--json", "--channel=" + c.Channel, "--target=" + c.Options.Target, "--message=" + text}
	if c.Account != "" {
		args = append(args, "--account="+c.Account)
	}
	_, err := c.CLI.Run(ctx, nil, args...)
	if err == nil {
		return notify.Answer{Kind: notify.Accepted, Text: "sent by openclaw message send"}
	}
	if ctx.Err() != nil {
		return ended(ctx)
	}
	if _, ok := errors.AsType[*openclaw.CommandNotFoundError](err); ok {
		return notify.Answer{Text: "OpenClaw's gateway cannot be used, and its command is not found: set openclaw.command to its full path"}
	}
	e, ok := errors.AsType[*openclaw.CLIError](err) // its text holds the arguments
	if !ok {
		return notify.Answer{Text: "openclaw message send could not be run"}
	}
	if needsGateway(e.Message) {
		c.bind()
		return notify.Answer{Text: textDown + ", and openclaw message send needs it for this channel"}
	}
	if meaning := refusal(e.Message); meaning != "" {
		return refused(meaning)
	}
	return notify.Answer{Text: "openclaw message send failed; run it by hand to see why"}
}

func needsGateway(words string) bool {
	return strings.Contains(words, "Gateway not reachable") || strings.Contains(words, "gateway closed")
}
