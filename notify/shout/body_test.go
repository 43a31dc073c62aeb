package shout

import (
	"encoding/json"
	"net/http"
	"reflect"
	"strings"
	"testing"

	"github.com/ocwatch/ocwatch/notify"
)

// accepting answers as the service does that took a message.
func accepting(w http.ResponseWriter, r *http.Request) {
	body := map[string]string{
		"api.telegram.org":    `{"ok":true,"result":{"message_id":7,"date":1,"chat":{"id":42,"type":"private"},"text":"x"}}`,
		"hooks.slack.com":     "ok",
		"slack.com":           `{"ok":true,"channel":"C0123456789","ts":"1503435956.000247","message":{"text":"x"}}`,
		"discord.com":         `{"id":"1100","channel_id":"5","content":"x","type":0}`,
		"ntfy.sh":             `{"id":"sPs71M8A2T","time":1643935928,"event":"message","topic":"t","message":"x"}`,
		"open.feishu.cn":      `{"StatusCode":0,"StatusMessage":"success","code":0,"data":{},"msg":"success"}`,
		"open.larksuite.com":  `{"code":0,"data":{},"msg":"success"}`,
		"qyapi.weixin.qq.com": `{"errcode":0,"errmsg":"ok"}`,
	}[r.Host]
	answering(http.StatusOK, nil, body)(w, r)
}

const notice = "srv1: 登录 <needed>\nOpen https://auth.example.com/device_code?user=a_b&x=1, code AB_CD-1234\n\n*bold* @everyone <!channel> <@U1> [x](y) & `z`"

// TestBodies holds each request against the service's documentation:
//
//   - Telegram: https://core.telegram.org/bots/api#sendmessage
//   - Slack: https://docs.slack.dev/messaging/sending-messages-using-incoming-webhooks,
//     https://docs.slack.dev/reference/methods/chat.postMessage,
//     https://docs.slack.dev/messaging/formatting-message-text (what is escaped)
//   - Discord: https://docs.discord.com/developers/resources/webhook#execute-webhook
//   - ntfy: https://docs.ntfy.sh/publish/#publish-as-json
//   - Lark: https://open.feishu.cn/document/client-docs/bot-v3/add-custom-bot
//   - WeCom: https://developer.work.weixin.qq.com/document/path/99110
func TestBodies(t *testing.T) {
	slackText := "srv1: 登录 &lt;needed&gt;\nOpen https://auth.example.com/device_code?user=a_b&amp;x=1, code AB_CD-1234\n\n" +
		"*bold* @everyone &lt;!channel&gt; &lt;@U1&gt; [x](y) &amp; `z`"
	for name, c := range map[string]struct {
		url, text  string
		host, path string
		header     map[string]string
		want       string
	}{
		"telegram": {
			url: telegramURL, text: notice,
			host: "api.telegram.org", path: "/bot123456789:AAs3cr3tTelegramToken/sendMessage",
			want: `{"chat_id":"42","text":` + quoted(notice) + `,"link_preview_options":{"is_disabled":true}}`,
		},
		"telegram topic, silent, with previews": {
			url: telegramURL + ":7&notification=no&preview=yes", text: "hi",
			host: "api.telegram.org", path: "/bot123456789:AAs3cr3tTelegramToken/sendMessage",
			want: `{"chat_id":"42","message_thread_id":7,"text":"hi","disable_notification":true,"link_preview_options":{"is_disabled":false}}`,
		},
		"slack webhook": {
			url: slackHookURL, text: notice,
			host: "hooks.slack.com", path: "/services/T00S3CR3T/B00S3CR3T/s3cr3tSlackHookToken00000",
			want: `{"text":` + quoted(slackText) + `,"mrkdwn":false,"unfurl_links":false,"unfurl_media":false}`,
		},
		"slack bot": {
			url: slackBotURL + "?botname=ocwatch&icon=robot_face&thread_ts=1.2", text: notice,
			host: "slack.com", path: "/api/chat.postMessage",
			header: map[string]string{"Authorization": "Bearer xoxb-123S3CR3T456-123S3CR3T456-s3cr3tSlackBotToken000000"},
			want: `{"channel":"C0123456789","username":"ocwatch","icon_emoji":"robot_face","thread_ts":"1.2","text":` + quoted(slackText) +
				`,"mrkdwn":false,"unfurl_links":false,"unfurl_media":false}`,
		},
		"discord": {
			url: discordURL + "?username=ocwatch&thread_id=77", text: notice,
			host: "discord.com", path: "/api/webhooks/987654321/s3cr3tDiscordToken?thread_id=77&wait=true",
			want: `{"content":` + quoted("srv1: 登录 \\<needed>\nOpen https://auth.example.com/device_code?user=a_b&x=1, code AB\\_CD-1234\n\n"+
				"\\*bold\\* @everyone \\<!channel> \\<@U1> \\[x\\](y) & \\`z\\`") +
				`,"username":"ocwatch","flags":4,"allowed_mentions":{"parse":[]}}`,
		},
		"discord where a line begins": {
			url: discordURL, text: "# a\n> b\n  - c\n-# d\nhttps://example.com/a_b# e\n1. f",
			host: "discord.com", path: "/api/webhooks/987654321/s3cr3tDiscordToken?wait=true",
			want: `{"content":` + quoted("\\# a\n\\> b\n  \\- c\n\\-# d\nhttps://example.com/a_b# e\n1. f") + `,"flags":4,"allowed_mentions":{"parse":[]}}`,
		},
		"ntfy": {
			url: ntfyURL + "?priority=high&tags=warning,key&click=https://example.com&cache=no&firebase=no", text: "srv1: 登录\nline two\nline three",
			host: "ntfy.sh", path: "/",
			header: map[string]string{"Authorization": "Basic YWxpY2U6czNjcjN0TnRmeVBhc3N3b3Jk", "Cache": "no", "Firebase": "no"},
			want:   `{"topic":"s3cr3t-topic","title":"srv1: 登录","message":"line two\nline three","priority":4,"tags":["warning","key"],"click":"https://example.com"}`,
		},
		"ntfy with one line and an access token": {
			url: "ntfy://:tk_s3cr3t@ntfy.sh/s3cr3t-topic", text: "only this",
			host: "ntfy.sh", path: "/",
			header: map[string]string{"Authorization": "Basic OnRrX3MzY3IzdA=="},
			want:   `{"topic":"s3cr3t-topic","message":"only this","priority":3}`,
		},
		"ntfy with a title of the owner's": {
			url: "ntfy://ntfy.sh/s3cr3t-topic?title=home", text: "a\nb",
			host: "ntfy.sh", path: "/",
			header: map[string]string{"Authorization": "", "Cache": ""},
			want:   `{"topic":"s3cr3t-topic","title":"home","message":"a\nb","priority":3}`,
		},
		"lark": {
			url: "lark://open.larksuite.com/s3cr3t-lark-token", text: "srv1: 登录\n打开 https://auth.example.com/device?a=1。\n\n<at user_id=\"all\">所有人</at>",
			host: "open.larksuite.com", path: "/open-apis/bot/v2/hook/s3cr3t-lark-token",
			want: `{"msg_type":"post","content":{"post":{"zh_cn":{"title":"srv1: 登录","content":[
				[{"tag":"text","text":"打开 "},{"tag":"a","text":"https://auth.example.com/device?a=1","href":"https://auth.example.com/device?a=1"},{"tag":"text","text":"。"}],
				[{"tag":"text","text":" "}],
				[{"tag":"text","text":"<at user_id=\"all\">所有人</at>"}]]}}}}`,
		},
		"wecom": {
			url: wecomURL + "?mentioned_list=wang,@all&mentioned_mobile_list=13800001111", text: "srv1: 登录 <@wang>\n*b*",
			host: "qyapi.weixin.qq.com", path: "/cgi-bin/webhook/send?key=s3cr3t-wecom-key",
			want: `{"msgtype":"text","text":{"content":"srv1: 登录 ＜@wang>\n*b*","mentioned_list":["wang","@all"],"mentioned_mobile_list":["13800001111"]}}`,
		},
	} {
		t.Run(name, func(t *testing.T) {
			r := newChatServer(t, accepting)
			if a := send(t, mustNew(t, c.url, r.wires), c.text); a.Kind != notify.Accepted {
				t.Fatalf("answer %+v", a)
			}
			got := r.requests()
			if len(got) != 1 {
				t.Fatalf("%d requests, want 1", len(got))
			}
			if got[0].host != c.host || got[0].path != c.path {
				t.Errorf("asked %s %s, want %s %s", got[0].host, got[0].path, c.host, c.path)
			}
			for key, want := range c.header {
				if v := got[0].header.Get(key); v != want {
					t.Errorf("%s: %q, want %q", key, v, want)
				}
			}
			if v := got[0].header.Get("Content-Type"); v != "application/json; charset=utf-8" {
				t.Errorf("Content-Type: %q", v)
			}
			var want map[string]any
			if err := json.Unmarshal([]byte(c.want), &want); err != nil {
				t.Fatal(err)
			}
			if !reflect.DeepEqual(got[0].body, want) {
				t.Errorf("body\n%v, want\n%v", got[0].body, want)
			}
		})
	}
}

func quoted(s string) string {
	b, err := json.Marshal(s)
	if err != nil {
		panic(err)
	}
	return string(b)
}

// larkSignature was worked out with openssl, by the recipe in Lark's
// documentation:
//
//	printf '' | openssl dgst -sha256 -mac HMAC -macopt hexkey:$(printf '1599360473\ndemo' | xxd -p) -binary | base64
const larkSignature = "l1N0gAcBjdwBvGm1xMjOF0XSyaLRpR7tuO5dHfhAYc8="

func TestLarkSignature(t *testing.T) {
	if got := signLark("1599360473", "demo"); got != larkSignature {
		t.Errorf("signature %q, want %q", got, larkSignature)
	}
	r := newChatServer(t, accepting)
	if a := send(t, mustNew(t, larkURL, r.wires), "hi"); a.Kind != notify.Accepted {
		t.Fatalf("answer %+v", a)
	}
	body := r.requests()[0].body
	at, _ := body["timestamp"].(string)
	if body["sign"] != signLark(at, "s3cr3tLarkSecret") || len(at) != 10 {
		t.Errorf("signed %v at %q", body["sign"], at)
	}
}

// TestLongMessages: a message that a service would refuse or cut goes out in
// parts, none too long, nothing lost, no character and no link cut.
func TestLongMessages(t *testing.T) {
	line := "openai:alice_b@example.com 5h 窗口已用 100 %, https://example.com/a_b?c=d&e=f <x>\n"
	text := strings.TrimSpace(strings.Repeat(line, 130))
	content := func(body map[string]any, keys ...string) string {
		var v any = body
		for _, key := range keys {
			m, _ := v.(map[string]any)
			v = m[key]
		}
		s, _ := v.(string)
		return s
	}
	for name, c := range map[string]struct {
		url   string
		text  func(map[string]any) string
		size  func(string) int
		limit int
		plain func(string) string
	}{
		"telegram": {telegramURL, func(b map[string]any) string { return content(b, "text") }, utf16Length, 4096, asIs},
		"discord":  {discordURL, func(b map[string]any) string { return content(b, "content") }, utf16Length, 2000, func(s string) string { return strings.ReplaceAll(s, `\`, "") }},
		"slack":    {slackHookURL, func(b map[string]any) string { return content(b, "text") }, func(s string) int { return len([]rune(s)) }, 4000, unescapeSlack},
		"wecom":    {wecomURL, func(b map[string]any) string { return content(b, "text", "content") }, func(s string) int { return len(s) }, 2048, asIs},
		"ntfy":     {ntfyURL + "?title=x", func(b map[string]any) string { return content(b, "message") }, func(s string) int { return len(s) }, 4096, asIs},
	} {
		t.Run(name, func(t *testing.T) {
			r := newChatServer(t, accepting)
			if a := send(t, mustNew(t, c.url, r.wires), text); a.Kind != notify.Accepted {
				t.Fatalf("answer %+v", a)
			}
			var lines []string
			for _, h := range r.requests() {
				part := c.text(h.body)
				if n := c.size(part); n > c.limit || n < c.limit/3 && len(lines) == 0 {
					t.Errorf("a part of %d, limit %d", n, c.limit)
				}
				lines = append(lines, strings.Split(c.plain(part), "\n")...)
			}
			if got := strings.Join(lines, "\n"); got != text {
				t.Errorf("something was lost or cut:\n%s", got)
			}
		})
	}
}

func asIs(s string) string { return s }

func unescapeSlack(s string) string {
	return strings.NewReplacer("&lt;", "<", "&gt;", ">", "&amp;", "&").Replace(s)
}

func utf16Length(s string) int {
	n := 0
	for _, r := range s {
		n += inUTF16(r)
	}
	return n
}
