package app

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/rs/zerolog"

	"github.com/ocwatch/ocwatch/cmd/ocwatch/internal/config"
	"github.com/ocwatch/ocwatch/internal/secret"
	"github.com/ocwatch/ocwatch/notify"
	"github.com/ocwatch/ocwatch/notify/chat"
	"github.com/ocwatch/ocwatch/notify/shout"
	"github.com/ocwatch/ocwatch/notify/text"
)

// newNotifier makes the notifier of cfg. Chats of OpenClaw's are reached
// through in, which may be nil where cfg has none.
func newNotifier(o Options, cfg *config.Config, in *install, store notify.Store) (*notify.Notifier, error) {
	endpoints, err := endpointsOf(cfg, o.Version, in)
	if err != nil {
		return nil, err
	}
	return notify.New(notify.Options{Endpoints: endpoints, Store: store, Log: o.Log, Host: hostname()})
}

// endpointsOf are the webhooks and then the channels, as the file lists them.
func endpointsOf(cfg *config.Config, version string, in *install) ([]notify.Endpoint, error) {
	language := func(own string) text.Language { return text.Language(cmp.Or(own, cfg.Notify.Language)) }
	var list []notify.Endpoint
	for _, w := range cfg.Notify.Webhooks {
		sender, err := notify.Webhook(secret.New(w.URL), w.Secret, agent(version), nil)
		if err != nil {
			return nil, fmt.Errorf("webhook %q: %w", w.Name, err)
		}
		list = append(list, notify.Endpoint{Name: w.Name, Events: w.Events, Language: language(w.Language), Sender: sender})
	}
	for _, c := range cfg.Notify.Channels {
		sender, err := channel(c, in)
		if err != nil {
			return nil, fmt.Errorf("channel %q: %w", c.Name, err)
		}
		list = append(list, notify.Endpoint{Name: c.Name, Events: c.Events, Language: language(c.Language), Sender: sender})
	}
	return list, nil
}

func channel(c config.Channel, in *install) (notify.Sender, error) {
	if c.OpenClaw.Channel == "" {
		return shout.New(c.URL)
	}
	if in == nil {
		return nil, errors.New("there is no OpenClaw to send through")
	}
	return chat.New(chat.Options{
		Gateway: in.gateway, CLI: in.CLI(),
		Channel: c.OpenClaw.Channel, Target: c.OpenClaw.Target, Account: c.OpenClaw.Account,
	}), nil
}

// newHeartbeat returns nil where no monitor listens.
func newHeartbeat(cfg *config.Config, version string, log zerolog.Logger) *notify.Heartbeat {
	if cfg.Heartbeat.URL.Empty() {
		return nil
	}
	return notify.NewHeartbeat(notify.HeartbeatOptions{
		URL: cfg.Heartbeat.URL, Every: cfg.Heartbeat.Every, UserAgent: agent(version), Log: log,
	})
}

func agent(version string) string { return "ocwatch/" + version }

// TestNotify sends one test event through every endpoint, or through those that
// are named.
func TestNotify(ctx context.Context, o Options, only []string) ([]notify.Result, error) {
	cfg := *o.Config
	if err := keepOnly(&cfg.Notify, only); err != nil {
		return nil, err
	}
	var in *install
	if slices.ContainsFunc(cfg.Notify.Channels, func(c config.Channel) bool { return c.OpenClaw.Channel != "" }) {
		var err error
		if in, err = findInstall(&cfg, o.Log); err != nil {
			return nil, err
		}
		defer in.close()
	}
	n, err := newNotifier(o, &cfg, in, nil)
	if err != nil {
		return nil, err
	}
	return n.Test(ctx), nil
}

// keepOnly leaves the endpoints of these names in n; no name keeps all.
func keepOnly(n *config.Notify, only []string) error {
	var names []string
	for _, w := range n.Webhooks {
		names = append(names, w.Name)
	}
	for _, c := range n.Channels {
		names = append(names, c.Name)
	}
	if len(names) == 0 {
		return errors.New("no endpoint to test: add one under notify.webhooks or notify.channels in the config file")
	}
	for _, name := range only {
		if !slices.Contains(names, name) {
			return fmt.Errorf("there is no endpoint named %q; the config file has %s", name, strings.Join(names, ", "))
		}
	}
	if len(only) == 0 {
		return nil
	}
	drop := func(name string) bool { return !slices.Contains(only, name) }
	n.Webhooks = slices.DeleteFunc(slices.Clone(n.Webhooks), func(w config.Webhook) bool { return drop(w.Name) })
	n.Channels = slices.DeleteFunc(slices.Clone(n.Channels), func(c config.Channel) bool { return drop(c.Name) })
	return nil
}
