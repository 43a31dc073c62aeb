package config

import (
	"fmt"
	"net/url"
	"regexp"
	"slices"
	"strings"
	"time"

	"github.com/ocwatch/ocwatch/internal/event"
	"github.com/ocwatch/ocwatch/internal/loopback"
	"github.com/ocwatch/ocwatch/internal/secret"
	"github.com/ocwatch/ocwatch/notify"
	"github.com/ocwatch/ocwatch/notify/shout"
	"github.com/ocwatch/ocwatch/notify/text"
)

func (d *decoder) notify(n Notify) {
	d.choice("notify.language", n.Language, languages...)
	d.between("notify.login_after", n.LoginAfter, 0, 7*24*time.Hour)
	if n.RemindEvery != 0 {
		d.between("notify.remind_every", n.RemindEvery, time.Minute, 7*24*time.Hour)
	}
	seen := map[string]bool{}
	for i, w := range n.Webhooks {
		path := fmt.Sprintf("notify.webhooks[%d]", i)
		d.endpoint(path, w.Name, w.Language, w.Events, seen)
		d.webhook(path, w)
	}
	for i, c := range n.Channels {
		path := fmt.Sprintf("notify.channels[%d]", i)
		d.endpoint(path, c.Name, c.Language, c.Events, seen)
		d.channel(path, c)
	}
}

// languages are those that messages can be in.
var languages = []string{string(text.English), string(text.Chinese)}

// endpointName is what an endpoint may be called: it becomes part of journal
// keys, metrics and commands.
var endpointName = regexp.MustCompile(`^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$`)

// endpoint checks what webhooks and channels have in common. A name is taken
// once among both: the queue of messages is kept under it.
func (d *decoder) endpoint(path, name, language string, events []event.Type, seen map[string]bool) {
	switch {
	case !endpointName.MatchString(name):
		d.failAt(path+".name", "%q is not a name; want letters, digits, dots, dashes", short(name))
	case seen[name]:
		d.failAt(path+".name", "there is another webhook or channel named %s", short(name))
	}
	seen[name] = true
	if language != "" {
		d.choice(path+".language", language, languages...)
	}
	unique(d, path+".events", events)
}

func (d *decoder) webhook(path string, w Webhook) {
	if w.URL == "" {
		d.failAt(path+".url", "a webhook needs a url")
	} else {
		d.url(path+".url", w.URL, "http")
	}
	if w.Secret.Empty() && w.SecretFile != "" {
		return // why is said already
	}
	d.signingSecret(d.given(path+".secret"), w.Secret)
}

// given is the key that a secret was given by: its own, or that of a file.
func (d *decoder) given(path string) string {
	if d.has(path + "_file") {
		return path + "_file"
	}
	return path
}

// channelID is the shape of OpenClaw's channel ids.
var channelID = regexp.MustCompile(`^[a-z0-9][a-z0-9._-]{0,63}$`)

func (d *decoder) channel(path string, c Channel) {
	chat := d.has(path + ".openclaw")
	switch {
	case chat && !c.URL.Empty():
		d.failAt(path+".openclaw", "%s is set too; keep one of the two", d.given(path+".url"))
	case chat:
		d.chat(path+".openclaw", c.OpenClaw)
	case c.URL.Empty() && c.URLFile != "": // why is said already
	case c.URL.Empty():
		d.failAt(path, "a channel needs a url or url_file, like telegram://TOKEN@telegram?chats=CHAT_ID, or openclaw: {channel: telegram, target: \"CHAT_ID\"}")
	default:
		if _, err := shout.New(c.URL); err != nil {
			d.failAt(d.given(path+".url"), "%v", err)
		}
	}
}

func (d *decoder) chat(path string, c Chat) {
	if !channelID.MatchString(c.Channel) {
		d.failAt(path+".channel", "%q is not a channel of OpenClaw's, like telegram; `openclaw channels list` shows them", short(c.Channel))
	}
	if strings.TrimSpace(c.Target) == "" {
		d.failAt(path+".target", "a chat needs a target: who gets the message, as `openclaw message send --target` takes it")
	}
	if c.Account != "" && !agentID.MatchString(c.Account) {
		d.failAt(path+".account", "%q is not an account of a channel, like default", short(c.Account))
	}
}

// heartbeat refuses a beat that is to come more often than there are rounds: its
// monitor would raise the alarm for nothing.
func (d *decoder) heartbeat(h Heartbeat, rounds Schedule) {
	d.between("heartbeat.every", h.Every, minEvery, maxEvery)
	if h.URL.Empty() {
		return
	}
	d.url(d.given("heartbeat.url"), h.URL.Reveal(), "http")
	if d.has("heartbeat.every") && h.Every < rounds.Shortest() {
		d.failAt("heartbeat.every", "%s is shorter than probe.every (%s), and a beat comes after a round", formatDuration(h.Every), rounds)
	}
}

// signingSecret checks a secret as the sender will read it.
func (d *decoder) signingSecret(path string, v secret.Value) {
	if v.Empty() {
		d.failAt(path, "a webhook needs a secret to sign with; `echo \"whsec_$(openssl rand -base64 32)\"` makes one")
		return
	}
	if _, err := notify.ParseSecret(v); err != nil {
		d.failAt(path, "%v", err)
	}
}

// url fails unless text is an absolute URL of that scheme: with TLS, or to this
// machine. Its path may hold a secret, so no message shows more than the host.
func (d *decoder) url(path, text, scheme string) {
	u, err := url.Parse(text)
	if err != nil || u.Host == "" || u.Hostname() == "" {
		d.failAt(path, "want a URL like %ss://example.com/path", scheme)
		return
	}
	switch {
	case u.Scheme != scheme && u.Scheme != scheme+"s":
		d.failAt(path, "%s:// is not %ss://", short(u.Scheme), scheme)
	case u.Scheme == scheme && !loopback.Host(u.Hostname()):
		d.failAt(path, "%s://%s would go over the network in the clear; want %ss://, or a loopback address", scheme, short(u.Host), scheme)
	case u.User != nil:
		d.failAt(path, "a user or password in a URL is not supported")
	case u.Fragment != "":
		d.failAt(path, "a URL to ask has no #fragment")
	}
}

// parseEvent reads an event type.
func parseEvent(text string) (event.Type, error) {
	types := event.Types()
	if slices.Contains(types, event.Type(text)) {
		return event.Type(text), nil
	}
	names := make([]string, len(types))
	for i, t := range types {
		names[i] = string(t)
	}
	return "", fmt.Errorf("unknown event %q%s", short(text), meant(text, names))
}
