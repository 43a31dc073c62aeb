package main

import (
	"bytes"
	"errors"
	"strings"
	"testing"
)

// TestDemo watches the demo to its end: it is the first thing that a newcomer
// sees.
func TestDemo(t *testing.T) {
	t.Parallel()
	var out bytes.Buffer
	if err := demo(t.Context(), t.TempDir(), "", newScreen(&out)); err != nil {
		t.Fatal(err)
	}
	story := []string{
		"ocwatch demo:",
		"openai:alice@example.com is low",
		"openai:bob@example.com is low",
		"webhook pool.depleted, signature verified",
		"All 3 openai accounts are spent.",
		"https://auth.openai.com/codex/device",
		"on the phone: the code is typed, signed in as dave",
		"webhook login.completed, signature verified",
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
	mustPrintDemo(t, out.String())
	if strings.Contains(out.String(), "!!") {
		t.Errorf("something went wrong in the demo:\n%s", out.String())
	}
}

// TestDemoWithoutReader: a play that nobody sees is not played on.
func TestDemoWithoutReader(t *testing.T) {
	t.Parallel()
	full := errors.New("no space left")
	w := &failing{after: 2, err: full}
	if err := demo(t.Context(), t.TempDir(), "", newScreen(w)); !errors.Is(err, full) {
		t.Errorf("the demo ended with %v, want the reason why it could not be printed", err)
	}
}

// failing is a writer that takes a few writes.
type failing struct {
	after int
	err   error
}

func (f *failing) Write(p []byte) (int, error) {
	if f.after--; f.after < 0 {
		return 0, f.err
	}
	return len(p), nil
}
