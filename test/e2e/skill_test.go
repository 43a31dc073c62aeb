//go:build e2e

package e2e

import (
	"encoding/json"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/ocwatch/ocwatch/test/lab"
)

// TestSkill: every release finds the skill that ocwatch installs, and offers it
// to its agents only where there is an ocwatch to run.
func TestSkill(t *testing.T) {
	t.Parallel()
	bin, err := binary()
	if err != nil {
		t.Fatal(err)
	}
	for _, tt := range []struct {
		version, name string
		command       []string
		path          string // before that of the lab
		want          bool
	}{
		{lab.SharedDatabase, "without ocwatch", []string{"list"}, "", false},
		{lab.SharedDatabase, "with ocwatch", []string{"list"}, filepath.Dir(bin) + ":", true},
		{lab.AgentDatabase, "with ocwatch", []string{"info", "ocwatch"}, filepath.Dir(bin) + ":", true},
		{lab.JSONFiles, "with ocwatch", []string{"info", "ocwatch"}, filepath.Dir(bin) + ":", true},
	} {
		t.Run(tt.version+" "+tt.name, func(t *testing.T) {
			t.Parallel()
			l := lab.New(t, lab.Options{Version: tt.version})
			install := exec.CommandContext(t.Context(), bin, "install", "--skill")
			install.Env = l.Env()
			if out, err := install.CombinedOutput(); err != nil {
				t.Fatalf("%v\n%s", err, out)
			}
			ask := exec.CommandContext(t.Context(), l.Install.CLI(), append(append([]string{"skills"}, tt.command...), "--json")...)
			for _, v := range l.Env() {
				if rest, ok := strings.CutPrefix(v, "PATH="); ok {
					v = "PATH=" + tt.path + rest
				}
				ask.Env = append(ask.Env, v)
			}
			out, err := ask.Output()
			if err != nil {
				t.Fatalf("%v\n%s", err, out)
			}
			mustOffer(t, out, tt.want)
		})
	}
}

// skill is what OpenClaw says of one.
type skill struct {
	Name     string `json:"name"`
	Eligible bool   `json:"eligible"`
	Emoji    string `json:"emoji"`
	Source   string `json:"source"`
}

// mustOffer looks for the skill in what OpenClaw said: of one, or of all.
func mustOffer(t *testing.T, out []byte, want bool) {
	t.Helper()
	var said struct {
		skill
		Skills []skill `json:"skills"`
	}
	if err := json.Unmarshal(out, &said); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	for _, s := range append(said.Skills, said.skill) {
		if s.Name != "ocwatch" {
			continue
		}
		if s.Eligible != want || s.Emoji != "🪫" || s.Source != "openclaw-managed" {
			t.Errorf("%+v, want eligible %v, from the state directory, with its emoji", s, want)
		}
		return
	}
	t.Errorf("not known:\n%s", out)
}
