package config

import (
	"fmt"
	"net"
	"net/url"
	"regexp"
	"slices"
	"strconv"
	"time"

	"github.com/ocwatch/ocwatch/internal/event"
	"github.com/ocwatch/ocwatch/internal/loopback"
	"github.com/ocwatch/ocwatch/internal/secret"
	"github.com/ocwatch/ocwatch/notify"
)

func (d *decoder) notify(n Notify) {
	d.choice("notify.language", n.Language, "en")
	d.between("notify.login_after", n.LoginAfter, 0, 7*24*time.Hour)
	if n.RemindEvery != 0 {
		d.between("notify.remind_every", n.RemindEvery, time.Minute, 7*24*time.Hour)
	}
	seen := map[string]bool{}
	for i, w := range n.Webhooks {
		path := fmt.Sprintf("notify.webhooks[%d]", i)
		d.webhook(path, w)
		if w.Name != "" && seen[w.Name] {
			d.failAt(path+".name", "there is another webhook named %s", short(w.Name))
		}
		seen[w.Name] = true
	}
}

// endpointName is what an endpoint may be called: it becomes part of journal
// keys, metrics and commands.
var endpointName = regexp.MustCompile(`^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$`)

func (d *decoder) webhook(path string, w Webhook) {
	if !endpointName.MatchString(w.Name) {
		d.failAt(path+".name", "%q is not a name; want letters, digits, dots, dashes", short(w.Name))
	}
	unique(d, path+".events", w.Events)
	if w.URL == "" {
		d.failAt(path+".url", "a webhook needs a url")
	} else {
		d.url(path+".url", w.URL, "http")
	}
	key := path + ".secret"
	if d.has(path + ".secret_file") {
		key += "_file"
	}
	d.signingSecret(key, w.Secret)
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

func (d *decoder) listen(address string) {
	if address == "" {
		return
	}
	host, port, err := net.SplitHostPort(address)
	if n, convErr := strconv.ParseUint(port, 10, 16); err != nil || convErr != nil || n == 0 {
		d.failAt("listen", "%q is not host:port, like 127.0.0.1:18790", short(address))
		return
	}
	if !loopback.Host(host) {
		d.failAt("listen", "%s is reachable from other machines, and this version has no token for it; want a loopback address, like 127.0.0.1:%s", short(address), port)
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
