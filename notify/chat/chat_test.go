package chat

import (
	"context"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/ocwatch/ocwatch/internal/openclaw"
	"github.com/ocwatch/ocwatch/notify"
)

// fakeGateway plays OpenClaw's: it keeps what it answered under a key, be it a
// delivery or a failure of the channel, and forgets it with a restart.
type fakeGateway struct {
	methods []string
	down    error // of connecting

	mu      sync.Mutex
	faults  []fault // of the calls to come, in order; none: it delivers
	answers map[string]error
	sent    []string // texts that the channel took
	calls   []map[string]any
}

// fault is what goes wrong with one call.
type fault struct {
	refuse  error // the gateway's answer
	lost    bool  // the answer is lost, after what refuse and restart say
	restart bool  // it forgets everything after the call
	slow    time.Duration
}

func newFakeGateway(faults ...fault) *fakeGateway {
	return &fakeGateway{methods: []string{actionMethod, sendMethod}, faults: faults, answers: map[string]error{}}
}

func (g *fakeGateway) Has(_ context.Context, method string) (bool, error) {
	return slices.Contains(g.methods, method), g.down
}

func (g *fakeGateway) Call(ctx context.Context, method string, params, _ any) error {
	g.mu.Lock()
	defer g.mu.Unlock()
	p, ok := params.(map[string]any)
	if !ok {
		return errors.New("params are no object")
	}
	g.calls = append(g.calls, map[string]any{"method": method, "params": p})
	var f fault
	if len(g.faults) > 0 {
		f, g.faults = g.faults[0], g.faults[1:]
	}
	err := g.deliver(method, p, f)
	if f.restart {
		clear(g.answers)
	}
	if f.slow > 0 {
		select {
		case <-time.After(f.slow):
		case <-ctx.Done():
			return ctx.Err()
		}
	}
	if f.lost {
		return fmt.Errorf("call %s: %w: read: EOF", method, openclaw.ErrGatewayDown)
	}
	return err
}

func (g *fakeGateway) deliver(method string, p map[string]any, f fault) error {
	key := fmt.Sprint(method, ":", p["idempotencyKey"])
	if err, kept := g.answers[key]; kept {
		return err
	}
	if f.refuse != nil {
		if e, ok := errors.AsType[*openclaw.RPCError](f.refuse); ok && e.Code == "UNAVAILABLE" {
			g.answers[key] = f.refuse
		}
		return f.refuse
	}
	text := p["message"]
	if inner, ok := p["params"].(map[string]any); ok {
		text = inner["message"]
	}
	g.sent = append(g.sent, fmt.Sprint(text))
	g.answers[key] = nil
	return nil
}

func unavailable(message string) error {
	return fmt.Errorf("call: %w", &openclaw.RPCError{Code: "UNAVAILABLE", Message: message})
}

func invalid(message string) error {
	return fmt.Errorf("call: %w", &openclaw.RPCError{Code: "INVALID_REQUEST", Message: message})
}

// fakeCLI answers every command with err.
type fakeCLI struct {
	err  error
	args [][]string
}

func (c *fakeCLI) Run(_ context.Context, _ io.Reader, args ...string) (openclaw.Output, error) {
	c.args = append(c.args, args)
	return openclaw.Output{}, c.err
}

func failing(words string) *fakeCLI {
	return &fakeCLI{err: &openclaw.CLIError{Args: []string{"--message=" + chatText}, ExitCode: 1, Message: words, Err: errors.New("exit status 1")}}
}

const chatText = "All accounts are spent. Open https://auth.example.com/device and enter ABCD-EFGH"

func outgoing() notify.Outgoing { return notify.Outgoing{ID: "msg_1", Body: []byte(chatText)} }

func chatWith(g *fakeGateway, cli CLI) notify.Sender {
	return New(Options{Gateway: g, CLI: cli, Channel: "telegram", Target: "424242"})
}

func TestSendsThroughTheGateway(t *testing.T) {
	for _, tc := range []struct {
		name    string
		methods []string
		account string
		refuse  error // of the first call
		want    []map[string]any
	}{
		{
			name: "by the channel's action", methods: []string{sendMethod, actionMethod},
			want: []map[string]any{{"method": actionMethod, "params": map[string]any{
				"channel": "telegram", "action": "send", "idempotencyKey": "ocwatch:msg_1:0",
				"params": map[string]any{"to": "424242", "message": chatText},
			}}},
		},
		{
			name: "with an account", methods: []string{actionMethod}, account: "ops",
			want: []map[string]any{{"method": actionMethod, "params": map[string]any{
				"channel": "telegram", "action": "send", "idempotencyKey": "ocwatch:msg_1:0", "accountId": "ops",
				"params": map[string]any{"to": "424242", "message": chatText},
			}}},
		},
		{
			name: "by send where there are no actions", methods: []string{sendMethod}, account: "ops",
			want: []map[string]any{{"method": sendMethod, "params": map[string]any{
				"channel": "telegram", "idempotencyKey": "ocwatch:msg_1:0", "accountId": "ops", "to": "424242", "message": chatText,
			}}},
		},
		{
			name: "by send where the channel has no such action", methods: []string{sendMethod, actionMethod},
			refuse: invalid("Channel telegram does not support action send."),
			want: []map[string]any{
				{"method": actionMethod, "params": map[string]any{
					"channel": "telegram", "action": "send", "idempotencyKey": "ocwatch:msg_1:0",
					"params": map[string]any{"to": "424242", "message": chatText},
				}},
				{"method": sendMethod, "params": map[string]any{
					"channel": "telegram", "idempotencyKey": "ocwatch:msg_1:0", "to": "424242", "message": chatText,
				}},
			},
		},
	} {
		t.Run(tc.name, func(t *testing.T) {
			g := newFakeGateway()
			g.methods = tc.methods
			if tc.refuse != nil {
				g.faults = []fault{{refuse: tc.refuse}}
			}
			cli := &fakeCLI{}
			c := New(Options{Gateway: g, CLI: cli, Channel: "telegram", Target: "424242", Account: tc.account})
			if a := c.Send(t.Context(), outgoing()); a.Kind != notify.Accepted {
				t.Errorf("answer %+v, want a delivery", a)
			}
			if got, want := fmt.Sprint(g.calls), fmt.Sprint(tc.want); got != want {
				t.Errorf("calls:\n%s\nwant:\n%s", got, want)
			}
			if len(g.sent) != 1 || len(cli.args) != 0 {
				t.Errorf("sent %q, commands %q; want one text and no command", g.sent, cli.args)
			}
		})
	}
}

// Answers of the three releases, as they were recorded.
func TestJudgesAnswers(t *testing.T) {
	for _, tc := range []struct {
		name string
		err  error
		kind notify.AnswerKind
		says string
	}{
		{"channel not configured", invalid("unsupported channel: discord"), notify.Refused, "no such channel"},
		{"unknown account", invalid(`MessageActionDeniedError: Unknown account "nosuch" for channel telegram.`), notify.Refused, "account"},
		{"unknown chat", unavailable("OutboundDeliveryError: Telegram send failed: chat not found (chat_id=999). Likely: bot not started in DM"), notify.Refused, "target"},
		{"unknown name", unavailable("OutboundDeliveryError: Telegram recipient @nobody could not be resolved to a numeric chat ID"), notify.Refused, "target"},
		{"no target at all", unavailable("OutboundDeliveryError: Telegram recipient must be a numeric chat ID"), notify.Refused, "target"},
		{"blocked", unavailable("OutboundDeliveryError: Telegram send failed: bot is not a member of the chat, was blocked, or was kicked"), notify.Refused, "blocked"},
		{"the bot's token", unavailable("OutboundDeliveryError: Call to 'sendMessage' failed! (401: Unauthorized)"), notify.Refused, "token"},
		{"malformed", invalid("invalid message.action params: at root: unexpected property"), notify.Refused, "openclaw logs"},
		{"channel in trouble", unavailable("OutboundDeliveryError: Call to 'sendMessage' failed! (502: Bad Gateway)"), notify.Failed, "openclaw logs"},
		{"network", unavailable("OutboundDeliveryError: Network request for 'sendMessage' failed!"), notify.Failed, "openclaw logs"},
		{"connection lost", fmt.Errorf("call send: %w", openclaw.ErrGatewayDown), notify.Failed, "lost"},
		{"scope missing", fmt.Errorf("call send: %w", openclaw.ErrUnauthorized), notify.Failed, "token_file"},
		{"method gone", fmt.Errorf("call send: %w", openclaw.ErrMethodUnavailable), notify.Failed, "update OpenClaw"},
		{"hook", errNotDelivered, notify.Failed, "hook"},
		{"nonsense", errors.New("the answer is not of the expected form: " + chatText), notify.Failed, "no usable answer"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			a := chatWith(newFakeGateway(fault{refuse: tc.err}), nil).Send(t.Context(), outgoing())
			if a.Kind != tc.kind || !strings.Contains(a.Text, tc.says) {
				t.Errorf("answer %+v, want kind %d with %q", a, tc.kind, tc.says)
			}
			if strings.Contains(a.Text, "ABCD-EFGH") || strings.Contains(a.Text, "424242") || strings.Contains(a.Text, "999") {
				t.Errorf("the answer shows the text or an address: %q", a.Text)
			}
			// Three refusals end a message: not within a gateway's start.
			if a.Kind == notify.Refused && a.RetryAfter < time.Minute {
				t.Errorf("comes again after %v, want a minute at least", a.RetryAfter)
			}
		})
	}
}

func TestSendsOnce(t *testing.T) {
	busy := unavailable("OutboundDeliveryError: Network request for 'sendMessage' failed!")
	for _, tc := range []struct {
		name   string
		faults []fault
		sent   int // texts after the last attempt, which is accepted
	}{
		{"the answer is lost", []fault{{lost: true}}, 1},
		{"the answer is lost twice", []fault{{lost: true}, {lost: true}}, 1},
		{"a failure is not answered from memory", []fault{{refuse: busy}, {refuse: busy}}, 1},
		{"the failure's answer is lost", []fault{{refuse: busy, lost: true}, {}}, 1},
		{"a failure, then a lost answer", []fault{{refuse: busy}, {lost: true}}, 1},
		// Nobody can know: it is told at least once.
		{"a restart in the middle of a send", []fault{{lost: true, restart: true}}, 2},
	} {
		t.Run(tc.name, func(t *testing.T) {
			g := newFakeGateway(tc.faults...)
			c := chatWith(g, nil)
			var a notify.Answer
			for range len(tc.faults) + 2 {
				if a = c.Send(t.Context(), outgoing()); a.Kind == notify.Accepted {
					break
				}
				if a.Kind != notify.Failed {
					t.Fatalf("answer %+v, want one that is tried again", a)
				}
			}
			if a.Kind != notify.Accepted || len(g.sent) != tc.sent {
				t.Errorf("in the end %+v with %d texts at the chat, want a delivery with %d", a, len(g.sent), tc.sent)
			}
		})
	}
}

func TestKeepsMessagesApart(t *testing.T) {
	g := newFakeGateway()
	c := chatWith(g, nil)
	for _, id := range []string{"msg_1", "msg_2", "msg_1"} {
		c.Send(t.Context(), notify.Outgoing{ID: id, Body: []byte(id)})
	}
	if got := fmt.Sprint(g.sent); got != "[msg_1 msg_2]" {
		t.Errorf("sent %s, want each once", got)
	}
}

func TestWithoutTheGateway(t *testing.T) {
	down := fmt.Errorf("%w at 127.0.0.1:1: connection refused", openclaw.ErrGatewayDown)
	unauthorized := fmt.Errorf("%w: token mismatch", openclaw.ErrUnauthorized)
	for _, tc := range []struct {
		name     string
		down     error
		old      bool
		cli      *fakeCLI
		kinds    []notify.AnswerKind // of each attempt
		commands int
		says     string // the last one
	}{
		{"down: the command waits for the second attempt", down, false, &fakeCLI{}, []notify.AnswerKind{notify.Failed, notify.Accepted}, 1, "message send"},
		{"down: a command that needs the gateway is not tried twice", down, false, failing("Gateway not reachable at ws://127.0.0.1:1 (ECONNREFUSED)."), []notify.AnswerKind{notify.Failed, notify.Failed, notify.Failed}, 1, "not reachable"},
		{"down: the same of an older release", down, false, failing("GatewayTransportError: gateway closed (1006 abnormal closure (no close frame)): no close reason"), []notify.AnswerKind{notify.Failed, notify.Failed, notify.Failed}, 1, "not reachable"},
		{"down: channel not configured", down, false, failing("Error: Channel is unavailable: discord"), []notify.AnswerKind{notify.Failed, notify.Refused}, 1, "no such channel"},
		{"down: no command", down, false, nil, []notify.AnswerKind{notify.Failed, notify.Failed}, 0, "not reachable"},
		{"down: command not found", down, false, &fakeCLI{err: &openclaw.CommandNotFoundError{Command: "openclaw"}}, []notify.AnswerKind{notify.Failed, notify.Failed}, 1, "openclaw.command"},
		{"down: command fails", down, false, failing("something else: " + chatText), []notify.AnswerKind{notify.Failed, notify.Failed}, 1, "by hand"},
		{"down: command cannot be started", down, false, &fakeCLI{err: errors.New("fork: " + chatText)}, []notify.AnswerKind{notify.Failed, notify.Failed}, 1, "could not be run"},
		{"not authorized: the command has its own way in", unauthorized, false, &fakeCLI{}, []notify.AnswerKind{notify.Accepted}, 1, "message send"},
		{"not authorized: no command", unauthorized, false, nil, []notify.AnswerKind{notify.Failed}, 0, "token_file"},
		{"too old", nil, true, &fakeCLI{}, []notify.AnswerKind{notify.Accepted}, 1, "message send"},
		{"too old: no command", nil, true, nil, []notify.AnswerKind{notify.Failed}, 0, "update OpenClaw"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			g := newFakeGateway()
			if g.down = tc.down; tc.old {
				g.methods = []string{"health"}
			}
			var cli CLI
			if tc.cli != nil {
				cli = tc.cli
			}
			c := chatWith(g, cli)
			var a notify.Answer
			for i, want := range tc.kinds {
				if a = c.Send(t.Context(), outgoing()); a.Kind != want {
					t.Errorf("attempt %d: %+v, want kind %d", i+1, a, want)
				}
			}
			if !strings.Contains(a.Text, tc.says) || strings.Contains(a.Text, "ABCD") {
				t.Errorf("it says %q; want %q, and nothing of the message", a.Text, tc.says)
			}
			if tc.cli != nil && len(tc.cli.args) != tc.commands {
				t.Errorf("%d commands were run, want %d: %q", len(tc.cli.args), tc.commands, tc.cli.args)
			}
		})
	}
}

func TestCommand(t *testing.T) {
	g, cli := newFakeGateway(), &fakeCLI{}
	g.methods = nil
	c := New(Options{Gateway: g, CLI: cli, Channel: "slack", Target: "-100", Account: "ops"})
	c.Send(t.Context(), notify.Outgoing{ID: "x", Body: []byte("--help\nis text")})
	want := []string{"message", "send", "--json", "--channel=slack", "--target=-100", "--message=--help\nis text", "--account=ops"}
	if len(cli.args) != 1 || !slices.Equal(cli.args[0], want) {
		t.Errorf("commands %q, want %q", cli.args, want)
	}
}

// A gateway that is reachable again is used again, whatever the command learned.
func TestComesBackToTheGateway(t *testing.T) {
	g, cli := newFakeGateway(), failing("Gateway not reachable")
	c := chatWith(g, cli)
	g.down = openclaw.ErrGatewayDown
	c.Send(t.Context(), outgoing())
	c.Send(t.Context(), outgoing())
	g.down = nil
	if a := c.Send(t.Context(), outgoing()); a.Kind != notify.Accepted || len(g.sent) != 1 {
		t.Errorf("answer %+v, sent %q; want a delivery through the gateway", a, g.sent)
	}
}

func TestDoesNotWaitForASlowGateway(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		g := newFakeGateway(fault{slow: time.Hour})
		cli := &fakeCLI{}
		c := chatWith(g, cli)
		start := time.Now()
		a := c.Send(t.Context(), outgoing())
		if took := time.Since(start); took != callLimit || a.Kind != notify.Failed || !strings.Contains(a.Text, "in time") {
			t.Errorf("after %v: %+v, want a failure after %v", took, a, callLimit)
		}
		if len(cli.args) != 0 {
			t.Error("the command was run though the gateway may have sent the message")
		}
		// What was slow has come through, and is not sent again.
		if a = c.Send(t.Context(), outgoing()); a.Kind != notify.Accepted || len(g.sent) != 1 {
			t.Errorf("then %+v with %q sent, want one text", a, g.sent)
		}
	})
}

func TestStops(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	g, cli := newFakeGateway(), &fakeCLI{}
	g.down = fmt.Errorf("%w: no connection yet: %w", openclaw.ErrGatewayDown, context.Canceled)
	if a := chatWith(g, cli).Send(ctx, outgoing()); a.Kind != notify.Failed || !strings.Contains(a.Text, "stopping") || len(cli.args) != 0 {
		t.Errorf("answer %+v, commands %q; want a failure for the stop, and no command", a, cli.args)
	}
}

func TestCutsLongTexts(t *testing.T) {
	for _, tc := range []struct {
		name, text string
		want       int // characters
	}{
		{"short", "账号用尽", 4},
		{"exact", strings.Repeat("字", maxChars), maxChars},
		{"long", strings.Repeat("字", 5000), maxChars},
		{"not UTF-8", "a\xffb", 3},
	} {
		t.Run(tc.name, func(t *testing.T) {
			g := newFakeGateway()
			if a := chatWith(g, nil).Send(t.Context(), notify.Outgoing{ID: "x", Body: []byte(tc.text)}); a.Kind != notify.Accepted {
				t.Fatalf("answer %+v", a)
			}
			if n := len([]rune(g.sent[0])); n != tc.want {
				t.Errorf("%d characters, want %d", n, tc.want)
			}
		})
	}
}

func TestEndsLinks(t *testing.T) {
	for _, tc := range []struct{ name, text, want string }{
		{"none", "账号用尽。", "账号用尽。"},
		{"English", "Open https://a.example.com/x?y=1&z=2, then (https://b.example.com/).", "Open https://a.example.com/x?y=1&z=2, then (https://b.example.com/)."},
		{"its own line", "打开：\nhttps://a.example.com/x\n验证码", "打开：\nhttps://a.example.com/x\n验证码"},
		{"Chinese", "打开https://a.example.com/x，再打开 https://b.example.com/y。", "打开https://a.example.com/x ，再打开 https://b.example.com/y 。"},
		{"an ellipsis", "（http://localhost:1455/…）", "（http://localhost:1455/…）"},
		{"the end", "https://a.example.com/x", "https://a.example.com/x"},
		{"not UTF-8", "https://a.example.com/x\xff", "https://a.example.com/x \xff"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			if got := endLinks(tc.text); got != tc.want {
				t.Errorf("got %q, want %q", got, tc.want)
			}
		})
	}
}

func TestResults(t *testing.T) {
	yes, no := true, false
	for _, tc := range []struct {
		name   string
		result sendResult
		fails  bool
	}{
		{"an older release's send says only ids", sendResult{}, false},
		{"ok", sendResult{OK: &yes}, false},
		{"not ok", sendResult{OK: &no}, true},
		{"suppressed by a hook", sendResult{OK: &yes, DeliveryStatus: "suppressed"}, true},
		{"failed", sendResult{DeliveryStatus: "failed"}, true},
		{"sent", sendResult{DeliveryStatus: "sent"}, false},
	} {
		t.Run(tc.name, func(t *testing.T) {
			if err := tc.result.err(); (err != nil) != tc.fails {
				t.Errorf("err %v, want failure %v", err, tc.fails)
			}
		})
	}
}

func TestIdentity(t *testing.T) {
	base := Options{Channel: "telegram", Target: "424242"}
	moved := []Options{
		{Channel: "slack", Target: "424242"},
		{Channel: "telegram", Target: "424243"},
		{Channel: "telegram", Target: "424242", Account: "ops"},
	}
	c := New(base)
	if !c.Joins() || c.Shown() != "openclaw:telegram" || strings.Contains(c.Target(), "424242") || c.Target() != New(base).Target() {
		t.Errorf("joins %v, shown %q, target %q", c.Joins(), c.Shown(), c.Target())
	}
	for _, o := range moved {
		if New(o).Target() == c.Target() {
			t.Errorf("%+v has the hash of %+v", o, base)
		}
	}
}
