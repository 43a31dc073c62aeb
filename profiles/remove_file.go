package profiles

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"syscall"
	"time"
)

const (
	profilesName = "auth-profiles.json"
	// backupSuffix marks the copy that is put back if the edit goes wrong.
	backupSuffix = ".ocwatch-backup"
	fileLimit    = 16 << 20

	// OpenClaw holds its lock for some milliseconds.
	lockWait = 15 * time.Second
	lockPoll = 100 * time.Millisecond
)

// cut removes the profile id from every file that holds it for agent: its own,
// and the main agent's, from which the others inherit.
func (r *Remover) cut(ctx context.Context, agent, id string) error {
	dirs, err := r.dirs.StoreDirs(agent)
	if err != nil {
		return err
	}
	found := false
	for _, dir := range dirs {
		named := filepath.Join(dir, profilesName)
		path, err := filepath.EvalSymlinks(named) // OpenClaw follows a link too
		if errors.Is(err, fs.ErrNotExist) {
			continue
		}
		if err == nil {
			found = true
			err = r.cutFile(ctx, named, path, id)
		}
		if err != nil {
			return fmt.Errorf("edit %s: %w", named, err)
		}
	}
	if !found {
		return fmt.Errorf("agent %s has no %s", agent, profilesName)
	}
	return nil
}

// cutFile edits one file under OpenClaw's lock. named is the path that OpenClaw
// goes by, and its lock is named after.
func (r *Remover) cutFile(ctx context.Context, named, path, id string) error {
	unlock, err := lockFile(ctx, named+".lock")
	if err != nil {
		return err
	}
	defer unlock()
	// Asked under the lock: a gateway that starts now waits for it before it
	// writes, and has read nothing yet.
	if !r.down(ctx) {
		return ErrGatewayUp
	}
	if err := settleBackup(path); err != nil {
		return err
	}
	doc, mode, err := readWhole(path)
	if err != nil {
		return err
	}
	edited, found, err := cutProfile(doc, id)
	if err != nil || !found {
		return err
	}
	if !sameBut(doc, edited, id) {
		return errCut
	}
	return swap(path, doc, edited, mode)
}

// swap puts edited in the place of doc. Either the file then has edited, or it
// is as it was; after a crash between the two a backup lies beside it, which
// the next edit settles.
func swap(path string, doc, edited []byte, mode fs.FileMode) (err error) {
	backup := path + backupSuffix
	if err := writeWhole(backup, doc, 0o600); err != nil {
		return fmt.Errorf("back it up: %w", err)
	}
	err = writeWhole(path, edited, mode)
	if err == nil {
		var now []byte
		if now, _, err = readWhole(path); err == nil && !bytes.Equal(now, edited) {
			err = errors.New("it does not read back as it was written")
		}
	}
	if err != nil {
		return errors.Join(err, os.Rename(backup, path))
	}
	return os.Remove(backup)
}

// settleBackup deals with the backup of an edit that was killed: it is put back
// where the file is no whole document, and removed where it is.
func settleBackup(path string) error {
	backup := path + backupSuffix
	saved, _, err := readWhole(backup)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return err
	}
	doc, _, err := readWhole(path)
	switch {
	case err != nil && !errors.Is(err, fs.ErrNotExist):
		return err
	case err == nil && json.Valid(doc), !json.Valid(saved):
		return os.Remove(backup)
	default:
		return os.Rename(backup, path)
	}
}

func readWhole(path string) ([]byte, fs.FileMode, error) {
	info, err := os.Lstat(path)
	if err != nil {
		return nil, 0, err
	}
	if !info.Mode().IsRegular() || info.Size() > fileLimit {
		return nil, 0, errCut
	}
	doc, err := os.ReadFile(path)
	return doc, info.Mode().Perm(), err
}

// writeWhole writes a file by renaming a finished one into its place.
func writeWhole(path string, data []byte, mode fs.FileMode) (err error) {
	f, err := os.CreateTemp(filepath.Dir(path), ".ocwatch-*") // of mode 0600
	if err != nil {
		return err
	}
	defer func() {
		if err != nil {
			_ = os.Remove(f.Name()) // the first error is the one to tell
		}
	}()
	_, err = f.Write(data)
	err = errors.Join(err, f.Chmod(mode), f.Sync(), f.Close())
	if err != nil {
		return err
	}
	return os.Rename(f.Name(), path)
}

// lockFile takes OpenClaw's lock: a plain file that names its holder, created
// by whoever comes first. One that is held is waited for and never taken away,
// also where its holder is gone: OpenClaw itself clears that up.
func lockFile(ctx context.Context, path string) (unlock func(), err error) {
	holder, err := json.Marshal(map[string]any{"pid": os.Getpid(), "createdAt": time.Now().UTC().Format("2006-01-02T15:04:05.000Z")})
	if err != nil {
		return nil, err
	}
	for until := time.Now().Add(lockWait); ; {
		f, err := os.OpenFile(path, os.O_CREATE|os.O_EXCL|os.O_WRONLY, 0o600)
		if err == nil {
			_, err = f.Write(holder)
			if err = errors.Join(err, f.Close()); err != nil {
				return nil, errors.Join(err, os.Remove(path))
			}
			return func() { _ = os.Remove(path) }, nil // OpenClaw clears up what stays
		}
		if !errors.Is(err, fs.ErrExist) {
			return nil, err
		}
		if time.Now().After(until) {
			return nil, busyLock(path)
		}
		select {
		case <-ctx.Done():
			return nil, ctx.Err()
		case <-time.After(lockPoll):
		}
	}
}

func busyLock(path string) error {
	var holder struct {
		PID int `json:"pid"`
	}
	raw, err := os.ReadFile(path)
	if err != nil || json.Unmarshal(raw, &holder) != nil || holder.PID <= 0 {
		return fmt.Errorf("%s is held: end what else works on this OpenClaw, and try again", path)
	}
	if errors.Is(syscall.Kill(holder.PID, 0), syscall.ESRCH) {
		return fmt.Errorf("%s is left over from process %d, which is gone: remove it and try again", path, holder.PID)
	}
	return fmt.Errorf("%s is held by process %d: wait for it or end it, and try again", path, holder.PID)
}
