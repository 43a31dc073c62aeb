package openclaw

import (
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

func TestFindChooses(t *testing.T) {
	cases := []struct {
		name       string
		dirs       []string // under the home directory
		stateDir   string   // option, under the home directory
		vars       map[string]string
		want       string
		others     []string
		notDefault bool
	}{
		{name: "the usual one", dirs: []string{".openclaw"}, want: ".openclaw"},
		{name: "earlier name only", dirs: []string{".clawdbot"}, want: ".clawdbot"},
		{name: "both names", dirs: []string{".openclaw/agents", ".clawdbot/agents"}, want: ".openclaw", others: []string{".clawdbot"}},
		{name: "an unused name is no other", dirs: []string{".openclaw/agents", ".clawdbot"}, want: ".openclaw"},
		{name: "option wins", dirs: []string{".openclaw/agents", "mine"}, stateDir: "~/mine", vars: map[string]string{"OPENCLAW_STATE_DIR": "/nowhere"}, want: "mine", others: []string{".openclaw"}, notDefault: true},
		{name: "environment", dirs: []string{".openclaw", "mine"}, vars: map[string]string{"OPENCLAW_STATE_DIR": " ~/mine "}, want: "mine", notDefault: true},
		{name: "environment names the default", dirs: []string{".openclaw"}, vars: map[string]string{"OPENCLAW_STATE_DIR": "~/.openclaw"}, want: ".openclaw"},
		{name: "config elsewhere", dirs: []string{".openclaw"}, vars: map[string]string{"OPENCLAW_CONFIG_PATH": "~/other.json"}, want: ".openclaw", notDefault: true},
		{name: "named profile", dirs: []string{".openclaw/agents", ".openclaw-dev/agents"}, vars: map[string]string{"OPENCLAW_PROFILE": "dev"}, want: ".openclaw-dev", others: []string{".openclaw"}, notDefault: true},
		{name: "profile default", dirs: []string{".openclaw"}, vars: map[string]string{"OPENCLAW_PROFILE": "Default"}, want: ".openclaw"},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			home := t.TempDir()
			for _, d := range c.dirs {
				mkdir(t, filepath.Join(home, d))
			}
			i, err := Find(Options{Home: home, StateDir: c.stateDir, Getenv: env(c.vars)})
			if err != nil {
				t.Fatal(err)
			}
			if want := filepath.Join(home, c.want); i.StateDir != want {
				t.Errorf("StateDir = %s, want %s", i.StateDir, want)
			}
			if i.Default == c.notDefault {
				t.Errorf("Default = %v", i.Default)
			}
			var others []string
			for _, o := range c.others {
				others = append(others, filepath.Join(home, o))
			}
			if !slices.Equal(i.Others, others) {
				t.Errorf("Others = %v, want %v", i.Others, others)
			}
		})
	}
}

func TestFindSaysWhatIsWrong(t *testing.T) {
	t.Run("nothing there", func(t *testing.T) {
		home := t.TempDir()
		_, err := Find(Options{Home: home, Getenv: env(nil)})
		var missing *NotFoundError
		if !errors.As(err, &missing) || len(missing.Looked) != 3 {
			t.Fatalf("err = %v", err)
		}
		for _, want := range []string{filepath.Join(home, ".openclaw"), ".clawdbot", "OPENCLAW_STATE_DIR", "openclaw.state_dir"} {
			if !strings.Contains(err.Error(), want) {
				t.Errorf("%q does not name %s", err, want)
			}
		}
	})
	t.Run("named and not there", func(t *testing.T) {
		_, err := Find(Options{Home: t.TempDir(), Getenv: env(map[string]string{"OPENCLAW_STATE_DIR": "/nowhere/at/all"})})
		var missing *NotFoundError
		if !errors.As(err, &missing) || !strings.Contains(err.Error(), "/nowhere/at/all ($OPENCLAW_STATE_DIR)") {
			t.Fatalf("err = %v", err)
		}
	})
	t.Run("a file", func(t *testing.T) {
		home := t.TempDir()
		writeFile(t, filepath.Join(home, ".openclaw"), "")
		wantAccess(t, Options{Home: home, Getenv: env(nil)}, "is not a directory")
	})
	t.Run("another user's", func(t *testing.T) {
		if os.Geteuid() != 0 {
			t.Skip("only root can give a directory away")
		}
		home := t.TempDir()
		dir := filepath.Join(home, ".openclaw")
		mkdir(t, dir)
		if err := os.Chown(dir, 54321, 54321); err != nil {
			t.Fatal(err)
		}
		wantAccess(t, Options{Home: home, Getenv: env(nil)}, "belongs to user id 54321: run ocwatch as that user")
	})
	t.Run("unreadable", func(t *testing.T) {
		if os.Geteuid() == 0 {
			t.Skip("root reads everything")
		}
		home := t.TempDir()
		dir := filepath.Join(home, ".openclaw")
		mkdir(t, dir)
		if err := os.Chmod(dir, 0); err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { _ = os.Chmod(dir, 0o700) })
		wantAccess(t, Options{Home: home, Getenv: env(nil)}, "cannot be read")
	})
}

// TestStateDirGoesAway: a disk that is unmounted while ocwatch runs is no
// install without profiles.
func TestStateDirGoesAway(t *testing.T) {
	for name, replace := range map[string]func(dir string) error{
		"is no longer there":       os.RemoveAll,
		"is no longer a directory": func(dir string) error { return errors.Join(os.RemoveAll(dir), os.WriteFile(dir, nil, 0o600)) },
	} {
		t.Run(name, func(t *testing.T) {
			i := newInstall(t, map[string]string{agentFile("main", profilesFile): credentialsDoc})
			if err := replace(i.StateDir); err != nil {
				t.Fatal(err)
			}
			_, listed := i.Agents()
			_, read := i.Documents(t.Context(), "main")
			for what, err := range map[string]error{"Agents": listed, "Documents": read} {
				var access *AccessError
				if !errors.As(err, &access) || !strings.Contains(err.Error(), i.StateDir+" "+name) {
					t.Errorf("%s: %v, want an AccessError that it %s", what, err, name)
				}
			}
		})
	}
}

func wantAccess(t *testing.T, o Options, want string) {
	t.Helper()
	_, err := Find(o)
	var access *AccessError
	if !errors.As(err, &access) || !strings.Contains(err.Error(), want) {
		t.Fatalf("err = %v, want an AccessError with %q", err, want)
	}
}

func TestFindUsesOpenClawHome(t *testing.T) {
	home := t.TempDir()
	mkdir(t, filepath.Join(home, "claw", ".openclaw"))
	i, err := Find(Options{Getenv: env(map[string]string{"HOME": home, "OPENCLAW_HOME": "~/claw"})})
	if err != nil {
		t.Fatal(err)
	}
	if want := filepath.Join(home, "claw", ".openclaw"); i.StateDir != want || !i.Default {
		t.Errorf("StateDir = %s, Default = %v, want %s as the default", i.StateDir, i.Default, want)
	}
}

func TestFindCommand(t *testing.T) {
	home := t.TempDir()
	install := func(dir string, mode os.FileMode) string {
		p := filepath.Join(home, dir, "openclaw")
		writeFile(t, p, "#!/bin/sh\n")
		if err := os.Chmod(p, mode); err != nil {
			t.Fatal(err)
		}
		return p
	}
	plain := install("plain", 0o600)
	usual := install(".npm-global/bin", 0o700)
	onPath := install("path", 0o700)
	cases := []struct{ name, command, path, want string }{
		{"on PATH", "", filepath.Dir(plain) + ":" + filepath.Dir(onPath), onPath},
		{"not on PATH, where npm puts it", "", "/nowhere", usual},
		{"given", "~/x/openclaw", filepath.Dir(onPath), filepath.Join(home, "x/openclaw")},
		{"given by name", "clawdbot", "", "clawdbot"},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			got := findCommand(Options{Command: c.command, Home: home, Getenv: env(map[string]string{"PATH": c.path})})
			if got != c.want {
				t.Errorf("got %s, want %s", got, c.want)
			}
		})
	}
}
