package journal

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"io/fs"
	"net/url"
	"os"
	"path/filepath"
)

// FileName is the journal's name within data_dir.
const FileName = "journal.db"

// ErrNone says that there is no journal at that place.
var ErrNone = errors.New("there is no journal yet")

// OpenReadOnly opens a journal to read it, beside a running watchdog or
// without one. It makes, mends and migrates nothing, and writing fails.
// Where there is no file, or nothing in it yet, it is ErrNone.
func OpenReadOnly(ctx context.Context, path string) (*Journal, error) {
	path, err := filepath.Abs(path)
	if err != nil {
		return nil, fmt.Errorf("journal: %w", err)
	}
	info, err := os.Stat(path)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return nil, fmt.Errorf("journal %s: %w", path, ErrNone)
	case err != nil:
		return nil, fmt.Errorf("journal: %w", err)
	case !info.Mode().IsRegular():
		return nil, fmt.Errorf("journal %s: %w: move it away", path, ErrNoFile)
	case info.Size() == 0 && !exists(path+"-wal"):
		return nil, fmt.Errorf("journal %s: %w", path, ErrNone)
	}
	j, err := openDSN(ctx, path, readOnlyDSN(path))
	if (errors.Is(err, ErrFull) || errors.Is(err, ErrReadOnly)) && fileSize(path+"-wal") == 0 {
		// There is no room for the index of the log. The log is empty, and
		// nobody can write one now.
		j, err = openDSN(ctx, path, readOnlyDSN(path)+"&immutable=1")
	}
	return j, err
}

// openAlone opens a journal to read it where the disk is too full for the index
// of its log. Nobody else may have it open: whoever holds the lock of the
// directory knows.
func openAlone(ctx context.Context, path string) (*Journal, error) {
	return openDSN(ctx, path, dsn(path)+"&_pragma=locking_mode(EXCLUSIVE)")
}

func openDSN(ctx context.Context, path, dsn string) (*Journal, error) {
	j := &Journal{path: path}
	var err error
	if j.db, err = sql.Open("sqlite", dsn); err != nil {
		return nil, j.explain("open", err)
	}
	j.db.SetMaxOpenConns(1)
	if err := j.readable(ctx); err != nil {
		return nil, errors.Join(err, j.db.Close())
	}
	return j, nil
}

func exists(path string) bool {
	_, err := os.Stat(path)
	return err == nil
}

// fileSize is how large a file is, 0 where there is none.
func fileSize(path string) int64 {
	info, err := os.Stat(path)
	if err != nil {
		return 0
	}
	return info.Size()
}

// readOnlyDSN has no immutable, which would miss what is in the WAL.
func readOnlyDSN(path string) string {
	u := url.URL{Scheme: "file", OmitHost: true, Path: path}
	u.RawQuery = url.Values{"mode": {"ro"}, "_pragma": {"busy_timeout(2000)"}}.Encode()
	return u.String()
}

// readable refuses what this ocwatch cannot read. An older schema lacks tables
// that it would ask for.
func (j *Journal) readable(ctx context.Context) error {
	h, err := j.header(ctx)
	switch latest := len(migrations()); {
	case err != nil:
		return err
	case h.tables == 0:
		return fmt.Errorf("journal %s: %w", j.path, ErrNone)
	case h.version < latest:
		return fmt.Errorf("journal %s: written by an older ocwatch (its schema is %d, this one reads %d): "+
			"it is brought up to date when ocwatch run next starts", j.path, h.version, latest)
	}
	return nil
}
