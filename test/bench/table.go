package main

import (
	"fmt"
	"io"
	"os"
	"runtime"
	"slices"
	"strings"
	"text/tabwriter"
	"time"
)

// row is one line of the table.
type row struct {
	figure, measured, goal string
	verdict                string // "" for a figure without a goal
}

const (
	kept   = "ok"
	missed = "MISSED"
)

// atMost is a row whose goal is an upper bound.
func atMost(figure string, got, goal float64, format string) row {
	return row{figure, fmt.Sprintf(format, got), "≤ " + fmt.Sprintf(format, goal), verdict(got <= goal)}
}

// atLeast is a row whose goal is a lower bound.
func atLeast(figure string, got, goal float64, format string) row {
	return row{figure, fmt.Sprintf(format, got), "≥ " + fmt.Sprintf(format, goal), verdict(got >= goal)}
}

// plain is a row without a goal.
func plain(figure, measured string) row { return row{figure: figure, measured: measured} }

func verdict(ok bool) string {
	if ok {
		return kept
	}
	return missed
}

func printTable(out io.Writer, rows []row) error {
	w := tabwriter.NewWriter(out, 0, 0, 2, ' ', 0)
	_, _ = fmt.Fprintln(w, "figure\tmeasured\tgoal\t")
	for _, r := range rows {
		_, _ = fmt.Fprintf(w, "%s\t%s\t%s\t%s\n", r.figure, r.measured, r.goal, r.verdict)
	}
	if err := w.Flush(); err != nil {
		return fmt.Errorf("print the table: %w", err)
	}
	return nil
}

// median is the upper one of the two in the middle where there are two; 0
// where there is nothing.
func median(d []time.Duration) time.Duration {
	if len(d) == 0 {
		return 0
	}
	s := slices.Clone(d)
	slices.Sort(s)
	return s[len(s)/2]
}

// spread tells a median with its extremes, which show how busy the machine was.
func spread(d []time.Duration) string {
	if len(d) == 0 {
		return "none"
	}
	return fmt.Sprintf("%s (%s to %s, n=%d)", millis(median(d)), millis(slices.Min(d)), millis(slices.Max(d)), len(d))
}

func millis(d time.Duration) string {
	return fmt.Sprintf("%.1f ms", d.Seconds()*1000)
}

func cpus() string { return fmt.Sprintf("%d CPUs", runtime.NumCPU()) }

// load is the machine's load average of the last minute.
func load() string {
	b, err := os.ReadFile("/proc/loadavg")
	if err != nil {
		return "unknown"
	}
	one, _, _ := strings.Cut(string(b), " ")
	return one
}
