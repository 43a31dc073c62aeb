package openclaw

import (
	"context"
	"errors"
	"io"
	"time"
)

// CLI runs the openclaw command of one install.
type CLI struct{ install *Install }

// Output is what a command said.
type Output struct {
	Stdout   []byte
	Stderr   []byte
	Duration time.Duration
}

// CLI gives the command runner.
func (i *Install) CLI() *CLI { return &CLI{install: i} }

// Run runs openclaw with args.
func (c *CLI) Run(ctx context.Context, stdin io.Reader, args ...string) (Output, error) {
	return Output{}, errors.ErrUnsupported
}

// Version gives the version of the command, such as 2026.9.6.
func (c *CLI) Version(ctx context.Context) (string, error) {
	return "", errors.ErrUnsupported
}
