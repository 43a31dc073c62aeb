package profiles

import "strings"

// legacyOpenAI is the id that OpenClaw gave ChatGPT logins up to 2026.5.
const legacyOpenAI = "openai-codex"

// normalProvider spells an id as OpenClaw does before it compares.
func normalProvider(p string) string { return strings.ToLower(strings.TrimSpace(p)) }

// neverBlocked reports the providers whose blocks OpenClaw records and does not
// heed.
func neverBlocked(provider string) bool { return provider == "openrouter" || provider == "kilocode" }
