package journal

import (
	"context"
	"database/sql"
	"fmt"
)

// applicationID marks the file as ocwatch's in its header: "ocwj".
const applicationID = 0x6f63776a

// migrations are applied in order, each once; user_version counts them. They
// only go forward, and one that was released is never changed.
func migrations() []string {
	return []string{schema1, schema2}
}

// Times are Unix milliseconds, 0 for none. Documents are JSON.
const schema1 = `
CREATE TABLE state (
	key TEXT PRIMARY KEY,
	doc TEXT NOT NULL,
	changed_at INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

CREATE TABLE reading (
	id INTEGER PRIMARY KEY,
	account TEXT NOT NULL,
	at INTEGER NOT NULL,
	doc TEXT NOT NULL
) STRICT;
CREATE INDEX reading_account ON reading (account);
CREATE INDEX reading_at ON reading (at);

CREATE TABLE switch (
	id INTEGER PRIMARY KEY,
	at INTEGER NOT NULL,
	agent TEXT NOT NULL,
	provider TEXT NOT NULL,
	from_profile TEXT NOT NULL,
	to_profile TEXT NOT NULL,
	profile_order TEXT NOT NULL,
	reason TEXT NOT NULL,
	via TEXT NOT NULL,
	took_ns INTEGER NOT NULL,
	steps TEXT NOT NULL
) STRICT;

CREATE TABLE restart (
	id INTEGER PRIMARY KEY,
	at INTEGER NOT NULL,
	reason TEXT NOT NULL,
	via TEXT NOT NULL,
	ok INTEGER NOT NULL,
	took_ns INTEGER NOT NULL,
	error TEXT NOT NULL
) STRICT;
CREATE INDEX restart_at ON restart (at);

CREATE TABLE outbox (
	seq INTEGER PRIMARY KEY AUTOINCREMENT,
	id TEXT NOT NULL UNIQUE,
	endpoint TEXT NOT NULL,
	body BLOB NOT NULL,
	created_at INTEGER NOT NULL,
	attempts INTEGER NOT NULL DEFAULT 0,
	refusals INTEGER NOT NULL DEFAULT 0,
	next_at INTEGER NOT NULL DEFAULT 0,
	dead INTEGER NOT NULL DEFAULT 0,
	last_error TEXT NOT NULL DEFAULT ''
) STRICT;
CREATE INDEX outbox_head ON outbox (endpoint, dead, seq);

CREATE TABLE endpoint (
	name TEXT PRIMARY KEY,
	last_delivered INTEGER NOT NULL DEFAULT 0,
	last_error TEXT NOT NULL DEFAULT '',
	gone_target TEXT NOT NULL DEFAULT ''
) STRICT, WITHOUT ROWID;
`

// schema2 keeps logins and episodes, who set an order, and which ocwatch made
// the file what it is. A reading names its account by number, and what is the
// same in almost every reading of an account: those were most of it. One of
// schema 1 has no shape.
const schema2 = `
CREATE TABLE login (
	id INTEGER PRIMARY KEY,
	at INTEGER NOT NULL,
	agent TEXT NOT NULL,
	provider TEXT NOT NULL,
	profile TEXT NOT NULL,
	via TEXT NOT NULL,
	outcome TEXT NOT NULL,
	reason TEXT NOT NULL,
	UNIQUE (at, agent, provider, profile, outcome)
) STRICT;

CREATE TABLE episode (
	id INTEGER PRIMARY KEY,
	kind TEXT NOT NULL,
	agent TEXT NOT NULL,
	provider TEXT NOT NULL,
	began_at INTEGER NOT NULL,
	ended_at INTEGER NOT NULL,
	lost INTEGER NOT NULL DEFAULT 0,
	reason TEXT NOT NULL,
	UNIQUE (kind, agent, provider, began_at)
) STRICT;

ALTER TABLE switch ADD COLUMN set_by TEXT NOT NULL DEFAULT 'ocwatch';
ALTER TABLE switch ADD COLUMN order_before TEXT NOT NULL DEFAULT 'null';
UPDATE switch SET set_by = iif(reason LIKE 'OpenClaw %', 'openclaw', 'other') WHERE via = 'other';
CREATE INDEX switch_at ON switch (at);

CREATE TABLE account (
	id INTEGER PRIMARY KEY,
	key TEXT NOT NULL UNIQUE
) STRICT;
CREATE TABLE shape (
	id INTEGER PRIMARY KEY,
	doc TEXT NOT NULL UNIQUE
) STRICT;
ALTER TABLE reading RENAME TO reading_1;
CREATE TABLE reading (
	id INTEGER PRIMARY KEY,
	account INTEGER NOT NULL REFERENCES account (id),
	shape INTEGER REFERENCES shape (id),
	at INTEGER NOT NULL,
	doc TEXT NOT NULL
) STRICT;
INSERT INTO account (key) SELECT DISTINCT account FROM reading_1;
INSERT INTO reading SELECT r.id, a.id, NULL, r.at, r.doc FROM reading_1 r JOIN account a ON a.key = r.account ORDER BY r.id;
DROP TABLE reading_1;
CREATE INDEX reading_account ON reading (account);
CREATE INDEX reading_at ON reading (at);

CREATE TABLE maker (
	schema INTEGER PRIMARY KEY,
	version TEXT NOT NULL,
	at INTEGER NOT NULL
) STRICT;
`

// migrate brings the file to the schema that steps end in.
func migrate(ctx context.Context, db *sql.DB, steps []string) error {
	for {
		done, err := migrateOne(ctx, db, steps)
		if done || err != nil {
			return err
		}
	}
}

// migrateOne asks for the version inside the transaction: another process may
// have come first.
func migrateOne(ctx context.Context, db *sql.DB, steps []string) (done bool, err error) {
	tx, err := db.BeginTx(ctx, nil)
	if err != nil {
		return false, err
	}
	defer func() { _ = tx.Rollback() }() // does nothing after Commit
	var version int
	if err := tx.QueryRowContext(ctx, "PRAGMA user_version").Scan(&version); err != nil {
		return false, err
	}
	if version >= len(steps) {
		return true, nil
	}
	step := fmt.Sprintf("%s; PRAGMA application_id = %d; PRAGMA user_version = %d", steps[version], applicationID, version+1)
	if _, err := tx.ExecContext(ctx, step); err != nil {
		return false, fmt.Errorf("to schema %d: %w", version+1, err)
	}
	return false, tx.Commit()
}
