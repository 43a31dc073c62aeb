package main

import (
	"bytes"
	"strings"
	"testing"
)

// TestDemo watches the demo to its end: it is the first thing that a newcomer
// sees.
func TestDemo(t *testing.T) {
	if testing.Short() {
		t.Skip("the demo takes half a minute; -short leaves it out")
	}
	t.Parallel()
	var out bytes.Buffer
	if err := demo(t.Context(), t.TempDir(), newScreen(&out)); err != nil {
		t.Fatal(err)
	}
	story := []string{
		"ocwatch demo:",
		"openai:alice@example.com is low",
		"openai:bob@example.com is low",
		"webhook pool.depleted, signature verified",
		"All 3 openai accounts are spent.",
		"webhook pool.recovered, signature verified",
		"0 gateway restarts",
		"ocwatch check",
	}
	rest := out.String()
	for _, part := range story {
		_, after, ok := strings.Cut(rest, part)
		if !ok {
			t.Fatalf("the demo does not tell %q, or not in its place:\n%s", part, out.String())
		}
		rest = after
	}
	if strings.Contains(out.String(), "!!") {
		t.Errorf("something went wrong in the demo:\n%s", out.String())
	}
}
