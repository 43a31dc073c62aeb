package journal

import (
	"context"
	"database/sql"
	"encoding/json"
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

// storedReading adds to a reading's JSON what is left out for API users:
// a replay needs it.
type storedReading struct {
	quota.Reading
	Windows []storedWindow `json:"windows,omitempty"`
}

type storedWindow struct {
	quota.Window
	Length time.Duration `json:"length_ns,omitempty"`
	Spent  bool          `json:"spent,omitempty"`
}

// Readings returns what was kept of an account's readings since a time, oldest
// first: one every 15 minutes, and each that differed from the one before it
// by a percent in any window or by its verdict. They are kept for 90 days.
func (j *Journal) Readings(ctx context.Context, account string, since time.Time) ([]quota.Reading, error) {
	var list []quota.Reading
	err := j.each(ctx, "read readings", func(rows *sql.Rows) error {
		var doc string
		if err := rows.Scan(&doc); err != nil {
			return err
		}
		r, err := decodeReading(doc)
		list = append(list, r)
		return err
	}, "SELECT doc FROM reading WHERE account = ? AND at >= ? ORDER BY at, id", account, millis(since))
	return list, err
}

func storeReadings(ctx context.Context, tx *sql.Tx, r Round) error {
	for _, next := range r.Readings {
		last, ok, err := lastReading(ctx, tx, next.Account)
		if err != nil {
			return fmt.Errorf("readings of %s: %w", next.Account, err)
		}
		if ok && !worthKeeping(last, next) {
			continue
		}
		doc, err := encodeReading(next)
		if err != nil {
			return fmt.Errorf("reading of %s: %w", next.Account, err)
		}
		_, err = tx.ExecContext(ctx, "INSERT INTO reading (account, at, doc) VALUES (?, ?, ?)", next.Account, millis(next.At), doc)
		if err != nil {
			return fmt.Errorf("reading of %s: %w", next.Account, err)
		}
	}
	return nil
}

// lastReading goes by the order of writing, not by time: after the clock was
// set back the newest time stays in the future for long.
func lastReading(ctx context.Context, tx *sql.Tx, account string) (quota.Reading, bool, error) {
	var doc string
	err := tx.QueryRowContext(ctx, "SELECT doc FROM reading WHERE account = ? ORDER BY id DESC LIMIT 1", account).Scan(&doc)
	if errors.Is(err, sql.ErrNoRows) {
		return quota.Reading{}, false, nil
	}
	if err != nil {
		return quota.Reading{}, false, err
	}
	r, err := decodeReading(doc)
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

func encodeReading(r quota.Reading) (string, error) {
	r.At, r.Until = sane(r.At).UTC(), sane(r.Until)
	s := storedReading{Reading: r}
	for _, w := range r.Windows {
		w.ResetsAt = sane(w.ResetsAt)
		if p := w.UsedPercent; p != nil && (math.IsNaN(*p) || math.IsInf(*p, 0)) {
			w.UsedPercent = nil
		}
		s.Windows = append(s.Windows, storedWindow{Window: w, Length: w.Length, Spent: w.Spent})
	}
	doc, err := json.Marshal(s)
	return string(doc), err
}

func decodeReading(doc string) (quota.Reading, error) {
	var s storedReading
	if err := json.Unmarshal([]byte(doc), &s); err != nil {
		return quota.Reading{}, fmt.Errorf("a stored reading: %w", err)
	}
	for _, w := range s.Windows {
		w.Window.Length, w.Window.Spent = w.Length, w.Spent
		s.Reading.Windows = append(s.Reading.Windows, w.Window)
	}
	return s.Reading, nil
}

// sane drops a time that JSON cannot hold: one provider's absurd reset time
// must not cost the whole round.
func sane(t time.Time) time.Time {
	if y := t.UTC().Year(); y < 1 || y > 9998 {
		return time.Time{}
	}
	return t
}
