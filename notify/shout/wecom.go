package shout

import (
	"context"
	"errors"
	"fmt"
	"net/url"
	"strings"
	"time"

	"github.com/nicholas-fedor/shoutrrr/pkg/services/chat/wecom"

	"github.com/ocwatch/ocwatch/notify"
)

const (
	// wecomLimit is in bytes; shoutrrr's 4096 is that of another message type:
	// https://developer.work.weixin.qq.com/document/path/99110.
	wecomLimit = 2048
	// wecomPause is how long 20 messages a minute, all that a robot may send,
	// are over.
	wecomPause = time.Minute
)

type wecomRobot struct {
	web
	url     string
	mention wecom.TextContent
}

func newWeCom(u *url.URL, w wires) (service, error) {
	if strings.Trim(u.Path, "/") != "" {
		return nil, errors.New("nothing may stand behind the robot's key but options")
	}
	var lib wecom.Service
	err := initialize(&lib, u, map[error]string{
		wecom.ErrEmptyKey:   "the robot's key is missing",
		wecom.ErrInvalidKey: "the robot's key has another form",
	})
	if err != nil {
		return nil, err
	}
	address := "https://qyapi.weixin.qq.com/cgi-bin/webhook/send?key=" + url.QueryEscape(lib.Config.Key)
	return wecomRobot{web{w.client}, address, wecom.TextContent{
		MentionedList:       commaList(lib.Config.MentionedList),
		MentionedMobileList: commaList(lib.Config.MentionedMobileList),
	}}, nil
}

// commaList splits what the library would send as one name.
func commaList(text string) []string {
	return strings.FieldsFunc(text, func(r rune) bool { return r == ',' || r == ' ' })
}

func (wecomRobot) shown() string { return "wecom://qyapi.weixin.qq.com" }

func (wecomRobot) rooms() int { return 1 }

func (wecomRobot) letters(text string) []letter {
	return untitled(splitText(escapeWeCom(text), wecomLimit, inBytes))
}

// escapeWeCom takes from <@someone>, which calls that person, its meaning. There
// is no way to escape it, so the bracket becomes its wide form.
func escapeWeCom(text string) string { return strings.ReplaceAll(text, "<@", "＜@") }

func (w wecomRobot) deliver(ctx context.Context, _ int, l letter) notify.Answer {
	text := w.mention
	text.Content = l.text
	r, a := w.post(ctx, w.url, nil, wecom.RequestBody{MsgType: "text", Text: text})
	if r.status == 0 {
		return a
	}
	return judgeWeCom(r)
}

// judgeWeCom reads an answer, which is a 200 also where it is a no:
// https://developer.work.weixin.qq.com/document/path/90313.
func judgeWeCom(r reply) notify.Answer {
	var said struct {
		Code *int `json:"errcode"`
	}
	ours := r.decode(&said) && said.Code != nil
	a := r.answer()
	switch {
	case a.Kind == notify.Accepted && !ours:
		return unreadable(r.status, "WeCom")
	case !ours || a.Kind == notify.Accepted && *said.Code == 0:
		return a
	case a.Kind != notify.Accepted && *said.Code == 0:
		return a
	}
	kind, words := wecomWords(*said.Code)
	out := notify.Answer{Kind: kind, Text: fmt.Sprintf("WeCom answered errcode %d: %s", *said.Code, words), RetryAfter: a.RetryAfter}
	if kind == notify.Failed && *said.Code != -1 {
		out.RetryAfter = max(out.RetryAfter, wecomPause)
	}
	return out
}

func wecomWords(code int) (notify.AnswerKind, string) {
	switch code {
	case 93000:
		return notify.Gone, "the robot was removed from the group, or its key is another one"
	case 45009, 45033:
		return notify.Failed, "too many messages; a robot may send 20 a minute"
	case -1:
		return notify.Failed, "a fault at WeCom's"
	case 40058, 45002, 44004, 40008:
		return notify.Refused, "WeCom does not take the text"
	}
	return notify.Refused, "WeCom does not take the message"
}
