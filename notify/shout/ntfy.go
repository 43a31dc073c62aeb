package shout

import (
	"context"
	"encoding/base64"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"regexp"
	"slices"
	"strings"

	"github.com/nicholas-fedor/shoutrrr/pkg/services/push/ntfy"

	"github.com/ocwatch/ocwatch/internal/loopback"

	"github.com/ocwatch/ocwatch/notify"
)

// ntfyLimit is in bytes; beyond it a server makes a file of the text:
// https://docs.ntfy.sh/publish/#limitations.
const ntfyLimit = 4096

var ntfyTopicName = regexp.MustCompile(`^[-_A-Za-z0-9]{1,64}$`)

type ntfyTopic struct {
	web
	config *ntfy.Config
	url    string
}

func newNtfy(u *url.URL, w wires) (service, error) {
	if u.Hostname() == "" {
		return nil, errors.New("the server is missing")
	}
	var lib ntfy.Service
	if err := initialize(&lib, u, map[error]string{ntfy.ErrTopicRequired: "the topic is missing"}); err != nil {
		return nil, err
	}
	c := lib.Config
	switch {
	case !ntfyTopicName.MatchString(c.Topic):
		return nil, errors.New("a topic has up to 64 letters, digits, _ and -; in a password write / as %2F and @ as %40")
	case c.Scheme != "https" && c.Scheme != "http":
		return nil, errors.New("scheme is https or http")
	case c.Scheme == "http" && !loopback.Host(u.Hostname()):
		return nil, errors.New("scheme=http and disabletls=yes are for this very machine; to another one the text would go in the clear")
	}
	// The library makes one empty tag of none.
	c.Tags = slices.DeleteFunc(c.Tags, func(tag string) bool { return strings.TrimSpace(tag) == "" })
	root := url.URL{Scheme: c.Scheme, Host: c.Host, Path: "/"}
	return ntfyTopic{web{w.client}, c, root.String()}, nil
}

func (n ntfyTopic) shown() string { return "ntfy://" + n.config.Host }

func (ntfyTopic) rooms() int { return 1 }

func (n ntfyTopic) letters(text string) []letter {
	title, rest := headline(text)
	if n.config.Title != "" {
		title, rest = n.config.Title, text
	}
	list := untitled(splitText(rest, ntfyLimit, inBytes))
	for i := range list {
		list[i].title = title
	}
	return list
}

// ntfyMessage is published as JSON, so that a Chinese title need not go through
// a header: https://docs.ntfy.sh/publish/#publish-as-json.
type ntfyMessage struct {
	Topic    string   `json:"topic"`
	Title    string   `json:"title,omitempty"`
	Message  string   `json:"message"`
	Priority int      `json:"priority,omitempty"`
	Tags     []string `json:"tags,omitempty"`
	Click    string   `json:"click,omitempty"`
	Icon     string   `json:"icon,omitempty"`
	Email    string   `json:"email,omitempty"`
}

func (n ntfyTopic) deliver(ctx context.Context, _ int, l letter) notify.Answer {
	c := n.config
	m := ntfyMessage{
		Topic: c.Topic, Title: l.title, Message: l.text, Priority: int(c.Priority),
		Tags: c.Tags, Click: c.Click, Icon: c.Icon, Email: c.Email,
	}
	header := http.Header{}
	if c.Username != "" || c.Password != "" {
		// An access token is a password without a user:
		// https://docs.ntfy.sh/publish/#access-tokens.
		header.Set("Authorization", "Basic "+base64.StdEncoding.EncodeToString([]byte(c.Username+":"+c.Password)))
	}
	if !c.Cache {
		header.Set("Cache", "no")
	}
	if !c.Firebase {
		header.Set("Firebase", "no")
	}
	r, a := n.post(ctx, n.url, header, m)
	if r.status == 0 {
		return a
	}
	return judgeNtfy(r)
}

func judgeNtfy(r reply) notify.Answer {
	var said struct {
		ID    string `json:"id"`
		Event string `json:"event"`
		Code  int    `json:"code"`
	}
	ours := r.decode(&said)
	a := r.answer()
	switch {
	case a.Kind == notify.Accepted && (said.ID == "" || said.Event != "message"):
		return unreadable(r.status, "ntfy")
	case a.Kind == notify.Accepted, !ours, said.Code == 0:
		return a
	case r.status == http.StatusUnauthorized:
		return saying(a, fmt.Sprintf("ntfy's error %d, the user, password or token is wrong", said.Code))
	case r.status == http.StatusForbidden:
		return saying(a, fmt.Sprintf("ntfy's error %d, this user may not write to the topic", said.Code))
	}
	return saying(a, fmt.Sprintf("ntfy's error %d", said.Code))
}
