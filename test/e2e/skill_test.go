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

// TestSkill: OpenClaw finds the skill that ocwatch installs, and offers it only
// where there is an ocwatch to run.
func TestSkill(t *testing.T) {
	t.Parallel()
	bin, err := binary()
	if err != nil {
		t.Fatal(err)
	}
	l := lab.New(t, lab.Options{Version: lab.SharedDatabase})
	install := exec.CommandContext(t.Context(), bin, "install", "--skill")
	install.Env = l.Env()
	if out, err := install.CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	for _, tt := range []struct {
		name string
		dir  string // on the PATH
		want bool
	}{{"without ocwatch", "", false}, {"with ocwatch", filepath.Dir(bin) + ":", true}} {
		t.Run(tt.name, func(t *testing.T) {
			list := exec.CommandContext(t.Context(), l.Install.CLI(), "skills", "list", "--json")
			for _, v := range l.Env() {
				if rest, ok := strings.CutPrefix(v, "PATH="); ok {
					v = "PATH=" + tt.dir + rest
				}
				list.Env = append(list.Env, v)
			}
			out, err := list.Output()
			if err != nil {
				t.Fatalf("%v\n%s", err, out)
			}
			var said struct {
				Skills []struct {
					Name     string `json:"name"`
					Eligible bool   `json:"eligible"`
				} `json:"skills"`
			}
			if err := json.Unmarshal(out, &said); err != nil {
				t.Fatalf("%v\n%s", err, out)
			}
			for _, s := range said.Skills {
				if s.Name == "ocwatch" {
					if s.Eligible != tt.want {
						t.Errorf("eligible %v, want %v", s.Eligible, tt.want)
					}
					return
				}
			}
			t.Errorf("not listed:\n%s", out)
		})
	}
}
