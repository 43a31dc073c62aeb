package openclaw

import (
	"os"
	"path/filepath"
	"slices"
)

// WatchDirs lists the directories in which a change may mean a new state of the
// stores or the config. They are directories because OpenClaw replaces files by
// renaming; only those that exist are listed. Those right below agents are
// among them, so that the directory of an agent that is being made is seen to
// appear.
func (i *Install) WatchDirs() []string {
	root := i.agentsRoot()
	dirs := []string{i.StateDir, filepath.Dir(i.ConfigPath), filepath.Join(i.StateDir, "state"), root}
	cfg, err := i.Config()
	if err != nil {
		cfg = Config{} // the usual places are right but for a rare setting
	}
	agents, err := i.Agents()
	if err != nil {
		agents = []string{mainAgent}
	}
	for _, agent := range agents {
		dirs = append(dirs, reader{install: i, cfg: cfg}.dir(agent))
	}
	if entries, err := os.ReadDir(root); err == nil {
		for _, e := range entries {
			if id := e.Name(); agentID(id) == id {
				dirs = append(dirs, filepath.Join(root, id))
			}
		}
	}
	slices.Sort(dirs)
	return slices.DeleteFunc(slices.Compact(dirs), func(d string) bool { return !isDir(d) })
}

// Concerns reports whether a change at path, in one of WatchDirs, may be one of
// what Config, Agents and Documents read. written tells a change of content
// from a file that was made, removed or renamed.
//
// Reading a database makes and touches files too, if its owner is not running:
// the index -shm, which holds nothing, and an empty write-ahead log. Neither
// may count, or reading would look like a reason to read again.
func (i *Install) Concerns(path string, written bool) bool {
	dir, name := filepath.Split(filepath.Clean(path))
	dir = filepath.Clean(dir)
	switch name {
	case sharedDatabase, agentDatabase, profilesFile, stateFile, filepath.Base(i.ConfigPath):
		return true
	case sharedDatabase + walSuffix, agentDatabase + walSuffix:
		return written
	case "state", "agents":
		return dir == i.StateDir
	case "agent":
		return filepath.Dir(dir) == i.agentsRoot()
	default:
		return dir == i.agentsRoot() && agentID(name) == name
	}
}

func (i *Install) agentsRoot() string { return filepath.Join(i.StateDir, "agents") }

const (
	sharedDatabase = "openclaw.sqlite"
	agentDatabase  = "openclaw-agent.sqlite"
	walSuffix      = "-wal"
)
