package openclaw

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"slices"
	"strings"

	"modernc.org/sqlite"
	sqlite3 "modernc.org/sqlite/lib"
)

const (
	// busyMillis is how long a read waits for OpenClaw's own write, which take
	// a few milliseconds each.
	busyMillis = 2000
	// documentCap is far above the largest store: 16 MiB are some ten thousand
	// profiles.
	documentCap = 16 << 20

	doctorFix = "run openclaw doctor --fix"
)

// database is one short read of a SQLite file of OpenClaw's.
type database struct {
	path string
	tx   *sql.Tx
	ctx  context.Context // lives for one read only
}

// readDatabase calls read within one transaction, so that what it sees is of
// one moment. It reports found = false where there is no file. Errors are
// *StoreError.
//
// mode=ro and nothing else: immutable would miss what is still in the
// write-ahead log, and a writable connection would check that log in for its
// owner on closing.
func readDatabase(ctx context.Context, path string, read func(database) error) (found bool, err error) {
	info, err := os.Stat(path)
	if errors.Is(err, fs.ErrNotExist) {
		return false, nil
	}
	if err != nil {
		return true, fileError(path, err)
	}
	if !info.Mode().IsRegular() {
		return true, fileError(path, errNotRegular)
	}
	db, err := sql.Open("sqlite", databaseURI(path))
	if err != nil {
		return true, sqliteError(path, err)
	}
	defer func() { _ = db.Close() }()
	db.SetMaxOpenConns(1)
	tx, err := db.BeginTx(ctx, nil)
	if err != nil {
		return true, sqliteError(path, err)
	}
	defer func() { _ = tx.Rollback() }()
	if err := read(database{path: path, tx: tx, ctx: ctx}); err != nil {
		return true, sqliteError(path, err)
	}
	return true, nil
}

// databaseURI escapes what means something in a file: URI, and what SQLite
// would decode.
func databaseURI(path string) string {
	var b strings.Builder
	b.WriteString("file:")
	for i := range len(path) {
		c := path[i]
		switch {
		case c == '/', c == '-', c == '_', c == '.', c == '~', '0' <= c && c <= '9', 'a' <= c && c <= 'z', 'A' <= c && c <= 'Z':
			b.WriteByte(c)
		default:
			fmt.Fprintf(&b, "%%%02X", c)
		}
	}
	fmt.Fprintf(&b, "?mode=ro&_pragma=busy_timeout(%d)&_pragma=query_only(1)", busyMillis)
	return b.String()
}

// hasTable reports whether table is there, and fails where it lacks a column:
// then a later release gave it another form.
func (d database) hasTable(table string, columns ...string) (bool, error) {
	rows, err := d.tx.QueryContext(d.ctx, `SELECT name FROM pragma_table_info(?)`, table)
	if err != nil {
		return false, err
	}
	defer func() { _ = rows.Close() }()
	var have []string
	for rows.Next() {
		var name string
		if err := rows.Scan(&name); err != nil {
			return false, err
		}
		have = append(have, name)
	}
	if err := rows.Err(); err != nil {
		return false, err
	}
	if len(have) == 0 {
		return false, nil
	}
	for _, c := range columns {
		if !slices.Contains(have, c) {
			return false, d.unknown(fmt.Sprintf("table %s has no column %s", table, c))
		}
	}
	return true, nil
}

func (d database) hasIndex(name string) (bool, error) {
	var n int
	err := d.tx.QueryRowContext(d.ctx, `SELECT count(*) FROM sqlite_master WHERE type = 'index' AND name = ?`, name).Scan(&n)
	return n > 0, err
}

// requireTables fails where there is no table at all: the file of a database
// that was lost looks like that, and one whose making has only begun.
func (d database) requireTables() error {
	var n int
	if err := d.tx.QueryRowContext(d.ctx, `SELECT count(*) FROM sqlite_master WHERE type = 'table'`).Scan(&n); err != nil || n > 0 {
		return err
	}
	return &StoreError{Path: d.path, Kind: UnknownSchema, Err: errors.New("the database has no tables"), Fix: "if it stays so, " + doctorFix}
}

// document reads one JSON object; nil where the row does not exist.
func (d database) document(query, key string) (json.RawMessage, error) {
	var raw sql.NullString
	switch err := d.tx.QueryRowContext(d.ctx, query, key).Scan(&raw); {
	case errors.Is(err, sql.ErrNoRows):
		return nil, nil
	case err != nil:
		return nil, err
	case !raw.Valid:
		return nil, d.unknown("the row " + key + " holds no value")
	case len(raw.String) > documentCap:
		return nil, &StoreError{Path: d.path, Kind: Corrupt, Fix: doctorFix, Err: errTooLarge}
	case !isObject([]byte(raw.String)):
		return nil, &StoreError{Path: d.path, Kind: Corrupt, Fix: doctorFix, Err: fmt.Errorf("the row %s is no JSON object", key)}
	}
	return json.RawMessage(raw.String), nil
}

func (d database) unknown(what string) error {
	return &StoreError{
		Path: d.path, Kind: UnknownSchema, Err: errors.New(what),
		Fix: "update ocwatch to a release that knows this OpenClaw, and " + doctorFix,
	}
}

// isObject reports whether raw is one whole JSON object.
func isObject(raw []byte) bool {
	trimmed := strings.TrimLeft(string(raw[:min(len(raw), 64)]), " \t\r\n")
	return strings.HasPrefix(trimmed, "{") && json.Valid(raw)
}

// sqliteError turns an error into a *StoreError, unless it is one or is the
// caller's own giving up.
func sqliteError(path string, err error) error {
	var known *StoreError
	if errors.As(err, &known) || errors.Is(err, context.Canceled) || errors.Is(err, context.DeadlineExceeded) {
		return err
	}
	e := &StoreError{Path: path, Kind: UnknownSchema, Fix: "update ocwatch to a release that knows this OpenClaw", Err: err}
	var code *sqlite.Error
	if !errors.As(err, &code) {
		return e
	}
	switch code.Code() & 0xff {
	case sqlite3.SQLITE_CANTOPEN, sqlite3.SQLITE_READONLY, sqlite3.SQLITE_PERM, sqlite3.SQLITE_AUTH:
		e.Kind, e.Fix = NotPermitted, "run ocwatch as the user that runs OpenClaw; the file's directory must be writable by it"
	case sqlite3.SQLITE_NOTADB, sqlite3.SQLITE_CORRUPT:
		e.Kind, e.Fix = Corrupt, doctorFix+", or restore the file from a backup"
	case sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED, sqlite3.SQLITE_IOERR, sqlite3.SQLITE_PROTOCOL, sqlite3.SQLITE_INTERRUPT:
		e.Kind, e.Fix = Busy, "it is tried again by itself; if it stays so, see which process holds the file"
	}
	return e
}

// fileError is sqliteError for what the file system reports.
func fileError(path string, err error) error {
	e := &StoreError{Path: path, Kind: NotPermitted, Fix: "run ocwatch as the user that runs OpenClaw", Err: err}
	switch {
	case errors.Is(err, errNotRegular):
		e.Kind, e.Fix = Corrupt, "remove what stands there in the file's place"
	case errors.Is(err, errTooLarge):
		e.Kind, e.Fix = Corrupt, doctorFix
	case !errors.Is(err, fs.ErrPermission):
		e.Kind, e.Fix = Busy, "it is tried again by itself; if it stays so, check the disk"
	}
	return e
}
