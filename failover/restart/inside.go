package restart

import (
	"fmt"
	"os"
	"slices"
	"strings"
)

// notInside is an error where this process belongs to the unit: systemd would
// end it with the gateway, before it could start that again. An agent of the
// gateway that runs ocwatch is such a case.
func notInside(unit string) error {
	groups, err := os.ReadFile("/proc/self/cgroup")
	if err != nil || !inGroup(string(groups), unit) {
		return nil //nolint:nilerr // without the file there are no groups
	}
	return fmt.Errorf("this command runs inside of %s and would end with it, the gateway left stopped: run it in a terminal on the server", unit)
}

// inGroup reports whether one of the control groups, a line each as proc(5) has
// them, is the unit's or below it.
func inGroup(groups, unit string) bool {
	if unit == "" {
		return false
	}
	for line := range strings.Lines(groups) {
		_, path, _ := strings.Cut(strings.TrimSpace(line), ":")
		_, path, _ = strings.Cut(path, ":")
		if slices.Contains(strings.Split(path, "/"), unit) {
			return true
		}
	}
	return false
}
