package shout

import (
	"errors"
	"fmt"
	"net/url"
	"slices"
	"strings"

	"github.com/nicholas-fedor/shoutrrr/pkg/types"
)

// dialect is how the URLs of one service are written.
type dialect struct {
	scheme  string
	example string
	options []string // what may stand behind the ?; all others would be ignored
	build   func(*url.URL, wires) (service, error)
}

// dialects are the services, by name.
func dialects() []dialect {
	return []dialect{
		{"discord", "discord://TOKEN@WEBHOOK_ID", []string{"username", "avatar", "avatarurl", "thread_id"}, newDiscord},
		{"lark", "lark://open.feishu.cn/TOKEN?secret=SECRET", []string{"secret", "title"}, newLark},
		{"ntfy", "ntfy://USER:PASSWORD@ntfy.sh/TOPIC", []string{"title", "priority", "tags", "click", "icon", "email", "cache", "firebase", "scheme", "disabletls"}, newNtfy},
		{"slack", "slack://hook:T…-B…-…@webhook or slack://xoxb:…@CHANNEL_ID", []string{"botname", "username", "icon", "icon_emoji", "icon_url", "thread_ts"}, newSlack},
		{"smtp", "smtp://USER:PASSWORD@mail.example.com:587/?from=ocwatch@example.com&to=me@example.com", []string{
			"from", "fromaddress", "fromname", "to", "toaddresses", "subject", "title",
			"auth", "encryption", "usestarttls", "starttls", "requirestarttls", "clienthost",
		}, newSMTP},
		{"telegram", "telegram://TOKEN@telegram?chats=CHAT_ID", []string{"chats", "channels", "notification", "preview"}, newTelegram},
		{"wecom", "wecom://KEY", []string{"mentioned_list", "mentioned_mobile_list"}, newWeCom},
	}
}

// wrong says what is wrong with a URL of d.
func (d dialect) wrong(err error) error {
	return fmt.Errorf("%s url: %w; %s is meant", d.scheme, err, d.example)
}

// parse finds the service that raw names. Neither the library's errors nor
// package url's are passed on, since they quote tokens; nor is a scheme that
// could be the beginning of one.
func parse(raw string) (dialect, *url.URL, error) {
	scheme, _, ok := strings.Cut(raw, "://")
	if !ok || strings.Trim(strings.ToLower(scheme), "abcdefghijklmnopqrstuvwxyz+") != "" || len(scheme) > 20 {
		return dialect{}, nil, errors.New("url does not name a service; telegram://TOKEN@telegram?chats=CHAT_ID is meant, or another of " + serviceNames())
	}
	u, err := url.Parse(raw)
	if err != nil {
		return dialect{}, nil, fmt.Errorf("%s url: it cannot be read; in a password or token write @ as %%40, : as %%3A, / as %%2F, %% as %%25", scheme)
	}
	if native := fromNative(u); native != nil {
		u = native
	}
	i := slices.IndexFunc(dialects(), func(d dialect) bool { return d.scheme == u.Scheme })
	if i < 0 {
		if u.Scheme == "http" || u.Scheme == "https" {
			return dialect{}, nil, errors.New("url is a plain http address; it belongs under notify.webhooks, or a chat service's own has to be named: " + serviceNames())
		}
		return dialect{}, nil, fmt.Errorf("url names the service %q, which is not known; the services are %s", scheme, serviceNames())
	}
	d := dialects()[i]
	if err := d.check(u); err != nil {
		return dialect{}, nil, d.wrong(err)
	}
	return d, u, nil
}

func (d dialect) check(u *url.URL) error {
	if u.Fragment != "" || strings.HasSuffix(u.String(), "#") {
		return errors.New("a # has to be written as %23")
	}
	if u.User != nil && u.User.Username() == "dummy" {
		return errors.New("it is the library's placeholder, not an address") // of which it checks nothing
	}
	query, err := url.ParseQuery(u.RawQuery)
	if err != nil {
		return errors.New("what follows the ? cannot be read; write & as %26, % as %25 and ; as %3B there")
	}
	for key := range query {
		if !slices.Contains(d.options, strings.ToLower(key)) {
			return fmt.Errorf("an option after the ? is not one that counts here; these are: %s", strings.Join(d.options, ", "))
		}
	}
	return nil
}

func serviceNames() string {
	var list []string
	for _, d := range dialects() {
		list = append(list, d.scheme)
	}
	return strings.Join(list, ", ")
}

// initialize has the library read u, and tells what it found wrong in words of
// ours.
func initialize(s types.Service, u *url.URL, words map[error]string) error {
	err := s.Initialize(u, nil)
	if err == nil {
		return nil
	}
	for sentinel, text := range words {
		if errors.Is(err, sentinel) {
			return errors.New(text)
		}
	}
	return errors.New("an option after the ? has a value that makes no sense")
}

// fromNative makes a shoutrrr URL of the address that a service shows for its
// webhook, and nil of any other.
func fromNative(u *url.URL) *url.URL {
	if u.Scheme != "https" || u.User != nil || u.Fragment != "" {
		return nil
	}
	segments := strings.Split(strings.Trim(u.Path, "/"), "/")
	behind := func(prefix ...string) []string {
		if len(segments) > len(prefix) && slices.Equal(segments[:len(prefix)], prefix) {
			return segments[len(prefix):]
		}
		return nil
	}
	switch u.Host {
	case "hooks.slack.com":
		if t := behind("services"); len(t) == 3 {
			return &url.URL{Scheme: "slack", User: url.UserPassword("hook", strings.Join(t, "-")), Host: "webhook", RawQuery: u.RawQuery}
		}
	case "discord.com", "discordapp.com":
		if t := behind("api", "webhooks"); len(t) == 2 {
			return &url.URL{Scheme: "discord", User: url.User(t[1]), Host: t[0], RawQuery: u.RawQuery}
		}
	case "open.feishu.cn", "open.larksuite.com":
		if t := behind("open-apis", "bot", "v2", "hook"); len(t) == 1 {
			return &url.URL{Scheme: "lark", Host: u.Host, Path: "/" + t[0], RawQuery: u.RawQuery}
		}
	case "qyapi.weixin.qq.com":
		query := u.Query()
		if key := query.Get("key"); key != "" && behind("cgi-bin", "webhook") != nil {
			query.Del("key")
			return &url.URL{Scheme: "wecom", Host: key, RawQuery: query.Encode()}
		}
	}
	return nil
}
