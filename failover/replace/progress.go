package replace

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"time"

	"github.com/gofrs/flock"

	"github.com/ocwatch/ocwatch/failover/restart"
)

const (
	// adoptFor is for how long a profile that came up after an interrupted run is
	// taken for that run's login. The login itself ends after 25 minutes.
	adoptFor = 30 * time.Minute
	// resumeFor is for how long a login that was noted is gone on from.
	resumeFor = 7 * 24 * time.Hour
)

// progress is what a later run must know of an interrupted one and cannot read
// from OpenClaw. It holds no credential.
type progress struct {
	Agent    string    `json:"agent"`
	Provider string    `json:"provider"`
	Old      string    `json:"old"`
	At       time.Time `json:"at"`
	// Before are the provider's profiles as they were before the login: the login
	// may take the place of one.
	Before map[string]identity `json:"before"`
	// New is the profile that the login made, "" before that.
	New string `json:"new,omitempty"`
	// Service is what ran the gateway when it was stopped; it is zero where the
	// gateway was not stopped, or was started again.
	Service restart.Service `json:"service,omitzero"`
	// WritesBack: the gateway was seen to bring an old login back.
	WritesBack bool `json:"writes_back,omitempty"`
}

func (p progress) fresh(now time.Time) bool {
	limit := adoptFor
	if p.New != "" {
		limit = resumeFor
	}
	return now.Sub(p.At).Abs() < limit
}

// path is one document for each profile that is being replaced. Ids hold
// characters that file names do not like.
func path(dir, agent, old string) string {
	sum := sha256.Sum256([]byte(agent + "\x00" + old))
	return filepath.Join(dir, "replace-"+hex.EncodeToString(sum[:6])+".json")
}

// load reads the document; a zero one where there is none or it is damaged,
// which costs one more login and nothing else.
func load(dir, agent, old string) (progress, error) {
	raw, err := os.ReadFile(path(dir, agent, old))
	if errors.Is(err, fs.ErrNotExist) {
		return progress{}, nil
	}
	if err != nil {
		return progress{}, fmt.Errorf("read the progress of an earlier run: %w", err)
	}
	if p := decode(raw); p.Agent == agent && p.Old == old {
		return p, nil
	}
	return progress{}, nil
}

func decode(raw []byte) (p progress) {
	if json.Unmarshal(raw, &p) != nil {
		return progress{}
	}
	return p
}

// save writes the document by renaming a finished one into its place.
func (p progress) save(dir string) (err error) {
	defer func() {
		if err != nil {
			err = fmt.Errorf("keep the progress in data_dir: %w: make room there, or set another data_dir", err)
		}
	}()
	raw, err := json.Marshal(p)
	if err != nil {
		return err
	}
	f, err := os.CreateTemp(dir, ".replace-*") // of mode 0600
	if err != nil {
		return err
	}
	_, err = f.Write(raw)
	if err = errors.Join(err, f.Sync(), f.Close()); err == nil {
		err = os.Rename(f.Name(), path(dir, p.Agent, p.Old))
	}
	if err != nil {
		return errors.Join(err, os.Remove(f.Name()))
	}
	return nil
}

func forget(dir, agent, old string) error {
	err := os.Remove(path(dir, agent, old))
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	return err
}

// lock keeps two changes from running at once: one could remove what the other
// has just proven.
func lock(dir string) (unlock func(), err error) {
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return nil, err
	}
	l := flock.New(filepath.Join(dir, "replace.lock"), flock.SetPermissions(0o600))
	held, err := l.TryLock()
	if err != nil {
		return nil, fmt.Errorf("lock %s: %w", l.Path(), err)
	}
	if !held {
		return nil, errors.New("another account change is under way: wait for it, or end it")
	}
	return func() { _ = l.Close() }, nil
}
