package openclaw

import (
	"database/sql"
	"errors"
	"os"
	"path/filepath"
	"slices"
	"testing"
)

func pinInstall(t *testing.T) (*Install, string) {
	t.Helper()
	home := t.TempDir()
	root := filepath.Join(home, ".openclaw", "agents", "main")
	for _, dir := range []string{"agent", "sessions"} {
		if err := os.MkdirAll(filepath.Join(root, dir), 0o700); err != nil {
			t.Fatal(err)
		}
	}
	i, err := Find(Options{Home: home, Getenv: func(string) string { return "" }})
	if err != nil {
		t.Fatal(err)
	}
	return i, root
}

func TestPins(t *testing.T) {
	want := []Pin{
		{Session: "agent:main:auto", Profile: "openai:a"},
		{Session: "agent:main:hand", Profile: "openai:a", ByPerson: true},
		{Session: "agent:main:link", Profile: "openai:b", ByPerson: true},
		{Session: "agent:main:old-auto", Profile: "openai:a"},
		{Session: "agent:main:old-hand", Profile: "openai:a", ByPerson: true},
	}
	entries := map[string]string{
		"agent:main:auto":     `{"sessionId":"1","authProfileOverride":"openai:a","authProfileOverrideSource":"auto"}`,
		"agent:main:hand":     `{"authProfileOverride":"openai:a","authProfileOverrideSource":"user"}`,
		"agent:main:link":     `{"authProfileOverride":"openai:b","authProfileOverrideSource":"user-link"}`,
		"agent:main:old-auto": `{"authProfileOverride":"openai:a","authProfileOverrideCompactionCount":0}`,
		"agent:main:old-hand": `{"authProfileOverride":"openai:a"}`,
		"agent:main:none":     `{"sessionId":"2"}`,
		"agent:main:odd":      `{"authProfileOverride":7}`,
	}
	t.Run("in a file", func(t *testing.T) {
		i, root := pinInstall(t)
		doc := "{"
		for key, e := range entries {
			if len(doc) > 1 {
				doc += ","
			}
			doc += `"` + key + `":` + e
		}
		if err := os.WriteFile(filepath.Join(root, "sessions", "sessions.json"), []byte(doc+"}"), 0o600); err != nil {
			t.Fatal(err)
		}
		if got, err := i.Pins(t.Context(), "main"); !slices.Equal(got, want) || err != nil {
			t.Errorf("got  %v, %v\nwant %v", got, err, want)
		}
	})
	t.Run("in a database", func(t *testing.T) {
		i, root := pinInstall(t)
		db, err := sql.Open("sqlite", filepath.Join(root, "agent", "openclaw-agent.sqlite"))
		if err != nil {
			t.Fatal(err)
		}
		defer func() { _ = db.Close() }()
		if _, err := db.ExecContext(t.Context(), `CREATE TABLE session_nodes (session_key TEXT PRIMARY KEY, entry_json TEXT NOT NULL)`); err != nil {
			t.Fatal(err)
		}
		for key, e := range entries {
			if _, err := db.ExecContext(t.Context(), `INSERT INTO session_nodes VALUES (?, ?)`, key, e); err != nil {
				t.Fatal(err)
			}
		}
		if got, err := i.Pins(t.Context(), "main"); !slices.Equal(got, want) || err != nil {
			t.Errorf("got  %v, %v\nwant %v", got, err, want)
		}
	})
	t.Run("none at all", func(t *testing.T) {
		i, _ := pinInstall(t)
		if got, err := i.Pins(t.Context(), "main"); len(got) > 0 || err != nil {
			t.Errorf("%v, %v", got, err)
		}
	})
	t.Run("half a file", func(t *testing.T) {
		i, root := pinInstall(t)
		if err := os.WriteFile(filepath.Join(root, "sessions", "sessions.json"), []byte(`{"a":`), 0o600); err != nil {
			t.Fatal(err)
		}
		_, err := i.Pins(t.Context(), "main")
		if store, ok := errors.AsType[*StoreError](err); !ok || store.Kind != Corrupt {
			t.Errorf("got %v", err)
		}
	})
}
