package notify

import (
	"context"
	"errors"
	"io"
	"strings"

	"github.com/ocwatch/ocwatch/internal/openclaw"
)

// ChatCLI runs OpenClaw's command; *openclaw.CLI is one.
type ChatCLI interface {
	Run(ctx context.Context, stdin io.Reader, args ...string) (openclaw.Output, error)
}

// command sends with openclaw message send. It takes a text as an argument
// only, neither by standard input nor from a file, so whoever may list the
// processes of this machine can read it for as long as the command runs.
func (c *chat) command(ctx context.Context, text string) Answer {
	args := []string{"message", "send", "--json", "--channel=" + c.Channel, "--target=" + c.ChatOptions.Target, "--message=" + text}
	if c.Account != "" {
		args = append(args, "--account="+c.Account)
	}
	_, err := c.CLI.Run(ctx, nil, args...)
	if err == nil {
		return Answer{Kind: Accepted, Text: "sent by openclaw message send"}
	}
	if ctx.Err() != nil {
		return ended(ctx)
	}
	if _, ok := errors.AsType[*openclaw.CommandNotFoundError](err); ok {
		return Answer{Text: "OpenClaw's gateway cannot be used, and its command is not found: set openclaw.command to its full path"}
	}
	e, ok := errors.AsType[*openclaw.CLIError](err) // its text holds the arguments
	if !ok {
		return Answer{Text: "openclaw message send could not be run"}
	}
	if needsGateway(e.Message) {
		c.bind()
		return Answer{Text: textDown + ", and openclaw message send needs it for this channel"}
	}
	if meaning := refusal(e.Message); meaning != "" {
		return refused(meaning)
	}
	return Answer{Text: "openclaw message send failed; run it by hand to see why"}
}

func needsGateway(words string) bool {
	return strings.Contains(words, "Gateway not reachable") || strings.Contains(words, "gateway closed")
}
