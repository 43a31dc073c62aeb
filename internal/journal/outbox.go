package journal

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"time"
)

// Message is one message to one endpoint, on its way.
type Message struct {
	ID       string // the webhook-id: the same over all attempts
	Endpoint string // its name in the config
	Body     []byte // what is sent, unchanged over all attempts
	// CreatedAt defaults to the round's time.
	CreatedAt time.Time
	Attempts  int       // how often it was tried
	Refusals  int       // how often it was answered with a definite no
	NextAt    time.Time // not to be tried before; zero: at once
	LastError string
}

// Result is what became of one attempt.
type Result string

// The results.
const (
	Delivered Result = "delivered"
	Retry     Result = "retry" // to be tried again at Outcome.NextAt
	Dead      Result = "dead"  // given up
	Gone      Result = "gone"  // given up, and the endpoint wants nothing more
)

// Outcome is what one attempt to deliver a message came to.
type Outcome struct {
	ID       string
	Endpoint string
	Result   Result
	At       time.Time
	Attempts int       // the message's total, this attempt included
	Refusals int       // as Attempts
	NextAt   time.Time // for Retry
	Err      string    // what went wrong; "" where Result is Delivered
	// Target identifies the address that answered Gone: a hash, never the
	// address itself, which is a secret.
	Target string
}

// EndpointStatus is the state of one endpoint's queue.
type EndpointStatus struct {
	Endpoint      string    `json:"endpoint"`
	Pending       int       `json:"pending"`
	Dead          int       `json:"dead"` // given up within the last 30 days
	LastError     string    `json:"last_error,omitempty"`
	LastDelivered time.Time `json:"last_delivered,omitzero"`
	Disabled      bool      `json:"disabled"` // it answered 410
	// LastDead is the newest message that was given up, nil where there is none.
	LastDead *DeadMessage `json:"last_dead,omitempty"`
}

// DeadMessage is a message that nobody got.
type DeadMessage struct {
	Event string    `json:"event"` // the type of the event it told of
	At    time.Time `json:"at"`    // when it was written
	Error string    `json:"error"`
}

func storeMessages(ctx context.Context, tx *sql.Tx, r Round) error {
	for _, m := range r.Messages {
		if m.ID == "" || m.Endpoint == "" || m.Body == nil {
			return errors.New("a message needs an id, an endpoint and a body")
		}
		if m.CreatedAt.IsZero() {
			m.CreatedAt = r.At
		}
		_, err := tx.ExecContext(ctx, `INSERT INTO outbox (id, endpoint, body, created_at, attempts, refusals, next_at, last_error)
			VALUES (?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT (id) DO NOTHING`,
			m.ID, m.Endpoint, m.Body, millis(m.CreatedAt), m.Attempts, m.Refusals, millis(m.NextAt), m.LastError)
		if err != nil {
			return fmt.Errorf("message %s: %w", m.ID, err)
		}
	}
	return nil
}

// NextMessages returns the oldest pending messages of an endpoint in the order
// of their writing, due or not, and at most limit of them.
func (j *Journal) NextMessages(ctx context.Context, endpoint string, limit int) ([]Message, error) {
	var list []Message
	err := j.each(ctx, "read the outbox", func(rows *sql.Rows) error {
		m := Message{Endpoint: endpoint}
		var created, next int64
		err := rows.Scan(&m.ID, &m.Body, &created, &m.Attempts, &m.Refusals, &next, &m.LastError)
		m.CreatedAt, m.NextAt = fromMillis(created), fromMillis(next)
		list = append(list, m)
		return err
	}, `SELECT id, body, created_at, attempts, refusals, next_at, last_error
		FROM outbox WHERE endpoint = ? AND dead = 0 ORDER BY seq LIMIT ?`, endpoint, limit)
	return list, err
}

// Settle stores what became of an attempt, for all messages that were sent by
// it or for none. It may be repeated, as after an error that left open whether
// it was stored.
func (j *Journal) Settle(ctx context.Context, outcomes []Outcome) error {
	return j.write(ctx, "settle messages", func(tx *sql.Tx) error {
		for _, o := range outcomes {
			n, err := settleMessage(ctx, tx, o)
			if err != nil {
				return err
			}
			if n == 0 {
				continue
			}
			if err := settleEndpoint(ctx, tx, o); err != nil {
				return err
			}
		}
		return nil
	})
}

func settleMessage(ctx context.Context, tx *sql.Tx, o Outcome) (changed int64, err error) {
	var res sql.Result
	switch o.Result {
	case Delivered:
		res, err = tx.ExecContext(ctx, "DELETE FROM outbox WHERE id = ? AND dead = 0", o.ID)
	case Retry, Dead, Gone:
		res, err = tx.ExecContext(ctx, `UPDATE outbox SET dead = ?, attempts = ?, refusals = ?, next_at = ?, last_error = ?
			WHERE id = ? AND dead = 0`, o.Result != Retry, o.Attempts, o.Refusals, millis(o.NextAt), o.Err, o.ID)
	}
	if err != nil {
		return 0, err
	}
	if res == nil {
		return 0, fmt.Errorf("unknown result %q", o.Result)
	}
	return res.RowsAffected()
}

func settleEndpoint(ctx context.Context, tx *sql.Tx, o Outcome) error {
	var delivered int64
	if o.Result == Delivered {
		delivered = millis(o.At)
	}
	gone := ""
	if o.Result == Gone {
		gone = o.Target
	}
	_, err := tx.ExecContext(ctx, `INSERT INTO endpoint (name, last_delivered, last_error, gone_target) VALUES (?1, ?2, ?3, ?4)
		ON CONFLICT (name) DO UPDATE SET last_delivered = max(last_delivered, ?2), last_error = ?3,
		gone_target = iif(?4 = '', gone_target, ?4)`, o.Endpoint, delivered, o.Err, gone)
	return err
}

// Enabled reports whether an endpoint may be sent to at target: it may unless
// it answered Gone there. A mark that was made for another target is lifted.
func (j *Journal) Enabled(ctx context.Context, endpoint, target string) (bool, error) {
	gone := ""
	err := j.each(ctx, "read an endpoint", func(rows *sql.Rows) error { return rows.Scan(&gone) },
		"SELECT gone_target FROM endpoint WHERE name = ?", endpoint)
	switch {
	case err != nil:
		return false, err
	case gone == "":
		return true, nil
	case gone == target:
		return false, nil
	}
	return true, j.write(ctx, "enable an endpoint", func(tx *sql.Tx) error {
		_, err := tx.ExecContext(ctx, "UPDATE endpoint SET gone_target = '', last_error = '' WHERE name = ?", endpoint)
		return err
	})
}

// Outbox returns the state of every endpoint that ever had a message, by name.
func (j *Journal) Outbox(ctx context.Context) ([]EndpointStatus, error) {
	var list []EndpointStatus
	err := j.each(ctx, "read the outbox", func(rows *sql.Rows) error {
		var s EndpointStatus
		var delivered, deadAt int64
		var body []byte
		var why string
		err := rows.Scan(&s.Endpoint, &s.Pending, &s.Dead, &delivered, &s.LastError, &s.Disabled, &deadAt, &body, &why)
		s.LastDelivered = fromMillis(delivered)
		if s.Dead > 0 {
			s.LastDead = &DeadMessage{Event: eventType(body), At: fromMillis(deadAt), Error: why}
		}
		list = append(list, s)
		return err
	}, `WITH names AS (SELECT name FROM endpoint UNION SELECT endpoint FROM outbox),
		counts AS (SELECT endpoint, count(*) FILTER (WHERE dead = 0) pending, count(*) FILTER (WHERE dead = 1) dead,
			max(seq) FILTER (WHERE dead = 1) last FROM outbox GROUP BY endpoint)
		SELECT n.name, coalesce(c.pending, 0), coalesce(c.dead, 0), coalesce(e.last_delivered, 0), coalesce(e.last_error, ''),
			coalesce(e.gone_target, '') <> '', coalesce(o.created_at, 0), o.body, coalesce(o.last_error, '')
		FROM names n LEFT JOIN counts c ON c.endpoint = n.name LEFT JOIN endpoint e ON e.name = n.name
			LEFT JOIN outbox o ON o.seq = c.last
		ORDER BY n.name`)
	return list, err
}

// eventType is the type of the event in a body, "" where it holds none.
func eventType(body []byte) string {
	var e struct {
		Type string `json:"type"`
	}
	_ = json.Unmarshal(body, &e) // "" then
	return e.Type
}
