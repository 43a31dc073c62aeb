package shout

import (
	"context"
	"errors"
	"net/http"
	"net/url"
	"strconv"
	"strings"

	"github.com/nicholas-fedor/shoutrrr/pkg/services/chat/telegram"

	"github.com/ocwatch/ocwatch/notify"
)

// telegramLimit is in UTF-16 code units: https://core.telegram.org/bots/api#sendmessage.
const telegramLimit = 4096

type telegramBot struct {
	web
	url   string
	chats []string // id, or id:thread
	quiet bool
	plain bool // no preview of links
}

func newTelegram(u *url.URL, w wires) (service, error) {
	var lib telegram.Service
	err := initialize(&lib, u, map[error]string{
		telegram.ErrInvalidToken:      "the bot's token is missing or has another form",
		telegram.ErrNoChannelsDefined: "chats, the ids of whom to write to, are missing",
	})
	if err != nil {
		return nil, err
	}
	c := lib.Config
	bot := telegramBot{
		web: web{w.client}, url: "https://api.telegram.org/bot" + c.Token + "/sendMessage",
		quiet: !c.Notification,
		// A preview makes Telegram's servers open the address of a login.
		plain: !c.Preview || !u.Query().Has("preview"),
	}
	for _, chat := range c.Chats {
		if chat = strings.TrimSpace(chat); chat != "" {
			bot.chats = append(bot.chats, chat)
		}
	}
	if bot.chats == nil {
		return nil, errors.New("chats, the ids of whom to write to, are missing")
	}
	return bot, nil
}

func (telegramBot) shown() string { return "telegram://api.telegram.org" }

func (t telegramBot) rooms() int { return len(t.chats) }

func (telegramBot) letters(text string) []letter {
	return untitled(splitText(text, telegramLimit, inUTF16))
}

// telegramMessage has no parse_mode: then the text is shown as it is.
type telegramMessage struct {
	ChatID   string `json:"chat_id"`
	ThreadID int    `json:"message_thread_id,omitempty"`
	Text     string `json:"text"`
	Quiet    bool   `json:"disable_notification,omitempty"`
	Preview  struct {
		Disabled bool `json:"is_disabled"`
	} `json:"link_preview_options"`
}

type telegramReply struct {
	OK          bool   `json:"ok"`
	Description string `json:"description"`
	Parameters  struct {
		RetryAfter float64 `json:"retry_after"`
	} `json:"parameters"`
}

func (t telegramBot) deliver(ctx context.Context, room int, l letter) notify.Answer {
	m := telegramMessage{Text: l.text, Quiet: t.quiet}
	m.Preview.Disabled = t.plain
	id, thread, _ := strings.Cut(t.chats[room], ":")
	m.ChatID = id
	m.ThreadID, _ = strconv.Atoi(thread)
	r, a := t.post(ctx, t.url, nil, m)
	if r.status == 0 {
		return a
	}
	return judgeTelegram(r)
}

func judgeTelegram(r reply) notify.Answer {
	var said telegramReply
	ours := r.decode(&said)
	a := r.answer()
	switch {
	case a.Kind == notify.Accepted && said.OK:
		return a
	case a.Kind == notify.Accepted:
		return unreadable(r.status, "Telegram")
	case !ours:
		return a
	case a.Kind == notify.Failed:
		a.RetryAfter = max(a.RetryAfter, later(said.Parameters.RetryAfter))
		return a
	}
	return saying(a, telegramWords(r.status, strings.ToLower(said.Description)))
}

func telegramWords(status int, description string) string {
	for _, known := range []struct{ part, words string }{
		{"chat not found", "the chat does not exist, or nobody has written to the bot there yet"},
		{"blocked by the user", "the bot was blocked; start it again in Telegram"},
		{"was kicked", "the bot was removed from the group"},
		{"not a member", "the bot is not in that group or channel"},
		{"user is deactivated", "the person's account was deleted"},
		{"upgraded to a supergroup", "the group became a supergroup and has a new chat id"},
		{"not enough rights", "the bot may not write there"},
		{"have no rights", "the bot may not write there"},
		{"administrator rights", "the bot may not write there"},
		{"thread not found", "that topic of the group does not exist"},
		{"can't initiate conversation", "write to the bot first; it cannot begin"},
		{"can't send messages to bots", "the chat id is that of a bot"},
	} {
		if strings.Contains(description, known.part) {
			return known.words
		}
	}
	if status == http.StatusUnauthorized || status == http.StatusNotFound {
		return "the bot's token is wrong or was revoked"
	}
	return "Telegram does not take the message"
}
