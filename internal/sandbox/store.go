package sandbox

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"sync"
	"time"

	_ "modernc.org/sqlite" // the driver that sql.Open names
)

// The schema of 2026.9.6, as far as auth is concerned; the real databases have
// some hundred tables more.
const (
	stateVersion = 18
	agentVersion = 23

	metaSchema = `CREATE TABLE schema_meta (
  meta_key TEXT NOT NULL PRIMARY KEY,
  role TEXT NOT NULL,
  schema_version INTEGER NOT NULL,
  agent_id TEXT,
  app_version TEXT,
  created_at INTEGER NOT NULL,
  updated_at INTEGER NOT NULL
) STRICT;`

	stateSchema = metaSchema + `
CREATE TABLE config_machine_state (
  state_key TEXT NOT NULL PRIMARY KEY,
  value_json TEXT NOT NULL,
  updated_at_ms INTEGER NOT NULL
) STRICT;`

	agentSchema = metaSchema + `
CREATE TABLE auth_profile_store (
  store_key TEXT NOT NULL PRIMARY KEY,
  store_json TEXT NOT NULL,
  updated_at INTEGER NOT NULL
) STRICT;
CREATE TABLE auth_profile_state (
  state_key TEXT NOT NULL PRIMARY KEY,
  state_json TEXT NOT NULL,
  updated_at INTEGER NOT NULL
) STRICT;`
)

// store is OpenClaw's part of the state directory. Only OpenClaw writes it.
type store struct {
	dir   string
	state *sql.DB

	mu     sync.Mutex
	agents map[string]*sql.DB
}

func newStore(ctx context.Context, dir string) (*store, error) {
	s := &store{dir: dir, agents: map[string]*sql.DB{}}
	db, err := createDatabase(ctx, filepath.Join(dir, "state", "openclaw.sqlite"), stateSchema, stateVersion, "global", nil)
	if err != nil {
		return nil, err
	}
	s.state = db
	// Without this row the shared profiles are the main agent's, as before
	// 2026.9's relocation.
	return s, s.put(ctx, "auth.sharedStore", map[string]string{"location": "state-db"})
}

func (s *store) close() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	errs := []error{s.state.Close()}
	for _, db := range s.agents {
		errs = append(errs, db.Close())
	}
	return errors.Join(errs...)
}

// createDatabase makes a database file as OpenClaw does: 0600 in a 0700
// directory, write-ahead log, incremental vacuum.
func createDatabase(ctx context.Context, path, schema string, version int, role string, agent any) (*sql.DB, error) {
	if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
		return nil, fmt.Errorf("sandbox: %w", err)
	}
	f, err := os.OpenFile(path, os.O_CREATE|os.O_EXCL|os.O_RDWR, 0o600)
	if err != nil {
		return nil, fmt.Errorf("sandbox: %w", err)
	}
	if err := f.Close(); err != nil {
		return nil, fmt.Errorf("sandbox: %w", err)
	}
	db, err := sql.Open("sqlite", "file:"+path+"?_pragma=busy_timeout(5000)")
	if err != nil {
		return nil, fmt.Errorf("sandbox: %w", err)
	}
	db.SetMaxOpenConns(1)
	// auto_vacuum counts only before the first table is there.
	script := fmt.Sprintf("PRAGMA auto_vacuum=2; PRAGMA journal_mode=WAL; %s PRAGMA user_version=%d;", schema, version)
	if _, err := db.ExecContext(ctx, script); err != nil {
		return nil, errors.Join(fmt.Errorf("sandbox: create %s: %w", path, err), db.Close())
	}
	now := time.Now().UnixMilli()
	if _, err := db.ExecContext(ctx, `INSERT INTO schema_meta VALUES ('primary', ?, ?, ?, ?, ?, ?)`,
		role, version, agent, Version, now, now); err != nil {
		return nil, errors.Join(fmt.Errorf("sandbox: create %s: %w", path, err), db.Close())
	}
	return db, nil
}

// put writes one row of config_machine_state.
func (s *store) put(ctx context.Context, key string, value any) error {
	doc, err := json.Marshal(value)
	if err != nil {
		return fmt.Errorf("sandbox: encode %s: %w", key, err)
	}
	_, err = s.state.ExecContext(ctx, `INSERT INTO config_machine_state VALUES (?, ?, ?)
		ON CONFLICT (state_key) DO UPDATE SET value_json = excluded.value_json, updated_at_ms = excluded.updated_at_ms`,
		key, string(doc), time.Now().UnixMilli())
	if err != nil {
		return fmt.Errorf("sandbox: write %s: %w", key, err)
	}
	return nil
}

func (s *store) saveProfiles(ctx context.Context, doc map[string]any) error {
	return s.put(ctx, "authProfiles.store", map[string]any{"version": 1, "profiles": doc})
}

func (s *store) saveUsage(ctx context.Context, stats map[string]usageStats) error {
	return s.put(ctx, "authProfiles.state", map[string]any{"version": 1, "usageStats": stats})
}
