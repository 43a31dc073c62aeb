package openclaw

import (
	"context"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
)

// reader reads one install's stores at one moment.
type reader struct {
	install *Install
	cfg     Config
	shared  sharedStore
}

// documents puts together what holds for agent: the shared store, which is the
// main agent's directory until doctor has moved it, and then the agent's own.
func (r reader) documents(ctx context.Context, agent string) (Documents, error) {
	own, err := r.agent(ctx, r.dir(agent))
	if err != nil {
		return Documents{}, err
	}
	var base agentStore
	switch {
	case r.shared.here:
		base = agentStore{credentials: r.shared.credentials, state: present(r.shared.state)}
	case r.dir(agent) != r.mainDir():
		if base, err = r.agent(ctx, r.mainDir()); err != nil {
			return Documents{}, err
		}
	}
	d := Documents{
		Agent:       agent,
		Credentials: present(base.credentials, own.credentials),
		State:       slices.Concat(base.state, own.state),
	}
	d.Layout = r.layout(d, own.era || base.era)
	return d, nil
}

// layout follows from what was found. An install that never had a profile is
// NoStore in every era.
func (r reader) layout(d Documents, agentDB bool) Layout {
	switch {
	case len(d.Credentials) == 0 && len(d.State) == 0:
		return NoStore
	case r.shared.here:
		return SharedDatabase
	case agentDB:
		return AgentDatabase
	default:
		return JSONFiles
	}
}

// agent reads the store in one agent's directory: the database where the
// install has one anywhere, else the JSON files.
func (r reader) agent(ctx context.Context, dir string) (agentStore, error) {
	db, err := readAgent(ctx, dir)
	if err != nil {
		return agentStore{}, err
	}
	if !r.shared.era && !db.era {
		return jsonStore(ctx, dir)
	}
	// Beside a database with profiles the old file is a leftover, which OpenClaw
	// does not read either. Beside an empty one it is all there is.
	if left := filepath.Join(dir, profilesFile); !r.populated(dir, db) && exists(left) {
		return agentStore{}, needsMigration(left)
	}
	return db, nil
}

// populated reports whether the credentials of dir are in a database. The
// main agent's are the shared ones.
func (r reader) populated(dir string, db agentStore) bool {
	return hasProfiles(db.credentials) || (dir == r.mainDir() && r.shared.here && hasProfiles(r.shared.credentials))
}

func (r reader) dir(agent string) string {
	if dir := r.cfg.AgentDirs[agent]; dir != "" {
		return dir
	}
	return filepath.Join(r.install.agentsRoot(), agent, "agent")
}

// mainDir stays where it is even if the config gives the main agent another
// directory.
func (r reader) mainDir() string {
	return filepath.Join(r.install.agentsRoot(), mainAgent, "agent")
}

// Layout recognises where the install keeps its auth profiles. It fails with
// *StoreError where a store cannot be read or awaits migration.
func (i *Install) Layout() (Layout, error) {
	agents, err := i.Agents()
	if err != nil {
		return "", err
	}
	for _, agent := range agents {
		d, err := i.Documents(context.Background(), agent)
		if err != nil {
			return "", err
		}
		if d.Layout != NoStore {
			return d.Layout, nil
		}
	}
	return NoStore, nil
}

// there fails where the state directory went away after it was found. Without
// it, a disk that is not mounted would read as an install without profiles.
func (i *Install) there() error {
	info, err := os.Stat(i.StateDir)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return &AccessError{Path: i.StateDir, What: "is no longer there", Fix: "put it back, or restart ocwatch for another install", Err: err}
	case err != nil:
		return &AccessError{Path: i.StateDir, What: "cannot be looked at", Fix: "run ocwatch as the user that runs OpenClaw", Err: err}
	case !info.IsDir():
		return &AccessError{Path: i.StateDir, What: "is no longer a directory", Fix: "put it back, or restart ocwatch for another install"}
	}
	return nil
}

// Agents lists the ids of the agents: those of the config in its order, then
// those with a directory of their own; "main" where there is none at all.
func (i *Install) Agents() ([]string, error) {
	if err := i.there(); err != nil {
		return nil, err
	}
	cfg, err := i.Config()
	if err != nil {
		return nil, err
	}
	ids := slices.Clone(cfg.Agents)
	root := i.agentsRoot()
	entries, err := os.ReadDir(root)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return nil, &AccessError{Path: root, What: "cannot be read", Fix: "run ocwatch as the user that runs OpenClaw", Err: err}
	}
	for _, e := range entries {
		id := e.Name()
		if agentID(id) == id && !slices.Contains(ids, id) && isDir(filepath.Join(root, id, "agent")) {
			ids = append(ids, id)
		}
	}
	if len(ids) == 0 {
		return []string{mainAgent}, nil
	}
	return ids, nil
}

func isDir(path string) bool {
	info, err := os.Stat(path)
	return err == nil && info.IsDir()
}
