package lab

import (
	"encoding/json"
	"os"
	"path/filepath"
	"testing"
)

// config is openclaw.json, as small as it serves turns.
func (l *Lab) config(port int, providerURL string) map[string]any {
	r := l.Install.release()
	config := map[string]any{"gateway": map[string]any{
		"mode": "local", "port": port, "bind": "loopback",
		"auth": map[string]any{"mode": "token", "token": Token},
	}}
	ref := r.openai + "/" + model
	defaults := map[string]any{"model": map[string]any{"primary": ref}}
	config["agents"] = map[string]any{"defaults": defaults}
	if r.codex {
		defaults["model"] = map[string]any{"primary": codexModel}
		config["plugins"] = codexPlugin()
		return config
	}
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
	config["models"] = map[string]any{"providers": map[string]any{r.openai: provider}}
	return config
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
	config["gateway"] = own["gateway"]
	if models, ok := own["models"]; ok {
		config["models"] = models
	}
	// By default it logs to a directory that all of a machine's users share.
	config["logging"] = map[string]any{"file": filepath.Join(l.tmp, "openclaw.log")}
	if l.Telegram != nil {
		config["channels"] = map[string]any{"telegram": l.Telegram.config()}
	}
	if edit != nil {
		edit(config)
	}
	must(t, writeJSON(path, config))
}
