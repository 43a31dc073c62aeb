package lab

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"testing"
)

// model is the one model of a lab.
const model = "gpt-5.4"

// seed gives the lab a home. A home that doctor has been through is kept in the
// cache and copied: doctor takes ten seconds and more, and what it makes of the
// same files is the same.
func (l *Lab) seed(t *testing.T, edit func(map[string]any)) {
	t.Helper()
	dir, err := l.seeded(t.Context())
	must(t, err)
	must(t, os.CopyFS(l.Home, os.DirFS(dir)))
	must(t, tighten(l.Home))
	l.configure(t, edit)
}

func (l *Lab) seeded(ctx context.Context) (string, error) {
	files := l.seedFiles()
	all, err := json.Marshal(files)
	if err != nil {
		return "", err
	}
	sum := sha256.Sum256(all)
	root := filepath.Join(filepath.Dir(filepath.Dir(l.Install.Dir)), "openclaw-seed")
	final := filepath.Join(root, l.Install.Version+"-"+hex.EncodeToString(sum[:6]))
	if _, err := os.Stat(final); err == nil {
		return final, nil
	}
	if err := os.MkdirAll(root, 0o700); err != nil {
		return "", err
	}
	tmp, err := os.MkdirTemp(root, ".tmp-") //nolint:usetesting // it becomes the cached seed
	if err != nil {
		return "", err
	}
	defer func() { _ = os.RemoveAll(tmp) }() //nolint:errcheck // gone once it is renamed
	if err := l.buildSeed(ctx, tmp, files); err != nil {
		return "", err
	}
	if err := os.Rename(tmp, final); err != nil && !os.IsExist(err) {
		return "", err // another process may have been quicker, which is as good
	}
	return final, nil
}

// seedFiles are written below the state directory. They hold placeholders for
// what differs between labs, which configure fills in.
func (l *Lab) seedFiles() map[string]any {
	r := l.Install.release()
	profiles := map[string]any{}
	for _, a := range l.Accounts {
		profiles[a.profileID(r)] = a.profile(r)
	}
	return map[string]any{
		"openclaw.json": l.config(28791, "http://127.0.0.1:29001"),
		"agents/main/agent/auth-profiles.json": map[string]any{
			"version": 1, "profiles": profiles, "order": map[string]any{l.ProviderID(): l.IDs(l.Pool()...)},
		},
	}
}

func (l *Lab) buildSeed(ctx context.Context, home string, files map[string]any) error {
	for name, v := range files {
		if err := writeJSON(filepath.Join(home, ".openclaw", name), v); err != nil {
			return err
		}
	}
	if !l.Install.release().imports {
		return nil
	}
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	seeder := *l
	seeder.Home = home
	out, stderr, err := seeder.run(ctx, seeder.Env(), l.Install.CLI(), "doctor", "--fix", "--non-interactive", "--yes")
	if err != nil {
		return fmt.Errorf("doctor --fix: %w\n%s\n%s", err, out, stderr)
	}
	return nil
}

func (l *Lab) config(port int, providerURL string) map[string]any {
	r := l.Install.release()
	ref := r.openai + "/" + model
	defaults := map[string]any{"model": map[string]any{"primary": ref}}
	provider := map[string]any{
		"baseUrl": providerURL + "/backend-api/codex",
		"api":     r.api,
		"models": []any{map[string]any{
			"id": model, "name": model, "api": r.api, "reasoning": false,
			"input": []string{"text"}, "contextWindow": 200000, "maxTokens": 8192,
		}},
	}
	if r.runtime {
		embedded := map[string]any{"id": "openclaw"}
		defaults["models"] = map[string]any{ref: map[string]any{"agentRuntime": embedded}}
		provider["agentRuntime"] = embedded
	}
	return map[string]any{
		"gateway": map[string]any{
			"mode": "local", "port": port, "bind": "loopback",
			"auth": map[string]any{"mode": "token", "token": Token},
		},
		"agents": map[string]any{"defaults": defaults},
		"models": map[string]any{"providers": map[string]any{r.openai: provider}},
	}
}

// configure gives a copied home its own ports.
func (l *Lab) configure(t *testing.T, edit func(map[string]any)) {
	t.Helper()
	path := filepath.Join(l.StateDir, "openclaw.json")
	b, err := os.ReadFile(path)
	must(t, err)
	var config map[string]any
	must(t, json.Unmarshal(b, &config))
	own := l.config(l.Port, l.Provider.URL)
	config["gateway"], config["models"] = own["gateway"], own["models"]
	// By default it logs to a directory that all of a machine's users share.
	config["logging"] = map[string]any{"file": filepath.Join(l.tmp, "openclaw.log")}
	if edit != nil {
		edit(config)
	}
	must(t, writeJSON(path, config))
}

func writeJSON(path string, v any) error {
	b, err := json.MarshalIndent(v, "", "  ")
	if err != nil {
		return err
	}
	if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
		return err
	}
	return os.WriteFile(path, b, 0o600)
}

// tighten gives a copied tree the modes that OpenClaw insists on.
func tighten(dir string) error {
	return filepath.WalkDir(dir, func(path string, d os.DirEntry, err error) error {
		switch {
		case err != nil:
			return err
		case d.IsDir():
			return os.Chmod(path, 0o700) //nolint:gosec // a directory needs the x bit
		case d.Type().IsRegular():
			return os.Chmod(path, 0o600)
		default:
			return nil
		}
	})
}
