package shout

import (
	"net/http"
	"os"
	"regexp"
	"strings"
	"testing"
	"unicode/utf8"

	"pgregory.net/rapid"

	"github.com/ocwatch/ocwatch/internal/secret"
	"github.com/ocwatch/ocwatch/notify"
)

func TestURLs(t *testing.T) {
	for name, c := range map[string]struct{ url, shown string }{
		"telegram":                {telegramURL, "telegram://api.telegram.org"},
		"telegram, channels":      {"telegram://1:a@telegram?channels=@news,-100123", "telegram://api.telegram.org"},
		"slack webhook":           {slackHookURL, "slack://hooks.slack.com"},
		"slack webhook, old form": {"slack://T00S3CR3T/B00S3CR3T/s3cr3tSlackHookToken00000", "slack://hooks.slack.com"},
		"slack bot":               {slackBotURL, "slack://slack.com"},
		"discord":                 {discordURL, "discord://discord.com"},
		"ntfy":                    {ntfyURL, "ntfy://ntfy.sh"},
		"ntfy, a port":            {"ntfy://push.example.com:8443/t", "ntfy://push.example.com:8443"},
		"ntfy, this machine":      {"ntfy://127.0.0.1:8080/t?scheme=http", "ntfy://127.0.0.1:8080"},
		"ntfy, this machine too":  {"ntfy://localhost/t?disabletls=yes", "ntfy://localhost"},
		"lark":                    {larkURL, "lark://open.feishu.cn"},
		"wecom":                   {wecomURL, "wecom://qyapi.weixin.qq.com"},
		"smtp":                    {"smtp://me%40example.com:s3cr3t%2F%40@mail.example.com:587/?from=me@example.com&to=a@example.com,b+c@example.com", "smtp://mail.example.com:587"},
		"smtp, default port":      {"smtp://mail.example.com/?from=me@example.com&to=a@example.com", "smtp://mail.example.com:25"},
		"a line break behind":     {telegramURL + "\n", "telegram://api.telegram.org"},
		"Slack's own address":     {"https://hooks.slack.com/" + "services/T00S3CR3T/B00S3CR3T/s3cr3tSlackHookToken00000", "slack://hooks.slack.com"},
		"Discord's own address":   {"https://discord.com/api/webhooks/987654321/s3cr3tDiscord_Token-1?thread_id=5", "discord://discord.com"},
		"Feishu's own address":    {"https://open.feishu.cn/open-apis/bot/v2/hook/s3cr3t-lark-token?secret=x", "lark://open.feishu.cn"},
		"Lark's own address":      {"https://open.larksuite.com/open-apis/bot/v2/hook/s3cr3t-lark-token", "lark://open.larksuite.com"},
		"WeCom's own address":     {"https://qyapi.weixin.qq.com/cgi-bin/webhook/send?key=s3cr3t-wecom-key&mentioned_list=@all", "wecom://qyapi.weixin.qq.com"},
	} {
		t.Run(name, func(t *testing.T) {
			s := mustNew(t, c.url, wires{})
			if s.Shown() != c.shown || !s.Joins() || len(s.Target()) != 32 {
				t.Errorf("shown %s, joins %v, target %s; want shown %s", s.Shown(), s.Joins(), s.Target(), c.shown)
			}
		})
	}
}

func TestBadURLs(t *testing.T) {
	const services = "discord, lark, ntfy, slack, smtp, telegram, wecom"
	telegramMeant := "; telegram://TOKEN@telegram?chats=CHAT_ID is meant"
	ntfyMeant := "; ntfy://USER:PASSWORD@ntfy.sh/TOPIC is meant"
	slackMeant := "; slack://hook:T…-B…-…@webhook or slack://xoxb:…@CHANNEL_ID is meant"
	discordMeant := "; discord://TOKEN@WEBHOOK_ID is meant"
	larkMeant := "; lark://open.feishu.cn/TOKEN?secret=SECRET is meant"
	smtpMeant := "; smtp://USER:PASSWORD@mail.example.com:587/?from=ocwatch@example.com&to=me@example.com is meant"
	noService := "url does not name a service; telegram://TOKEN@telegram?chats=CHAT_ID is meant, or another of " + services
	for name, c := range map[string]struct{ url, want string }{
		"empty":                    {"", noService},
		"a bare token":             {"123456789:AAs3cr3t", noService},
		"a token where a name is":  {"AAs3cr3t://x", noService},
		"another service":          {"matrix://me:s3cr3t@example.com", `url names the service "matrix", which is not known; the services are ` + services},
		"a webhook":                {"https://example.com/s3cr3t", "url is a plain http address; it belongs under notify.webhooks, or a chat service's own has to be named: " + services},
		"an at sign in a password": {"smtp://me:s3cr3t/@mail.example.com", "smtp url: it cannot be read; in a password or token write @ as %40, : as %3A, / as %2F, % as %25"},
		"a hash in a password":     {"smtp://me:s3cr3t#@mail.example.com/", "smtp url: it cannot be read; in a password or token write @ as %40, : as %3A, / as %2F, % as %25"},
		"a hash behind":            {telegramURL + "#s3cr3t", "telegram url: a # has to be written as %23" + telegramMeant},

		"telegram, no token":       {"telegram://telegram?chats=42", "telegram url: the bot's token is missing or has another form" + telegramMeant},
		"telegram, half a token":   {"telegram://s3cr3t@telegram?chats=42", "telegram url: the bot's token is missing or has another form" + telegramMeant},
		"telegram, no chats":       {"telegram://1:s3cr3t@telegram", "telegram url: chats, the ids of whom to write to, are missing" + telegramMeant},
		"telegram, empty chats":    {"telegram://1:s3cr3t@telegram?chats=,", "telegram url: chats, the ids of whom to write to, are missing" + telegramMeant},
		"telegram, the library's":  {"telegram://dummy@dummy.com", "telegram url: it is the library's placeholder, not an address" + telegramMeant},
		"telegram, a parse mode":   {telegramURL + "&parsemode=HTML", "telegram url: an option after the ? is not one that counts here; these are: chats, channels, notification, preview" + telegramMeant},
		"telegram, no such choice": {telegramURL + "&preview=s3cr3t", "telegram url: an option after the ? has a value that makes no sense" + telegramMeant},
		"telegram, a torn escape":  {telegramURL + "%zz", "telegram url: what follows the ? cannot be read; write & as %26, % as %25 and ; as %3B there" + telegramMeant},

		"slack, no token":        {"slack://webhook", "slack url: the token is missing or has another form" + slackMeant},
		"slack, half a token":    {"slack://hook:s3cr3t@webhook", "slack url: the token is missing or has another form" + slackMeant},
		"slack, mixed token":     {"slack://hook:T00000000-B00000000,s3cr3tSlackHookToken00000@webhook", "slack url: the token is missing or has another form" + slackMeant},
		"slack bot, no channel":  {strings.Replace(slackBotURL, "C0123456789", "webhook", 1), "slack url: a bot's token needs the id of a channel behind the @" + slackMeant},
		"discord, no token":      {"discord://987654321", "discord url: the webhook's token is missing" + discordMeant},
		"discord, no id":         {"discord://s3cr3t@", "discord url: the webhook's id is missing" + discordMeant},
		"discord, ready JSON":    {discordURL + "/raw", "discord url: nothing may stand behind the webhook's id but options" + discordMeant},
		"discord, a path":        {discordURL + "/s3cr3t", "discord url: nothing may stand behind the webhook's id but options" + discordMeant},
		"lark, another host":     {"lark://s3cr3t.example.com/x", "lark url: the host is neither open.feishu.cn nor open.larksuite.com" + larkMeant},
		"lark, no token":         {"lark://open.feishu.cn?secret=s3cr3t", "lark url: the bot's token, the last part of its webhook address, is missing" + larkMeant},
		"wecom, no key":          {"wecom://", "wecom url: the robot's key is missing; wecom://KEY is meant"},
		"wecom, odd key":         {"wecom://s3cr3t.key", "wecom url: the robot's key has another form; wecom://KEY is meant"},
		"wecom, a path":          {"wecom://key/s3cr3t", "wecom url: nothing may stand behind the robot's key but options; wecom://KEY is meant"},
		"ntfy, no topic":         {"ntfy://ntfy.sh", "ntfy url: the topic is missing" + ntfyMeant},
		"ntfy, no server":        {"ntfy:///s3cr3t", "ntfy url: the server is missing" + ntfyMeant},
		"ntfy, a torn password":  {"ntfy://alice:12/s3cr3t@ntfy.sh/t", "ntfy url: a topic has up to 64 letters, digits, _ and -; in a password write / as %2F and @ as %40" + ntfyMeant},
		"ntfy, in the clear":     {"ntfy://push.example.com/t?scheme=http", "ntfy url: scheme=http and disabletls=yes are for this very machine; to another one the text would go in the clear" + ntfyMeant},
		"ntfy, in the clear too": {"ntfy://push.example.com/t?disabletls=yes", "ntfy url: scheme=http and disabletls=yes are for this very machine; to another one the text would go in the clear" + ntfyMeant},
		"ntfy, another scheme":   {"ntfy://push.example.com/t?scheme=gopher", "ntfy url: scheme is https or http" + ntfyMeant},
		"ntfy, no verification":  {ntfyURL + "?disabletlsverification=yes", "ntfy url: an option after the ? is not one that counts here; these are: title, priority, tags, click, icon, email, cache, firebase, scheme, disabletls" + ntfyMeant},
		"smtp, no sender":        {"smtp://mail.example.com/?to=s3cr3t@example.com", "smtp url: from, the sender's address, is missing" + smtpMeant},
		"smtp, no receiver":      {"smtp://mail.example.com/?from=s3cr3t@example.com", "smtp url: to, the receiver's address, is missing" + smtpMeant},
		"smtp, no server":        {"smtp:///?from=me@example.com&to=s3cr3t@example.com", "smtp url: the mail server is missing" + smtpMeant},
		"smtp, no address":       {"smtp://mail.example.com/?from=me@example.com&to=s3cr3t", "smtp url: one of from and to is not a mail address" + smtpMeant},
		"smtp, a torn password":  {"smtp://me:12/s3cr3t@mail.example.com/?from=me@example.com&to=a@example.com", "smtp url: nothing may stand behind the server but options; in a password write / as %2F and @ as %40" + smtpMeant},
		"smtp, in the clear":     {"smtp://mail.example.com/?from=me@example.com&to=a@example.com&encryption=None", "smtp url: encryption=None and usestarttls=no are for a mail server on this very machine; to another one password and text would go in the clear" + smtpMeant},
		"smtp, in the clear too": {"smtp://mail.example.com/?from=me@example.com&to=a@example.com&starttls=no", "smtp url: encryption=None and usestarttls=no are for a mail server on this very machine; to another one password and text would go in the clear" + smtpMeant},
	} {
		t.Run(name, func(t *testing.T) {
			s, err := New(secret.New(c.url))
			if err == nil {
				t.Fatalf("taken: %v", s)
			}
			if err.Error() != c.want {
				t.Errorf("got  %s\nwant %s", err, c.want)
			}
		})
	}
}

// FuzzURL: whatever is around it, a secret is in no error and in nothing
// that is shown, and nothing panics.
func FuzzURL(f *testing.F) {
	for _, u := range httpURLs() {
		before, after, _ := strings.Cut(u, "s3cr3t")
		f.Add(before, after)
	}
	f.Add("smtp://me:", "@mail.example.com:587/?from=me@example.com&to=a@example.com")
	f.Add("smtp://me:12/", "@mail.example.com/?from=me@example.com&to=a@example.com")
	f.Add("ntfy://u:1?", "@ntfy.sh/t")
	f.Add("telegram://1:a@telegram?chats=", "&x=%zz")
	f.Add("https://hooks.slack.com/services/T00000000/B00000000/", "000000000000000000000000")
	f.Add("telegram://dummy@dummy.com", "")
	f.Fuzz(func(t *testing.T, before, after string) {
		const hidden = "Zq7s3cr3t"
		s, err := newSender(secret.New(before+hidden+after), wires{client: http.DefaultClient})
		if err != nil && strings.Contains(strings.ToLower(err.Error()), strings.ToLower(hidden)) {
			t.Errorf("the error shows the url: %v", err)
		}
		rest, _, _ := strings.Cut(strings.NewReplacer("?", "/", "#", "/").Replace(after), "/")
		if err == nil && strings.Contains(rest, "@") && strings.Contains(s.Shown(), hidden) {
			t.Errorf("user and password are shown: %s", s.Shown())
		}
	})
}

// TestChannelExamples holds docs/channels.md to the code: every address in it
// is one that can be used.
func TestChannelExamples(t *testing.T) {
	text, err := os.ReadFile("../../docs/channels.md")
	if err != nil {
		t.Fatal(err)
	}
	seen := map[string]bool{}
	for _, m := range regexp.MustCompile("`((?:discord|lark|ntfy|slack|smtp|telegram|wecom)://[^`]+|https://(?:hooks\\.slack\\.com/services/|discord\\.com/api/webhooks/|open\\.(?:feishu\\.cn|larksuite\\.com)/open-apis/bot|qyapi\\.weixin\\.qq\\.com/cgi-bin/)[^`]+)`").FindAllStringSubmatch(string(text), -1) {
		s, err := New(secret.New(m[1]))
		if err != nil {
			t.Errorf("%s: %v", m[1], err)
			continue
		}
		scheme, _, _ := strings.Cut(s.Shown(), "://")
		seen[scheme] = true
	}
	for _, d := range dialects() {
		if !seen[d.scheme] {
			t.Errorf("%s has no example", d.scheme)
		}
		for _, option := range d.options {
			if !strings.Contains(string(text), "`"+option+"`") {
				t.Errorf("%s: the option %s is not told of", d.scheme, option)
			}
		}
	}
}

// TestSplit: nothing is lost, nothing is too long, and no character is cut.
func TestSplit(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		text := rapid.StringOf(rapid.RuneFrom([]rune("ab \n中😀é"))).Draw(t, "text")
		limit := rapid.IntRange(4, 40).Draw(t, "limit")
		size := rapid.SampledFrom([]func(rune) int{inBytes, inUTF16}).Draw(t, "size")
		var all strings.Builder
		for _, part := range splitText(text, limit, size) {
			n := 0
			for _, r := range part {
				n += size(r)
			}
			if n > limit || part == "" || !utf8.ValidString(part) {
				t.Fatalf("part %q of %d, limit %d", part, n, limit)
			}
			all.WriteString(part)
		}
		squeeze := func(s string) string { return strings.Join(strings.Fields(s), "") }
		if squeeze(all.String()) != squeeze(text) {
			t.Fatalf("got %q of %q", all.String(), text)
		}
	})
}

func TestSplitPlaces(t *testing.T) {
	for name, c := range map[string]struct {
		text string
		want []string
	}{
		"short":                             {"one", []string{"one"}},
		"nothing":                           {" \n ", nil},
		"between paragraphs":                {"1234567\n\nabc\ndef", []string{"1234567", "abc\ndef"}},
		"a short paragraph is no place":     {"1\n\nabc\ndefghij", []string{"1\n\nabc", "defghij"}},
		"between lines":                     {"one two\nthree four", []string{"one two", "three four"}},
		"between words":                     {"one two three", []string{"one two", "three"}},
		"exactly at a word's end":           {"1234567890 12", []string{"1234567890", "12"}},
		"a long word, between characters":   {"中文中文中文中文中文中文", []string{"中文中文中文中文中文", "中文"}},
		"a link goes whole to the next":     {"at https://a", []string{"at", "https://a"}},
		"blank space at a cut is left away": {"12345678  \n\n  90", []string{"12345678", "90"}},
	} {
		t.Run(name, func(t *testing.T) {
			if got := splitText(c.text, 10, inUTF16); strings.Join(got, "|") != strings.Join(c.want, "|") {
				t.Errorf("got %q, want %q", got, c.want)
			}
		})
	}
}

func TestHeadline(t *testing.T) {
	long := strings.Repeat("长", 200)
	for name, c := range map[string]struct{ text, title, rest string }{
		"two lines":           {"srv1: spent\nback at 18:40", "srv1: spent", "back at 18:40"},
		"a blank line":        {"srv1: spent\n\nback at 18:40", "srv1: spent", "back at 18:40"},
		"one line":            {"srv1: spent", "", "srv1: spent"},
		"a long first line":   {long + "\nrest", strings.Repeat("长", 149) + "…", long + "\nrest"},
		"nothing but a title": {"srv1: spent\n ", "", "srv1: spent\n "},
	} {
		t.Run(name, func(t *testing.T) {
			if title, rest := headline(c.text); title != c.title || rest != c.rest {
				t.Errorf("got %q, %q", title, rest)
			}
		})
	}
}

func TestPlainBody(t *testing.T) {
	if got, want := plainBody([]byte(" a\x00b\r\nc\x1b[31m\td\xff中\n")), "ab\nc[31m\td\uFFFD中"; got != want {
		t.Errorf("got %q, want %q", got, want)
	}
	r := newChatServer(t, accepting)
	if a := send(t, mustNew(t, telegramURL, r.wires), " \n\x00"); a.Kind != notify.Refused || a.Text != "the message has no text" {
		t.Errorf("an empty text: %+v", a)
	}
}
