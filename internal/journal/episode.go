package journal

import (
	"context"
	"database/sql"
	"fmt"
	"time"
)

// EpisodeKind is what an episode is one of.
type EpisodeKind string

// The kinds of episodes.
const (
	EpisodeDepleted EpisodeKind = "depleted" // no profile of the pool could serve
	EpisodeBlind    EpisodeKind = "blind"    // nothing could be learned of the quota
)

// Episode is a stretch of time in which a pool was depleted or blind. Kind,
// Agent, Provider and Since identify it; Agent and Provider are "" where
// OpenClaw's own state could not be read.
type Episode struct {
	Kind     EpisodeKind `json:"kind"`
	Agent    string      `json:"agent"`
	Provider string      `json:"provider"`
	Since    time.Time   `json:"since"`          // to the millisecond
	Until    time.Time   `json:"until,omitzero"` // zero: it goes on, unless Lost
	// Lost: its end was not seen; another one of its pool began later.
	Lost   bool   `json:"lost,omitempty"`
	Reason string `json:"reason"` // of its beginning
}

// Episodes returns the episodes that lasted at a time or began since, by their
// beginning.
func (j *Journal) Episodes(ctx context.Context, since time.Time) ([]Episode, error) {
	var list []Episode
	err := j.each(ctx, "read episodes", func(rows *sql.Rows) error {
		var e Episode
		var began, ended int64
		err := rows.Scan(&e.Kind, &e.Agent, &e.Provider, &began, &ended, &e.Lost, &e.Reason)
		e.Since, e.Until = fromMillis(began), fromMillis(ended)
		list = append(list, e)
		return err
	}, `SELECT kind, agent, provider, began_at, ended_at, lost, reason FROM episode
		WHERE began_at >= ?1 OR ended_at >= ?1 OR ended_at = 0 AND lost = 0 ORDER BY began_at, id`, millis(since))
	return list, err
}

// storeEpisodes begins episodes and ends them.
func storeEpisodes(ctx context.Context, tx *sql.Tx, r Round) error {
	for _, e := range r.Episodes {
		_, err := tx.ExecContext(ctx, `UPDATE episode SET lost = 1
			WHERE kind = ? AND agent = ? AND provider = ? AND ended_at = 0 AND began_at < ?`,
			string(e.Kind), e.Agent, e.Provider, millis(e.Since))
		if err != nil {
			return fmt.Errorf("episode: %w", err)
		}
		_, err = tx.ExecContext(ctx, `INSERT INTO episode (kind, agent, provider, began_at, ended_at, reason)
			VALUES (?, ?, ?, ?, ?, ?)
			ON CONFLICT (kind, agent, provider, began_at) DO UPDATE SET ended_at = max(ended_at, excluded.ended_at)`,
			string(e.Kind), e.Agent, e.Provider, millis(e.Since), millis(e.Until), e.Reason)
		if err != nil {
			return fmt.Errorf("episode: %w", err)
		}
	}
	return nil
}
