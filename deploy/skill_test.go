package deploy

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/ocwatch/ocwatch/internal/openclaw"
)

// Both languages have the same head, as OpenClaw reads it, and name the same
// commands.
func TestSkill(t *testing.T) {
	var all []string
	for _, language := range []string{"en", "zh"} {
		text, err := Skill(language)
		if err != nil || !strings.HasPrefix(text, skillHead) || !strings.Contains(text, `"requires": { "bins": ["ocwatch"] }`) {
			t.Errorf("%s: %v\n%s", language, err, text)
		}
		// There the change of an account would end the agent that makes it.
		if !strings.Contains(text, "`"+string(openclaw.JSONFiles)+"`") {
			t.Errorf("%s: nothing is said of releases with JSON files", language)
		}
		_, description, _ := strings.Cut(text, "\ndescription: ")
		if description, _, _ = strings.Cut(description, "\n"); utf8.RuneCountInString(description) > 160 {
			t.Errorf("%s: the description has %d characters", language, utf8.RuneCountInString(description))
		}
		all = append(all, strings.Join(commandsOf(text), "\n"))
	}
	if all[0] != all[1] || all[0] == "" {
		t.Errorf("en:\n%s\n\nzh:\n%s", all[0], all[1])
	}
	if _, err := Skill("fr"); err == nil {
		t.Error("a language that is not there")
	}
}

// commandsOf lists what stands in backquotes.
func commandsOf(text string) (list []string) {
	for i, part := range strings.Split(text, "`") {
		if i%2 == 1 {
			list = append(list, part)
		}
	}
	return list
}

func TestInstallSkill(t *testing.T) {
	dir := t.TempDir()
	for _, tt := range []struct {
		name, language string
		steps          int
	}{{"none is there", "en", 1}, {"it is there", "en", 0}, {"in the other language", "zh", 1}} {
		t.Run(tt.name, func(t *testing.T) {
			steps, err := InstallSkill(dir, tt.language)
			if err != nil || len(steps) != tt.steps {
				t.Fatalf("%v, %v", steps, err)
			}
			if err := Apply(t.Context(), steps, &manager{}, func(Step) {}); err != nil {
				t.Fatal(err)
			}
		})
	}
	if found, _, err := FindSkill(dir); err != nil || found != filepath.Join(dir, "skills/ocwatch") {
		t.Errorf("%q, %v", found, err)
	}
	if err := os.WriteFile(filepath.Join(dir, "skills/ocwatch/SKILL.md"), []byte("---\nname: mine\n---\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	if steps, err := InstallSkill(dir, "en"); err == nil {
		t.Errorf("somebody else's skill would be replaced: %v", steps)
	}
}
