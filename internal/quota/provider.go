package quota

import "strings"

// aliases are further ids of one service at one endpoint, by which OpenClaw or
// its earlier releases stored credentials.
var aliases = map[string]string{
	"openai-codex":      "openai", // ChatGPT logins up to 2026.5
	"z.ai":              "zai",
	"z-ai":              "zai",
	"kimi-coding":       "kimi",
	"kimi-code":         "kimi",
	"moonshotai":        "moonshot",
	"moonshot-ai":       "moonshot",
	"x-ai":              "xai",
	"minimax-cn":        "minimax",
	"minimax-portal-cn": "minimax-portal",
	"gemini-cli":        "google-gemini-cli",
	"qwencloud":         "qwen",
	"modelstudio":       "qwen",
	"dashscope":         "qwen",
}

// Canonical is the provider id under which tables and settings know provider:
// openai for openai-codex and zai for z.ai, say, else provider itself, spelled
// as OpenClaw compares ids. It is not an id for OpenClaw's own commands, which
// refuse the one for a profile of the other.
func Canonical(provider string) string {
	p := strings.ToLower(strings.TrimSpace(provider))
	if id, ok := aliases[p]; ok {
		return id
	}
	return p
}
