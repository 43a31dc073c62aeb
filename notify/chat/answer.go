package chat

import (
	"context"
	"errors"
	"strings"

	"github.com/ocwatch/ocwatch/internal/openclaw"
	"github.com/ocwatch/ocwatch/notify"
)

const (
	textDown         = "OpenClaw's gateway is not reachable"
	textLost         = "the connection to OpenClaw's gateway was lost before it answered; it may have sent the message"
	textUnauthorized = "OpenClaw's gateway does not accept ocwatch: set openclaw.gateway.token_file, or OPENCLAW_GATEWAY_TOKEN"
	textTooOld       = "OpenClaw's gateway offers no way to send a message: update OpenClaw"
)

// refusals tells OpenClaw's definite answers apart by its own words, in the
// order in which they are looked for. Whatever is not among them may pass.
// The words themselves are not repeated: a channel's may hold part of an
// address or of a token.
//
//nolint:gochecknoglobals // a constant table
var refusals = []struct{ words, meaning string }{
	{"unknown account", "this channel has no such account: correct account in notify.channels"},
	{"unsupported channel", "OpenClaw has no such channel: set it up there (openclaw channels add), or correct channel in notify.channels"},
	{"unknown channel", "OpenClaw has no such channel: correct channel in notify.channels"},
	{"channel is unavailable", "OpenClaw has no such channel: set it up there (openclaw channels add), or correct channel in notify.channels"},
	{"chat not found", "the channel knows no such target: correct target in notify.channels, and for a bot write to it once"},
	{"could not be resolved", "the channel knows no such target: correct target in notify.channels"},
	{"must be a numeric chat id", "the channel knows no such target: correct target in notify.channels"},
	{"was blocked", "the target has blocked OpenClaw's bot, or the bot is no member: let it in again"},
	{"401: unauthorized", "the channel does not accept OpenClaw's own token for it: renew it in OpenClaw"},
}

// refusal finds the meaning of OpenClaw's words, "" where none is known.
func refusal(words string) string {
	words = strings.ToLower(words)
	for _, r := range refusals {
		if strings.Contains(words, r.words) {
			return r.meaning
		}
	}
	return ""
}

func refused(meaning string) notify.Answer {
	return notify.Answer{Kind: notify.Refused, Text: meaning, RetryAfter: refusedWait}
}

// gatewayAnswer says what came of a call; nil is a delivery.
func gatewayAnswer(err error, channel string) notify.Answer {
	rpc, isRPC := errors.AsType[*openclaw.RPCError](err)
	switch {
	case err == nil:
		return notify.Answer{Kind: notify.Accepted, Text: "sent by OpenClaw's " + channel + " channel"}
	case errors.Is(err, openclaw.ErrUnauthorized):
		return notify.Answer{Text: textUnauthorized}
	case errors.Is(err, openclaw.ErrMethodUnavailable):
		return notify.Answer{Text: textTooOld}
	case isRPC:
		return refusedBy(rpc)
	case errors.Is(err, errNotDelivered):
		return notify.Answer{Text: "OpenClaw kept the message back: look for a message hook there"}
	case errors.Is(err, openclaw.ErrGatewayDown):
		return notify.Answer{Text: textLost}
	}
	return notify.Answer{Text: "no usable answer from OpenClaw's gateway"}
}

func refusedBy(e *openclaw.RPCError) notify.Answer {
	if meaning := refusal(e.Message); meaning != "" {
		return refused(meaning)
	}
	if e.Code == "INVALID_REQUEST" {
		return refused("OpenClaw's gateway refuses the message as it is; its log says why (openclaw logs)")
	}
	return notify.Answer{Text: "OpenClaw's channel could not deliver it now; its log says why (openclaw logs)"}
}

// ended says why an attempt was cut short.
func ended(ctx context.Context) notify.Answer {
	if errors.Is(ctx.Err(), context.DeadlineExceeded) {
		return notify.Answer{Text: "OpenClaw did not answer in time"}
	}
	return notify.Answer{Text: notify.Describe(ctx.Err())}
}

// lacksAction reports whether a channel, or OpenClaw for a channel it does not
// know, said that there is no such action.
func lacksAction(err error) bool {
	e, ok := errors.AsType[*openclaw.RPCError](err)
	if !ok || e.Code != "INVALID_REQUEST" {
		return false
	}
	return strings.Contains(e.Message, "does not support action") || strings.Contains(e.Message, "not supported for channel")
}
