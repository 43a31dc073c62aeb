package journal

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"slices"
	"strings"
	"time"
)

// salvageWithin bounds what is tried to save: failover waits for it.
const salvageWithin = 3 * time.Second

// table is one that is copied row by row.
type table struct {
	name    string
	columns []string
	order   string // that the rows were written in
}

// The tables of what must not be lost, the most important first. The readings
// are most of a file and the least of a loss.
func lasting() []table {
	return []table{
		{"outbox", []string{"id", "endpoint", "body", "created_at", "attempts", "refusals", "next_at", "dead", "last_error"}, "seq"},
		{"endpoint", []string{"name", "last_delivered", "last_error", "gone_target"}, "name"},
		{"state", []string{"key", "doc", "changed_at"}, "key"},
	}
}

func historic() []table {
	return []table{
		{"switch", []string{
			"at", "agent", "provider", "from_profile", "to_profile", "profile_order", "reason", "via", "took_ns", "steps", "set_by", "order_before",
		}, "id"},
		{"restart", []string{"at", "reason", "via", "ok", "took_ns", "error"}, "id"},
		{"login", []string{"at", "agent", "provider", "profile", "via", "outcome", "reason"}, "id"},
		{"episode", []string{"kind", "agent", "provider", "began_at", "ended_at", "lost", "reason"}, "id"},
	}
}

// salvage copies what can be read of a damaged file, and says what that was.
func (j *Journal) salvage(ctx context.Context, damaged string) string {
	within, cancel := context.WithTimeout(ctx, salvageWithin)
	defer cancel()
	from, err := sql.Open("sqlite", readOnlyDSN(damaged))
	if err != nil {
		return "Nothing in the old one could be read."
	}
	hadWAL := exists(damaged + "-wal")
	defer func() {
		_ = from.Close() // it was only read
		if !hadWAL {     // SQLite makes both to read
			_ = errors.Join(os.Remove(damaged+"-wal"), os.Remove(damaged+"-shm"))
		}
	}()
	saved := map[string]int{}
	for _, t := range slices.Concat(lasting(), historic()) {
		saved[t.name] = j.take(ctx, t, rescue(within, from, t))
	}
	past := saved["switch"] + saved["restart"] + saved["login"] + saved["episode"]
	if past+saved["outbox"]+saved["state"] == 0 {
		return "Nothing in the old one could be read, undelivered messages neither."
	}
	return fmt.Sprintf("Of the old one these were taken over: %d messages, %d entries of the memory, %d of the history; the usage readings were not.",
		saved["outbox"], saved["state"], past)
}

// take stores rows, apart from those that the table does not want.
func (j *Journal) take(ctx context.Context, t table, rows []row) (stored int) {
	err := inTx(ctx, j.db, func(tx *sql.Tx) error {
		for _, r := range rows {
			if t.insert(ctx, tx, r) == nil {
				stored++
			}
		}
		return nil
	})
	if err != nil {
		return 0
	}
	return stored
}

// row is one row of a table, by column.
type row map[string]any

func (t table) insert(ctx context.Context, tx *sql.Tx, r row) error {
	if doc, ok := r["doc"].(string); ok && !json.Valid([]byte(doc)) {
		return fmt.Errorf("%s: not a JSON document", t.name)
	}
	var names []string
	var values []any
	for _, c := range t.columns {
		if v, ok := r[c]; ok {
			names, values = append(names, c), append(values, v)
		}
	}
	_, err := tx.ExecContext(ctx, fmt.Sprintf("INSERT INTO %s (%s) VALUES (?%s)",
		t.name, strings.Join(names, ", "), strings.Repeat(", ?", len(names)-1)), values...)
	return err
}

// rescue reads t from its beginning up to what is damaged, and then what lies
// behind that from its end.
func rescue(ctx context.Context, from *sql.DB, t table) []row {
	rows, err := t.read(ctx, from, "ASC")
	if err != nil {
		behind, _ := t.read(ctx, from, "DESC")
		slices.Reverse(behind)
		rows = append(rows, behind...)
	}
	return rows
}

// read returns the rows up to the first that cannot be read. A file of an
// earlier schema has not all of the columns.
func (t table) read(ctx context.Context, from *sql.DB, direction string) (list []row, err error) {
	rows, err := from.QueryContext(ctx, fmt.Sprintf("SELECT * FROM %s ORDER BY %s %s", t.name, t.order, direction))
	if err != nil {
		return nil, err
	}
	defer rows.Close() //nolint:errcheck // rows.Err says what went wrong
	names, err := rows.Columns()
	if err != nil {
		return nil, err
	}
	for rows.Next() {
		values := make([]any, len(names))
		into := make([]any, len(names))
		for i := range values {
			into[i] = &values[i]
		}
		if err := rows.Scan(into...); err != nil {
			return list, err
		}
		r := row{}
		for i, name := range names {
			if slices.Contains(t.columns, name) {
				r[name] = values[i]
			}
		}
		list = append(list, r)
	}
	return list, rows.Err()
}
