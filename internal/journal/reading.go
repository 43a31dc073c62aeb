package journal

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"math"
	"time"

	"github.com/ocwatch/ocwatch/internal/quota"
)

// What makes a reading worth keeping beside the one before it. At a probe a
// minute this keeps about a tenth of them and loses nothing that a person
// could see in a graph.
const (
	keepEvery = 15 * time.Minute
	keepStep  = 1.0 // percent
)

// Readings returns what was kept of an account's readings since a time, oldest
// first: one every 15 minutes, and each that differed from the one before it
// by a percent in any window or by its verdict. They are kept for 90 days.
func (j *Journal) Readings(ctx context.Context, account string, since time.Time) ([]quota.Reading, error) {
	var list []quota.Reading
	err := j.each(ctx, "read readings", func(rows *sql.Rows) error {
		r, err := scanReading(account, rows.Scan)
		list = append(list, r)
		return err
	}, selectReading+" AND r.at >= ? ORDER BY r.at, r.id", account, millis(since))
	return list, err
}

// Accounts lists the accounts of which there are readings, by their keys.
func (j *Journal) Accounts(ctx context.Context) ([]string, error) {
	var list []string
	err := j.each(ctx, "read accounts", func(rows *sql.Rows) error {
		var key string
		err := rows.Scan(&key)
		list = append(list, key)
		return err
	}, "SELECT key FROM account a WHERE EXISTS (SELECT 1 FROM reading WHERE account = a.id) ORDER BY key")
	return list, err
}

// Begun returns when the oldest reading that is kept was made, the zero time
// without any.
func (j *Journal) Begun(ctx context.Context) (at time.Time, err error) {
	err = j.each(ctx, "read the oldest reading", func(rows *sql.Rows) error {
		var oldest sql.NullInt64
		err := rows.Scan(&oldest)
		if oldest.Valid {
			at = fromMillis(oldest.Int64)
		}
		return err
	}, "SELECT min(at) FROM reading")
	return at, err
}

func storeReadings(ctx context.Context, tx *sql.Tx, r Round) error {
	for _, next := range r.Readings {
		if err := storeReading(ctx, tx, next); err != nil {
			return fmt.Errorf("reading of %s: %w", next.Account, err)
		}
	}
	return nil
}

func storeReading(ctx context.Context, tx *sql.Tx, next quota.Reading) error {
	last, ok, err := lastReading(ctx, tx, next.Account)
	if err != nil || ok && !WorthKeeping(last, next) {
		return err
	}
	shape, doc, err := encodeReading(next)
	if err != nil {
		return err
	}
	_, err = tx.ExecContext(ctx, "INSERT INTO account (key) VALUES (?) ON CONFLICT DO NOTHING", next.Account)
	if err != nil {
		return err
	}
	_, err = tx.ExecContext(ctx, "INSERT INTO shape (doc) VALUES (?) ON CONFLICT DO NOTHING", shape)
	if err != nil {
		return err
	}
	_, err = tx.ExecContext(ctx, `INSERT INTO reading (account, shape, at, doc)
		SELECT a.id, s.id, ?, ? FROM account a, shape s WHERE a.key = ? AND s.doc = ?`, millis(next.At), doc, next.Account, shape)
	return err
}

// lastReading goes by the order of writing, not by time: after the clock was
// set back the newest time stays in the future for long.
func lastReading(ctx context.Context, tx *sql.Tx, account string) (quota.Reading, bool, error) {
	r, err := scanReading(account, tx.QueryRowContext(ctx, selectReading+" ORDER BY r.id DESC LIMIT 1", account).Scan)
	if errors.Is(err, sql.ErrNoRows) {
		return quota.Reading{}, false, nil
	}
	return r, err == nil, err
}

const selectReading = `SELECT r.at, coalesce(s.doc, ''), r.doc FROM reading r LEFT JOIN shape s ON s.id = r.shape
	WHERE r.account = (SELECT id FROM account WHERE key = ?)`

func scanReading(account string, scan func(...any) error) (quota.Reading, error) {
	var at int64
	var shape, doc string
	if err := scan(&at, &shape, &doc); err != nil {
		return quota.Reading{}, err
	}
	if shape == "" {
		return decodeReading1(doc)
	}
	return decodeReading(account, fromMillis(at), shape, doc)
}

// WorthKeeping reports whether next says more than last, which is stored: its
// verdict or a window is another, by a percent at least, or it is 15 minutes
// older or newer.
func WorthKeeping(last, next quota.Reading) bool {
	if next.Verdict != last.Verdict || next.At.Sub(last.At).Abs() >= keepEvery || len(next.Windows) != len(last.Windows) {
		return true
	}
	type key struct{ name, scope string }
	before := map[key]quota.Window{}
	for _, w := range last.Windows {
		before[key{w.Name, w.Scope}] = w
	}
	for _, w := range next.Windows {
		was, ok := before[key{w.Name, w.Scope}]
		if !ok || stepped(was, w) {
			return true
		}
	}
	return false
}

func stepped(was, is quota.Window) bool {
	a, knownA := was.Used()
	b, knownB := is.Used()
	return knownA != knownB || was.Spent != is.Spent || math.Abs(a-b) >= keepStep
}
