package main

import (
	"strings"
	"testing"

	"github.com/ocwatch/ocwatch/internal/sim"
)

// TestForetell: the weeks are recorded as the journal would, and the same seeds
// print the same table.
func TestForetell(t *testing.T) {
	t.Parallel()
	p := recorded(sim.Draw(1))
	if len(p.Accounts) == 0 {
		t.Fatal("no account was recorded")
	}
	for _, a := range p.Accounts {
		if n := len(a.Readings); n < 7*24 || n > 7*24*60 {
			t.Errorf("%s: %d readings", a.ID, n)
		}
		for i := 1; i < len(a.Readings); i++ {
			if !a.Readings[i].At.After(a.Readings[i-1].At) {
				t.Fatalf("%s: readings are out of order at %s", a.ID, a.Readings[i].At)
			}
		}
	}
	var first, second strings.Builder
	if foretell(1, &first) != nil || foretell(1, &second) != nil || first.String() != second.String() {
		t.Errorf("printed\n%s\nand\n%s", first.String(), second.String())
	}
	for _, want := range []string{"forecasts over 1 simulated weeks", "thresholds of windows in use  ", "pools running dry within 12h", "warnings: "} {
		if !strings.Contains(first.String(), want) {
			t.Errorf("%q is missing in\n%s", want, first.String())
		}
	}
}
