// Package chat sends texts through a chat that OpenClaw itself is connected to:
// by its gateway, or by its command where the gateway cannot be used.
package chat

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"time"
	"unicode/utf8"

	"github.com/ocwatch/ocwatch/internal/openclaw"
	"github.com/ocwatch/ocwatch/notify"
	"github.com/ocwatch/ocwatch/notify/text"
)

const (
	// callLimit bounds one call of the gateway. Telegram answers in a
	// second; a busy gateway takes ten.
	callLimit = 30 * time.Second
	// maxChars keeps a text in one message: OpenClaw cuts at 4000
	// characters, Telegram refuses more than 4096.
	maxChars = 3900
	// refusedWait spreads the attempts after which a definite no is
	// believed over the time in which a gateway starts its channels.
	refusedWait = time.Minute

	ellipsis = "…"
)

// The gateway's two methods that send a text. The action hands it to the
// channel and does no more. "send" also notes it in the chat's session, so that
// a model reads it with the next turn, and since 2026.9 has a model think of a
// title for a session that is new: it is for channels that know no action.
const (
	actionMethod = "message.action"
	sendMethod   = "send"
)

// Gateway is what New needs of a gateway; *openclaw.Gateway is one.
type Gateway interface {
	Has(ctx context.Context, method string) (bool, error)
	Call(ctx context.Context, method string, params, result any) error
}

// Options say which chat is meant, and how OpenClaw is reached.
type Options struct {
	Gateway Gateway
	// CLI is used where the gateway cannot be. Nil: never.
	CLI     CLI
	Channel string // as OpenClaw calls it, such as telegram
	Target  string // as the channel calls it: a chat's id, a number, a room
	Account string // of several on one channel; empty: the channel's own default
}

// sender sends through a channel that OpenClaw is connected to. No agent takes
// part, so it works while no model answers.
type sender struct {
	Options

	mu   sync.Mutex
	last tries
	// bound: the command sends to this channel by way of the gateway only.
	bound bool
}

// tries are what the attempts at one message came to.
type tries struct {
	id       string
	answered int  // the gateway said no: it says so again to the same key for five minutes
	down     bool // the gateway was not there
}

// New makes the sender of a chat of OpenClaw's.
func New(o Options) notify.Sender { return &sender{Options: o} }

// Shown serves Sender.
func (c *sender) Shown() string { return "openclaw:" + c.Channel }

// Target serves Sender.
func (c *sender) Target() string {
	return notify.TargetOf(strings.Join([]string{"openclaw", c.Channel, c.Options.Target, c.Account}, "\x00"))
}

// Joins serves Sender.
func (c *sender) Joins() bool { return true }

// Send serves Sender. A second attempt at the same message after a first one
// whose answer was lost is not sent again by a gateway that ran all the while,
// for five minutes: it keeps what it answered under the key.
func (c *sender) Send(ctx context.Context, m notify.Outgoing) notify.Answer {
	text := shorten(endLinks(string(m.Body)), maxChars)
	method, err := c.method(ctx)
	if err != nil || method == "" {
		return c.without(ctx, m.ID, text, err)
	}
	callCtx, cancel := context.WithTimeout(ctx, callLimit)
	defer cancel()
	err = c.call(callCtx, method, c.key(m.ID), text)
	if lacksAction(err) {
		err = c.call(callCtx, sendMethod, c.key(m.ID), text)
	}
	if _, ok := errors.AsType[*openclaw.RPCError](err); ok {
		c.note(m.ID, func(t *tries) { t.answered++ })
	}
	if err != nil && callCtx.Err() != nil {
		return ended(callCtx)
	}
	return gatewayAnswer(err, c.Channel)
}

// method connects, and chooses by what the gateway offers. It is apart from the
// call because before it nothing can have been sent.
func (c *sender) method(ctx context.Context) (string, error) {
	for _, method := range []string{actionMethod, sendMethod} {
		if has, err := c.Gateway.Has(ctx, method); err != nil || has {
			return method, err
		}
	}
	return "", nil
}

// without the gateway there is OpenClaw's command. While the gateway may just
// be restarting it is not tried: it takes many seconds of the processor, and
// shows the text in the list of processes.
func (c *sender) without(ctx context.Context, id, text string, err error) notify.Answer {
	if ctx.Err() != nil {
		return ended(ctx)
	}
	if errors.Is(err, openclaw.ErrGatewayDown) {
		first := false
		c.note(id, func(t *tries) { first, t.down = !t.down, true })
		if first || c.isBound() || c.CLI == nil {
			return notify.Answer{Text: textDown}
		}
	}
	if c.CLI != nil {
		return c.command(ctx, text)
	}
	if err == nil {
		return notify.Answer{Text: textTooOld}
	}
	return gatewayAnswer(err, c.Channel)
}

// call sends once by method.
func (c *sender) call(ctx context.Context, method, key, text string) error {
	params := map[string]any{"channel": c.Channel, "idempotencyKey": key}
	to := map[string]any{"to": c.Options.Target, "message": text}
	if c.Account != "" {
		params["accountId"] = c.Account
	}
	if method == actionMethod {
		params["action"], params["params"] = "send", to
	} else {
		params["to"], params["message"] = to["to"], to["message"]
	}
	var result sendResult
	if err := c.Gateway.Call(ctx, method, params, &result); err != nil {
		return err
	}
	return result.err()
}

// sendResult is what OpenClaw makes of a delivery that the channel did not
// refuse: a hook of the owner's may have suppressed it.
type sendResult struct {
	OK             *bool  `json:"ok"`
	DeliveryStatus string `json:"deliveryStatus"`
}

var errNotDelivered = errors.New("not delivered")

func (r sendResult) err() error {
	switch {
	case r.OK != nil && !*r.OK, r.DeliveryStatus == "failed", r.DeliveryStatus == "suppressed":
		return errNotDelivered
	}
	return nil
}

// key is the same until the gateway has said no: that answer is kept too, and
// the next attempt needs a key of its own.
func (c *sender) key(id string) string {
	n := 0
	c.note(id, func(t *tries) { n = t.answered })
	return fmt.Sprintf("ocwatch:%s:%d", id, n)
}

// note reads or changes what is known of message id. Only the latest message is
// remembered: a worker brings one to its end before the next.
func (c *sender) note(id string, f func(*tries)) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.last.id != id {
		c.last = tries{id: id}
	}
	f(&c.last)
}

func (c *sender) isBound() bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.bound
}

func (c *sender) bind() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.bound = true
}

// endLinks puts a space between a link and what is not ASCII: in a text without
// spaces the older releases take the rest of the sentence for part of the link.
func endLinks(body string) string {
	var b strings.Builder
	from := 0
	for _, at := range text.Links(body) {
		b.WriteString(body[from:at[1]])
		from = at[1]
		if from < len(body) && body[from] >= utf8.RuneSelf && !strings.HasPrefix(body[from:], ellipsis) {
			b.WriteByte(' ')
		}
	}
	return b.String() + body[from:]
}

// shorten cuts a text to n characters.
func shorten(text string, n int) string {
	text = strings.ToValidUTF8(text, "\uFFFD")
	if r := []rune(text); len(r) > n {
		return string(r[:n-1]) + ellipsis
	}
	return text
}
