// Package journal is ocwatch's own memory: one SQLite file that holds what
// cannot be read again from the world. Each round is one transaction, so that
// a crash leaves either all of a round or nothing of it.
//
// A failed journal never stops failover: every error is returned, and the
// caller logs it and goes on. No credential is ever written here.
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
	"sync/atomic"
	"time"

	_ "modernc.org/sqlite" // the database/sql driver "sqlite"
)

// File modes: what ocwatch knows is its owner's alone.
const (
	fileMode fs.FileMode = 0o600
	dirMode  fs.FileMode = 0o700
)

// Journal is an open journal. Its methods may be called concurrently.
type Journal struct {
	db    *sql.DB
	path  string
	notes []string

	prunedAt atomic.Int64 // Unix milliseconds
}

// Open opens the journal at path and makes it, and its directory, where there
// is none. A damaged file is set aside and replaced; Notes says so. A file of
// a newer ocwatch is ErrNewer, another program's database is ErrForeign, and
// the content of both is left as it was.
func Open(ctx context.Context, path string) (*Journal, error) {
	path, err := filepath.Abs(path)
	if err != nil {
		return nil, fmt.Errorf("journal: %w", err)
	}
	j := &Journal{path: path}
	if err := j.prepareFile(); err != nil {
		return nil, err
	}
	j.lookAtDir()
	err = j.connect(ctx)
	if errors.Is(err, ErrDamaged) {
		if err = j.setAside(time.Now()); err == nil {
			err = j.connect(ctx)
		}
	}
	if err != nil {
		return nil, err
	}
	return j, nil
}

// Notes says in sentences what Open had to do or found amiss, for the log.
func (j *Journal) Notes() []string { return j.notes }

// Close ends the journal. Nothing is lost without it.
func (j *Journal) Close() error {
	if err := j.db.Close(); err != nil {
		return j.explain("close", err)
	}
	return nil
}

// prepareFile makes the file before SQLite does, which would make it readable
// by everyone; the -wal and -shm files take their mode from it.
func (j *Journal) prepareFile() error {
	dir := filepath.Dir(j.path)
	if err := os.MkdirAll(dir, dirMode); err != nil {
		return fmt.Errorf("journal: make data_dir: %w", err)
	}
	f, err := os.OpenFile(j.path, os.O_RDWR|os.O_CREATE, fileMode)
	if err != nil {
		return fmt.Errorf("journal: open for writing (data_dir must belong to the user that runs ocwatch): %w", err)
	}
	if err := errors.Join(f.Chmod(fileMode), f.Close()); err != nil {
		return fmt.Errorf("journal: make private: %w", err)
	}
	return nil
}

// lookAtDir notes a directory that others may enter. One that was there is
// never changed: it may be one that others need, such as /tmp.
func (j *Journal) lookAtDir() {
	dir := filepath.Dir(j.path)
	if info, err := os.Stat(dir); err == nil && info.Mode().Perm()&0o077 != 0 {
		j.notes = append(j.notes, fmt.Sprintf("data_dir %s is open to other users (mode %04o); close it with: chmod 700 %s",
			dir, info.Mode().Perm(), dir))
	}
}

// connect opens, checks and migrates the file.
func (j *Journal) connect(ctx context.Context) error {
	db, err := sql.Open("sqlite", dsn(j.path))
	if err != nil {
		return j.explain("open", err)
	}
	// One connection: the writers take turns here instead of in SQLite's
	// busy handler.
	db.SetMaxOpenConns(1)
	j.db = db
	if err := j.check(ctx); err != nil {
		return errors.Join(err, db.Close())
	}
	if err := migrate(ctx, db, migrations()); err != nil {
		return errors.Join(j.explain("migrate", err), db.Close())
	}
	return nil
}

// dsn holds what belongs to each connection. synchronous=FULL, because a
// message that was committed to the outbox must outlive a power cut; in WAL
// mode that is one fsync for each commit that changes something.
func dsn(path string) string {
	u := url.URL{Scheme: "file", OmitHost: true, Path: path}
	u.RawQuery = url.Values{
		"_pragma": {"busy_timeout(5000)", "foreign_keys(1)", "synchronous(FULL)"},
		"_txlock": {"immediate"},
	}.Encode()
	return u.String()
}

// check refuses files that are not a sound journal of this or an earlier
// ocwatch. It writes nothing to those.
func (j *Journal) check(ctx context.Context) error {
	if _, err := j.header(ctx); err != nil {
		return err
	}
	return j.quickCheck(ctx)
}

// header says whose the file is.
type header struct{ id, version, tables int }

// header reads the header, and refuses the files of others.
func (j *Journal) header(ctx context.Context) (h header, err error) {
	err = j.db.QueryRowContext(ctx, `SELECT
		(SELECT application_id FROM pragma_application_id),
		(SELECT user_version FROM pragma_user_version),
		(SELECT count(*) FROM sqlite_schema)`).Scan(&h.id, &h.version, &h.tables)
	if err != nil {
		return h, j.explain("open", err)
	}
	if h.id != applicationID && (h.id != 0 || h.tables > 0) {
		return h, fmt.Errorf("journal %s: %w; name another data_dir", j.path, ErrForeign)
	}
	if latest := len(migrations()); h.version > latest {
		return h, fmt.Errorf("journal %s: %w (its schema is %d, this one knows %d); run the newer ocwatch, or move the file away",
			j.path, ErrNewer, h.version, latest)
	}
	return h, nil
}

func (j *Journal) quickCheck(ctx context.Context) error {
	var verdict string
	if err := j.db.QueryRowContext(ctx, "PRAGMA quick_check(1)").Scan(&verdict); err != nil {
		return j.explain("check", err)
	}
	if verdict != "ok" {
		return fmt.Errorf("journal %s: %w: %s", j.path, ErrDamaged, verdict)
	}
	if _, err := j.db.ExecContext(ctx, "PRAGMA journal_mode=WAL"); err != nil {
		return j.explain("open", err)
	}
	return nil
}

// setAside moves a damaged journal out of the way. The WAL goes first: were it
// left beside a fresh file, SQLite would replay it into that one.
func (j *Journal) setAside(now time.Time) error {
	aside := j.path + ".damaged-" + now.UTC().Format("20060102T150405.000Z")
	for _, suffix := range []string{"-wal", "-shm", ""} {
		err := os.Rename(j.path+suffix, aside+suffix)
		if err != nil && !errors.Is(err, fs.ErrNotExist) {
			return fmt.Errorf("journal: set the damaged file aside: %w", err)
		}
	}
	j.notes = append(j.notes, fmt.Sprintf("the journal was damaged and was set aside as %s; a fresh one was made, and history and undelivered messages are in the old one", aside))
	return j.prepareFile()
}

// write runs f in one transaction.
func (j *Journal) write(ctx context.Context, op string, f func(*sql.Tx) error) error {
	tx, err := j.db.BeginTx(ctx, nil)
	if err != nil {
		return j.explain(op, err)
	}
	if err := f(tx); err != nil {
		_ = tx.Rollback() // SQLite, or a cancelled context, may have come before it
		return j.explain(op, err)
	}
	if err := tx.Commit(); err != nil {
		return j.explain(op, err)
	}
	return nil
}
