package main

import (
	"cmp"
	"fmt"
	"io"
	"runtime/debug"
	"slices"
	"text/tabwriter"
	"time"

	"github.com/ocwatch/ocwatch/internal/sim"
)

// metric is one column of the comparison.
type metric struct {
	name   string
	of     func(sim.Result) float64
	digits int
}

func metrics() []metric {
	hours := func(d time.Duration) float64 { return d.Hours() }
	return []metric{
		{"no usable first, h", func(r sim.Result) float64 { return hours(r.Unusable) }, 1},
		{"avoidable, h", func(r sim.Result) float64 { return hours(r.Avoidable) }, 1},
		{"first refused", func(r sim.Result) float64 { return float64(r.Refused) }, 0},
		{"failed turns", func(r sim.Result) float64 { return float64(r.Failed) }, 0},
		{"switches", func(r sim.Result) float64 { return float64(r.Switches) }, 0},
		{"chats moved", func(r sim.Result) float64 { return float64(r.Moved) }, 0},
		{"paid calls", func(r sim.Result) float64 { return float64(r.Paid) }, 0},
		{"restarts", func(r sim.Result) float64 { return float64(r.Restarts) }, 0},
		{"questions", func(r sim.Result) float64 { return float64(r.Asked) }, 0},
	}
}

// compare plays every way of deciding through the same weeks and prints what
// their users would have felt.
func compare(weeks int, out io.Writer) error {
	// Millions of small values that live for a minute of their week.
	defer debug.SetGCPercent(debug.SetGCPercent(800))
	ways := sim.Ways()
	results := sim.Compare(ways, weeks)
	turns := 0
	for _, r := range results[0] {
		turns += r.Turns
	}
	_, err := fmt.Fprintf(out, "\n%d simulated weeks, %d turns; over all weeks, and in the median week\n\n", weeks, turns)
	if err == nil {
		err = printComparison(out, ways, results)
	}
	if err == nil {
		_, err = fmt.Fprintf(out, `
no usable first: who OpenClaw would try first is spent, or nobody is left to try; avoidable: another account had quota
first refused: turns whose first call was refused, or that found nobody to call; questions: to usage endpoints, by the watchdog

%s
`, sim.Assumptions)
	}
	return err
}

func printComparison(out io.Writer, ways []sim.Way, results [][]sim.Result) error {
	w := tabwriter.NewWriter(out, 0, 0, 2, ' ', 0)
	_, _ = fmt.Fprint(w, "decided by") // seen by Flush
	for _, m := range metrics() {
		_, _ = fmt.Fprint(w, "\t", m.name)
	}
	_, _ = fmt.Fprintln(w)
	for i, way := range ways {
		_, _ = fmt.Fprint(w, way.Name)
		for _, m := range metrics() {
			all := make([]float64, len(results[i]))
			sum := 0.0
			for j, r := range results[i] {
				all[j] = m.of(r)
				sum += all[j]
			}
			_, _ = fmt.Fprintf(w, "\t%.*f (%.*f)", m.digits, sum, m.digits, middle(all))
		}
		_, _ = fmt.Fprintln(w)
	}
	if err := w.Flush(); err != nil {
		return fmt.Errorf("print the comparison: %w", err)
	}
	return nil
}

// middle is the median, the upper one of two.
func middle[T cmp.Ordered](list []T) T {
	s := slices.Sorted(slices.Values(list))
	return s[len(s)/2]
}
