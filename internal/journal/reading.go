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
		var at int64
		var doc string
		if err := rows.Scan(&at, &doc); err != nil {
			return err
		}
		r, err := decodeReading(account, fromMillis(at), doc)
		list = append(list, r)
		return err
	}, `SELECT at, doc FROM reading WHERE account = (SELECT id FROM account WHERE key = ?) AND at >= ?
		ORDER BY at, id`, account, millis(since))
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
	if err != nil || ok && !worthKeeping(last, next) {
		return err
	}
	doc, err := encodeReading(next)
	if err != nil {
		return err
	}
	if _, err := tx.ExecContext(ctx, "INSERT INTO account (key) VALUES (?) ON CONFLICT DO NOTHING", next.Account); err != nil {
		return err
	}
	_, err = tx.ExecContext(ctx, "INSERT INTO reading (account, at, doc) SELECT id, ?, ? FROM account WHERE key = ?",
		millis(next.At), doc, next.Account)
	return err
}

// lastReading goes by the order of writing, not by time: after the clock was
// set back the newest time stays in the future for long.
func lastReading(ctx context.Context, tx *sql.Tx, account string) (quota.Reading, bool, error) {
	var at int64
	var doc string
	err := tx.QueryRowContext(ctx, `SELECT at, doc FROM reading WHERE account = (SELECT id FROM account WHERE key = ?)
		ORDER BY id DESC LIMIT 1`, account).Scan(&at, &doc)
	if errors.Is(err, sql.ErrNoRows) {
		return quota.Reading{}, false, nil
	}
	if err != nil {
		return quota.Reading{}, false, err
	}
	r, err := decodeReading(account, fromMillis(at), doc)
	return r, true, err
}

// worthKeeping reports whether next says more than last, which is stored.
func worthKeeping(last, next quota.Reading) bool {
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
