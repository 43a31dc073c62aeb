package shout

import (
	"context"
	"errors"
	"fmt"
	"net/url"
	"regexp"
	"strings"

	"github.com/nicholas-fedor/shoutrrr/pkg/services/chat/discord"

	"github.com/ocwatch/ocwatch/notify"
	"github.com/ocwatch/ocwatch/notify/text"
)

const (
	// discordLimit is https://docs.discord.com/developers/resources/webhook#execute-webhook.
	discordLimit = 2000
	// suppressEmbeds keeps Discord from opening the address of a login for a
	// preview: https://docs.discord.com/developers/resources/message#message-object-message-flags.
	suppressEmbeds = 1 << 2
	// unknownWebhook and invalidToken are Discord's codes for an address that was
	// deleted, or never was.
	unknownWebhook = 10015
	invalidToken   = 50027
)

type discordHook struct {
	web
	config *discord.Config
	url    string
}

func newDiscord(u *url.URL, w wires) (service, error) {
	const behind = "nothing may stand behind the webhook's id but options"
	if u.Path == "/raw" { // shoutrrr's way to send ready JSON
		return nil, errors.New(behind)
	}
	var lib discord.Service
	err := initialize(&lib, u, map[error]string{
		discord.ErrMissingWebhookID:   "the webhook's id is missing",
		discord.ErrMissingToken:       "the webhook's token is missing",
		discord.ErrIllegalURLArgument: behind,
	})
	if err != nil {
		return nil, err
	}
	address, err := url.Parse(discord.CreateAPIURLFromConfig(lib.Config))
	if err != nil {
		return nil, errors.New("the webhook's id or token has another form")
	}
	// Without wait a message that Discord did not save is reported as sent.
	query := address.Query()
	query.Set("wait", "true")
	address.RawQuery = query.Encode()
	return discordHook{web{w.client}, lib.Config, address.String()}, nil
}

func (discordHook) shown() string { return "discord://discord.com" }

func (discordHook) rooms() int { return 1 }

func (discordHook) letters(text string) []letter {
	return untitled(splitText(text, discordLimit, func(r rune) int {
		if r < 0x80 && strings.ContainsRune(discordMarks+"#>+-", r) {
			return 2
		}
		return inUTF16(r)
	}))
}

// discordMarks begin or end a format anywhere; the others do so where a line
// begins.
const discordMarks = "\\*_~`|[]<"

var (
	discordAnywhere = regexp.MustCompile("[" + regexp.QuoteMeta(discordMarks) + "]")
	discordAtStart  = regexp.MustCompile(`(?m)^(\s*)([#>+-])`)
)

// escapeDiscord keeps a text as it is: Discord reads Markdown in every message.
// Addresses stay untouched, for a backslash would become a part of them.
func escapeDiscord(body string) string {
	var b strings.Builder
	at := 0
	for _, span := range text.Links(body) {
		b.WriteString(escapeMarks(body[at:span[0]], at == 0))
		b.WriteString(body[span[0]:span[1]])
		at = span[1]
	}
	b.WriteString(escapeMarks(body[at:], at == 0))
	return b.String()
}

func escapeMarks(text string, atStart bool) string {
	text = discordAnywhere.ReplaceAllString(text, `\$0`)
	if !atStart { // the first line goes on behind an address
		first, rest, more := strings.Cut(text, "\n")
		if !more {
			return first
		}
		return first + "\n" + discordAtStart.ReplaceAllString(rest, `$1\$2`)
	}
	return discordAtStart.ReplaceAllString(text, `$1\$2`)
}

type discordMessage struct {
	Content  string `json:"content"`
	Username string `json:"username,omitempty"`
	Avatar   string `json:"avatar_url,omitempty"`
	Flags    int    `json:"flags"`
	// Mentions allows none: @everyone in a text calls nobody.
	Mentions struct {
		Parse []string `json:"parse"`
	} `json:"allowed_mentions"`
}

func (d discordHook) deliver(ctx context.Context, _ int, l letter) notify.Answer {
	m := discordMessage{Content: escapeDiscord(l.text), Username: d.config.Username, Avatar: d.config.Avatar, Flags: suppressEmbeds}
	m.Mentions.Parse = []string{}
	r, a := d.post(ctx, d.url, nil, m)
	if r.status == 0 {
		return a
	}
	return judgeDiscord(r)
}

func judgeDiscord(r reply) notify.Answer {
	var said struct {
		ID         string  `json:"id"`
		Code       int     `json:"code"`
		RetryAfter float64 `json:"retry_after"`
	}
	ours := r.decode(&said)
	a := r.answer()
	switch {
	case a.Kind == notify.Accepted && said.ID == "":
		return unreadable(r.status, "Discord")
	case a.Kind == notify.Accepted, !ours:
		return a
	case a.Kind == notify.Failed:
		a.RetryAfter = max(a.RetryAfter, later(said.RetryAfter))
		return a
	case said.Code == unknownWebhook:
		a.Kind = notify.Gone
		return saying(a, "the webhook was deleted in Discord")
	case said.Code == invalidToken:
		return saying(a, "the webhook's token is wrong")
	case said.Code != 0:
		return saying(a, fmt.Sprintf("Discord's error %d", said.Code))
	}
	return a
}
