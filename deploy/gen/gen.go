// Package gen writes what is made of the command tree and of the docs rather
// than by hand: man pages, shell completions, and the unit of the package. It is
// for building packages and is no part of ocwatch itself.
//
// Nothing that it writes depends on when or where it runs.
package gen

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"time"

	"github.com/spf13/cobra"
)

// Input is what everything is made of.
type Input struct {
	Root    *cobra.Command // is changed
	Config  []byte         // docs/configuration.md
	Version string
	Date    time.Time // of the source, as the pages show it
}

// Write fills the directory dir, which it makes:
//
//	man/man1/ocwatch.1, man/man1/ocwatch-check.1, …
//	man/man5/ocwatch-config.yaml.5
//	completions/ocwatch.bash, completions/_ocwatch (zsh), completions/ocwatch.fish
//	systemd/user/ocwatch.service
func Write(in Input, dir string) error {
	page, err := configPage(in.Config, head{in.Version, in.Date})
	if err != nil {
		return err
	}
	unit, err := userUnit()
	if err != nil {
		return err
	}
	files := map[string][]byte{
		"man/man5/" + configPageName + ".5": page,
		"systemd/user/ocwatch.service":      unit,
	}
	for name, write := range map[string]func(io.Writer) error{
		"completions/ocwatch.bash": func(w io.Writer) error { return in.Root.GenBashCompletionV2(w, true) },
		"completions/_ocwatch":     in.Root.GenZshCompletion,
		"completions/ocwatch.fish": func(w io.Writer) error { return in.Root.GenFishCompletion(w, true) },
	} {
		var b bytes.Buffer
		if err := write(&b); err != nil {
			return fmt.Errorf("%s: %w", name, err)
		}
		files[name] = b.Bytes()
	}
	// After the completions, for which cobra adds commands to the tree.
	commandPages(in.Root, head{in.Version, in.Date}, files)
	for name, text := range files {
		if err := put(filepath.Join(dir, name), text); err != nil {
			return err
		}
	}
	return nil
}

func put(path string, text []byte) error {
	if len(text) == 0 {
		return errors.New("nothing to write into " + path)
	}
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil { //nolint:gosec // it goes into a package, for everybody
		return err
	}
	return os.WriteFile(path, text, 0o644) //nolint:gosec // likewise
}
