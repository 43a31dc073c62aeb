package journal

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"strings"
	"time"
)

// fresh is where the file that replaces a damaged one is made. It is whole
// before the damaged one is moved.
func (j *Journal) fresh() string { return j.path + ".fresh" }

// replace sets a damaged file aside and puts a fresh one in its place, with what
// of the old one can be read and must not be lost. Death on the way is made
// good by finishReplacing.
func (j *Journal) replace(ctx context.Context, now time.Time) error {
	if err := removeAll(j.fresh()); err != nil {
		return fmt.Errorf("journal: replace the damaged file: %w", err)
	}
	f := &Journal{path: j.fresh(), version: j.version, within: j.within}
	if err := f.prepareFile(); err != nil {
		return err
	}
	if err := f.connect(ctx); err != nil {
		return err
	}
	saved := f.salvage(ctx, j.path)
	if err := f.Close(); err != nil {
		return err
	}
	aside, err := j.setAside(now)
	if err != nil {
		return err
	}
	if err := os.Rename(j.fresh(), j.path); err != nil {
		return fmt.Errorf("journal: replace the damaged file: %w", err)
	}
	j.notes = append(j.notes, fmt.Sprintf("the journal was damaged and was set aside as %s; a fresh one was made. %s", aside, saved))
	return nil
}

// mend opens a file anew that turned out to be damaged while it was open, which
// replaces it, and says how that went.
func (j *Journal) mend(ctx context.Context) error {
	j.mu.Lock()
	defer j.mu.Unlock()
	if j.trouble != nil {
		return nil
	}
	said := len(j.notes)
	_ = j.db.Close() // it is damaged
	if err := j.openFile(ctx); err != nil {
		if err := j.stayInMemory(ctx, err); err != nil {
			return err
		}
	}
	if len(j.notes) == said {
		return nil
	}
	return errors.New(strings.Join(j.notes[said:], "; "))
}

// finishReplacing goes on where an ocwatch died that had moved the damaged file
// and not put the fresh one in its place.
func (j *Journal) finishReplacing() error {
	if _, err := os.Stat(j.path); !errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if _, err := os.Stat(j.fresh()); err != nil {
		return nil //nolint:nilerr // there is nothing to finish
	}
	if _, err := j.setAside(time.Now()); err != nil { // the WAL, perhaps
		return err
	}
	if err := os.Rename(j.fresh(), j.path); err != nil {
		return fmt.Errorf("journal: replace the damaged file: %w", err)
	}
	return nil
}

// setAside moves a damaged journal out of the way. The file goes first: with it
// gone, no WAL of its is taken for that of the next.
func (j *Journal) setAside(now time.Time) (aside string, err error) {
	aside = j.path + ".damaged-" + now.UTC().Format("20060102T150405.000Z")
	for _, suffix := range []string{"", "-wal", "-shm"} {
		err := os.Rename(j.path+suffix, aside+suffix)
		if err != nil && !errors.Is(err, fs.ErrNotExist) {
			return "", fmt.Errorf("journal: set the damaged file aside: %w", err)
		}
	}
	return aside, nil
}

// removeAll removes a database with all that belongs to it.
func removeAll(path string) error {
	var errs []error
	for _, suffix := range []string{"", "-wal", "-shm", "-journal"} {
		if err := os.Remove(path + suffix); err != nil && !errors.Is(err, fs.ErrNotExist) {
			errs = append(errs, err)
		}
	}
	return errors.Join(errs...)
}
