package lab

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"testing"
)

// model is the one model of a lab.
const model = "gpt-5.4"

// seed gives the lab a home. A home that doctor has been through is kept in the
// cache and copied: doctor takes ten seconds and more, and what it makes of the
// same files is the same.
func (l *Lab) seed(t *testing.T, edit func(map[string]any)) {
	t.Helper()
	if l.Install.release().codex {
		must(t, l.seedCodex(t.Context()))
		l.configure(t, edit)
		return
	}
	dir, err := l.seeded(t.Context())
	must(t, err)
	must(t, os.CopyFS(l.Home, os.DirFS(dir)))
	must(t, tighten(l.Home))
	l.configure(t, edit)
}

func (l *Lab) seeded(ctx context.Context) (string, error) {
	files := l.seedFiles()
	all, err := json.Marshal(files)
	if err != nil {
		return "", err
	}
	sum := sha256.Sum256(all)
	root := filepath.Join(filepath.Dir(filepath.Dir(l.Install.Dir)), "openclaw-seed")
	final := filepath.Join(root, l.Install.Version+"-"+hex.EncodeToString(sum[:6]))
	if _, err := os.Stat(final); err == nil {
		return final, nil
	}
	if err := os.MkdirAll(root, 0o700); err != nil {
		return "", err
	}
	tmp, err := os.MkdirTemp(root, ".tmp-") // it becomes the cached seed
	if err != nil {
		return "", err
	}
	defer func() { _ = os.RemoveAll(tmp) }() // gone once it is renamed
	if err := l.buildSeed(ctx, tmp, files); err != nil {
		return "", err
	}
	if err := os.Rename(tmp, final); err != nil && !os.IsExist(err) {
		return "", err // another process may have been quicker, which is as good
	}
	return final, nil
}

// seedFiles are written below the state directory. They hold placeholders for
// what differs between labs, which configure fills in.
func (l *Lab) seedFiles() map[string]any {
	r := l.Install.release()
	profiles := map[string]any{}
	for _, a := range l.Accounts {
		profiles[a.profileID(r)] = a.profile(r)
	}
	return map[string]any{
		"openclaw.json": l.config(28791, "http://127.0.0.1:29001"),
		"agents/main/agent/auth-profiles.json": map[string]any{
			"version": 1, "profiles": profiles, "order": map[string]any{l.ProviderID(): l.IDs(l.Pool()...)},
		},
	}
}

func (l *Lab) buildSeed(ctx context.Context, home string, files map[string]any) error {
	if err := writeSeed(home, files); err != nil || !l.Install.release().imports {
		return err
	}
	seeder := *l
	seeder.Home = home
	return seeder.doctor(ctx, seeder.Env())
}

func writeSeed(home string, files map[string]any) error {
	for name, v := range files {
		if err := writeJSON(filepath.Join(home, ".openclaw", name), v); err != nil {
			return err
		}
	}
	return nil
}

func (l *Lab) doctor(ctx context.Context, env []string) error {
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	out, stderr, err := l.run(ctx, env, l.Install.CLI(), "doctor", "--fix", "--non-interactive", "--yes")
	if err != nil {
		return fmt.Errorf("doctor --fix: %w\n%s\n%s", err, out, stderr)
	}
	return nil
}

func writeJSON(path string, v any) error {
	b, err := json.MarshalIndent(v, "", "  ")
	if err != nil {
		return err
	}
	if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
		return err
	}
	return os.WriteFile(path, b, 0o600)
}

// tighten gives a copied tree the modes that OpenClaw insists on.
func tighten(dir string) error {
	return filepath.WalkDir(dir, func(path string, d os.DirEntry, err error) error {
		switch {
		case err != nil:
			return err
		case d.IsDir():
			return os.Chmod(path, 0o700) //nolint:gosec // a directory needs the x bit
		case d.Type().IsRegular():
			return os.Chmod(path, 0o600) //nolint:gosec // the lab made this tree, and no seed holds a program
		default:
			return nil
		}
	})
}
