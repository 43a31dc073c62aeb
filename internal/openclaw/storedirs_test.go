package openclaw

import (
	"os"
	"path/filepath"
	"slices"
	"testing"
)

func TestStoreDirs(t *testing.T) {
	home := t.TempDir()
	state := filepath.Join(home, ".openclaw")
	if err := os.MkdirAll(state, 0o700); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(state, "openclaw.json"), []byte(`{"agents":{"list":[{"id":"main"},{"id":"far","agentDir":"/far/away"}]}}`), 0o600); err != nil {
		t.Fatal(err)
	}
	i, err := Find(Options{Home: home, Getenv: func(string) string { return "" }})
	if err != nil {
		t.Fatal(err)
	}
	main := filepath.Join(state, "agents", "main", "agent")
	for agent, want := range map[string][]string{
		"main": {main},
		"work": {filepath.Join(state, "agents", "work", "agent"), main},
		"far":  {"/far/away", main},
	} {
		if got, err := i.StoreDirs(agent); !slices.Equal(got, want) || err != nil {
			t.Errorf("%s: %v, %v; want %v", agent, got, err, want)
		}
	}
	if _, err := i.StoreDirs("../etc"); err == nil {
		t.Error("a path was taken for an agent")
	}
}
