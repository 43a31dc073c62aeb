package app

import (
	"fmt"
	"reflect"
	"strings"
	"testing"

	"github.com/rs/zerolog"

	"github.com/ocwatch/ocwatch/cmd/ocwatch/internal/config"
	"github.com/ocwatch/ocwatch/internal/event"
	"github.com/ocwatch/ocwatch/internal/openclaw"
	"github.com/ocwatch/ocwatch/internal/secret"
)

func everyEndpoint() *config.Config {
	cfg := config.Default()
	cfg.Notify.Language = "zh"
	cfg.Notify.Webhooks = []config.Webhook{
		{Name: "ops", URL: "https://hooks.example.com/T0KEN", Language: "en", Events: []event.Type{event.Test}},
	}
	cfg.Notify.Channels = []config.Channel{
		{Name: "topic", URL: secret.New("ntfy://me:T0KEN@ntfy.example.com/quota")},
		{Name: "chat", OpenClaw: config.Chat{Channel: "telegram", Target: "1234"}, Language: "en", Events: []event.Type{event.PoolDepleted}},
	}
	return cfg
}

// What the file says of an endpoint is what its sender gets.
func TestEndpointsOf(t *testing.T) {
	found := &openclaw.Install{}
	list, err := endpointsOf(everyEndpoint(), "1.2.3", &install{Install: found, gateway: found.Gateway()})
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, ep := range list {
		got = append(got, fmt.Sprint(ep.Name, " ", ep.Sender.Shown(), " ", ep.Language, " ", ep.Sender.Joins(), " ", ep.Events))
	}
	want := []string{
		"ops https://hooks.example.com en false [test]",
		"topic ntfy://ntfy.example.com zh true []",
		"chat openclaw:telegram en true [pool.depleted]",
	}
	if !reflect.DeepEqual(got, want) {
		t.Errorf("got  %q\nwant %q", got, want)
	}
}

func TestEndpointsThatCannotBe(t *testing.T) {
	for name, c := range map[string]struct {
		edit func(*config.Notify)
		want string
	}{
		"a webhook":            {func(n *config.Notify) { n.Webhooks[0].URL = "ftp://T0KEN" }, `webhook "ops"`},
		"a channel":            {func(n *config.Notify) { n.Channels[0].URL = secret.New("ntfy://T0KEN@") }, `channel "topic"`},
		"a chat of no gateway": {func(*config.Notify) {}, `channel "chat": there is no OpenClaw`},
	} {
		t.Run(name, func(t *testing.T) {
			cfg := everyEndpoint()
			c.edit(&cfg.Notify)
			_, err := endpointsOf(cfg, "1.2.3", nil)
			if err == nil || !strings.Contains(err.Error(), c.want) || strings.Contains(err.Error(), "T0KEN") {
				t.Errorf("err = %v, want %s", err, c.want)
			}
		})
	}
}

func TestKeepOnly(t *testing.T) {
	for name, c := range map[string]struct {
		only []string
		want []string
		err  string
	}{
		"all":            {nil, []string{"ops", "topic", "chat"}, ""},
		"a channel":      {[]string{"chat"}, []string{"chat"}, ""},
		"one of each":    {[]string{"topic", "ops"}, []string{"ops", "topic"}, ""},
		"an unknown one": {[]string{"ops", "Ops"}, nil, `no endpoint named "Ops"; the config file has ops, topic, chat`},
	} {
		t.Run(name, func(t *testing.T) {
			cfg := everyEndpoint()
			n := cfg.Notify
			err := keepOnly(&n, c.only)
			if c.err != "" {
				if err == nil || !strings.Contains(err.Error(), c.err) {
					t.Errorf("err = %v, want %s", err, c.err)
				}
				return
			}
			var got []string
			for _, w := range n.Webhooks {
				got = append(got, w.Name)
			}
			for _, ch := range n.Channels {
				got = append(got, ch.Name)
			}
			if err != nil || !reflect.DeepEqual(got, c.want) {
				t.Errorf("kept %q, %v; want %q", got, err, c.want)
			}
			if len(cfg.Notify.Channels) != 2 || cfg.Notify.Channels[0].Name != "topic" {
				t.Error("the config itself was changed")
			}
		})
	}
	if err := keepOnly(&config.Notify{}, nil); err == nil {
		t.Error("nothing to test, and no error")
	}
}

func TestHeartbeatNeedsAnAddress(t *testing.T) {
	cfg := config.Default()
	if h := newHeartbeat(cfg, "1.2.3", zerolog.Nop()); h != nil {
		t.Error("a heartbeat for nobody")
	}
	cfg.Heartbeat.URL = secret.New("https://hc.example.com/T0KEN")
	if h := newHeartbeat(cfg, "1.2.3", zerolog.Nop()); h == nil {
		t.Error("no heartbeat")
	}
}
