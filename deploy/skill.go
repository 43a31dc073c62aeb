package deploy

import (
	"embed"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
)

//go:embed skill/*.md
var skills embed.FS

// skillHead begins every text of the skill, of this release and others.
const skillHead = "---\nname: ocwatch\n"

// Skill returns the text that teaches OpenClaw's agents to ask ocwatch. language
// is en or zh.
func Skill(language string) (string, error) {
	name := map[string]string{"en": "skill/SKILL.md", "zh": "skill/SKILL.zh-CN.md"}[language]
	text, err := skills.ReadFile(name)
	if err != nil {
		return "", fmt.Errorf("there is no skill in the language %q: en and zh are", language)
	}
	return string(text), nil
}

// SkillDir is where the skill belongs, for all agents of OpenClaw's state
// directory.
func SkillDir(stateDir string) string { return filepath.Join(stateDir, "skills", "ocwatch") }

// FindSkill returns the directory where the skill stands, and its text; "" where
// none does. One of the same name that is not ocwatch's is an error.
func FindSkill(stateDir string) (dir, text string, err error) {
	dir = SkillDir(stateDir)
	raw, err := os.ReadFile(filepath.Join(dir, "SKILL.md"))
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return "", "", nil
	case err != nil:
		return "", "", fmt.Errorf("the skill that is there: %w", err)
	case !strings.HasPrefix(string(raw), skillHead):
		return "", "", fmt.Errorf("%s holds a skill that is not ocwatch's: move it elsewhere", dir)
	}
	return dir, string(raw), nil
}

// InstallSkill returns what puts the skill of that language into OpenClaw's state
// directory; nothing, where it is there.
func InstallSkill(stateDir, language string) ([]Step, error) {
	text, err := Skill(language)
	if err != nil {
		return nil, err
	}
	_, there, err := FindSkill(stateDir)
	if err != nil || there == text {
		return nil, err
	}
	return []Step{{Kind: Write, Path: filepath.Join(SkillDir(stateDir), "SKILL.md"), Mode: 0o644, Content: text}}, nil
}
