package quota

import "testing"

func TestCanonical(t *testing.T) {
	for in, want := range map[string]string{
		"openai-codex": "openai", " OpenAI-Codex ": "openai", "openai": "openai", "Anthropic": "anthropic", "": "",
		"Z.AI": "zai", "z-ai": "zai", "kimi-coding": "kimi", "moonshot-ai": "moonshot", "x-ai": "xai", "minimax-cn": "minimax",
		"modelstudio": "qwen", "gemini-cli": "google-gemini-cli",
		// Other services, or other ways in, than the one whose name they resemble.
		"kimi": "kimi", "moonshot": "moonshot", "minimax-portal": "minimax-portal", "google": "google",
		"google-antigravity": "google-antigravity", "qwen-token-plan": "qwen-token-plan",
	} {
		if got := Canonical(in); got != want {
			t.Errorf("Canonical(%q) = %q, want %q", in, got, want)
		}
	}
}

// A name that stands for another stands for one that stands for itself.
func TestAliasesAreOneStep(t *testing.T) {
	for alias, id := range aliases {
		if Canonical(alias) != id || Canonical(id) != id {
			t.Errorf("%s stands for %s, which stands for %s", alias, id, Canonical(id))
		}
	}
}
