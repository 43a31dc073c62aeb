package journal

import (
	"context"
	"database/sql"
	"fmt"
	"time"
)

// LoginOutcome is what became of a login.
type LoginOutcome string

// The outcomes.
const (
	LoginCompleted LoginOutcome = "completed"
	LoginFailed    LoginOutcome = "failed"    // refused, or of no use
	LoginExpired   LoginOutcome = "expired"   // nobody approved it in time
	LoginCancelled LoginOutcome = "cancelled" // by whoever began it
)

// Login is a login that came to its end. It holds no credential, code or link.
type Login struct {
	At       time.Time    `json:"at"` // to the millisecond
	Agent    string       `json:"agent"`
	Provider string       `json:"provider"`
	Profile  string       `json:"profile"` // "" where it brought none
	Via      string       `json:"via"`     // ByOcwatch, or ByOther: seen in OpenClaw's store
	Outcome  LoginOutcome `json:"outcome"`
	Reason   string       `json:"reason"`
}

// Logins returns the logins since a time, oldest first.
func (j *Journal) Logins(ctx context.Context, since time.Time) ([]Login, error) {
	var list []Login
	err := j.each(ctx, "read logins", func(rows *sql.Rows) error {
		var l Login
		var at int64
		err := rows.Scan(&at, &l.Agent, &l.Provider, &l.Profile, &l.Via, &l.Outcome, &l.Reason)
		l.At = fromMillis(at)
		list = append(list, l)
		return err
	}, "SELECT at, agent, provider, profile, via, outcome, reason FROM login WHERE at >= ? ORDER BY at, id", millis(since))
	return list, err
}

// storeLogins stores each once: the round is written again where the answer to
// its first commit was lost.
func storeLogins(ctx context.Context, tx *sql.Tx, r Round) error {
	for _, l := range r.Logins {
		_, err := tx.ExecContext(ctx, `INSERT INTO login (at, agent, provider, profile, via, outcome, reason)
			VALUES (?, ?, ?, ?, ?, ?, ?) ON CONFLICT DO NOTHING`,
			millis(l.At), l.Agent, l.Provider, l.Profile, l.Via, string(l.Outcome), l.Reason)
		if err != nil {
			return fmt.Errorf("login: %w", err)
		}
	}
	return nil
}
