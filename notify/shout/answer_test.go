package shout

import (
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/ocwatch/ocwatch/notify"
)

// TestAnswers: what a service says, in the shapes its documentation gives,
// becomes the right answer; above all a no in the body of a 200. Sources:
//
//   - Telegram: https://core.telegram.org/bots/api#making-requests (ok, error_code, description, parameters.retry_after)
//   - Slack: https://docs.slack.dev/messaging/sending-messages-using-incoming-webhooks,
//     https://api.slack.com/changelog/2016-05-17-changes-to-errors-for-incoming-webhooks,
//     https://docs.slack.dev/reference/methods/chat.postMessage, https://docs.slack.dev/apis/web-api/rate-limits
//   - Discord: https://docs.discord.com/developers/topics/rate-limits, https://docs.discord.com/developers/topics/opcodes-and-status-codes#json
//   - ntfy: https://docs.ntfy.sh/publish/#limitations, and its server/errors.go
//   - Lark: https://open.feishu.cn/document/client-docs/bot-v3/add-custom-bot
//   - WeCom: https://developer.work.weixin.qq.com/document/path/90313
func TestAnswers(t *testing.T) {
	for name, c := range map[string]struct {
		url    string
		status int
		header map[string]string
		body   string
		kind   notify.AnswerKind
		later  time.Duration
		words  string
	}{
		"telegram, unknown chat": {
			telegramURL, 400, nil, `{"ok":false,"error_code":400,"description":"Bad Request: chat not found"}`,
			notify.Refused, 0, "400 Bad Request: the chat does not exist, or nobody has written to the bot there yet",
		},
		"telegram, wrong token": {
			telegramURL, 401, nil, `{"ok":false,"error_code":401,"description":"Unauthorized"}`,
			notify.Refused, 0, "401 Unauthorized: the bot's token is wrong or was revoked",
		},
		"telegram, no such bot": {
			telegramURL, 404, nil, `{"ok":false,"error_code":404,"description":"Not Found"}`,
			notify.Refused, 0, "404 Not Found: the bot's token is wrong or was revoked",
		},
		"telegram, blocked": {
			telegramURL, 403, nil, `{"ok":false,"error_code":403,"description":"Forbidden: bot was blocked by the user"}`,
			notify.Refused, 0, "403 Forbidden: the bot was blocked; start it again in Telegram",
		},
		"telegram, a group that became another": {
			telegramURL, 400, nil, `{"ok":false,"error_code":400,"description":"Bad Request: group chat was upgraded to a supergroup chat","parameters":{"migrate_to_chat_id":-1001}}`,
			notify.Refused, 0, "400 Bad Request: the group became a supergroup and has a new chat id",
		},
		"telegram, anything else": {
			telegramURL, 400, nil, `{"ok":false,"error_code":400,"description":"Bad Request: something new"}`,
			notify.Refused, 0, "400 Bad Request: Telegram does not take the message",
		},
		"telegram, too many": {
			telegramURL, 429, nil, `{"ok":false,"error_code":429,"description":"Too Many Requests: retry after 37","parameters":{"retry_after":37}}`,
			notify.Failed, 37 * time.Second, "429 Too Many Requests",
		},
		"telegram, too many for a day": {
			telegramURL, 429, nil, `{"ok":false,"error_code":429,"parameters":{"retry_after":86400}}`,
			notify.Failed, time.Hour, "429 Too Many Requests",
		},
		"telegram, a gateway's fault":  {telegramURL, 502, nil, "<html>Bad Gateway</html>", notify.Failed, 0, "502 Bad Gateway"},
		"telegram, ok false in a 200":  {telegramURL, 200, nil, `{"ok":false,"error_code":500,"description":"Internal"}`, notify.Failed, 0, "200 OK, but it is not what Telegram answers; something stands between"},
		"telegram, a login page's 200": {telegramURL, 200, nil, "<html>Please accept the terms</html>", notify.Failed, 0, "200 OK, but it is not what Telegram answers; something stands between"},
		"telegram, an empty 200":       {telegramURL, 200, nil, "", notify.Failed, 0, "200 OK, but it is not what Telegram answers; something stands between"},
		"telegram, moved": {
			telegramURL, 302,
			map[string]string{"Location": "https://slack.com/elsewhere"},
			"",
			notify.Refused, 0, "302 Found: redirects are not followed; set url to where it leads",
		},

		"slack webhook, removed":         {slackHookURL, 404, nil, "no_service", notify.Gone, 0, "404 Not Found: no_service, the webhook was removed or switched off in Slack"},
		"slack webhook, wrong token":     {slackHookURL, 403, nil, "invalid_token", notify.Refused, 0, "403 Forbidden: invalid_token, the token is wrong, expired or revoked"},
		"slack webhook, forbidden":       {slackHookURL, 403, nil, "action_prohibited", notify.Refused, 0, "403 Forbidden: action_prohibited, the workspace's rules forbid it"},
		"slack webhook, archived":        {slackHookURL, 410, nil, "channel_is_archived", notify.Refused, 0, "410 Gone: channel_is_archived, the channel is archived"},
		"slack webhook, no channel":      {slackHookURL, 404, nil, "channel_not_found", notify.Refused, 0, "404 Not Found: channel_not_found, the channel does not exist, or the bot may not see it"},
		"slack webhook, payload":         {slackHookURL, 400, nil, "invalid_payload", notify.Refused, 0, "400 Bad Request: invalid_payload, Slack does not take the text"},
		"slack webhook, its own fault":   {slackHookURL, 500, nil, "rollup_error", notify.Failed, 0, "500 Internal Server Error: rollup_error, a fault at Slack's"},
		"slack webhook, something new":   {slackHookURL, 403, nil, "brand_new_word", notify.Refused, 0, "403 Forbidden"},
		"slack webhook, too many":        {slackHookURL, 429, map[string]string{"Retry-After": "30"}, "rate_limited", notify.Failed, 30 * time.Second, "429 Too Many Requests: rate_limited, too many messages"},
		"slack webhook, a no in a 200":   {slackHookURL, 200, nil, "no_service", notify.Gone, 0, "200 OK, but it is not what Slack answers; something stands between: no_service, the webhook was removed or switched off in Slack"},
		"slack webhook, a stranger's ok": {slackHookURL, 200, nil, "<html>ok</html>", notify.Failed, 0, "200 OK, but it is not what Slack answers; something stands between"},

		"slack bot, wrong token":    {slackBotURL, 200, nil, `{"ok":false,"error":"invalid_auth"}`, notify.Refused, 0, "Slack answered invalid_auth: the token is wrong, expired or revoked"},
		"slack bot, not invited":    {slackBotURL, 200, nil, `{"ok":false,"error":"not_in_channel"}`, notify.Refused, 0, "Slack answered not_in_channel: invite the bot into the channel"},
		"slack bot, no scope":       {slackBotURL, 200, nil, `{"ok":false,"error":"missing_scope","needed":"chat:write"}`, notify.Refused, 0, "Slack answered missing_scope: the app needs the scope chat:write"},
		"slack bot, too many":       {slackBotURL, 429, map[string]string{"Retry-After": "7"}, `{"ok":false,"error":"ratelimited"}`, notify.Failed, 7 * time.Second, "Slack answered ratelimited: too many messages"},
		"slack bot, its own fault":  {slackBotURL, 200, nil, `{"ok":false,"error":"internal_error"}`, notify.Failed, 0, "Slack answered internal_error: a fault at Slack's"},
		"slack bot, something new":  {slackBotURL, 200, nil, `{"ok":false,"error":"brand_new_word"}`, notify.Refused, 0, "Slack does not take the message, for a reason that is not known here"},
		"slack bot, other JSON":     {slackBotURL, 200, nil, `{"status":"fine"}`, notify.Failed, 0, "200 OK, but it is not what Slack answers; something stands between"},
		"slack bot, a gateway's no": {slackBotURL, 503, map[string]string{"Retry-After": "120"}, "", notify.Failed, 2 * time.Minute, "503 Service Unavailable"},

		"discord, deleted": {discordURL, 404, nil, `{"message":"Unknown Webhook","code":10015}`, notify.Gone, 0, "404 Not Found: the webhook was deleted in Discord"},
		"discord, wrong token": {
			discordURL, 401, nil, `{"message":"Invalid Webhook Token","code":50027}`, notify.Refused, 0,
			"401 Unauthorized: the webhook's token is wrong",
		},
		"discord, wrong form": {
			discordURL, 400, nil, `{"code":50035,"errors":{"content":{"_errors":[{"code":"BASE_TYPE_MAX_LENGTH","message":"Must be 2000 or fewer in length."}]}},"message":"Invalid Form Body"}`,
			notify.Refused, 0, "400 Bad Request: Discord's error 50035",
		},
		"discord, too many": {
			discordURL, 429,
			map[string]string{"Retry-After": "65"},
			`{"message":"You are being rate limited.","retry_after":64.57,"global":false}`,
			notify.Failed, 65 * time.Second, "429 Too Many Requests",
		},
		"discord, too many for a moment": {discordURL, 429, nil, `{"message":"You are being rate limited.","retry_after":0.5,"global":true}`, notify.Failed, 500 * time.Millisecond, "429 Too Many Requests"},
		"discord, no such path":          {discordURL, 404, nil, `{"message":"404: Not Found","code":0}`, notify.Refused, 0, "404 Not Found"},
		"discord, not saved":             {discordURL, 204, nil, "", notify.Failed, 0, "204 No Content, but it is not what Discord answers; something stands between"},
		"discord, down":                  {discordURL, 503, nil, "upstream connect error", notify.Failed, 0, "503 Service Unavailable"},

		"ntfy, wrong password":   {ntfyURL, 401, nil, `{"code":40101,"http":401,"error":"unauthorized","link":"https://ntfy.sh/docs/publish/#authentication"}`, notify.Refused, 0, "401 Unauthorized: ntfy's error 40101, the user, password or token is wrong"},
		"ntfy, not this topic":   {ntfyURL, 403, nil, `{"code":40301,"http":403,"error":"forbidden"}`, notify.Refused, 0, "403 Forbidden: ntfy's error 40301, this user may not write to the topic"},
		"ntfy, too many":         {ntfyURL, 429, nil, `{"code":42901,"http":429,"error":"limit reached: too many requests"}`, notify.Failed, 0, "429 Too Many Requests: ntfy's error 42901"},
		"ntfy, too many a day":   {ntfyURL, 429, nil, `{"code":42908,"http":429,"error":"limit reached: daily message quota reached"}`, notify.Failed, 0, "429 Too Many Requests: ntfy's error 42908"},
		"ntfy, wrong request":    {ntfyURL, 400, nil, `{"code":40021,"http":400,"error":"invalid request: icon URL is invalid"}`, notify.Refused, 0, "400 Bad Request: ntfy's error 40021"},
		"ntfy, another server's": {ntfyURL, 200, nil, `{"healthy":true}`, notify.Failed, 0, "200 OK, but it is not what ntfy answers; something stands between"},

		"lark, removed":           {larkURL, 200, nil, `{"code":19001,"data":{},"msg":"param invalid: incoming webhook access token invalid"}`, notify.Gone, 0, "Lark answered code 19001: the bot was removed from the group, or its webhook address is another one"},
		"lark, removed, as a 400": {larkURL, 400, nil, `{"code":19001,"data":{},"msg":"param invalid: incoming webhook access token invalid"}`, notify.Gone, 0, "Lark answered code 19001: the bot was removed from the group, or its webhook address is another one"},
		"lark, signature":         {larkURL, 200, nil, `{"code":19021,"data":{},"msg":"sign match fail or timestamp is not within one hour from current time"}`, notify.Refused, 0, "Lark answered code 19021: the secret is wrong, or this machine's clock is off by an hour"},
		"lark, address":           {larkURL, 200, nil, `{"code":19022,"msg":"Ip Not Allowed"}`, notify.Refused, 0, "Lark answered code 19022: the bot's settings do not allow this machine's IP address"},
		"lark, keyword":           {larkURL, 200, nil, `{"code":19024,"msg":"Key Words Not Found"}`, notify.Refused, 0, "Lark answered code 19024: the bot's settings want a keyword that the text does not have; use the signature instead"},
		"lark, body":              {larkURL, 200, nil, `{"code":9499,"msg":"Bad Request","data":{}}`, notify.Refused, 0, "Lark answered code 9499: Lark does not take the text"},
		"lark, too many":          {larkURL, 200, nil, `{"code":11232,"msg":"frequency limited psm[lark.oapi.app_platform_runtime]"}`, notify.Failed, 0, "Lark answered code 11232: too many messages"},
		"lark, too many, as 429":  {larkURL, 429, map[string]string{"Retry-After": "9"}, `{"code":77777,"msg":"limited"}`, notify.Failed, 9 * time.Second, "Lark answered code 77777: Lark does not take the message"},
		"lark, an old answer":     {larkURL, 200, nil, `{"StatusCode":0,"StatusMessage":"success"}`, notify.Accepted, 0, "delivered"},
		"lark, an old no":         {larkURL, 200, nil, `{"StatusCode":19024,"StatusMessage":"x"}`, notify.Refused, 0, "Lark answered code 19024: the bot's settings want a keyword that the text does not have; use the signature instead"},
		"lark, no answer of its":  {larkURL, 200, nil, `{}`, notify.Failed, 0, "200 OK, but it is not what Lark answers; something stands between"},

		"wecom, removed":          {wecomURL, 200, nil, `{"errcode":93000,"errmsg":"invalid webhook url, hint: [1700000000], from ip: 192.0.2.1"}`, notify.Gone, 0, "WeCom answered errcode 93000: the robot was removed from the group, or its key is another one"},
		"wecom, too many":         {wecomURL, 200, nil, `{"errcode":45009,"errmsg":"api freq out of limit"}`, notify.Failed, time.Minute, "WeCom answered errcode 45009: too many messages; a robot may send 20 a minute"},
		"wecom, busy":             {wecomURL, 200, nil, `{"errcode":-1,"errmsg":"system busy"}`, notify.Failed, 0, "WeCom answered errcode -1: a fault at WeCom's"},
		"wecom, too long":         {wecomURL, 200, nil, `{"errcode":40058,"errmsg":"text.content exceed max length 2048"}`, notify.Refused, 0, "WeCom answered errcode 40058: WeCom does not take the text"},
		"wecom, something new":    {wecomURL, 200, nil, `{"errcode":12345,"errmsg":"?"}`, notify.Refused, 0, "WeCom answered errcode 12345: WeCom does not take the message"},
		"wecom, no answer of its": {wecomURL, 200, nil, `{"ok":true}`, notify.Failed, 0, "200 OK, but it is not what WeCom answers; something stands between"},
		"wecom, a gateway's no":   {wecomURL, 504, nil, `{"errcode":0}`, notify.Failed, 0, "504 Gateway Timeout"},
	} {
		t.Run(name, func(t *testing.T) {
			r := newChatServer(t, answering(c.status, c.header, c.body))
			got := send(t, mustNew(t, c.url, r.wires), "srv1: hello\nworld")
			if want := (notify.Answer{Kind: c.kind, Text: c.words, RetryAfter: c.later}); got != want {
				t.Errorf("got  %+v\nwant %+v", got, want)
			}
			if n := len(r.requests()); n != 1 {
				t.Errorf("%d requests, want 1: nothing is repeated or followed", n)
			}
		})
	}
}

// TestRoomsAreIndependent: what one chat has had, it does not get again because
// another one did not take it.
func TestRoomsAreIndependent(t *testing.T) {
	var refuse, fail string
	var got []string
	r := newChatServer(t, nil)
	r.answer = func(w http.ResponseWriter, _ *http.Request) {
		all := r.requests()
		chat, _ := all[len(all)-1].body["chat_id"].(string)
		got = append(got, chat)
		switch chat {
		case refuse:
			answering(403, nil, `{"ok":false,"error_code":403,"description":"Forbidden: bot was blocked by the user"}`)(w, nil)
		case fail:
			answering(429, nil, `{"ok":false,"error_code":429,"parameters":{"retry_after":5}}`)(w, nil)
		default:
			answering(200, nil, `{"ok":true,"result":{"message_id":1}}`)(w, nil)
		}
	}
	s := mustNew(t, telegramURL+",43,44", r.wires)
	for _, step := range []struct {
		refuse, fail string
		want         notify.Answer
		asked        string
	}{
		{"42", "43", notify.Answer{Kind: notify.Failed, Text: "not delivered to 2 of 3 recipients: 429 Too Many Requests", RetryAfter: 5 * time.Second}, "42 43 44"},
		{"42", "", notify.Answer{Kind: notify.Refused, Text: "not delivered to 1 of 3 recipients: 403 Forbidden: the bot was blocked; start it again in Telegram"}, "42 43"},
		{"", "", notify.Answer{Kind: notify.Accepted, Text: "delivered"}, "42"},
	} {
		refuse, fail, got = step.refuse, step.fail, nil
		if a := send(t, s, "hello"); a != step.want {
			t.Errorf("got  %+v\nwant %+v", a, step.want)
		}
		if asked := strings.Join(got, " "); asked != step.asked {
			t.Errorf("asked %s, want %s", asked, step.asked)
		}
	}
	got = nil
	if a := s.Send(t.Context(), notify.Outgoing{ID: "msg_2", Body: []byte("again")}); a.Kind != notify.Accepted || len(got) != 3 {
		t.Errorf("the next message: %+v, %d requests", a, len(got))
	}
}

// TestPartsAreNotRepeated: a message of several parts goes on where it stopped.
func TestPartsAreNotRepeated(t *testing.T) {
	var parts []string
	r := newChatServer(t, nil)
	r.answer = func(w http.ResponseWriter, _ *http.Request) {
		all := r.requests()
		content, _ := all[len(all)-1].body["content"].(string)
		parts = append(parts, content[:1])
		if len(parts) == 2 {
			answering(500, nil, "")(w, nil)
			return
		}
		answering(200, nil, `{"id":"1"}`)(w, nil)
	}
	s := mustNew(t, discordURL, r.wires)
	text := strings.Repeat("a", 1500) + "\n" + strings.Repeat("b", 1500) + "\n" + strings.Repeat("c", 1500)
	if a := send(t, s, text); a.Kind != notify.Failed {
		t.Errorf("got %+v", a)
	}
	if a := send(t, s, text); a.Kind != notify.Accepted {
		t.Errorf("got %+v", a)
	}
	if got := strings.Join(parts, ""); got != "abbc" {
		t.Errorf("parts came as %s", got)
	}
}

// TestSums: Gone, which switches a channel off, is only what all of it say.
func TestSums(t *testing.T) {
	gone, refused, failed := notify.Answer{Kind: notify.Gone, Text: "g"}, notify.Answer{Kind: notify.Refused, Text: "r"}, notify.Answer{Kind: notify.Failed, Text: "f"}
	for name, c := range map[string]struct {
		failed []notify.Answer
		rooms  int
		want   notify.AnswerKind
	}{
		"all had it":              {nil, 2, notify.Accepted},
		"the only one is gone":    {[]notify.Answer{gone}, 1, notify.Gone},
		"all are gone":            {[]notify.Answer{gone, gone}, 2, notify.Gone},
		"one of two is gone":      {[]notify.Answer{gone}, 2, notify.Refused},
		"gone and refused":        {[]notify.Answer{gone, refused}, 2, notify.Refused},
		"gone, and one may yet":   {[]notify.Answer{gone, failed}, 2, notify.Failed},
		"failed before a refusal": {[]notify.Answer{failed, refused}, 2, notify.Failed},
	} {
		t.Run(name, func(t *testing.T) {
			if got := sumUp(c.failed, c.rooms); got.Kind != c.want {
				t.Errorf("got %+v, want kind %d", got, c.want)
			}
		})
	}
}
