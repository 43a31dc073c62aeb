package journal

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"
)

// retryEvery is how often a journal in memory looks for its file.
const retryEvery = time.Minute

// stayInMemory keeps the journal in memory, because of cause. It begins with
// what the file has, where that can be read and is ocwatch's.
func (j *Journal) stayInMemory(ctx context.Context, cause error) error {
	db, err := sql.Open("sqlite", "file::memory:?_txlock=immediate")
	if err != nil {
		return errors.Join(cause, err)
	}
	db.SetMaxOpenConns(1) // each connection would have a memory of its own
	j.db = db
	if err := j.migrate(ctx); err != nil {
		return errors.Join(cause, err, db.Close())
	}
	j.trouble = cause
	j.seed(ctx)
	j.notes = append(j.notes, fmt.Sprintf("the journal is kept in memory and lost when ocwatch stops, until its file can be used: %v", cause))
	return nil
}

// retreat goes into memory, since the file cannot be written any more: messages
// that cannot be queued would reach nobody. Like mend, it leaves it to the
// caller to write again, and says what it did.
func (j *Journal) retreat(ctx context.Context, cause error) error {
	j.mu.Lock()
	defer j.mu.Unlock()
	if j.trouble != nil {
		return nil
	}
	file, said := j.db, len(j.notes)
	if err := j.stayInMemory(ctx, cause); err != nil {
		j.db = file
		return err
	}
	_ = file.Close() // all of it that could be written is
	j.triedAt = time.Now()
	return errors.New(strings.Join(j.notes[said:], "; "))
}

// seed takes over what the file has, apart from its history.
func (j *Journal) seed(ctx context.Context) {
	file, err := OpenReadOnly(ctx, j.path)
	if errors.Is(err, ErrFull) {
		file, err = openAlone(ctx, j.path)
	}
	if err != nil {
		return
	}
	defer file.Close() //nolint:errcheck // it was only read
	for _, t := range lasting() {
		rows, err := t.read(ctx, file.db, "ASC")
		if err != nil {
			return
		}
		j.take(ctx, t, rows)
	}
	j.seeded = true
}

// comeHome moves a journal in memory into its file, once that can be used. What
// is in memory is newer.
func (j *Journal) comeHome(ctx context.Context, now time.Time) {
	if j.Trouble() == nil || !j.due(now) {
		return
	}
	file := &Journal{path: j.path, version: j.version, within: j.within}
	if err := file.openFile(ctx); err != nil {
		return
	}
	j.mu.Lock()
	defer j.mu.Unlock()
	if err := file.inherit(ctx, j); err != nil {
		_ = file.Close()
		return
	}
	_ = j.db.Close()
	j.db, j.trouble = file.db, nil
}

// due reports whether the file is to be tried again. A clock that was set back
// does not put it off.
func (j *Journal) due(now time.Time) bool {
	j.mu.Lock()
	defer j.mu.Unlock()
	if now.Sub(j.triedAt).Abs() < retryEvery {
		return false
	}
	j.triedAt = now
	return true
}

// inherit stores all that m has in memory. The caller holds m.mu.
func (j *Journal) inherit(ctx context.Context, m *Journal) error {
	past, err := m.past(ctx)
	if err != nil {
		return err
	}
	return inTx(ctx, j.db, func(tx *sql.Tx) error {
		outdated := "DELETE FROM state"
		if m.seeded {
			outdated = "DELETE FROM state; DELETE FROM outbox; DELETE FROM endpoint"
		}
		if _, err := tx.ExecContext(ctx, outdated); err != nil {
			return err
		}
		for _, t := range slices.Concat(lasting(), historic()) {
			rows, err := t.read(ctx, m.db, "ASC")
			if err != nil {
				return err
			}
			for _, r := range rows {
				if err := t.insert(ctx, tx, r); err != nil && !isConstraint(err) {
					return err
				}
			}
		}
		return storeReadings(ctx, tx, past)
	})
}

// past is what m has of readings. The caller holds m.mu.
func (j *Journal) past(ctx context.Context) (r Round, err error) {
	rows, err := j.db.QueryContext(ctx, `SELECT a.key, r.at, s.doc, r.doc FROM reading r
		JOIN account a ON a.id = r.account JOIN shape s ON s.id = r.shape ORDER BY r.id`)
	if err != nil {
		return r, err
	}
	defer rows.Close() //nolint:errcheck // rows.Err says what went wrong
	for rows.Next() {
		var key, shape, doc string
		var at int64
		if err := rows.Scan(&key, &at, &shape, &doc); err != nil {
			return r, err
		}
		reading, err := decodeReading(key, fromMillis(at), shape, doc)
		if err != nil {
			return r, err
		}
		r.Readings = append(r.Readings, reading)
	}
	return r, rows.Err()
}
