package deploy

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
)

// Runner runs a command and returns what it printed on standard output. An error
// says what the command said.
type Runner interface {
	Run(ctx context.Context, argv ...string) (out string, err error)
}

// Apply carries the steps out, in their order, and tells each to done when it
// is. It stops at the first that fails: to run it again is safe.
func Apply(ctx context.Context, steps []Step, r Runner, done func(Step)) error {
	for _, s := range steps {
		if err := apply(ctx, s, r); err != nil {
			return fmt.Errorf("%s: %w", s.verb(), err)
		}
		done(s)
	}
	return nil
}

func apply(ctx context.Context, s Step, r Runner) error {
	switch s.Kind {
	case MakeDir:
		return os.MkdirAll(s.Path, s.Mode)
	case Write:
		return write(s)
	case Remove:
		return os.RemoveAll(s.Path)
	case Run:
		_, err := r.Run(ctx, s.Argv...)
		if s.MayFail && ctx.Err() == nil {
			return nil
		}
		return err
	}
	return fmt.Errorf("there is no step of kind %d", int(s.Kind))
}

// write replaces the file as a whole: systemd may read it at any moment.
func write(s Step) (err error) {
	dir := filepath.Dir(s.Path)
	if err := os.MkdirAll(dir, 0o755); err != nil { //nolint:gosec // systemd and everybody may read a directory of units
		return err
	}
	f, err := os.CreateTemp(dir, ".ocwatch-")
	if err != nil {
		return err
	}
	defer func() {
		if err != nil {
			_ = os.Remove(f.Name())
		}
	}()
	_, err = f.WriteString(s.Content)
	if err = errors.Join(err, f.Sync(), f.Close()); err != nil {
		return err
	}
	if err := os.Chmod(f.Name(), s.Mode); err != nil { // whatever the umask
		return err
	}
	return os.Rename(f.Name(), s.Path)
}
