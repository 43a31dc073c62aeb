package sandbox

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"path/filepath"
	"time"
)

// orderDocument is the row of auth_profile_state.
type orderDocument struct {
	Version int                 `json:"version"`
	Order   map[string][]string `json:"order"`
}

// agent opens the agent's own database; nil where there is none yet and create
// is false. OpenClaw makes it with the first write.
func (s *store) agent(ctx context.Context, id string, create bool) (*sql.DB, error) {
	if db := s.agents[id]; db != nil || !create {
		return db, nil
	}
	path := filepath.Join(s.agentDir(id), "openclaw-agent.sqlite")
	db, err := createDatabase(ctx, path, agentSchema, agentVersion, "agent", id)
	if err != nil {
		return nil, err
	}
	s.agents[id] = db
	// The agent has no credentials of its own, which is a row too.
	_, err = db.ExecContext(ctx, `INSERT INTO auth_profile_store VALUES ('primary', '{"version":1,"profiles":{}}', ?)`,
		time.Now().UnixMilli())
	return db, err
}

func (s *store) agentDir(id string) string { return filepath.Join(s.dir, "agents", id, "agent") }

// order reads the stored order of every provider.
func (s *store) order(ctx context.Context, agent string) (map[string][]string, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.readOrder(ctx, agent)
}

func (s *store) readOrder(ctx context.Context, agent string) (map[string][]string, error) {
	doc := orderDocument{Order: map[string][]string{}}
	db, err := s.agent(ctx, agent, false)
	if db == nil || err != nil {
		return doc.Order, err
	}
	var text string
	err = db.QueryRowContext(ctx, `SELECT state_json FROM auth_profile_state WHERE state_key = 'primary'`).Scan(&text)
	switch {
	case errors.Is(err, sql.ErrNoRows):
		return doc.Order, nil
	case err != nil:
		return nil, fmt.Errorf("sandbox: read the order of %s: %w", agent, err)
	}
	if err := json.Unmarshal([]byte(text), &doc); err != nil {
		return nil, fmt.Errorf("sandbox: read the order of %s: %w", agent, err)
	}
	return doc.Order, nil
}

// setOrder stores the order of one provider; nil takes it away, and the row
// with it once nothing is left.
func (s *store) setOrder(ctx context.Context, agent, provider string, ids []string) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	order, err := s.readOrder(ctx, agent)
	if err != nil {
		return err
	}
	db, err := s.agent(ctx, agent, true)
	if err != nil {
		return err
	}
	order[provider] = ids
	if ids == nil {
		delete(order, provider)
	}
	if len(order) == 0 {
		_, err = db.ExecContext(ctx, `DELETE FROM auth_profile_state`)
		return err
	}
	doc, err := json.Marshal(orderDocument{Version: 1, Order: order})
	if err != nil {
		return fmt.Errorf("sandbox: encode the order: %w", err)
	}
	_, err = db.ExecContext(ctx, `INSERT INTO auth_profile_state VALUES ('primary', ?, ?)
		ON CONFLICT (state_key) DO UPDATE SET state_json = excluded.state_json, updated_at = excluded.updated_at`,
		string(doc), time.Now().UnixMilli())
	if err != nil {
		return fmt.Errorf("sandbox: write the order of %s: %w", agent, err)
	}
	return nil
}
