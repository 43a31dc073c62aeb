//go:build manual

package main

import (
	"fmt"
	"os"
	"strconv"
	"time"

	"github.com/ocwatch/ocwatch/deploy/gen"
)

// With the build tag manual this package is the program that makes the man
// pages, the completions and the package's unit of the commands:
//
//	go run -tags manual ./cmd/ocwatch DIRECTORY
//
// in the repository. What it needs for that is not in ocwatch itself.
func main() {
	if err := writeManual(os.Args[1:]); err != nil {
		_, _ = fmt.Fprintln(os.Stderr, "manual:", err)
		os.Exit(1)
	}
}

func writeManual(args []string) error {
	if len(args) != 1 {
		return fmt.Errorf("want one argument, the directory to write into; got %d", len(args))
	}
	epoch, err := strconv.ParseInt(os.Getenv("SOURCE_DATE_EPOCH"), 10, 64)
	if err != nil {
		return fmt.Errorf("SOURCE_DATE_EPOCH is to be the time of the source, in seconds since 1970: %w", err)
	}
	md, err := os.ReadFile("docs/configuration.md")
	if err != nil {
		return err
	}
	return gen.Write(gen.Input{Root: newRoot(), Config: md, Version: version, Date: time.Unix(epoch, 0).UTC()}, args[0])
}
