package openclaw

import (
	"strings"
	"testing"
)

// TestSetHidden: a reloaded config may keep its secrets in other variables.
func TestSetHidden(t *testing.T) {
	t.Setenv("HOOK_KEY_ONE", "whsec_1")
	t.Setenv("HOOK_KEY_TWO", "whsec_2")
	i := scripted(t, "env")
	i.opts.Hide = []string{"HOOK_KEY_ONE"}
	for _, step := range []struct{ there, hidden string }{{"HOOK_KEY_TWO=", "HOOK_KEY_ONE="}, {"HOOK_KEY_ONE=", "HOOK_KEY_TWO="}} {
		out, err := i.CLI().Run(t.Context(), nil)
		if err != nil {
			t.Fatal(err)
		}
		if env := string(out.Stdout); !strings.Contains(env, step.there) || strings.Contains(env, step.hidden) {
			t.Errorf("%s should be there, %s not", step.there, step.hidden)
		}
		i.SetHidden([]string{"HOOK_KEY_TWO"})
	}
}
