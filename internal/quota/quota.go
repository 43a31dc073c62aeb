// Package quota holds the words in which ocwatch speaks of what an account has
// left. It imports nothing but the standard library, and nothing of that which
// acts, so that the decision can use it and stay free of network, files and
// databases.
package quota

import (
	"strconv"
	"strings"
	"time"
)

// Verdict is what one probe concluded.
type Verdict string

// The verdicts.
const (
	OK          Verdict = "ok"          // the account can serve
	Exhausted   Verdict = "exhausted"   // a window that counts is spent
	Throttled   Verdict = "throttled"   // the usage endpoint asked us to slow down; says nothing of quota
	Stale       Verdict = "stale"       // the access token expired; OpenClaw will refresh it
	Revoked     Verdict = "revoked"     // a person must log in again
	Billing     Verdict = "billing"     // credit, spend limit or plan; a person must act at the provider
	Unsupported Verdict = "unsupported" // this account's usage cannot be read at all
	Unreachable Verdict = "unreachable" // network, 5xx, HTML instead of JSON
	Unknown     Verdict = "unknown"     // nothing was learned
)

// Conclusive reports whether v says something about the account itself, as
// opposed to the way there.
func (v Verdict) Conclusive() bool {
	return v == OK || v == Exhausted || v == Revoked || v == Billing
}

// The window names that providers have in common.
const (
	FiveHour = "5h"
	Weekly   = "weekly"
	Monthly  = "monthly"
	// Spend is a limit on money or credits rather than on use.
	Spend = "spend"
)

// Window is one rate-limit window as the provider reported it.
type Window struct {
	// Name is FiveHour, Weekly, Monthly, or what its length spells ("36h").
	Name string `json:"name"`
	// UsedPercent is 0 to 100, or nil where the provider did not say.
	UsedPercent *float64 `json:"used_percent"`
	// ResetsAt is zero where it is unknown or the window has not started.
	ResetsAt time.Time `json:"resets_at,omitzero"`
	// Scope is "" for the whole account, else the one model it limits.
	Scope string `json:"scope"`
	// Length is zero where the provider did not say.
	Length time.Duration `json:"-"`
	// Spent is the provider's own word that this window is used up, which
	// may come without a percentage.
	Spent bool `json:"-"`
	// SuspectPercent: UsedPercent is outside 0–100. SuspectReset: ResetsAt
	// is past or years away. Kept as reported, never acted on.
	SuspectPercent bool `json:"suspect_percent,omitempty"`
	SuspectReset   bool `json:"suspect_reset,omitempty"`
}

// Percent returns a pointer for Window.UsedPercent.
func Percent(p float64) *float64 { return &p }

// Used returns the used percentage, and whether it is known and believable.
// Decisions use it rather than the field.
func (w Window) Used() (float64, bool) {
	if w.UsedPercent == nil || w.SuspectPercent {
		return 0, false
	}
	return *w.UsedPercent, true
}

// Reset returns when the window resets, and whether that is known and
// believable. Decisions use it rather than the field.
func (w Window) Reset() (time.Time, bool) {
	if w.ResetsAt.IsZero() || w.SuspectReset {
		return time.Time{}, false
	}
	return w.ResetsAt, true
}

// Lasts returns how long w lasts: its Length, else what its name says, 0 where
// that says nothing. A window from the journal has lost its length and kept its
// name.
func (w Window) Lasts() time.Duration {
	const day = 24 * time.Hour
	switch {
	case w.Length > 0:
		return w.Length
	case w.Name == Weekly:
		return 7 * day
	case w.Name == Monthly:
		return 30 * day
	}
	if days, ok := strings.CutSuffix(w.Name, "d"); ok {
		n, _ := strconv.Atoi(days) // what is no number has no length
		return time.Duration(n) * day
	}
	d, _ := time.ParseDuration(w.Name) // likewise
	return d
}

// Source says where a reading came from.
type Source string

// The sources.
const (
	FromUsage    Source = "usage"    // the provider's usage endpoint
	FromValidity Source = "validity" // a free request that proves a key valid
	FromOpenClaw Source = "openclaw" // what OpenClaw itself recorded
	FromLive     Source = "live"     // a real request, which the owner allowed
)

// Credits is prepaid or overage credit, where a provider reports it.
type Credits struct {
	Balance   float64 `json:"balance"`
	Unit      string  `json:"unit"` // "USD", "EUR", "credits"
	Unlimited bool    `json:"unlimited,omitempty"`
}

// Reading is what one probe of one account said.
type Reading struct {
	Account  string    `json:"account"`
	Provider string    `json:"provider"`
	At       time.Time `json:"at"`
	Source   Source    `json:"source"`
	Verdict  Verdict   `json:"verdict"`
	// Reason is one short clause for a person: "5h window 100 % used".
	Reason string `json:"reason,omitempty"`
	// Until is when the verdict is expected to end: the reset of the spent
	// window, the end of a throttle. Zero where nobody said.
	Until   time.Time `json:"until,omitzero"`
	Plan    string    `json:"plan,omitempty"`
	Windows []Window  `json:"windows,omitempty"`
	Credits *Credits  `json:"credits,omitempty"`
	// Repeats counts the probes in a row, this one included, that ended in
	// this verdict. The pace backs off by it. 0 where nobody counted.
	Repeats int `json:"repeats,omitempty"`
}
