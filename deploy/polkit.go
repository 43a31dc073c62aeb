package deploy

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strings"
)

// ruleFile is where polkit takes rules of the machine's owner from.
const ruleFile = "/etc/polkit-1/rules.d/50-ocwatch.rules"

// RulesKept reports whether this machine's polkit has a place for rules. Without
// polkit, only root may restart a unit of the system.
func RulesKept() bool { return exists(filepath.Dir(ruleFile)) }

// rule lets the account do with one unit of the system what ocwatch does with a
// gateway, and nothing else. The unit runs as that account, so that its process
// is the account's to end anyway.
func rule(account, unit string) (string, error) {
	name, err := json.Marshal(account) // a JSON string is one of JavaScript's
	if err != nil {
		return "", err
	}
	which, err := json.Marshal(unit)
	if err != nil {
		return "", err
	}
	return fmt.Sprintf(`// %s: ocwatch, which runs as this account, restarts
// OpenClaw's gateway where that does not do it by itself.
polkit.addRule(function(action, subject) {
  if (action.id == "org.freedesktop.systemd1.manage-units" &&
      action.lookup("unit") == %s && subject.user == %s &&
      ["start", "stop", "restart", "reset-failed"].indexOf(action.lookup("verb")) >= 0) {
    return polkit.Result.YES;
  }
});
`, mark, which, name), nil
}

// mark begins, behind a sign for a comment, what ocwatch install wrote.
const mark = "Written by ocwatch install"

// Foreign reports whether the unit that is there is somebody else's.
func (m Machine) Foreign() bool { return m.Unit != "" && !strings.HasPrefix(m.Unit, "# "+mark) }

var userLine = regexp.MustCompile(`(?m)^User=(.+)$`)

// AccountOf is the account that a unit of the system runs as, "" where its
// text does not say.
func AccountOf(unitFile string) string {
	text, err := os.ReadFile(unitFile)
	if err != nil {
		return ""
	}
	m := userLine.FindSubmatch(text)
	if m == nil {
		return ""
	}
	return strings.ReplaceAll(strings.TrimSpace(string(m[1])), "%%", "%")
}
