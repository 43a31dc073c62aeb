package main

import (
	"bytes"
	"io"
	"strings"
	"testing"
	"time"

	"github.com/ocwatch/ocwatch/internal/sim"
)

func TestComparisonTellsTotalsAndMedians(t *testing.T) {
	ways := []sim.Way{{Name: "one"}, {Name: "another"}}
	results := [][]sim.Result{
		{{Unusable: time.Hour, Refused: 1}, {Unusable: 30 * time.Minute, Refused: 5}, {Refused: 3}},
		{{Switches: 2}, {Switches: 2}, {Switches: 9, Paid: 4}},
	}
	var out bytes.Buffer
	if err := printComparison(&out, ways, results); err != nil {
		t.Fatal(err)
	}
	lines := strings.Split(strings.TrimSpace(out.String()), "\n")
	for i, want := range []string{
		"decided by no usable first, h avoidable, h first refused failed turns switches chats moved paid calls restarts questions",
		"one 1.5 (0.5) 0.0 (0.0) 9 (3) 0 (0) 0 (0) 0 (0) 0 (0) 0 (0) 0 (0)",
		"another 0.0 (0.0) 0.0 (0.0) 0 (0) 0 (0) 13 (2) 0 (0) 4 (0) 0 (0) 0 (0)",
	} {
		if got := strings.Join(strings.Fields(lines[i]), " "); got != want {
			t.Errorf("line %d: %q, want %q", i, got, want)
		}
	}
}

func TestComparisonAlone(t *testing.T) {
	var first, second bytes.Buffer
	for _, out := range []*bytes.Buffer{&first, &second} {
		if err := run(t.Context(), strings.Fields("-only compare -weeks 2"), out, io.Discard); err != nil {
			t.Fatal(err)
		}
	}
	if first.String() != second.String() || !strings.Contains(first.String(), "\nocwatch priority ") || strings.Contains(first.String(), "load average") {
		t.Errorf("printed\n%s\nand then\n%s", first.String(), second.String())
	}
}
