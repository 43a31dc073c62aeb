package journal

import (
	"cmp"
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"time"
)

// Switch is one change of an order that was carried out.
type Switch struct {
	At       time.Time `json:"at"` // to the millisecond
	Agent    string    `json:"agent"`
	Provider string    `json:"provider"`
	From     string    `json:"from"` // the profile that was first
	To       string    `json:"to"`
	Order    []string  `json:"order"`
	Reason   string    `json:"reason"`
	Via      string    `json:"via"` // rpc, cli; other where it was not ocwatch
	// By is who set it: one of the constants below. "" is stored as ByOcwatch.
	By string `json:"by"`
	// Before is the whole order that was in force, where it is known.
	Before []string        `json:"before,omitempty"`
	Took   time.Duration   `json:"took_ns"`
	Steps  json.RawMessage `json:"steps,omitempty"` // how long each step took
}

// Who set an order.
const (
	ByOcwatch  = "ocwatch"  // by its own decision
	ByOpenClaw = "openclaw" // which puts the profile of a fresh login first
	ByPerson   = "person"   // by ocwatch switch
	ByOther    = "other"    // a person or a program, past ocwatch
)

// Restart is one attempt to restart the gateway.
type Restart struct {
	At     time.Time     `json:"at"` // to the millisecond
	Reason string        `json:"reason"`
	Via    string        `json:"via"`
	OK     bool          `json:"ok"` // the gateway was healthy afterwards
	Took   time.Duration `json:"took_ns"`
	Err    string        `json:"error,omitempty"`
}

// Switches returns the newest switches, newest first, at most limit.
func (j *Journal) Switches(ctx context.Context, limit int) ([]Switch, error) {
	return j.switches(ctx, selectSwitch+" ORDER BY id DESC LIMIT ?", limit)
}

// SwitchesSince returns the switches since a time, oldest first.
func (j *Journal) SwitchesSince(ctx context.Context, since time.Time) ([]Switch, error) {
	return j.switches(ctx, selectSwitch+" WHERE at >= ? ORDER BY at, id", millis(since))
}

// FirstsSince is SwitchesSince without the orders and the steps, which are most
// of it: who was first when.
func (j *Journal) FirstsSince(ctx context.Context, since time.Time) ([]Switch, error) {
	return j.switches(ctx, `SELECT at, agent, provider, from_profile, to_profile, 'null', reason, via, took_ns, '', set_by, 'null'
		FROM switch WHERE at >= ? ORDER BY at, id`, millis(since))
}

func (j *Journal) switches(ctx context.Context, query string, args ...any) (list []Switch, err error) {
	err = j.each(ctx, "read switches", func(rows *sql.Rows) error {
		s, err := scanSwitch(rows)
		list = append(list, s)
		return err
	}, query, args...)
	return list, err
}

const selectSwitch = `SELECT at, agent, provider, from_profile, to_profile, profile_order, reason, via, took_ns, steps,
	set_by, order_before FROM switch`

func scanSwitch(rows *sql.Rows) (s Switch, err error) {
	var at int64
	var order, steps, before string
	err = rows.Scan(&at, &s.Agent, &s.Provider, &s.From, &s.To, &order, &s.Reason, &s.Via, &s.Took, &steps, &s.By, &before)
	if err != nil {
		return s, err
	}
	s.At = fromMillis(at)
	if steps != "" {
		s.Steps = json.RawMessage(steps)
	}
	if err := errors.Join(json.Unmarshal([]byte(order), &s.Order), json.Unmarshal([]byte(before), &s.Before)); err != nil {
		return s, fmt.Errorf("a stored order: %w", err)
	}
	return s, nil
}

// Restarts returns the restarts since a time, oldest first.
func (j *Journal) Restarts(ctx context.Context, since time.Time) ([]Restart, error) {
	var list []Restart
	err := j.each(ctx, "read restarts", func(rows *sql.Rows) error {
		var r Restart
		var at int64
		err := rows.Scan(&at, &r.Reason, &r.Via, &r.OK, &r.Took, &r.Err)
		r.At = fromMillis(at)
		list = append(list, r)
		return err
	}, "SELECT at, reason, via, ok, took_ns, error FROM restart WHERE at >= ? ORDER BY at, id", millis(since))
	return list, err
}

func storeSwitches(ctx context.Context, tx *sql.Tx, r Round) error {
	for _, s := range r.Switches {
		order, err := json.Marshal(s.Order)
		before, err2 := json.Marshal(s.Before)
		if err := errors.Join(err, err2); err != nil {
			return fmt.Errorf("switch: %w", err)
		}
		_, err = tx.ExecContext(ctx, `INSERT INTO switch
			(at, agent, provider, from_profile, to_profile, profile_order, reason, via, took_ns, steps, set_by, order_before)
			VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`,
			millis(s.At), s.Agent, s.Provider, s.From, s.To, string(order), s.Reason, s.Via, int64(s.Took), string(s.Steps),
			cmp.Or(s.By, ByOcwatch), string(before))
		if err != nil {
			return fmt.Errorf("switch: %w", err)
		}
	}
	return nil
}

func storeRestarts(ctx context.Context, tx *sql.Tx, r Round) error {
	for _, s := range r.Restarts {
		_, err := tx.ExecContext(ctx, "INSERT INTO restart (at, reason, via, ok, took_ns, error) VALUES (?, ?, ?, ?, ?, ?)",
			millis(s.At), s.Reason, s.Via, s.OK, int64(s.Took), s.Err)
		if err != nil {
			return fmt.Errorf("restart: %w", err)
		}
	}
	return nil
}
