package main

import (
	"context"
	"fmt"
	"io"
	"os"
	"os/exec"
	"time"
)

// starts of `ocwatch version` are timed.
const starts = 20

// measureBinary weighs the binary and times its shortest command.
func measureBinary(ctx context.Context, o options, _ io.Writer) ([]row, error) {
	info, err := os.Stat(o.binary)
	if err != nil {
		return nil, fmt.Errorf("no binary to measure (make build): %w", err)
	}
	took := make([]time.Duration, starts)
	for i := range took {
		began := time.Now()
		if err := exec.CommandContext(ctx, o.binary, "version").Run(); err != nil {
			return nil, fmt.Errorf("%s version: %w", o.binary, err)
		}
		took[i] = time.Since(began)
	}
	return []row{
		atMost("binary, stripped", megabytes(info.Size()), 25, "%.1f MB"),
		atMost(fmt.Sprintf("ocwatch version, median of %d", starts), median(took).Seconds()*1000, 20, "%.1f ms"),
	}, nil
}
