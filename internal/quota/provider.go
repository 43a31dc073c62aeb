package quota

import "strings"

// Canonical is the provider id under which tables and settings know provider:
// openai for openai-codex, which is what OpenClaw called ChatGPT logins up to
// 2026.5, else provider itself, spelled as OpenClaw compares ids. It is not an
// id for OpenClaw's own commands, which refuse the one for a profile of the
// other.
func Canonical(provider string) string {
	p := strings.ToLower(strings.TrimSpace(provider))
	if p == "openai-codex" {
		return "openai"
	}
	return p
}
