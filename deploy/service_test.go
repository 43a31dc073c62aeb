package deploy

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

func example(system bool) Service {
	s := Service{
		System: system, Account: "alice", Exec: []string{"/bin/true", "run"},
		Environment: []string{"PATH=/usr/bin:/bin"},
		Credentials: []Credential{{Name: "hook", File: "/etc/ocwatch/credentials/hook"}},
		Beside:      []string{"openclaw-gateway.service"},
		Writable:    []string{"/home/alice/.local/state/ocwatch", "/home/alice/.openclaw", "/tmp"},
		Confined:    true,
	}
	if system {
		s.Account, s.Beside = "root", []string{"network-online.target", "user@1000.service"}
	}
	return s
}

func mustRender(t *testing.T, s Service) string {
	t.Helper()
	text, err := s.Render()
	if err != nil {
		t.Fatal(err)
	}
	return text
}

// What systemd itself makes of these lines is held in test/systemd.
func TestRenderQuotes(t *testing.T) {
	for _, tt := range []struct {
		name string
		edit func(*Service)
		want string
	}{
		{"plain", func(*Service) {}, "ExecStart=/bin/true run\n"},
		{"a space", func(s *Service) { s.Exec = []string{"/opt/my tools/ocwatch", "run"} }, `ExecStart="/opt/my tools/ocwatch" run` + "\n"},
		{"what systemd would replace", func(s *Service) { s.Exec = []string{"/opt/100%/$HOME", "$x", "100%"} }, "ExecStart=/opt/100%%/$HOME $$x 100%%\n"},
		{"quotes and backslashes", func(s *Service) { s.Exec = []string{"/bin/true", `a"b\c`} }, `ExecStart=/bin/true "a\"b\\c"` + "\n"},
		{"an end of a command", func(s *Service) { s.Exec = []string{"/bin/true", ";"} }, `ExecStart=/bin/true ";"` + "\n"},
		{"an empty word", func(s *Service) { s.Exec = []string{"/bin/true", ""} }, `ExecStart=/bin/true ""` + "\n"},
		{"a directory with a space", func(s *Service) { s.Writable = []string{"/srv/my data"} }, `ReadWritePaths="/srv/my data"` + "\n"},
		{"a variable keeps its dollar", func(s *Service) { s.Environment = []string{"A=$B"} }, "Environment=A=$B\n"},
		{"a credential's path is no list", func(s *Service) { s.Credentials = []Credential{{"a", "/srv/my data/50%"}} }, "LoadCredential=a:/srv/my data/50%%\n"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			s := example(false)
			tt.edit(&s)
			if text := mustRender(t, s); !strings.Contains(text, "\n"+tt.want) {
				t.Errorf("want %q in\n%s", tt.want, text)
			}
		})
	}
}

func TestRenderRefuses(t *testing.T) {
	for _, tt := range []struct {
		name string
		edit func(*Service)
		want string
	}{
		{"a line break", func(s *Service) { s.Writable = []string{"/srv/a\nExecStart=/bin/sh"} }, "control character"},
		{"a line break in a variable", func(s *Service) { s.Environment = []string{"A=b\nUser=root"} }, "control character"},
		{"a relative command", func(s *Service) { s.Exec = []string{"ocwatch"} }, "absolute"},
		{"a command that systemd does not take", func(s *Service) { s.Exec = []string{`/opt/a"b/ocwatch`} }, "move"},
		{"no command", func(s *Service) { s.Exec = nil }, "absolute"},
		{"a relative directory", func(s *Service) { s.Writable = []string{"data"} }, "absolute"},
		{"a credential's name", func(s *Service) { s.Credentials = []Credential{{"a:b", "/x"}} }, `credential "a:b"`},
	} {
		t.Run(tt.name, func(t *testing.T) {
			s := example(false)
			tt.edit(&s)
			if text, err := s.Render(); err == nil || !strings.Contains(err.Error(), tt.want) {
				t.Errorf("%v, want %q; rendered\n%s", err, tt.want, text)
			}
		})
	}
}

// The account's manager may not do what needs the rights of root: such a line
// would keep the service from starting.
func TestRenderForAnAccount(t *testing.T) {
	text := mustRender(t, example(false))
	for _, line := range []string{"User=", "CapabilityBoundingSet=", "ProtectKernelModules=", "PrivateDevices=", "StateDirectory="} {
		if strings.Contains(text, "\n"+line) {
			t.Errorf("%s in a unit of an account", line)
		}
	}
	s := example(false)
	s.Confined = false
	if text := mustRender(t, s); strings.Contains(text, "\nProtectSystem=") || strings.Contains(text, "\nReadWritePaths=") {
		t.Errorf("a view of its own where there can be none:\n%s", text)
	}
}

// systemd's own check is silent, of both units.
func TestVerify(t *testing.T) {
	if _, err := exec.LookPath("systemd-analyze"); err != nil {
		t.Skip("no systemd-analyze here (Debian: systemd)")
	}
	for name, system := range map[string]bool{"--system": true, "--user": false} {
		t.Run(name, func(t *testing.T) {
			s := example(system)
			s.Beside = nil // those are not on this machine
			file := filepath.Join(t.TempDir(), Unit)
			if err := os.WriteFile(file, []byte(mustRender(t, s)), 0o600); err != nil {
				t.Fatal(err)
			}
			check := exec.Command("systemd-analyze", "verify", "--man=no", name, file)
			check.Env = append(os.Environ(), "XDG_RUNTIME_DIR="+t.TempDir()) // it wants one for an account
			out, err := check.CombinedOutput()
			if err != nil || len(out) > 0 {
				t.Errorf("%v:\n%s", err, out)
			}
		})
	}
}
