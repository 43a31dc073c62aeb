package lab

import (
	"context"
	"fmt"
	"os/exec"
	"path/filepath"
	"strings"
)

// codexModel selects the native Codex runtime: an official model, with no
// provider of its own in the config.
const codexModel = "openai/gpt-5.5"

func codexPlugin() map[string]any {
	off := map[string]any{"enabled": false}
	return map[string]any{"entries": map[string]any{"codex": map[string]any{
		"enabled": true, "config": map[string]any{"sessionCatalog": off, "discovery": off},
	}}}
}

// seedCodex has doctor import the profiles and install the Codex plugin. The
// plugin comes from npm, past the lab's proxy, and records where it was
// installed: this home cannot be a copy, but npm's cache is kept.
func (l *Lab) seedCodex(ctx context.Context) error {
	npm, err := exec.LookPath("npm")
	if err != nil {
		return fmt.Errorf("doctor installs the Codex plugin with npm: %w", err)
	}
	if err := writeSeed(l.Home, l.seedFiles()); err != nil {
		return err
	}
	cache := filepath.Join(filepath.Dir(filepath.Dir(l.Install.Dir)), "npm")
	env := append(l.baseEnv(), "npm_config_cache="+cache, "npm_config_prefer_offline=true")
	// With another home and another Node, npm would not find the files that
	// say how this machine reaches its registry.
	for _, key := range []string{"globalconfig", "userconfig"} {
		file, err := exec.CommandContext(ctx, npm, "config", "get", key).Output()
		if err != nil {
			return fmt.Errorf("npm config get %s: %w", key, err)
		}
		env = append(env, "npm_config_"+key+"="+strings.TrimSpace(string(file)))
	}
	env = append(env, l.path()+":"+filepath.Dir(npm)) // of two, the last one counts
	return l.doctor(ctx, env)
}
