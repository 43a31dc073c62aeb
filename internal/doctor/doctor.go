// Package doctor says what is wrong with a set-up, why that matters and what
// mends it. Its checks are pure: they look at a World, which package gather
// makes of the machine. docs/doctor.md lists every finding.
package doctor

import (
	"slices"
)

// Severity is how much a finding matters.
type Severity string

// The severities, worst first.
const (
	// Error: something that ocwatch or OpenClaw is for does not work now.
	Error Severity = "error"
	// Warning: it works, and will not for long, or not in every case.
	Warning Severity = "warning"
	// Note: nothing is wrong; it is worth knowing.
	Note Severity = "note"
)

var severities = []Severity{Error, Warning, Note}

// Finding is one thing that a check found.
type Finding struct {
	ID       ID       `json:"id"`
	Severity Severity `json:"severity"`
	// About is the profile, pool, unit, endpoint or file that it concerns, ""
	// where it concerns the whole set-up.
	About string `json:"about"`
	What  string `json:"what"`
	Why   string `json:"why"`
	// Fix is the command that mends it, or in words what to do; never "".
	Fix string `json:"fix"`
	// Fixable: ocwatch doctor --fix does it.
	Fixable bool `json:"fixable"`
}

// check looks at one side of a World. What was not gathered it passes over.
type check func(World) []Finding

var checks = []check{
	configuration, found, stores, gateway, orders, accounts, quotas, logins, sessions, clocks, service, endpoints, files,
}

// Examine runs every check and returns what they found, the worst first.
func Examine(w World) []Finding {
	findings := []Finding{}
	w = w.heard()
	for _, c := range checks {
		findings = append(findings, c(w)...)
	}
	slices.SortStableFunc(findings, func(a, b Finding) int {
		return slices.Index(severities, a.Severity) - slices.Index(severities, b.Severity)
	})
	return findings
}

// Healthy reports whether nothing is wrong: notes are no trouble.
func Healthy(findings []Finding) bool {
	return !slices.ContainsFunc(findings, func(f Finding) bool { return f.Severity != Note })
}
