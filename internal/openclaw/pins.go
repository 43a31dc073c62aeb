package openclaw

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"io/fs"
	"path/filepath"
	"slices"
)

// Pin is a session that is tied to one profile, whatever the order says.
type Pin struct {
	Session string // its key
	Profile string
	// ByPerson: a person chose the profile, and OpenClaw does not move the session
	// by itself.
	ByPerson bool
}

// pinEntry is what a session's record says of its profile.
type pinEntry struct {
	Profile string `json:"authProfileOverride"`
	Source  string `json:"authProfileOverrideSource"`
	// Compactions is there where OpenClaw chose the profile; older releases say
	// it in no other way.
	Compactions *float64 `json:"authProfileOverrideCompactionCount"`
}

func (e pinEntry) pin(session string) Pin {
	byPerson := e.Source != "auto" && (e.Source != "" || e.Compactions == nil)
	return Pin{Session: session, Profile: e.Profile, ByPerson: byPerson}
}

const pinQuery = `SELECT session_key, entry_json FROM session_nodes WHERE entry_json LIKE '%"authProfileOverride"%' ORDER BY session_key`

// Pins lists the sessions of agent that are tied to a profile, by session. An
// install without sessions has none.
func (i *Install) Pins(ctx context.Context, agent string) ([]Pin, error) {
	dirs, err := i.StoreDirs(agent)
	if err != nil {
		return nil, err
	}
	pins, err := databasePins(ctx, filepath.Join(dirs[0], agentDatabase))
	if err != nil {
		return nil, err
	}
	older, err := filePins(filepath.Join(i.StateDir, "agents", agentID(agent), "sessions", "sessions.json"))
	if err != nil {
		return nil, err
	}
	for _, p := range older {
		if !slices.ContainsFunc(pins, func(q Pin) bool { return q.Session == p.Session }) {
			pins = append(pins, p)
		}
	}
	slices.SortFunc(pins, func(a, b Pin) int { return cmp.Compare(a.Session, b.Session) })
	return pins, nil
}

// databasePins reads the sessions of releases that keep them in the agent's
// database.
func databasePins(ctx context.Context, path string) ([]Pin, error) {
	var pins []Pin
	_, err := readDatabase(ctx, path, func(d database) error {
		has, err := d.hasTable("session_nodes", "session_key", "entry_json")
		if err != nil || !has {
			return err
		}
		rows, err := d.tx.QueryContext(d.ctx, pinQuery)
		if err != nil {
			return err
		}
		defer func() { _ = rows.Close() }()
		for rows.Next() {
			var session, entry string
			if err := rows.Scan(&session, &entry); err != nil {
				return err
			}
			var e pinEntry
			if json.Unmarshal([]byte(entry), &e) == nil && e.Profile != "" {
				pins = append(pins, e.pin(session))
			}
		}
		return rows.Err()
	})
	return pins, err
}

// filePins reads the sessions of older releases, which keep them in one file.
func filePins(path string) ([]Pin, error) {
	raw, err := readFile(path, documentCap)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, fileError(path, err)
	}
	var entries map[string]json.RawMessage
	if err := json.Unmarshal(raw, &entries); err != nil {
		return nil, &StoreError{Path: path, Kind: Corrupt, Err: errors.New("it is no JSON object"), Fix: "run openclaw doctor"}
	}
	var pins []Pin
	for session, entry := range entries {
		var e pinEntry
		if json.Unmarshal(entry, &e) == nil && e.Profile != "" {
			pins = append(pins, e.pin(session))
		}
	}
	return pins, nil
}
