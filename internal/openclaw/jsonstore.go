package openclaw

import (
	"context"
	"encoding/json"
	"errors"
	"io/fs"
	"path/filepath"
	"time"
)

// Old releases write these files in place, so a reader may see half of one. The
// write takes a few milliseconds; three looks over 150 ms tell a write from a
// ruin.
const (
	jsonLooks = 4
	jsonPause = 50 * time.Millisecond
)

const (
	profilesFile = "auth-profiles.json"
	stateFile    = "auth-state.json"
)

// readJSON reads one JSON object; nil where the file does not exist.
func readJSON(ctx context.Context, path string) (json.RawMessage, error) {
	for look := 1; ; look++ {
		raw, err := readFile(path, documentCap)
		switch {
		case errors.Is(err, fs.ErrNotExist):
			return nil, nil
		case err != nil:
			return nil, fileError(path, err)
		case isObject(raw):
			return raw, nil
		case look == jsonLooks:
			return nil, &StoreError{
				Path: path, Kind: Corrupt, Err: errors.New("it is no whole JSON object"),
				Fix: "restore it from a backup, or log in again with openclaw models auth login",
			}
		}
		select {
		case <-ctx.Done():
			return nil, ctx.Err()
		case <-time.After(jsonPause):
		}
	}
}

// jsonStore reads the two files of one agent.
func jsonStore(ctx context.Context, dir string) (agentStore, error) {
	profiles, err := readJSON(ctx, filepath.Join(dir, profilesFile))
	if err != nil {
		return agentStore{}, err
	}
	state, err := readJSON(ctx, filepath.Join(dir, stateFile))
	if err != nil {
		return agentStore{}, err
	}
	// Up to 2026.4.5 the first file held the state too, and it still counts
	// where the second does not say otherwise.
	return agentStore{credentials: profiles, state: present(profiles, state)}, nil
}

// hasProfiles reports whether a profile document holds a profile.
func hasProfiles(doc json.RawMessage) bool {
	var v struct{ Profiles map[string]json.RawMessage }
	return doc != nil && json.Unmarshal(doc, &v) == nil && len(v.Profiles) > 0
}
