package doctor

import (
	"time"

	"github.com/ocwatch/ocwatch/failover/restart"
	"github.com/ocwatch/ocwatch/internal/openclaw"
	"github.com/ocwatch/ocwatch/profiles"
)

var now = time.Date(2026, 11, 22, 10, 0, 0, 0, time.UTC)

const (
	alice = "openai:alice@example.com"
	bob   = "openai:bob@example.com"
)

// healthy is a set-up of which there is nothing to say.
func healthy() World {
	return World{
		Now:      now,
		Config:   Config{Budget: restart.DefaultBudget},
		OpenClaw: &OpenClaw{StateDir: "/home/oc/.openclaw", Config: "/home/oc/.openclaw/openclaw.json", Command: "/usr/bin/openclaw"},
		Gateway: &Gateway{
			URL:    "ws://127.0.0.1:18789",
			Health: openclaw.Health{Live: true, Ready: true, Answers: true},
			Hello:  openclaw.Hello{Version: "2026.9.6", Scopes: []string{"operator.admin", "operator.read", "operator.write"}},
		},
		Auth: &Auth{Snapshot: profiles.Snapshot{Layout: openclaw.SharedDatabase, Pools: []profiles.Pool{pool(
			profiles.Profile{ID: alice, Provider: "openai", Type: profiles.OAuth, Account: "a", Status: profiles.Usable},
			profiles.Profile{ID: bob, Provider: "openai", Type: profiles.OAuth, Account: "b", Status: profiles.Stale},
		)}}},
		Sessions: []Sessions{{Agent: "main"}},
		Clocks:   []Clock{{Provider: "openai", URL: "https://chatgpt.com", Ahead: time.Second, Said: true}},
		Service: &Service{Account: "oc", Linger: true, Running: true, Units: []Unit{
			{Name: "openclaw-gateway.service", User: true, Gateway: true, State: running()},
			{Name: "ocwatch.service", User: true, State: running()},
		}},
		Notify: &Notify{Told: true, Endpoints: []Endpoint{{Name: "ops", Host: "example.com:443"}}},
		Files: []File{
			{Path: "/home/oc/.config/ocwatch/config.yaml", Mode: 0o644, Owner: 1000, Own: 1000},
			{Path: "/home/oc/.local/state/ocwatch", Mode: 0o700, Owner: 1000, Own: 1000, Private: true},
		},
	}
}

func running() restart.UnitState {
	return restart.UnitState{
		Load: "loaded", Active: "active", Sub: "running", Result: "success", File: "enabled",
		StartBurst: 10, StartInterval: 5 * time.Minute,
	}
}

// pool is main's of openai, with every profile in its order.
func pool(list ...profiles.Profile) profiles.Pool {
	p := profiles.Pool{Agent: "main", Provider: "openai", Profiles: list, Source: profiles.OrderStored}
	for _, pr := range list {
		p.Order = append(p.Order, pr.ID)
	}
	return p
}

// first is the pool of a healthy world.
func (w World) first() *profiles.Pool { return &w.Auth.Snapshot.Pools[0] }
