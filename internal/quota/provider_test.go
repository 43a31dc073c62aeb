package quota

import "testing"

func TestCanonical(t *testing.T) {
	for in, want := range map[string]string{
		"openai-codex": "openai", " OpenAI-Codex ": "openai", "openai": "openai", "Anthropic": "anthropic", "": "",
	} {
		if got := Canonical(in); got != want {
			t.Errorf("Canonical(%q) = %q, want %q", in, got, want)
		}
	}
}
