package config

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func TestFind(t *testing.T) {
	dir := t.TempDir()
	in := func(parts ...string) string { return filepath.Join(append([]string{dir}, parts...)...) }
	for _, file := range []string{in("xdg", "ocwatch", "config.yaml"), in("home", ".config", "ocwatch", "config.yaml"), in("etc.yaml"), in("given.yaml")} {
		write(t, file, nil, 0o600)
	}
	write(t, in("file"), nil, 0o600)
	for _, c := range []struct {
		name, explicit, xdg, home, system string
		want, fails                       string
	}{
		{name: "given", explicit: in("given.yaml"), home: in("home"), system: in("etc.yaml"), want: in("given.yaml")},
		{name: "given and missing", explicit: in("missing.yaml"), home: in("home"), fails: "config file given by --config: "},
		{name: "XDG_CONFIG_HOME", xdg: in("xdg"), home: in("home"), system: in("etc.yaml"), want: in("xdg", "ocwatch", "config.yaml")},
		{name: "XDG_CONFIG_HOME is relative, so it does not count", xdg: "xdg", home: in("home"), want: in("home", ".config", "ocwatch", "config.yaml")},
		{name: "home", home: in("home"), system: in("etc.yaml"), want: in("home", ".config", "ocwatch", "config.yaml")},
		{name: "nothing at home", home: in("other"), system: in("etc.yaml"), want: in("etc.yaml")},
		{name: "no home", system: in("etc.yaml"), want: in("etc.yaml")},
		{name: "none at all", home: in("other"), system: in("none.yaml")},
		{name: "there, and not to be looked at", xdg: in("file"), system: in("etc.yaml"), fails: "config file: "},
	} {
		t.Run(c.name, func(t *testing.T) {
			env := func(name string) string { return map[string]string{"XDG_CONFIG_HOME": c.xdg, "HOME": c.home}[name] }
			got, found, err := find(c.explicit, env, c.system)
			if got != c.want || found != (c.want != "") {
				t.Errorf("got %q, found %v, want %q", got, found, c.want)
			}
			if (err != nil) != (c.fails != "") || err != nil && !strings.HasPrefix(err.Error(), c.fails) {
				t.Errorf("error %v, want %q", err, c.fails)
			}
		})
	}
}

func TestFindReadsTheEnvironment(t *testing.T) {
	dir := t.TempDir()
	t.Setenv("XDG_CONFIG_HOME", dir)
	want := filepath.Join(dir, "ocwatch", "config.yaml")
	write(t, want, nil, 0o600)
	if got, found, err := Find(""); got != want || !found || err != nil {
		t.Errorf("got %q, %v, %v; want %q", got, found, err, want)
	}
}

func TestLoadWithoutFile(t *testing.T) {
	c, err := Load("", func(name string) string { return map[string]string{"HOME": "/home/alice"}[name] })
	if err != nil {
		t.Fatal(err)
	}
	if want := "/home/alice/.local/state/ocwatch"; c.DataDir != want {
		t.Errorf("data_dir %q, want %q", c.DataDir, want)
	}
	c, err = Load("", func(name string) string {
		return map[string]string{"HOME": "/home/alice", "XDG_STATE_HOME": "/state"}[name]
	})
	if err != nil || c.DataDir != "/state/ocwatch" {
		t.Errorf("data_dir %q (%v), want /state/ocwatch", c.DataDir, err)
	}
	_, err = Load("", func(string) string { return "" })
	if err == nil || err.Error() != "data_dir: HOME is not set; set data_dir" {
		t.Errorf("without HOME: %v", err)
	}
}

// TestFileItself is about files that cannot be a config, whatever is in them.
func TestFileItself(t *testing.T) {
	dir, env := world(t)
	write(t, filepath.Join(dir, "everybody.yaml"), nil, 0o666)
	write(t, filepath.Join(dir, "large.yaml"), make([]byte, maxSize+1), 0o600)
	write(t, filepath.Join(dir, "binary.yaml"), []byte("\x7fELF\x00"), 0o600)
	for name, want := range map[string]string{
		"missing.yaml":   "config file: stat DIR/missing.yaml: no such file or directory",
		"bad":            "config file: DIR/bad is not a file",
		"everybody.yaml": "config file: everybody can write DIR/everybody.yaml, and it names a command to run; run `chmod o-w DIR/everybody.yaml`",
		"large.yaml":     "config file: DIR/large.yaml is 65537 bytes; at most 65536 are read",
		"binary.yaml":    "DIR/binary.yaml:1: not a text file",
	} {
		t.Run(name, func(t *testing.T) {
			_, err := Load(filepath.Join(dir, name), env)
			if err == nil || strings.ReplaceAll(err.Error(), dir, "DIR") != want {
				t.Errorf("got %v, want %s", err, want)
			}
		})
	}
}

func TestOwnersAlone(t *testing.T) {
	file := filepath.Join(t.TempDir(), "secret")
	write(t, file, []byte("x"), 0o600)
	info, err := os.Stat(file)
	if err != nil {
		t.Fatal(err)
	}
	if err := ownersAlone(file, info, os.Geteuid()); err != nil {
		t.Errorf("refused the owner: %v", err)
	}
	if os.Geteuid() != 0 { // root's files are fine for everybody
		if err := ownersAlone(file, info, os.Geteuid()+1); err == nil || !strings.Contains(err.Error(), "belongs to another account") {
			t.Errorf("accepted another account's file: %v", err)
		}
	}
}
