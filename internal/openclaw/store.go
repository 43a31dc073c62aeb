package openclaw

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"path/filepath"
	"slices"
)

const (
	mainAgent = "main"

	credentialsKey = "authProfiles.store"
	sharedStateKey = "authProfiles.state"
	ownerKey       = "auth.sharedStore"

	// eraIndex tells the state database of 2026.6.8 and later from that of
	// 2026.6.1, which has the same tables and keeps profiles in JSON files.
	// (2026.6.5 cannot be told apart; only one that was updated and never saw
	// doctor is taken for the older.)
	eraIndex = "idx_cron_jobs_store_order"

	machineQuery = `SELECT value_json FROM config_machine_state WHERE state_key = ?`
	storeQuery   = `SELECT store_json FROM auth_profile_store WHERE store_key = ?`
	stateQuery   = `SELECT state_json FROM auth_profile_state WHERE state_key = ?`
)

// sharedStore is what the state database says of auth profiles.
type sharedStore struct {
	era         bool // the install is of a release that keeps profiles in SQLite
	here        bool // it keeps the shared ones in this database
	credentials json.RawMessage
	state       json.RawMessage
}

// agentStore is what one agent's directory holds.
type agentStore struct {
	era         bool // there is an agent database with a table for profiles
	credentials json.RawMessage
	state       []json.RawMessage
}

// readShared reads <state>/state/openclaw.sqlite.
func (i *Install) readShared(ctx context.Context) (sharedStore, error) {
	var s sharedStore
	_, err := readDatabase(ctx, i.sharedPath(), func(d database) error {
		if err := d.requireTables(); err != nil {
			return err
		}
		machine, err := d.hasTable("config_machine_state", "state_key", "value_json")
		if err != nil {
			return err
		}
		s.era = machine
		if !machine {
			s.era, err = d.hasIndex(eraIndex)
			return err
		}
		return s.readRows(d)
	})
	return s, err
}

func (s *sharedStore) readRows(d database) error {
	owner, err := d.document(machineQuery, ownerKey)
	if err != nil {
		return err
	}
	if s.credentials, err = d.document(machineQuery, credentialsKey); err != nil {
		return err
	}
	if s.state, err = d.document(machineQuery, sharedStateKey); err != nil {
		return err
	}
	s.here, err = sharedHere(d, owner, s.credentials)
	return err
}

// sharedHere reads the marker that says where the shared profiles are. Without
// one they are in the main agent's database, until doctor has moved them.
func sharedHere(d database, owner, credentials json.RawMessage) (bool, error) {
	if owner == nil {
		return credentials != nil, nil
	}
	var v struct{ Location string }
	if err := json.Unmarshal(owner, &v); err != nil {
		return false, d.unknown(ownerKey + " has another form")
	}
	switch v.Location {
	case "state-db":
		return true, nil
	case "legacy-main":
		return false, nil
	default:
		return false, d.unknown(ownerKey + " names a place that is not known")
	}
}

// readAgent reads <agent dir>/openclaw-agent.sqlite.
func readAgent(ctx context.Context, dir string) (agentStore, error) {
	var s agentStore
	_, err := readDatabase(ctx, filepath.Join(dir, agentDatabase), func(d database) error {
		if err := d.requireTables(); err != nil {
			return err
		}
		hasStore, err := d.hasTable("auth_profile_store", "store_key", "store_json")
		if err != nil {
			return err
		}
		hasState, err := d.hasTable("auth_profile_state", "state_key", "state_json")
		if err != nil {
			return err
		}
		if !hasStore || !hasState {
			return d.unknown("there is no table for auth profiles")
		}
		s.era = true
		if s.credentials, err = d.document(storeQuery, "primary"); err != nil {
			return err
		}
		state, err := d.document(stateQuery, "primary")
		s.state = present(state)
		return err
	})
	return s, err
}

func present(docs ...json.RawMessage) []json.RawMessage {
	return slices.DeleteFunc(docs, func(d json.RawMessage) bool { return d == nil })
}

func (i *Install) sharedPath() string {
	return filepath.Join(i.StateDir, "state", sharedDatabase)
}

// needsMigration is the state of an install that was updated over JSON files
// and whose OpenClaw does not read them any more.
func needsMigration(path string) error {
	return &StoreError{
		Path: path, Kind: NeedsMigration, Fix: doctorFix,
		Err: errors.New("this OpenClaw keeps profiles in a database and has not taken these over"),
	}
}

// Documents reads the auth documents that hold for agent. It fails with
// *StoreError where a store is there and cannot be read.
func (i *Install) Documents(ctx context.Context, agent string) (Documents, error) {
	if agentID(agent) == "" {
		return Documents{}, fmt.Errorf("%q is no agent id", agent)
	}
	if err := i.there(); err != nil {
		return Documents{}, err
	}
	cfg, err := i.Config()
	if err != nil {
		return Documents{}, err
	}
	r := reader{install: i, cfg: cfg}
	if r.shared, err = i.readShared(ctx); err != nil {
		return Documents{}, err
	}
	return r.documents(ctx, agentID(agent))
}
