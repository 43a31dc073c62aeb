package journal

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"slices"
	"time"

	"github.com/ocwatch/ocwatch/internal/quota"
)

// How long things are kept. Undelivered messages live for 3 days by the
// sender's own rule; the month is for endpoints that nobody serves any more.
const (
	keepReadings = 90 * 24 * time.Hour
	keepHistory  = 400 * 24 * time.Hour
	keepMessages = 30 * 24 * time.Hour
	pruneEvery   = time.Hour
	keepShapes   = 1000 // an account has about three
)

// pruneShapes drops what no reading has any more. To find it takes a look at
// all readings, hence the number.
const pruneShapes = `DELETE FROM shape WHERE (SELECT count(*) FROM shape) > ?
	AND id NOT IN (SELECT shape FROM reading WHERE shape IS NOT NULL)`

// Round is what one watchdog round learned and did.
type Round struct {
	At time.Time
	// State is JSON documents by key: "pool/main/openai", "account/acct-…",
	// "intent/…". A nil document deletes the key; keys not named stay.
	State map[string]json.RawMessage
	// Readings are thinned before they are stored; see Readings.
	Readings []quota.Reading
	Switches []Switch
	Restarts []Restart
	Logins   []Login
	// Episodes that began, with a zero Until, and that ended.
	Episodes []Episode
	// Messages go to the end of the outbox, in this order. A message whose id
	// is there already is not added again.
	Messages []Message
}

// Commit stores all of r, or on an error nothing of it. Once it returns nil
// the round is on disk. A round that changes nothing writes nothing.
func (j *Journal) Commit(ctx context.Context, r Round) error {
	j.comeHome(ctx, r.At)
	err := j.write(ctx, "commit a round", j.storing(ctx, r))
	if errors.Is(err, ErrDamaged) {
		err = errors.Join(err, j.mend(ctx))
	}
	return err
}

// storing stores all of r.
func (j *Journal) storing(ctx context.Context, r Round) func(*sql.Tx) error {
	return func(tx *sql.Tx) error {
		for _, store := range []func(context.Context, *sql.Tx, Round) error{
			storeState, storeReadings, storeSwitches, storeRestarts, storeLogins, storeEpisodes, storeMessages,
		} {
			if err := store(ctx, tx, r); err != nil {
				return err
			}
		}
		return j.prune(ctx, tx, r.At)
	}
}

func storeState(ctx context.Context, tx *sql.Tx, r Round) error {
	for _, key := range slices.Sorted(maps.Keys(r.State)) {
		doc := r.State[key]
		if doc == nil {
			if _, err := tx.ExecContext(ctx, "DELETE FROM state WHERE key = ?", key); err != nil {
				return fmt.Errorf("state %q: %w", key, err)
			}
			continue
		}
		if !json.Valid(doc) {
			return fmt.Errorf("state %q: not a JSON document", key)
		}
		_, err := tx.ExecContext(ctx, `INSERT INTO state (key, doc, changed_at) VALUES (?, ?, ?)
			ON CONFLICT (key) DO UPDATE SET doc = excluded.doc, changed_at = excluded.changed_at
			WHERE doc <> excluded.doc`, key, string(doc), millis(r.At))
		if err != nil {
			return fmt.Errorf("state %q: %w", key, err)
		}
	}
	return nil
}

// State returns the documents whose key starts with prefix; "" is all.
func (j *Journal) State(ctx context.Context, prefix string) (map[string]json.RawMessage, error) {
	docs := map[string]json.RawMessage{}
	err := j.each(ctx, "read state", func(rows *sql.Rows) error {
		var key, doc string
		if err := rows.Scan(&key, &doc); err != nil {
			return err
		}
		docs[key] = json.RawMessage(doc)
		return nil
	}, "SELECT key, doc FROM state WHERE substr(key, 1, length(?1)) = ?1", prefix)
	return docs, err
}

// each calls f for every row of a query.
func (j *Journal) each(ctx context.Context, op string, f func(*sql.Rows) error, query string, args ...any) error {
	j.mu.RLock()
	defer j.mu.RUnlock()
	rows, err := j.db.QueryContext(ctx, query, args...)
	if err != nil {
		return j.explain(op, err)
	}
	defer rows.Close() //nolint:errcheck // rows.Err says what went wrong
	for rows.Next() {
		if err := f(rows); err != nil {
			return j.explain(op, err)
		}
	}
	if err := rows.Err(); err != nil {
		return j.explain(op, err)
	}
	return nil
}

// prune deletes what is too old, once in a while so that Commit stays cheap.
// Where the transaction fails after it, the next turn deletes the same.
func (j *Journal) prune(ctx context.Context, tx *sql.Tx, now time.Time) error {
	last := fromMillis(j.prunedAt.Load())
	if now.IsZero() || now.Sub(last).Abs() < pruneEvery {
		return nil
	}
	for _, p := range []struct {
		query string
		keep  time.Duration
	}{
		{"DELETE FROM reading WHERE at < ?", keepReadings},
		{"DELETE FROM switch WHERE at < ?", keepHistory},
		{"DELETE FROM restart WHERE at < ?", keepHistory},
		{"DELETE FROM login WHERE at < ?", keepHistory},
		{"DELETE FROM episode WHERE began_at < ?1 AND (ended_at < ?1 AND ended_at > 0 OR lost = 1)", keepHistory},
		{"DELETE FROM outbox WHERE created_at < ?", keepMessages},
	} {
		if _, err := tx.ExecContext(ctx, p.query, millis(now.Add(-p.keep))); err != nil {
			return fmt.Errorf("prune: %w", err)
		}
	}
	if _, err := tx.ExecContext(ctx, pruneShapes, keepShapes); err != nil {
		return fmt.Errorf("prune: %w", err)
	}
	j.prunedAt.Store(millis(now))
	return nil
}

// millis stores a time; the zero time is 0.
func millis(t time.Time) int64 {
	if t.IsZero() {
		return 0
	}
	return t.UnixMilli()
}

// fromMillis is the inverse of millis, in UTC.
func fromMillis(ms int64) time.Time {
	if ms == 0 {
		return time.Time{}
	}
	return time.UnixMilli(ms).UTC()
}
