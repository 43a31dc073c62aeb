package openclaw

import (
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
)

const defaultCommand = "openclaw"

// findCommand looks beyond PATH, because a service manager hands on a short
// one that lacks the places where npm installs for one user.
func findCommand(o Options) string {
	if o.Command != "" {
		if strings.Contains(o.Command, "/") {
			return expand(o.Command, o.Home)
		}
		return o.Command
	}
	for _, dir := range filepath.SplitList(o.Getenv("PATH")) {
		if p := filepath.Join(dir, defaultCommand); filepath.IsAbs(dir) && executable(p) {
			return p
		}
	}
	for _, p := range usualCommands(o) {
		if executable(p) {
			return p
		}
	}
	return defaultCommand
}

func usualCommands(o Options) []string {
	found := []string{
		filepath.Join(o.Home, ".npm-global/bin", defaultCommand),
		filepath.Join(o.Home, ".openclaw/bin", defaultCommand),
		filepath.Join(o.Home, ".local/bin", defaultCommand),
		filepath.Join(o.Home, ".local/share/pnpm", defaultCommand),
		filepath.Join(o.Home, ".volta/bin", defaultCommand),
		filepath.Join("/usr/local/bin", defaultCommand),
		filepath.Join("/usr/bin", defaultCommand),
	}
	nvm, err := filepath.Glob(filepath.Join(globEscape(o.Home), ".nvm/versions/node/*/bin", defaultCommand))
	if err == nil {
		slices.Reverse(nvm)
		found = append(found, nvm...)
	}
	return found
}

func executable(path string) bool {
	info, err := os.Stat(path)
	return err == nil && info.Mode().IsRegular() && info.Mode().Perm()&0o111 != 0
}

// resolveCommand turns the command into a path, or says that there is none.
func resolveCommand(command string) (string, error) {
	p, err := exec.LookPath(command)
	if err != nil {
		return "", &CommandNotFoundError{Command: command, Err: err}
	}
	return p, nil
}
