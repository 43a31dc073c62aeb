// Command bench measures the built binary: its size, and how long it takes to
// say its version. It prints a table of figure, measured, promised, and exits
// with 1 where a promise is not kept.
//
//	go run ./scripts/bench bin/ocwatch
package main

import (
	"context"
	"fmt"
	"io"
	"os"
	"os/exec"
	"slices"
	"text/tabwriter"
	"time"
)

// What README promises.
const (
	sizeLimit  = 25 << 20
	startLimit = 20 * time.Millisecond
)

// starts is odd, so that the median is one of them, and large enough to sit
// out a busy machine.
const starts = 41

// figure is one line of the table.
type figure struct {
	name, measured, promised string
	kept                     bool
}

func main() {
	if err := run(context.Background(), os.Args[1:], os.Stdout); err != nil {
		fmt.Fprintln(os.Stderr, "bench:", err)
		os.Exit(1)
	}
}

func run(ctx context.Context, args []string, out io.Writer) error {
	if len(args) != 1 {
		return fmt.Errorf("want one argument, the binary: go run ./scripts/bench bin/ocwatch")
	}
	size, err := sizeOf(args[0])
	if err != nil {
		return err
	}
	start, err := startOf(ctx, args[0])
	if err != nil {
		return err
	}
	return table(out, []figure{size, start})
}

func sizeOf(binary string) (figure, error) {
	info, err := os.Stat(binary)
	if err != nil {
		return figure{}, fmt.Errorf("no binary to measure (make build): %w", err)
	}
	return figure{
		name:     "binary, stripped",
		measured: fmt.Sprintf("%.1f MB", float64(info.Size())/(1<<20)),
		promised: fmt.Sprintf("%d MB", sizeLimit>>20),
		kept:     info.Size() <= sizeLimit,
	}, nil
}

func startOf(ctx context.Context, binary string) (figure, error) {
	took := make([]time.Duration, starts)
	for i := range took {
		began := time.Now()
		if err := exec.CommandContext(ctx, binary, "version").Run(); err != nil {
			return figure{}, fmt.Errorf("%s version: %w", binary, err)
		}
		took[i] = time.Since(began)
	}
	slices.Sort(took)
	median := took[starts/2]
	return figure{
		name:     fmt.Sprintf("version, median of %d", starts),
		measured: median.Round(100 * time.Microsecond).String(),
		promised: startLimit.String(),
		kept:     median <= startLimit,
	}, nil
}

func table(out io.Writer, figures []figure) error {
	w := tabwriter.NewWriter(out, 0, 0, 2, ' ', 0)
	_, _ = fmt.Fprintln(w, "figure\tmeasured\tpromised\t")
	kept := true
	for _, f := range figures {
		verdict := "ok"
		if !f.kept {
			verdict, kept = "NOT KEPT", false
		}
		_, _ = fmt.Fprintf(w, "%s\t%s\t≤ %s\t%s\n", f.name, f.measured, f.promised, verdict)
	}
	if err := w.Flush(); err != nil {
		return fmt.Errorf("print the table: %w", err)
	}
	if !kept {
		return fmt.Errorf("a promised figure is not kept")
	}
	return nil
}
