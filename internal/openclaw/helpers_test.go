package openclaw

import (
	"context"
	"database/sql"
	"os"
	"path/filepath"
	"testing"

	"github.com/ocwatch/ocwatch/internal/secret"
)

// env is a Getenv over a map.
func env(kv map[string]string) func(string) string {
	return func(name string) string { return kv[name] }
}

// newInstall finds an install in an empty home with the given files, by path
// under the state directory.
func newInstall(t *testing.T, files map[string]string) *Install {
	t.Helper()
	return newInstallEnv(t, files, nil)
}

func newInstallEnv(t *testing.T, files, vars map[string]string) *Install {
	t.Helper()
	home := t.TempDir()
	mkdir(t, filepath.Join(home, ".openclaw"))
	for name, content := range files {
		writeFile(t, filepath.Join(home, ".openclaw", name), content)
	}
	i, err := Find(Options{Home: home, Getenv: env(vars)})
	if err != nil {
		t.Fatal(err)
	}
	return i
}

func mkdir(t *testing.T, dir string) {
	t.Helper()
	if err := os.MkdirAll(dir, 0o700); err != nil {
		t.Fatal(err)
	}
}

func writeFile(t *testing.T, path, content string) {
	t.Helper()
	mkdir(t, filepath.Dir(path))
	if err := os.WriteFile(path, []byte(content), 0o600); err != nil {
		t.Fatal(err)
	}
}

// openOwner opens a database as OpenClaw does: writable, in WAL mode.
func openOwner(t *testing.T, path string) *sql.DB {
	t.Helper()
	mkdir(t, filepath.Dir(path))
	db, err := sql.Open("sqlite", path)
	if err != nil {
		t.Fatal(err)
	}
	db.SetMaxOpenConns(1)
	t.Cleanup(func() { _ = db.Close() })
	run(t, db, `PRAGMA journal_mode=wal`)
	return db
}

func run(t *testing.T, db *sql.DB, statements ...string) {
	t.Helper()
	for _, s := range statements {
		if _, err := db.ExecContext(context.Background(), s); err != nil {
			t.Fatalf("%s: %v", s, err)
		}
	}
}

const (
	machineTable = `CREATE TABLE config_machine_state(state_key TEXT PRIMARY KEY, value_json TEXT NOT NULL, updated_at_ms INTEGER NOT NULL) STRICT`
	storeTable   = `CREATE TABLE auth_profile_store(store_key TEXT PRIMARY KEY, store_json TEXT NOT NULL, updated_at INTEGER NOT NULL) STRICT`
	stateTable   = `CREATE TABLE auth_profile_state(state_key TEXT PRIMARY KEY, state_json TEXT NOT NULL, updated_at INTEGER NOT NULL) STRICT`

	credentialsDoc = `{"version":1,"profiles":{"openai:alice@example.com":{"type":"oauth","provider":"openai"}}}`
	localDoc       = `{"version":1,"profiles":{"openai:bob@example.com":{"type":"oauth","provider":"openai"}}}`
	usageDoc       = `{"version":1,"usageStats":{}}`
	orderDoc       = `{"version":1,"order":{"openai":["openai:alice@example.com"]}}`
	emptyDoc       = `{"version":1,"profiles":{}}`
)

// seedShared writes the state database of a 2026.9 install; rows by key.
func seedShared(t *testing.T, stateDir string, rows map[string]string) *sql.DB {
	t.Helper()
	db := openOwner(t, filepath.Join(stateDir, "state", "openclaw.sqlite"))
	run(t, db, machineTable)
	for key, value := range rows {
		if _, err := db.ExecContext(t.Context(), `INSERT INTO config_machine_state VALUES (?, ?, 1)`, key, value); err != nil {
			t.Fatal(err)
		}
	}
	return db
}

// seedAgent writes an agent's database; "" leaves a row out.
func seedAgent(t *testing.T, stateDir, agent, store, state string) *sql.DB {
	t.Helper()
	db := openOwner(t, filepath.Join(stateDir, "agents", agent, "agent", "openclaw-agent.sqlite"))
	run(t, db, storeTable, stateTable)
	if store != "" {
		run(t, db, `INSERT INTO auth_profile_store VALUES ('primary', '`+store+`', 1)`)
	}
	if state != "" {
		run(t, db, `INSERT INTO auth_profile_state VALUES ('primary', '`+state+`', 1)`)
	}
	return db
}

// agentFile is a path under the state directory.
func agentFile(agent, name string) string { return filepath.Join("agents", agent, "agent", name) }

func secretOf(s string) secret.Value { return secret.New(s) }
