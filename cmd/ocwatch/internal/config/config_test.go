package config

import (
	"bytes"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/ocwatch/ocwatch/internal/secret"
)

// hookSecret is what testdata/secrets/hook holds; made for these tests.
const hookSecret = "whsec_MDEyMzQ1Njc4OWFiY2RlZjAxMjM0NTY3"

// world is a copy of testdata that is the owner's alone, and the environment
// of the tests.
func world(tb testing.TB) (dir string, env func(string) string) {
	tb.Helper()
	dir = tb.TempDir()
	for _, pattern := range []string{"bad/*", "good/*", "secrets/*"} {
		files, err := filepath.Glob(filepath.Join("testdata", pattern))
		if err != nil || len(files) == 0 {
			tb.Fatalf("no files in testdata/%s (%v)", pattern, err)
		}
		for _, file := range files {
			write(tb, filepath.Join(dir, filepath.Base(filepath.Dir(file)), filepath.Base(file)), read1(tb, file), 0o600)
		}
	}
	for name, mode := range map[string]os.FileMode{"secrets/readable": 0o644, "secrets/group": 0o640} {
		write(tb, filepath.Join(dir, name), []byte(hookSecret), mode)
	}
	write(tb, filepath.Join(dir, "credentials", "hook"), []byte(hookSecret), 0o440)
	vars := map[string]string{
		"HOME":                  filepath.Join(dir, "home"),
		"CREDENTIALS_DIRECTORY": filepath.Join(dir, "credentials"),
		"HOOK_SECRET":           hookSecret,
		"TELEGRAM":              "telegram://123456789:AAT0KENaaaaaaaaaaaaaaaaaaaaaaaaaaaa@telegram?chats=123456",
		"HOOK_KEY":              strings.TrimPrefix(hookSecret, "whsec_"),
		"THRESHOLD":             "90",
		"EMPTY":                 "",
	}
	return dir, func(name string) string { return vars[name] }
}

func read1(tb testing.TB, path string) []byte {
	tb.Helper()
	data, err := os.ReadFile(path)
	if err != nil {
		tb.Fatal(err)
	}
	return data
}

func write(tb testing.TB, path string, data []byte, mode os.FileMode) {
	tb.Helper()
	if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
		tb.Fatal(err)
	}
	if err := os.WriteFile(path, data, mode); err != nil {
		tb.Fatal(err)
	}
	if err := os.Chmod(path, mode); err != nil { // whatever the umask
		tb.Fatal(err)
	}
}

// directives are the comments of a test file that speak to the test.
var directives = regexp.MustCompile(`(?m)^# (error|mode): (.*)$`)

// TestBad holds every file in testdata/bad to the errors that its own
// comments, "# error: LINE: text", announce: all of them, and no other.
func TestBad(t *testing.T) {
	dir, env := world(t)
	files, _ := filepath.Glob(filepath.Join(dir, "bad", "*.yaml"))
	for _, file := range files {
		t.Run(strings.TrimSuffix(filepath.Base(file), ".yaml"), func(t *testing.T) {
			var want []string
			for _, m := range directives.FindAllStringSubmatch(string(read1(t, file)), -1) {
				switch m[1] {
				case "error":
					want = append(want, file+":"+m[2])
				case "mode":
					if err := os.Chmod(file, map[string]os.FileMode{"644": 0o644, "666": 0o666}[m[2]]); err != nil {
						t.Fatal(err)
					}
				}
			}
			_, err := Load(file, env)
			if err == nil {
				t.Fatal("was accepted")
			}
			got := strings.ReplaceAll(err.Error(), dir, "DIR")
			if wanted := strings.ReplaceAll(strings.Join(want, "\n"), dir, "DIR"); got != wanted {
				t.Errorf("got:\n%s\nwant:\n%s", got, wanted)
			}
		})
	}
}

// TestGood loads every file in testdata/good, shows it, and loads what was
// shown: the same again, and nothing secret in between.
func TestGood(t *testing.T) {
	dir, env := world(t)
	files, _ := filepath.Glob(filepath.Join(dir, "good", "*.yaml"))
	for _, file := range files {
		t.Run(strings.TrimSuffix(filepath.Base(file), ".yaml"), func(t *testing.T) {
			c, err := Load(file, env)
			if err != nil {
				t.Fatal(err)
			}
			shown := show(t, c)
			if strings.Contains(shown, hookSecret[6:]) || strings.Contains(shown, "T0KEN") {
				t.Errorf("the secret is shown:\n%s", shown)
			}
			for _, ch := range c.Notify.Channels {
				if u, _, _ := strings.Cut(ch.URL.Reveal(), ":"); u != "" && ch.URLFile == "" && !strings.Contains(shown, "url: "+u+"://") {
					t.Errorf("the service of %s is not shown:\n%s", ch.Name, shown)
				}
			}
			again := show(t, reload(t, c, shown, env))
			if again != shown {
				t.Errorf("shown:\n%s\nshown after loading that:\n%s", shown, again)
			}
		})
	}
}

func show(tb testing.TB, c *Config) string {
	tb.Helper()
	var out bytes.Buffer
	if err := c.Show(&out); err != nil {
		tb.Fatal(err)
	}
	return out.String()
}

// redacted is a value that is not shown, or not to its end.
var redacted = regexp.MustCompile(`["']?[^\s"']*\[redacted\]["']?`)

// leftOut are the secrets of c that Show leaves out, in its order.
func leftOut(c *Config) (list []secret.Value) {
	add := func(v secret.Value, file string) {
		if !v.Empty() && file == "" {
			list = append(list, v)
		}
	}
	add(c.OpenClaw.Gateway.Token, c.OpenClaw.Gateway.TokenFile)
	for _, hook := range c.Notify.Webhooks {
		add(hook.Secret, hook.SecretFile)
	}
	for _, ch := range c.Notify.Channels {
		add(ch.URL, ch.URLFile)
	}
	add(c.Heartbeat.URL, c.Heartbeat.URLFile)
	add(c.Web.Token, c.Web.TokenFile)
	return list
}

// reload loads what Show wrote, with what it left out put back.
func reload(tb testing.TB, c *Config, shown string, env func(string) string) *Config {
	tb.Helper()
	for _, hook := range c.Notify.Webhooks {
		shown = strings.ReplaceAll(shown, withoutPath(hook.URL), hook.URL)
	}
	for _, v := range leftOut(c) {
		at := redacted.FindStringIndex(shown)
		if at == nil {
			tb.Fatalf("too little is left out:\n%s", shown)
		}
		shown = shown[:at[0]] + `"` + v.Reveal() + `"` + shown[at[1]:]
	}
	file := filepath.Join(tb.TempDir(), "shown.yaml")
	write(tb, file, []byte(shown), 0o600)
	again, err := Load(file, env)
	if err != nil {
		tb.Fatalf("what was shown does not load: %v\n%s", err, shown)
	}
	return again
}
