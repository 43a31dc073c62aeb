package deploy

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func shown(steps []Step) string {
	var lines []string
	for _, s := range steps {
		lines = append(lines, strings.Join(strings.Fields(s.String()), " "))
	}
	return strings.Join(lines, "\n")
}

func TestInstall(t *testing.T) {
	s := example(false)
	text := mustRender(t, s)
	write := "write /u/ocwatch.service (0644)\nrun systemctl --user daemon-reload"
	for _, tt := range []struct {
		name string
		m    Machine
		want string
	}{
		{"nothing is there", Machine{Missing: []string{"/d"}}, "make /d (0700)\n" + write + "\nrun systemctl --user enable ocwatch.service\nrun systemctl --user start ocwatch.service"},
		{"all is there", Machine{Unit: text, Enabled: true, Active: true}, ""},
		{"an older unit runs", Machine{Unit: "old", Enabled: true, Active: true}, write + "\nrun systemctl --user restart ocwatch.service"},
		{"the program was updated", Machine{Unit: text, Enabled: true, Active: true, Outdated: true}, "run systemctl --user restart ocwatch.service"},
		{"it was stopped", Machine{Unit: text, Enabled: true}, "run systemctl --user reset-failed ocwatch.service\nrun systemctl --user start ocwatch.service"},
		{"it was disabled", Machine{Unit: text, Active: true}, "run systemctl --user enable ocwatch.service"},
		{
			"a directory of another account",
			Machine{Unit: text, Enabled: true, Active: true, Missing: []string{"/d"}, As: "alice"},
			"run runuser -u alice -- mkdir -p -m 700 /d",
		},
	} {
		t.Run(tt.name, func(t *testing.T) {
			tt.m.UnitFile = "/u/ocwatch.service"
			steps, err := Install(s, tt.m)
			if got := shown(steps); err != nil || got != tt.want {
				t.Errorf("%v\ngot:\n%s\nwant:\n%s", err, got, tt.want)
			}
		})
	}
}

// A gateway of the system is restarted by leave of polkit, which is taken back
// when there is none any more.
func TestInstallRule(t *testing.T) {
	s := example(true)
	s.Account, s.Restarts = `al"ice`, "openclaw-gateway.service"
	m := Machine{UnitFile: "/u/ocwatch.service", Unit: mustRender(t, s), Enabled: true, Active: true}
	steps, err := Install(s, m)
	if err != nil || shown(steps) != "write "+ruleFile+" (0644)" {
		t.Fatalf("%v\n%s", err, shown(steps))
	}
	for _, want := range []string{`action.lookup("unit") == "openclaw-gateway.service"`, `subject.user == "al\"ice"`} {
		if !strings.Contains(steps[0].Content, want) {
			t.Errorf("want %s in\n%s", want, steps[0].Content)
		}
	}
	m.Rule = steps[0].Content
	if steps, err = Install(s, m); err != nil || len(steps) > 0 {
		t.Errorf("%v\n%s", err, shown(steps))
	}
	s.Restarts = ""
	if steps, err = Install(s, m); err != nil || shown(steps) != "remove "+ruleFile {
		t.Errorf("%v\n%s", err, shown(steps))
	}
	if got := shown(Uninstall(true, Machine{Rule: m.Rule})); got != "remove "+ruleFile {
		t.Errorf("uninstalling: %s", got)
	}
}

func TestForeign(t *testing.T) {
	for name, tt := range map[string]struct {
		unit string
		want bool
	}{
		"none":      {"", false},
		"ours":      {mustRender(t, example(true)), false},
		"another's": {"[Service]\nExecStart=/opt/ocwatch run\n", true},
	} {
		if got := (Machine{Unit: tt.unit}).Foreign(); got != tt.want {
			t.Errorf("%s: %v", name, got)
		}
	}
	file := filepath.Join(t.TempDir(), Unit)
	if err := os.WriteFile(file, []byte(mustRender(t, example(true))), 0o600); err != nil {
		t.Fatal(err)
	}
	if got := AccountOf(file); got != "root" {
		t.Errorf("account %q", got)
	}
	if got := AccountOf(file + ".d"); got != "" {
		t.Errorf("account %q of nothing", got)
	}
}

func TestUninstall(t *testing.T) {
	after := "\nrun systemctl --system daemon-reload\nrun systemctl --system reset-failed ocwatch.service"
	for _, tt := range []struct {
		name string
		m    Machine
		want string
	}{
		{"nothing is there", Machine{}, ""},
		{
			"all of it",
			Machine{Unit: "x", Enabled: true, Active: true, DropIns: "/u/ocwatch.service.d", Skill: "/s"},
			"run systemctl --system disable --now ocwatch.service\nremove /u/ocwatch.service\nremove /u/ocwatch.service.d" + after + "\nremove /s",
		},
		{"settings alone", Machine{DropIns: "/u/ocwatch.service.d"}, "remove /u/ocwatch.service.d" + after},
		{"the skill alone", Machine{Skill: "/s"}, "remove /s"},
		{"the skill of another account", Machine{Skill: "/s", As: "alice"}, "run runuser -u alice -- rm -rf -- /s"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			tt.m.UnitFile = "/u/ocwatch.service"
			if got := shown(Uninstall(true, tt.m)); got != tt.want {
				t.Errorf("got:\n%s\nwant:\n%s", got, tt.want)
			}
		})
	}
}

// manager is a Runner that answers as systemd would.
type manager struct {
	said map[string]string // by the verb
	fail string            // the verb that fails
	ran  []string
}

func (m *manager) Run(_ context.Context, argv ...string) (string, error) {
	m.ran = append(m.ran, strings.Join(argv, " "))
	if argv[2] == m.fail {
		return "", errors.New("refused")
	}
	return m.said[argv[2]], nil
}

func TestLook(t *testing.T) {
	dir := t.TempDir()
	file := filepath.Join(dir, Unit)
	if err := errors.Join(os.WriteFile(file, []byte("a unit"), 0o600), os.Mkdir(file+".d", 0o700)); err != nil {
		t.Fatal(err)
	}
	r := &manager{said: map[string]string{"show": "ActiveState=active\nUnitFileState=enabled\nMainPID=0\n"}}
	m, err := Look(t.Context(), r, false, file, "/bin/true", []string{dir, dir + "/a", dir + "/a"})
	if err != nil {
		t.Fatal(err)
	}
	if m.Unit != "a unit" || m.DropIns != file+".d" || !m.Active || !m.Enabled || !m.Outdated || strings.Join(m.Missing, " ") != dir+"/a" {
		t.Errorf("%+v", m)
	}
	r.fail = "show"
	if _, err := Look(t.Context(), r, false, file, "/bin/true", nil); err == nil || !strings.Contains(err.Error(), "refused") {
		t.Errorf("err = %v", err)
	}
}

func TestApply(t *testing.T) {
	dir := t.TempDir()
	file := filepath.Join(dir, "a/b", Unit)
	steps := []Step{
		{Kind: MakeDir, Path: filepath.Join(dir, "data"), Mode: 0o700},
		{Kind: Write, Path: file, Mode: 0o644, Content: "text"},
		systemctl(false, "daemon-reload"), resetFailed(false),
	}
	r := &manager{fail: "reset-failed"} // which is nothing to stop at
	n := 0
	if err := Apply(t.Context(), steps, r, func(Step) { n++ }); err != nil || n != len(steps) {
		t.Fatalf("%d done: %v", n, err)
	}
	info, err := os.Stat(file)
	if err != nil || info.Mode().Perm() != 0o644 {
		t.Errorf("%v, %v", info, err)
	}
	entries, err := os.ReadDir(filepath.Dir(file))
	if err != nil || len(entries) != 1 {
		t.Errorf("%v is left beside the unit, %v", entries, err)
	}
	r.fail = "daemon-reload"
	err = Apply(t.Context(), append(steps, Step{Kind: Remove, Path: file}), r, func(Step) {})
	if err == nil || err.Error() != "running systemctl --user daemon-reload: refused" {
		t.Errorf("err = %v", err)
	}
	if !exists(file) {
		t.Error("it went on after a step that failed")
	}
	if err := Apply(t.Context(), []Step{{Kind: Remove, Path: file}}, r, func(Step) {}); err != nil || exists(file) {
		t.Errorf("not removed: %v", err)
	}
}
