package config

import (
	"cmp"
	"fmt"
	"io"
	"maps"
	"net/url"
	"slices"
	"strconv"
	"time"

	"github.com/goccy/go-yaml"

	"github.com/ocwatch/ocwatch/internal/secret"
	"github.com/ocwatch/ocwatch/notify/shout"
)

// Show writes the effective configuration as YAML, defaults filled in. Load
// reads it again, once the secrets that are left out are put back: those that
// stood in the file itself, and of URLs what comes after the host.
func (c *Config) Show(w io.Writer) error {
	shown := *c
	if shown.OpenClaw.Gateway.TokenFile != "" {
		shown.OpenClaw.Gateway.Token = secret.Value{}
	}
	shown.Notify.Webhooks = make([]Webhook, len(c.Notify.Webhooks))
	for i, hook := range c.Notify.Webhooks {
		if hook.SecretFile != "" {
			hook.Secret = secret.Value{}
		}
		hook.URL = withoutPath(hook.URL)
		shown.Notify.Webhooks[i] = hook
	}
	shown.Notify.Channels = slices.Clone(c.Notify.Channels)
	for i := range shown.Notify.Channels {
		if ch := &shown.Notify.Channels[i]; ch.URLFile != "" {
			ch.URL = secret.Value{}
		}
	}
	if shown.Web.TokenFile != "" {
		shown.Web.Token = secret.Value{}
	}
	if shown.Heartbeat.URLFile != "" {
		shown.Heartbeat.URL = secret.Value{}
	}
	shown.Probe.Providers = maps.Clone(c.Probe.Providers)
	for id, provider := range shown.Probe.Providers {
		if provider.Generic.SampleFile != "" {
			provider.Generic.Sample = ""
			shown.Probe.Providers[id] = provider
		}
	}
	addresses := shown.addresses()
	out, err := yaml.MarshalWithOptions(shown,
		yaml.IndentSequence(true),
		yaml.CustomMarshaler(func(p float64) ([]byte, error) { return strconv.AppendFloat(nil, p, 'f', -1, 64), nil }),
		yaml.CustomMarshaler(func(d time.Duration) ([]byte, error) { return []byte(formatDuration(d)), nil }),
		yaml.CustomMarshaler(func(s Schedule) ([]byte, error) { return yaml.Marshal(s.String()) }),
		yaml.CustomMarshaler(func(v secret.Value) ([]byte, error) { return yaml.Marshal(cmp.Or(addresses[v], v.String())) }),
	)
	if err != nil {
		return fmt.Errorf("show the configuration: %w", err)
	}
	_, err = w.Write(out)
	return err // the writer's own words
}

// addresses are what may be shown of secrets that are URLs.
func (c *Config) addresses() map[secret.Value]string {
	shown := map[secret.Value]string{}
	for _, ch := range c.Notify.Channels {
		if sender, err := shout.New(ch.URL); err == nil {
			shown[ch.URL] = sender.Shown() + "/" + secret.Redacted
		}
	}
	if u, err := url.Parse(c.Heartbeat.URL.Reveal()); err == nil && u.Host != "" {
		shown[c.Heartbeat.URL] = u.Scheme + "://" + u.Host + "/" + secret.Redacted
	}
	return shown
}

// withoutPath leaves out what many receivers hide a token in.
func withoutPath(text string) string {
	u, err := url.Parse(text)
	if err != nil {
		return secret.Redacted
	}
	if u.Path == "" || u.Path == "/" && u.RawQuery == "" {
		return text
	}
	return u.Scheme + "://" + u.Host + "/" + secret.Redacted
}
