//go:build transport

package chat_test

import (
	"context"
	"fmt"
	"html"
	"net/http"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/ocwatch/ocwatch/internal/openclaw"
	"github.com/ocwatch/ocwatch/notify"
	"github.com/ocwatch/ocwatch/notify/chat"
	"github.com/ocwatch/ocwatch/test/lab"
)

// realLink has whatever OpenClaw, which reads a text as Markdown, might take
// for a format.
const (
	realLink = "https://auth.example.com/oauth/authorize?a_b=_c_&d=*e*~f~__g__&redirect_uri=http%3A%2F%2Flocalhost%3A1455%2Fauth"
	realText = "Both accounts are spent.\nopenai:alice_b@example.com: 5h window 100 % used\n\nOpen " + realLink + "\nand enter ABCD-EFGH.\n\n打开" + realLink + "，输入 ABCD-EFGH。"
)

var tags = regexp.MustCompile("<[^>]*>")

// TestRealChat holds what New takes for granted of OpenClaw: its answers, what
// it keeps under a key, and what its command does without the gateway.
func TestRealChat(t *testing.T) {
	for _, version := range []string{lab.SharedDatabase, lab.AgentDatabase, lab.JSONFiles} {
		t.Run(version, func(t *testing.T) {
			r := newRealChat(t, version)
			gateway := r.Start(t)
			for _, tc := range []struct {
				name string
				run  func(*testing.T, *realChat)
			}{
				{"answers", realAnswers},
				{"a failure is not answered from memory", realFailureEnds},
				{"an answer that is lost", realAnswerLost},
				{"a channel without actions", realWithoutAction},
				{"a gateway that does not let ocwatch in", realCommand},
			} {
				t.Run(tc.name, func(t *testing.T) { tc.run(t, r) })
			}
			gateway.Stop(t)
			t.Run("a gateway that is down", func(t *testing.T) { realDown(t, r) })
		})
	}
}

// realChat is a release with a chat on loopback, and ocwatch's way to it.
type realChat struct {
	*lab.Lab

	install *openclaw.Install
	gateway *openclaw.Gateway
	n       int
}

func newRealChat(t *testing.T, version string) *realChat {
	t.Helper()
	l := lab.New(t, lab.Options{Version: version, Telegram: true})
	for _, kv := range l.Env() { // OpenClaw's command inherits it
		name, value, _ := strings.Cut(kv, "=")
		t.Setenv(name, value)
	}
	install, err := openclaw.Find(openclaw.Options{Home: l.Home, Command: l.Install.CLI()})
	if err != nil {
		t.Fatal(err)
	}
	r := &realChat{Lab: l, install: install, gateway: install.Gateway()}
	t.Cleanup(func() { _ = r.gateway.Close() }) // the test is over
	return r
}

func (r *realChat) to(channel, target string) notify.Sender {
	return chat.New(chat.Options{Gateway: r.gateway, Channel: channel, Target: target})
}

// message is one that was never sent before.
func (r *realChat) message() notify.Outgoing {
	r.n++
	return notify.Outgoing{ID: fmt.Sprintf("msg_%d", r.n), Body: []byte(realText)}
}

// arrived demands that n texts have come since the mark, and nothing else.
func (r *realChat) arrived(t *testing.T, mark, n int) {
	t.Helper()
	got := r.Telegram.Sent(mark)
	if len(got) != n {
		t.Fatalf("%d texts arrived, want %d: %+v", len(got), n, got)
	}
	for _, m := range got {
		shown := html.UnescapeString(tags.ReplaceAllString(m.Text, ""))
		if shown != strings.ReplaceAll(realText, realLink+"，", realLink+" ，") {
			t.Errorf("it is not shown as it was written: %q", shown)
		}
		if n := strings.Count(m.Text, `href="`+html.EscapeString(realLink)+`"`); n != 2 {
			t.Errorf("%d links lead to where they should, want 2: %q", n, m.Text)
		}
	}
}

func want(t *testing.T, a notify.Answer, kind notify.AnswerKind, says string) {
	t.Helper()
	if a.Kind != kind || !strings.Contains(a.Text, says) {
		t.Errorf("answer %+v, want kind %d with %q", a, kind, says)
	}
}

func realAnswers(t *testing.T, r *realChat) {
	t.Helper()
	mark := len(r.Telegram.Sent(0))
	for _, tc := range []struct {
		name            string
		channel, target string
		status          int // of the Bot API, with the words
		words           string
		kind            notify.AnswerKind
		says            string
	}{
		{"a channel that is not set up", "discord", "1", 0, "", notify.Refused, "no such channel"},
		{"a channel nobody has heard of", "nosuch", "1", 0, "", notify.Refused, "no such channel"},
		{"a chat nobody has", "telegram", "999", 0, "", notify.Refused, "target"},
		{"a name nobody has", "telegram", "@nobody", 0, "", notify.Refused, "target"},
		{"what is no target", "telegram", "what is this", 0, "", notify.Refused, "target"},
		{"a bot that was blocked", "telegram", lab.TelegramOwner, http.StatusForbidden, "Forbidden: bot was blocked by the user", notify.Refused, "blocked"},
		{"a bot's token that was revoked", "telegram", lab.TelegramOwner, http.StatusUnauthorized, "Unauthorized", notify.Refused, "token"},
		{"a channel in trouble", "telegram", lab.TelegramOwner, http.StatusBadGateway, "Bad Gateway", notify.Failed, "openclaw logs"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			r.Telegram.Refuse("sendMessage", tc.status, tc.words)
			defer r.Telegram.Refuse("sendMessage", 0, "")
			want(t, r.to(tc.channel, tc.target).Send(t.Context(), r.message()), tc.kind, tc.says)
		})
	}
	r.arrived(t, mark, 0)
}

func realFailureEnds(t *testing.T, r *realChat) {
	t.Helper()
	mark, c, m := len(r.Telegram.Sent(0)), r.to("telegram", lab.TelegramOwner), r.message()
	r.Telegram.Drop("sendMessage", 1)
	want(t, c.Send(t.Context(), m), notify.Failed, "openclaw logs")
	want(t, c.Send(t.Context(), m), notify.Accepted, "telegram")
	r.arrived(t, mark, 1)
	// Another ocwatch, which does not know of the failure, is answered from
	// memory once.
	again := r.to("telegram", lab.TelegramOwner)
	want(t, again.Send(t.Context(), m), notify.Failed, "openclaw logs")
	want(t, again.Send(t.Context(), m), notify.Accepted, "telegram")
	r.arrived(t, mark, 1)
}

func realAnswerLost(t *testing.T, r *realChat) {
	t.Helper()
	mark, m := len(r.Telegram.Sent(0)), r.message()
	calls := r.Telegram.Calls()["sendMessage"]
	release := r.Telegram.Hold("sendMessage")
	defer release()
	ctx, cancel := context.WithCancel(t.Context())
	first := make(chan notify.Answer, 1)
	go func() { first <- r.to("telegram", lab.TelegramOwner).Send(ctx, m) }()
	r.Telegram.AwaitCalls(t, "sendMessage", calls+1)
	cancel()
	want(t, <-first, notify.Failed, "")
	release()
	want(t, r.to("telegram", lab.TelegramOwner).Send(t.Context(), m), notify.Accepted, "telegram")
	r.arrived(t, mark, 1)
}

// only is a gateway that offers none but one way to send.
type only struct {
	*openclaw.Gateway

	method string
	err    error
}

func (o only) Has(_ context.Context, method string) (bool, error) { return method == o.method, o.err }

func realWithoutAction(t *testing.T, r *realChat) {
	t.Helper()
	mark, m := len(r.Telegram.Sent(0)), r.message()
	c := chat.New(chat.Options{Gateway: only{r.gateway, "send", nil}, Channel: "telegram", Target: lab.TelegramOwner})
	for range 2 {
		want(t, c.Send(t.Context(), m), notify.Accepted, "telegram")
	}
	r.arrived(t, mark, 1)
}

func realCommand(t *testing.T, r *realChat) {
	t.Helper()
	mark := len(r.Telegram.Sent(0))
	c := chat.New(chat.Options{
		Gateway: only{r.gateway, "", openclaw.ErrUnauthorized}, CLI: r.install.CLI(), Channel: "telegram", Target: lab.TelegramOwner,
	})
	want(t, c.Send(t.Context(), r.message()), notify.Accepted, "message send")
	r.arrived(t, mark, 1)
}

// Telegram is among the channels to which OpenClaw's command does not send by
// itself: nothing is sent, and the command is not run again and again.
func realDown(t *testing.T, r *realChat) {
	t.Helper()
	mark, m := len(r.Telegram.Sent(0)), r.message()
	c := chat.New(chat.Options{Gateway: r.gateway, CLI: r.install.CLI(), Channel: "telegram", Target: lab.TelegramOwner})
	want(t, c.Send(t.Context(), m), notify.Failed, "not reachable")
	want(t, c.Send(t.Context(), m), notify.Failed, "needs it")
	start := time.Now()
	want(t, c.Send(t.Context(), m), notify.Failed, "not reachable")
	t.Logf("the third attempt took %s", time.Since(start).Round(time.Millisecond))
	r.arrived(t, mark, 0)
	r.Start(t)
	want(t, c.Send(t.Context(), m), notify.Accepted, "telegram")
	r.arrived(t, mark, 1)
}
