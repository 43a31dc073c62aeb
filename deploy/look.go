package deploy

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
)

// Look finds out what is there. binary is the program that is to run; wanted
// are the directories that it needs.
func Look(ctx context.Context, r Runner, system bool, unitFile, binary string, wanted []string) (Machine, error) {
	m := Machine{UnitFile: unitFile}
	text, err := os.ReadFile(unitFile)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return m, fmt.Errorf("the unit that is there: %w", err)
	}
	m.Unit = string(text)
	if system {
		text, err = os.ReadFile(ruleFile)
		if err != nil && !errors.Is(err, fs.ErrNotExist) && !errors.Is(err, fs.ErrPermission) {
			return m, fmt.Errorf("polkit's rule that is there: %w", err)
		}
		m.Rule = string(text)
	}
	if dropIns := unitFile + ".d"; exists(dropIns) {
		m.DropIns = dropIns
	}
	for _, dir := range wanted {
		if !exists(dir) && !slices.Contains(m.Missing, dir) {
			m.Missing = append(m.Missing, dir)
		}
	}
	said, err := Properties(ctx, r, system, Unit, "ActiveState", "UnitFileState", "MainPID")
	if err != nil {
		return m, err
	}
	m.Active = said["ActiveState"] == "active" || said["ActiveState"] == "reloading"
	m.Enabled = said["UnitFileState"] == "enabled"
	m.Outdated = m.Active && !sameFile(filepath.Join("/proc", said["MainPID"], "exe"), binary)
	return m, nil
}

// Properties asks the manager about a unit. One that it does not know has
// properties too: its LoadState is not-found.
func Properties(ctx context.Context, r Runner, system bool, unit string, names ...string) (map[string]string, error) {
	out, err := r.Run(ctx, Systemctl(system, "show", "-p", strings.Join(names, ","), unit)...)
	if err != nil {
		return nil, fmt.Errorf("asking systemd: %w", err)
	}
	said := map[string]string{}
	for line := range strings.Lines(out) {
		name, value, _ := strings.Cut(strings.TrimSpace(line), "=")
		said[name] = value
	}
	return said, nil
}

// Confines reports whether the account's manager can give a service a view of
// the file system of its own, by trying it.
func Confines(ctx context.Context, r Runner) bool {
	_, err := r.Run(ctx, "systemd-run", "--user", "--quiet", "--collect", "--wait",
		"-p", "PrivateUsers=yes", "-p", "ProtectSystem=strict", "-p", "ProtectHome=read-only", "true")
	return err == nil
}

// Lingers reports whether the account's manager runs without a login.
func Lingers(account string) bool { return exists(filepath.Join("/var/lib/systemd/linger", account)) }

func exists(path string) bool {
	_, err := os.Lstat(path)
	return err == nil
}

func sameFile(a, b string) bool {
	x, errX := os.Stat(a)
	y, errY := os.Stat(b)
	return errX == nil && errY == nil && os.SameFile(x, y)
}
