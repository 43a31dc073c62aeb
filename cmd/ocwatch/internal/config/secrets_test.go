package config

import (
	"path/filepath"
	"reflect"
	"testing"
)

// What a secret came from is known by name; a path or a number that came from
// the environment is none.
func TestSecretEnv(t *testing.T) {
	dir, env := world(t)
	file := filepath.Join(dir, "bad", "config.yaml")
	write(t, file, []byte(`
openclaw: {gateway: {token: "${TOKEN}"}}
failover: {switch_at: "${THRESHOLD}"}
data_dir: ${HOME}/data
notify:
  webhooks:
    - {name: a, url: "${SITE}/${PATH_TOKEN}", secret: "whsec_${HOOK_KEY}", events: []}
    - {name: b, url: "https://example.com/", secret_file: "${CREDENTIALS_DIRECTORY}/hook"}
    - {name: c, url: "https://example.com/$${LITERAL}", secret: "${HOOK_SECRET}"}
  channels:
    - {name: d, url: "${TELEGRAM}"}
    - {name: e, openclaw: {channel: telegram, target: "${CHAT}"}}
heartbeat: {url: "https://hc.example.com/${PATH_TOKEN}"}
`), 0o644)
	more := map[string]string{"TOKEN": "t", "SITE": "https://example.com", "PATH_TOKEN": "p", "CHAT": "1"}
	c, err := Load(file, func(name string) string {
		if v, ok := more[name]; ok {
			return v
		}
		return env(name)
	})
	if err != nil {
		t.Fatal(err)
	}
	want := []string{"HOOK_KEY", "HOOK_SECRET", "PATH_TOKEN", "SITE", "TELEGRAM", "TOKEN"}
	if got := c.SecretEnv(); !reflect.DeepEqual(got, want) {
		t.Errorf("got %q, want %q", got, want)
	}
	if got := Default().SecretEnv(); len(got) != 0 {
		t.Errorf("the defaults name %q", got)
	}
}
