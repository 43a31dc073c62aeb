package profiles

import "strings"

// legacyOpenAI is the id that OpenClaw gave ChatGPT logins up to 2026.5.
const legacyOpenAI = "openai-codex"

// Canonical is the provider id under which settings for provider are looked
// up: openai for openai-codex, else provider itself in the spelling that
// OpenClaw compares by. It is not an id for OpenClaw's own commands, which
// refuse the one for a profile of the other.
func Canonical(provider string) string {
	if p := normalProvider(provider); p != legacyOpenAI {
		return p
	}
	return "openai"
}

// SameProvider reports whether settings for one serve the other too.
func SameProvider(a, b string) bool { return Canonical(a) == Canonical(b) }

// normalProvider spells an id as OpenClaw does before it compares.
func normalProvider(p string) string { return strings.ToLower(strings.TrimSpace(p)) }

// neverBlocked reports the providers whose blocks OpenClaw records and does not
// heed.
func neverBlocked(provider string) bool { return provider == "openrouter" || provider == "kilocode" }
