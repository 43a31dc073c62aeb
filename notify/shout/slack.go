package shout

import (
	"context"
	"errors"
	"net/http"
	"net/url"
	"strings"

	"github.com/nicholas-fedor/shoutrrr/pkg/services/chat/slack"

	"github.com/ocwatch/ocwatch/notify"
)

// slackLimit is what Slack advises for one message; it cuts at 40,000:
// https://docs.slack.dev/reference/methods/chat.postMessage.
const slackLimit = 4000

type slackChannel struct {
	web
	config *slack.Config
	hook   bool
}

func newSlack(u *url.URL, w wires) (service, error) {
	var lib slack.Service
	token := "the token is missing or has another form"
	err := initialize(&lib, u, map[error]string{slack.ErrInvalidToken: token, slack.ErrMismatchedTokenSeparators: token})
	if err != nil {
		return nil, err
	}
	s := slackChannel{web: web{w.client}, config: lib.Config, hook: !lib.Config.Token.IsAPIToken()}
	if !s.hook && (s.config.Channel == "" || s.config.Channel == "webhook") {
		return nil, errors.New("a bot's token needs the id of a channel behind the @")
	}
	return s, nil
}

func (s slackChannel) shown() string {
	if s.hook {
		return "slack://hooks.slack.com"
	}
	return "slack://slack.com"
}

func (slackChannel) rooms() int { return 1 }

func (slackChannel) letters(text string) []letter {
	return untitled(splitText(text, slackLimit, func(r rune) int { return len(escapeSlack(string(r))) }))
}

// escapeSlack keeps Slack from reading <!channel>, <@someone> and links with
// another text out of a message.
func escapeSlack(text string) string {
	return strings.NewReplacer("&", "&amp;", "<", "&lt;", ">", "&gt;").Replace(text)
}

// slackMessage adds what keeps a text plain, and Slack from opening the address
// of a login for a preview.
type slackMessage struct {
	slack.MessagePayload
	Mrkdwn      bool `json:"mrkdwn"`
	UnfurlLinks bool `json:"unfurl_links"`
	UnfurlMedia bool `json:"unfurl_media"`
}

func (s slackChannel) deliver(ctx context.Context, _ int, l letter) notify.Answer {
	m := slackMessage{MessagePayload: slack.MessagePayload{
		Text: escapeSlack(l.text), BotName: s.config.BotName, ThreadTS: s.config.ThreadTS,
	}}
	m.SetIcon(s.config.Icon)
	if s.hook {
		r, a := s.post(ctx, s.config.Token.WebhookURL(), nil, m)
		if r.status == 0 {
			return a
		}
		return judgeSlackHook(r)
	}
	m.Channel = s.config.Channel
	header := http.Header{"Authorization": {s.config.Token.Authorization()}}
	r, a := s.post(ctx, "https://slack.com/api/chat.postMessage", header, m)
	if r.status == 0 {
		return a
	}
	return judgeSlackAPI(r)
}

// judgeSlackHook reads a webhook's answer: a word as text.
func judgeSlackHook(r reply) notify.Answer {
	code := strings.TrimSpace(string(r.body))
	a := r.answer()
	if a.Kind == notify.Accepted {
		if code == "ok" {
			return a
		}
		a = unreadable(r.status, "Slack")
	}
	if kind, words, ok := slackWords(code); ok {
		a.Kind = kind
		return saying(a, code+", "+words)
	}
	return a
}

// judgeSlackAPI reads the Web API's answer, which is a 200 also where it is a
// no.
func judgeSlackAPI(r reply) notify.Answer {
	var said struct {
		OK    *bool  `json:"ok"`
		Error string `json:"error"`
	}
	ours := r.decode(&said) && said.OK != nil
	a := r.answer()
	switch {
	case a.Kind == notify.Accepted && !ours:
		return unreadable(r.status, "Slack")
	case a.Kind == notify.Accepted && *said.OK, !ours:
		return a
	}
	if kind, words, ok := slackWords(said.Error); ok {
		return notify.Answer{Kind: kind, Text: "Slack answered " + said.Error + ": " + words, RetryAfter: a.RetryAfter}
	}
	if a.Kind == notify.Accepted {
		return notify.Answer{Kind: notify.Refused, Text: "Slack does not take the message, for a reason that is not known here"}
	}
	return a
}

// slackWords are https://docs.slack.dev/messaging/sending-messages-using-incoming-webhooks
// and https://docs.slack.dev/reference/methods/chat.postMessage.
func slackWords(code string) (notify.AnswerKind, string, bool) {
	switch code {
	case "no_service", "no_service_id", "no_team", "team_disabled":
		return notify.Gone, "the webhook was removed or switched off in Slack", true
	case "invalid_token", "invalid_auth", "not_authed", "account_inactive", "token_revoked", "token_expired":
		return notify.Refused, "the token is wrong, expired or revoked", true
	case "channel_not_found", "user_not_found":
		return notify.Refused, "the channel does not exist, or the bot may not see it", true
	case "not_in_channel":
		return notify.Refused, "invite the bot into the channel", true
	case "channel_is_archived", "is_archived":
		return notify.Refused, "the channel is archived", true
	case "action_prohibited", "restricted_action", "posting_to_general_channel_denied", "ekm_access_denied":
		return notify.Refused, "the workspace's rules forbid it", true
	case "missing_scope", "not_allowed_token_type":
		return notify.Refused, "the app needs the scope chat:write", true
	case "invalid_payload", "no_text", "msg_too_long", "invalid_arguments":
		return notify.Refused, "Slack does not take the text", true
	case "ratelimited", "rate_limited", "message_limit_exceeded":
		return notify.Failed, "too many messages", true
	case "internal_error", "fatal_error", "rollup_error", "service_unavailable", "request_timeout":
		return notify.Failed, "a fault at Slack's", true
	}
	return notify.Failed, "", false
}
