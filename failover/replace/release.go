package replace

import (
	"strconv"
	"strings"

	"github.com/ocwatch/ocwatch/internal/openclaw"
)

// writesBack reports whether the gateway of a release writes the logins that it
// read at its start over those that came since. Releases up to 2026.3.13 do;
// 2026.3.24 reads the file again before it writes. A release that cannot be told
// is taken for one that does, where its layout is the one of that time: a stop
// too many costs half a minute, and one too few the new login.
func writesBack(layout openclaw.Layout, version string) bool {
	if layout != openclaw.JSONFiles {
		return false
	}
	fixed := [3]int{2026, 3, 24}
	is, ok := parseVersion(version)
	if !ok {
		return true
	}
	for i := range fixed {
		if is[i] != fixed[i] {
			return is[i] < fixed[i]
		}
	}
	return false
}

// parseVersion reads year, month and day; a pre-release counts as its release.
func parseVersion(v string) (out [3]int, ok bool) {
	v, _, _ = strings.Cut(strings.TrimSpace(v), "-")
	parts := strings.Split(v, ".")
	if len(parts) < len(out) {
		return out, false
	}
	for i := range out {
		n, err := strconv.Atoi(parts[i])
		if err != nil || n < 0 {
			return out, false
		}
		out[i] = n
	}
	return out, true
}
