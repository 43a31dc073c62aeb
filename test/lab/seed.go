package lab

import (
	"context"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"sync"
	"testing"
	"time"
)

// model is the one model of a lab.
const model = "gpt-5.4"

// A template is a home directory that was seeded once and is copied for every
// lab of its kind: doctor takes ten seconds and more.
type template struct {
	once sync.Once
	dir  string
	err  error
}

// templates live as long as the test process; Main removes them.
var templates sync.Map // version and accounts → *template

// Main runs a package's tests and removes what its labs shared: call it from
// TestMain.
func Main(m *testing.M) {
	m.Run()
	templates.Range(func(_, v any) bool {
		if dir := v.(*template).dir; dir != "" { //nolint:forcetypeassert // the map holds nothing else
			_ = os.RemoveAll(dir) //nolint:errcheck // a leftover in the temp directory
		}
		return true
	})
}

func (l *Lab) seed(t *testing.T, o Options) {
	t.Helper()
	v, _ := templates.LoadOrStore(fmt.Sprint(o.Version, o.Accounts), new(template))
	tpl := v.(*template) //nolint:forcetypeassert // the map holds nothing else
	tpl.once.Do(func() { tpl.dir, tpl.err = l.buildTemplate(t, o.Accounts) })
	must(t, tpl.err)
	must(t, os.CopyFS(l.Home, os.DirFS(tpl.dir)))
	must(t, tighten(l.Home))
	l.configure(t, o.Config)
}

// buildTemplate seeds a home that outlives the test which happened to need it first.
func (l *Lab) buildTemplate(t *testing.T, accounts []Account) (string, error) {
	t.Helper()
	dir, err := os.MkdirTemp("", "ocwatch-lab-seed-") //nolint:usetesting // shared by the tests of this process
	if err != nil {
		return "", err
	}
	r := l.Install.release()
	profiles := map[string]any{}
	for _, a := range accounts {
		profiles[a.profileID(r)] = a.profile(r)
	}
	state := filepath.Join(dir, ".openclaw")
	files := map[string]any{
		"openclaw.json":                        l.config(),
		"agents/main/agent/auth-profiles.json": map[string]any{"version": 1, "profiles": profiles},
	}
	for name, v := range files {
		if err := writeJSON(filepath.Join(state, name), v); err != nil {
			return "", err
		}
	}
	if !r.imports {
		return dir, nil
	}
	return dir, l.doctor(t.Context(), dir)
}

func (l *Lab) doctor(ctx context.Context, home string) error {
	ctx, cancel := context.WithTimeout(ctx, 2*time.Minute)
	defer cancel()
	seeder := *l
	seeder.Home = home
	out, stderr, err := seeder.run(ctx, seeder.Env(), l.Install.CLI(), "doctor", "--fix", "--non-interactive", "--yes")
	if err != nil {
		return fmt.Errorf("doctor --fix: %w\n%s\n%s", err, out, stderr)
	}
	return nil
}

func (l *Lab) config() map[string]any {
	r := l.Install.release()
	ref := r.openai + "/" + model
	defaults := map[string]any{"model": map[string]any{"primary": ref}}
	provider := map[string]any{
		"baseUrl": l.Provider.URL + "/backend-api/codex",
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
			"mode": "local", "port": l.Port, "bind": "loopback",
			"auth": map[string]any{"mode": "token", "token": Token},
		},
		"agents": map[string]any{"defaults": defaults},
		// By default it writes to a directory that all of a machine's users share.
		"logging": map[string]any{"file": filepath.Join(l.tmp, "openclaw.log")},
		"models":  map[string]any{"providers": map[string]any{r.openai: provider}},
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
	own := l.config()
	for _, key := range []string{"gateway", "models", "logging"} {
		config[key] = own[key]
	}
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
