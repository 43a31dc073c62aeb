package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"os/user"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"

	"github.com/ocwatch/ocwatch/deploy"
)

const whereaboutsFlag = "whereabouts"

// account is the one that the service runs as.
type account struct {
	*user.User
	uid, gid int
	other    bool // it is not the one that installs
}

// who finds the account that is meant.
func (f *installFlags) who(euid int, getenv func(string) string) (account, error) {
	self, err := user.LookupId(strconv.Itoa(euid))
	if err != nil {
		return account{}, fmt.Errorf("this account has no name: %w", err)
	}
	name := self.Username
	switch {
	case f.account != "" && !f.system:
		return account{}, errors.New("--account goes with --system: a service of an account is installed by that account itself")
	case f.account != "":
		name = f.account
	case f.system && euid == 0 && getenv("SUDO_USER") != "":
		name = getenv("SUDO_USER")
	}
	if f.system && euid != 0 && (!f.dryRun || name != self.Username) {
		return account{}, errors.New("--system needs root: run sudo ocwatch install --system")
	}
	if !f.system && getenv("SUDO_USER") != "" && euid == 0 {
		return account{}, errors.New("under sudo this would install for root: leave sudo out, or use --system")
	}
	u, err := user.Lookup(name)
	if err != nil {
		return account{}, fmt.Errorf("there is no account %q: --account names the one that OpenClaw runs as", name)
	}
	a := account{User: u, other: name != self.Username}
	a.uid, err = strconv.Atoi(u.Uid)
	if err == nil {
		a.gid, err = strconv.Atoi(u.Gid)
	}
	if err != nil {
		return account{}, fmt.Errorf("the account %s: %w", name, err)
	}
	return a, nil
}

// whereaboutsOf asks as the account itself, since files that root can read and
// directories that root may enter say nothing of what the service can.
func (g *global) whereaboutsOf(ctx context.Context, who account) (whereabouts, error) {
	if !who.other {
		return g.whereabouts(os.Getenv)
	}
	out, err := g.runAs(ctx, who, "install", "--"+whereaboutsFlag)
	if err != nil {
		return whereabouts{}, err
	}
	var w whereabouts
	if err := json.Unmarshal(out, &w); err != nil {
		return whereabouts{}, fmt.Errorf("as %s: %w", who.Username, err)
	}
	return w, nil
}

// runAs runs this program as another account, with that account's environment
// and the same config file, and returns what it printed, also where it failed.
func (g *global) runAs(ctx context.Context, who account, args ...string) ([]byte, error) {
	self, err := os.Executable()
	if err != nil {
		return nil, fmt.Errorf("finding the program itself: %w", err)
	}
	if g.configPath != "" {
		path, err := filepath.Abs(g.configPath)
		if err != nil {
			return nil, err
		}
		args = append(args, "--config", path)
	}
	groups, err := who.groups()
	if err != nil {
		return nil, err
	}
	var out, said bytes.Buffer
	cmd := exec.CommandContext(ctx, self, args...)
	cmd.Dir = "/"
	cmd.Env = []string{"HOME=" + who.HomeDir, "USER=" + who.Username, "LOGNAME=" + who.Username, "PATH=" + os.Getenv("PATH")}
	cmd.Stdout, cmd.Stderr = &out, &said
	cmd.SysProcAttr = &syscall.SysProcAttr{Credential: &syscall.Credential{Uid: uint32(who.uid), Gid: uint32(who.gid), Groups: groups}} //nolint:gosec // ids are what the system itself says
	if err := cmd.Run(); err != nil {
		if errors.Is(err, fs.ErrPermission) {
			return nil, fmt.Errorf("%s may not run %s: put ocwatch where every account can run it, such as /usr/local/bin", who.Username, self)
		}
		text := strings.TrimPrefix(strings.TrimSpace(said.String()), "ocwatch: ")
		if text == "" {
			text = err.Error()
		}
		return out.Bytes(), fmt.Errorf("as %s: %s", who.Username, text)
	}
	return out.Bytes(), nil
}

func (a account) groups() ([]uint32, error) {
	ids, err := a.GroupIds()
	if err != nil {
		return nil, fmt.Errorf("the groups of %s: %w", a.Username, err)
	}
	var groups []uint32
	for _, id := range ids {
		n, err := strconv.ParseUint(id, 10, 32)
		if err != nil {
			return nil, fmt.Errorf("the groups of %s: %w", a.Username, err)
		}
		groups = append(groups, uint32(n))
	}
	return groups, nil
}

// commands is a deploy.Runner.
type commands struct{ env []string }

// newCommands sees to it that systemctl --user finds its manager where a shell
// was not given XDG_RUNTIME_DIR, as under cron.
func newCommands() deploy.Runner {
	env := os.Environ()
	if dir := filepath.Join("/run/user", strconv.Itoa(os.Getuid())); os.Getenv("XDG_RUNTIME_DIR") == "" {
		if _, err := os.Stat(dir); err == nil {
			env = append(env, "XDG_RUNTIME_DIR="+dir)
		}
	}
	return commands{env}
}

// Run implements deploy.Runner.
func (c commands) Run(ctx context.Context, argv ...string) (string, error) {
	var out, said bytes.Buffer
	cmd := exec.CommandContext(ctx, argv[0], argv[1:]...)
	cmd.Env, cmd.Stdout, cmd.Stderr = c.env, &out, &said
	if err := cmd.Run(); err != nil {
		if text := strings.TrimSpace(said.String()); text != "" {
			return "", fmt.Errorf("%w: %s", err, strings.ReplaceAll(text, "\n", "; "))
		}
		return "", err
	}
	return out.String(), nil
}
