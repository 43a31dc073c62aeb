package shout

import (
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"fmt"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"

	"github.com/nicholas-fedor/shoutrrr/pkg/services/chat/lark"

	"github.com/ocwatch/ocwatch/notify"
	"github.com/ocwatch/ocwatch/notify/text"
)

// larkLimit leaves room in the 20 KB that a request may have:
// https://open.feishu.cn/document/client-docs/bot-v3/add-custom-bot.
const larkLimit = 8 << 10

type larkBot struct {
	web
	config *lark.Config
	url    string
}

func newLark(u *url.URL, w wires) (service, error) {
	var lib lark.Service
	err := initialize(&lib, u, map[error]string{
		lark.ErrInvalidHost: "the host is neither open.feishu.cn nor open.larksuite.com",
		lark.ErrNoPath:      "the bot's token, the last part of its webhook address, is missing",
	})
	if err != nil {
		return nil, err
	}
	address := url.URL{Scheme: "https", Host: lib.Config.Host, Path: "/open-apis/bot/v2/hook/" + lib.Config.Path}
	return larkBot{web{w.client}, lib.Config, address.String()}, nil
}

func (l larkBot) shown() string { return "lark://" + l.config.Host }

func (larkBot) rooms() int { return 1 }

func (l larkBot) letters(text string) []letter {
	title, rest := headline(text)
	if l.config.Title != "" {
		title, rest = l.config.Title, text
	}
	list := untitled(splitText(rest, larkLimit, inBytes))
	for i := range list {
		list[i].title = title
	}
	return list
}

// larkMessage is a post, not a text: in a text <at user_id="all"> calls
// everybody, while a post shows it, and says itself what a link is.
func (l larkBot) message(m letter, now time.Time) lark.RequestBody {
	post := lark.Message{Title: m.title}
	for line := range strings.SplitSeq(m.text, "\n") {
		post.Content = append(post.Content, larkLine(line))
	}
	body := lark.RequestBody{MsgType: lark.MsgTypePost, Content: lark.Content{Post: &lark.Post{Zh: &post}}}
	if l.config.Secret != "" {
		at := strconv.FormatInt(now.Unix(), 10)
		body.Timestamp, body.Sign = at, signLark(at, l.config.Secret)
	}
	return body
}

func larkLine(line string) []lark.Item {
	var items []lark.Item
	plain := func(text string) {
		if text != "" {
			items = append(items, lark.Item{Tag: lark.TagValueText, Text: text})
		}
	}
	at := 0
	for _, span := range text.Links(line) {
		plain(line[at:span[0]])
		address := line[span[0]:span[1]]
		items = append(items, lark.Item{Tag: lark.TagValueLink, Text: address, Link: address})
		at = span[1]
	}
	plain(line[at:])
	if items == nil {
		plain(" ") // an empty line; the item needs a text
	}
	return items
}

// signLark is what the bot's setting "signature verification" wants: the key is
// the time and the secret, the message is empty.
func signLark(at, secret string) string {
	mac := hmac.New(sha256.New, []byte(at+"\n"+secret))
	return base64.StdEncoding.EncodeToString(mac.Sum(nil))
}

func (l larkBot) deliver(ctx context.Context, _ int, m letter) notify.Answer {
	r, a := l.post(ctx, l.url, nil, l.message(m, time.Now()))
	if r.status == 0 {
		return a
	}
	return judgeLark(r)
}

// judgeLark reads an answer, which is a 200 also where it is a no. Older ones
// say StatusCode instead of code.
func judgeLark(r reply) notify.Answer {
	var said struct {
		Code    *int   `json:"code"`
		OldCode *int   `json:"StatusCode"`
		Msg     string `json:"msg"`
	}
	ours := r.decode(&said)
	if said.Code == nil {
		said.Code = said.OldCode
	}
	a := r.answer()
	switch {
	case a.Kind == notify.Accepted && said.Code == nil:
		return unreadable(r.status, "Lark")
	case !ours || said.Code == nil, *said.Code == 0:
		return a
	}
	kind, words := larkWords(*said.Code, strings.ToLower(said.Msg))
	a = notify.Answer{Kind: kind, Text: fmt.Sprintf("Lark answered code %d: %s", *said.Code, words), RetryAfter: a.RetryAfter}
	if r.status == http.StatusTooManyRequests || r.status >= 500 {
		a.Kind = notify.Failed
	}
	return a
}

func larkWords(code int, msg string) (notify.AnswerKind, string) {
	switch {
	case code == 19001 && strings.Contains(msg, "token invalid"):
		return notify.Gone, "the bot was removed from the group, or its webhook address is another one"
	case code == 19021:
		return notify.Refused, "the secret is wrong, or this machine's clock is off by an hour"
	case code == 19022:
		return notify.Refused, "the bot's settings do not allow this machine's IP address"
	case code == 19024:
		return notify.Refused, "the bot's settings want a keyword that the text does not have; use the signature instead"
	case code == 11232 || code == 99991400:
		return notify.Failed, "too many messages"
	case code == 9499 || code == 19002 || code == 19001:
		return notify.Refused, "Lark does not take the text"
	}
	return notify.Refused, "Lark does not take the message"
}
