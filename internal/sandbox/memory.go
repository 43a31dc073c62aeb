package sandbox

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"time"
)

// memory is what the running gateway has read of the store. Turns are served
// from it: a write to the files alone does not reach them. World.mu guards it.
type memory struct {
	order map[string]map[string][]string // by agent, by provider
	usage map[string]usageStats
	// shown is what models.authStatus answers from: kept for a minute, and
	// dropped when an order is set or auth is refreshed.
	shown map[string]shownOrder
}

type shownOrder struct {
	at    time.Time
	order map[string][]string
}

// statusAge is how long models.authStatus answers from what it has; what is
// older is answered once more, and then read anew.
const statusAge = time.Minute

// loadMemory is the gateway's start.
func (w *World) loadMemory(ctx context.Context) error {
	w.mu.Lock()
	w.memory = memory{order: map[string]map[string][]string{}, shown: map[string]shownOrder{}}
	w.mu.Unlock()
	for _, agent := range w.agents {
		if err := w.readAgent(ctx, agent); err != nil {
			return err
		}
	}
	return nil
}

// reread is what models.authRefresh does.
func (w *World) reread(ctx context.Context, agent string) *rpcError {
	if err := w.readAgent(ctx, agent); err != nil {
		return &rpcError{Code: "UNAVAILABLE", Message: "auth state is temporarily unavailable"}
	}
	return nil
}

func (w *World) readAgent(ctx context.Context, agent string) error {
	order, err := w.store.order(ctx, agent)
	if err != nil {
		return err
	}
	usage, err := w.store.usage(ctx)
	if err != nil {
		return err
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	w.memory.order[agent] = order
	w.memory.usage = usage
	w.memory.shown[agent] = shownOrder{time.Now(), order}
	return nil
}

func (s *store) usage(ctx context.Context) (map[string]usageStats, error) {
	doc := struct {
		UsageStats map[string]usageStats `json:"usageStats"`
	}{map[string]usageStats{}}
	var text string
	err := s.state.QueryRowContext(ctx, `SELECT value_json FROM config_machine_state WHERE state_key = 'authProfiles.state'`).Scan(&text)
	switch {
	case errors.Is(err, sql.ErrNoRows):
		return doc.UsageStats, nil
	case err != nil:
		return nil, fmt.Errorf("sandbox: read the usage stats: %w", err)
	}
	if err := json.Unmarshal([]byte(text), &doc); err != nil {
		return nil, fmt.Errorf("sandbox: read the usage stats: %w", err)
	}
	return doc.UsageStats, nil
}

// Order is the order that the gateway has in memory, nil where nobody set one.
// An order in the store beats one in the config.
func (w *World) Order(agent, provider string) []string {
	w.mu.Lock()
	defer w.mu.Unlock()
	if order := w.memory.order[agent][provider]; order != nil {
		return slices.Clone(order)
	}
	return slices.Clone(w.opts.ConfigOrder[provider])
}

// StoredOrder is the order on disk, nil where there is none.
func (w *World) StoredOrder(ctx context.Context, agent, provider string) ([]string, error) {
	order, err := w.store.order(ctx, agent)
	return order[provider], err
}

// SetOrderByHand is a person's `openclaw models auth order set`, which may
// leave profiles out.
func (w *World) SetOrderByHand(ctx context.Context, agent, provider string, ids ...string) error {
	return w.setOrder(ctx, ViaHand, agent, provider, ids)
}

// setOrder writes an order and tells the running gateway, as the command does.
func (w *World) setOrder(ctx context.Context, via Via, agent, provider string, ids []string) error {
	if err := w.store.setOrder(ctx, agent, provider, ids); err != nil {
		return err
	}
	w.wrote(Write{Via: via, Agent: agent, Provider: provider, Order: ids})
	if w.opts.Stale == UntilRestart || !w.gateway.up() {
		return nil
	}
	return w.readAgent(ctx, agent)
}

func (g *gateway) up() bool {
	g.mu.Lock()
	defer g.mu.Unlock()
	return g.running != nil
}
