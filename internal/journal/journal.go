// Package journal is ocwatch's own memory: one SQLite file that holds what
// cannot be read again from the world. Each round is one transaction, so that
// a crash leaves either all of a round or nothing of it.
//
// A failed journal never stops failover. A damaged file is set aside, and what
// of it can be read is taken over; where no file can be used the journal is in
// memory until one can. Other errors are returned, and the caller logs them and
// goes on. No credential is ever written here.
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
	"slices"
	"sync"
	"sync/atomic"
	"time"

	_ "modernc.org/sqlite" // the database/sql driver "sqlite"
)

// File modes: what ocwatch knows is its owner's alone.
const (
	fileMode fs.FileMode = 0o600
	dirMode  fs.FileMode = 0o700
)

// checkWithin bounds the check of the file: failover waits for it.
const checkWithin = 3 * time.Second

// Journal is an open journal. Its methods may be called concurrently.
type Journal struct {
	path    string
	version string // of the ocwatch that runs
	within  time.Duration
	notes   []string

	mu      sync.RWMutex // guards db, held while it is used, and what follows
	db      *sql.DB
	trouble error // why db is in memory; nil where it is the file
	seeded  bool  // db began with what the file had
	triedAt time.Time

	prunedAt atomic.Int64 // Unix milliseconds
}

// Option changes how a journal is opened.
type Option func(*Journal)

// MadeBy names the ocwatch that runs. The file says which one brought it to its
// schema, for an older one to name.
func MadeBy(version string) Option { return func(j *Journal) { j.version = version } }

// Open opens the journal at path and makes it, and its directory, where there
// is none. A damaged file is set aside and replaced. Where no file can be used
// the journal is in memory, and the file is tried again every minute: one that
// a newer ocwatch or another program wrote is left as it is. Notes says so, and
// Trouble while it lasts. An error is left for a ctx that ends.
func Open(ctx context.Context, path string, options ...Option) (*Journal, error) {
	path, err := filepath.Abs(path)
	if err != nil {
		return nil, fmt.Errorf("journal: %w", err)
	}
	j := &Journal{path: path, within: checkWithin}
	for _, o := range options {
		o(j)
	}
	if err = j.openFile(ctx); err != nil && ctx.Err() == nil {
		err = j.stayInMemory(ctx, err)
	}
	if err != nil {
		return nil, err
	}
	j.lookAtDir()
	return j, nil
}

// openFile opens, checks and migrates the file.
func (j *Journal) openFile(ctx context.Context) error {
	if err := j.finishReplacing(); err != nil {
		return err
	}
	empty := exists(j.path) && fileSize(j.path)+fileSize(j.path+"-wal") == 0
	if err := j.prepareFile(); err != nil {
		return err
	}
	err := j.connect(ctx)
	if empty && err == nil {
		j.notes = append(j.notes, fmt.Sprintf("the journal %s was empty, as after a crash of the machine: a fresh one was begun", j.path))
	}
	if errors.Is(err, ErrDamaged) {
		if err = j.replace(ctx, time.Now()); err == nil {
			err = j.connect(ctx)
		}
	}
	return err
}

// Notes says in sentences what Open had to do or found amiss, for the log.
func (j *Journal) Notes() []string {
	j.mu.RLock()
	defer j.mu.RUnlock()
	return slices.Clone(j.notes)
}

// Trouble is why the journal is in memory, nil while it is in its file.
func (j *Journal) Trouble() error {
	j.mu.RLock()
	defer j.mu.RUnlock()
	return j.trouble
}

// Close ends the journal. Nothing is lost without it, but what is in memory.
func (j *Journal) Close() error {
	j.mu.Lock()
	defer j.mu.Unlock()
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
		return fmt.Errorf("journal: open for writing (%s): %w", mendFile(j.path, err), err)
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
	if err := j.migrate(ctx); err != nil {
		return errors.Join(err, db.Close())
	}
	return nil
}

// migrate brings db to the newest schema, and says who did.
func (j *Journal) migrate(ctx context.Context) error {
	if err := migrate(ctx, j.db, migrations()); err != nil {
		return j.explain("migrate", err)
	}
	_, err := j.db.ExecContext(ctx, "INSERT INTO maker (schema, version, at) VALUES (?, ?, ?) ON CONFLICT DO NOTHING",
		len(migrations()), j.version, millis(time.Now()))
	if err != nil {
		return j.explain("migrate", err)
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

// header says whose the file is. ours counts the tables that every journal has.
type header struct{ id, version, tables, ours int }

// header reads the header, and refuses the files of others.
func (j *Journal) header(ctx context.Context) (h header, err error) {
	err = j.db.QueryRowContext(ctx, `SELECT
		(SELECT application_id FROM pragma_application_id),
		(SELECT user_version FROM pragma_user_version),
		(SELECT count(*) FROM sqlite_schema),
		(SELECT count(*) FROM sqlite_schema WHERE type = 'table' AND name IN ('state', 'reading', 'switch', 'restart', 'outbox', 'endpoint'))`).
		Scan(&h.id, &h.version, &h.tables, &h.ours)
	if err != nil {
		return h, j.explain("open", err)
	}
	if h.id != applicationID && h.ours == 6 {
		return h, fmt.Errorf("journal %s: %w: its header is not its own", j.path, ErrDamaged)
	}
	if h.id != applicationID && (h.id != 0 || h.tables > 0) {
		return h, fmt.Errorf("journal %s: %w; name another data_dir", j.path, ErrForeign)
	}
	if latest := len(migrations()); h.version > latest {
		return h, fmt.Errorf("journal %s: %w (%sits schema is %d, this one knows %d); run the newer ocwatch, or move the file away",
			j.path, ErrNewer, j.maker(ctx), h.version, latest)
	}
	return h, nil
}

// maker names the ocwatch that brought the file to its schema, where it says so.
func (j *Journal) maker(ctx context.Context) string {
	var version string
	err := j.db.QueryRowContext(ctx, "SELECT version FROM maker ORDER BY schema DESC LIMIT 1").Scan(&version)
	if err != nil || version == "" {
		return ""
	}
	return "ocwatch " + version + "; "
}

// quickCheck looks through the whole file. A disk that is too slow for that
// must not keep ocwatch from watching: damage shows when it is met, too.
func (j *Journal) quickCheck(ctx context.Context) error {
	within, cancel := context.WithTimeout(ctx, j.within)
	defer cancel()
	verdict := "ok"
	err := j.db.QueryRowContext(within, "PRAGMA quick_check(1)").Scan(&verdict)
	if err != nil && within.Err() != nil && ctx.Err() == nil {
		j.notes = append(j.notes, fmt.Sprintf("the journal %s was not checked to its end: that took longer than %s", j.path, j.within))
		err = nil
	}
	if err != nil {
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

// write runs f in one transaction. Where the file cannot be written any more, it
// is in memory that the next one is run.
func (j *Journal) write(ctx context.Context, op string, f func(*sql.Tx) error) error {
	err := j.writeOnce(ctx, op, f)
	if unwritable(err) && ctx.Err() == nil {
		err = errors.Join(err, j.retreat(ctx, err))
	}
	return err
}

func (j *Journal) writeOnce(ctx context.Context, op string, f func(*sql.Tx) error) error {
	j.mu.RLock()
	defer j.mu.RUnlock()
	return j.explain(op, inTx(ctx, j.db, f))
}

func inTx(ctx context.Context, db *sql.DB, f func(*sql.Tx) error) error {
	tx, err := db.BeginTx(ctx, nil)
	if err != nil {
		return err
	}
	if err := f(tx); err != nil {
		_ = tx.Rollback() // SQLite, or a cancelled context, may have come before it
		return err
	}
	return tx.Commit()
}
