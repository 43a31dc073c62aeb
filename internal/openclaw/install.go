// Package openclaw is the transport to one OpenClaw install: its state
// directory, its config, its auth stores, its CLI and its gateway. It reads
// OpenClaw's files and never writes them.
package openclaw

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/user"
	"path/filepath"
	"slices"
	"strings"
	"sync/atomic"

	"github.com/ocwatch/ocwatch/internal/secret"
)

// Options say which install is meant. Zero values mean OpenClaw's own defaults.
type Options struct {
	StateDir     string              // "": $OPENCLAW_STATE_DIR, else the account's default
	Command      string              // "": openclaw on PATH or where npm usually puts it
	GatewayURL   string              // "": from the config; ws:// or wss://
	GatewayToken secret.Value        // empty: from the config, else $OPENCLAW_GATEWAY_TOKEN
	Getenv       func(string) string // nil: os.Getenv
	Home         string              // "": $OPENCLAW_HOME, else $HOME
	// Hide are environment variables that OpenClaw's command does not get to
	// see: those that hold ocwatch's own secrets. OPENCLAW_… it always sees.
	Hide []string
}

// Install is one OpenClaw install that was found.
type Install struct {
	StateDir   string
	ConfigPath string
	Command    string // a path, or "openclaw" where none was found
	// Default reports that StateDir is the account's default. Such an install
	// is never addressed by environment variables: OpenClaw refuses service
	// commands when they are set.
	Default bool
	// Others are further state directories that were seen and not chosen.
	Others []string

	opts    Options // Getenv and Home filled in
	setHome bool    // Home was given, so the CLI must be told

	hiding *atomic.Pointer[[]string] // in place of opts.Hide, once SetHidden was called
}

// SetHidden replaces Options.Hide: a config that was reloaded may keep its
// secrets elsewhere.
func (i *Install) SetHidden(names []string) {
	names = slices.Clone(names)
	i.hiding.Store(&names)
}

// Find locates the install that o means. It fails with *NotFoundError, or with
// *AccessError where a state directory is there and of no use to this account.
func Find(o Options) (*Install, error) {
	if o.Getenv == nil {
		o.Getenv = os.Getenv
	}
	homeGiven := o.Home != ""
	if err := fillHome(&o); err != nil {
		return nil, err
	}
	dir, said := chooseStateDir(o)
	if err := checkStateDir(dir, said, o); err != nil {
		return nil, err
	}
	i := &Install{StateDir: dir, Command: findCommand(o), opts: o, setHome: homeGiven, hiding: &atomic.Pointer[[]string]{}}
	i.ConfigPath = configPath(o, dir)
	standard := filepath.Join(dir, configName)
	i.Default = samePath(dir, defaultStateDir(o)) && (i.ConfigPath == standard || i.ConfigPath == filepath.Join(dir, legacyConfigName))
	i.Others = otherStateDirs(o, dir)
	return i, nil
}

const (
	configName       = "openclaw.json"
	legacyConfigName = "clawdbot.json"
	stateDirName     = ".openclaw"
	legacyDirName    = ".clawdbot"
)

func fillHome(o *Options) error {
	if o.Home == "" {
		o.Home = clean(o.Getenv("OPENCLAW_HOME"))
	}
	osHome := accountHome(o)
	if o.Home == "" {
		o.Home = osHome
	}
	if rest, ok := strings.CutPrefix(o.Home, "~"); ok {
		o.Home = filepath.Join(osHome, rest)
	}
	if o.Home == "" {
		return &NotFoundError{Looked: []string{"a home directory: $HOME is not set and this account has none"}}
	}
	o.Home = absolute(o.Home)
	return nil
}

func accountHome(o *Options) string {
	if home := clean(o.Getenv("HOME")); home != "" {
		return home
	}
	if u, err := user.Current(); err == nil {
		return u.HomeDir
	}
	return ""
}

// clean drops what OpenClaw takes for an unset variable.
func clean(v string) string {
	v = strings.TrimSpace(v)
	if v == "undefined" || v == "null" {
		return ""
	}
	return v
}

// chooseStateDir gives the directory that OpenClaw itself would take, and where
// the choice came from.
func chooseStateDir(o Options) (dir, said string) {
	if o.StateDir != "" {
		return expand(o.StateDir, o.Home), "openclaw.state_dir"
	}
	if v := strings.TrimSpace(o.Getenv("OPENCLAW_STATE_DIR")); v != "" {
		return expand(v, o.Home), "$OPENCLAW_STATE_DIR"
	}
	if p := profileDir(o); p != "" {
		return p, "$OPENCLAW_PROFILE"
	}
	return defaultStateDir(o), ""
}

// profileDir is the state directory of a named OpenClaw profile, "" for none.
func profileDir(o Options) string {
	p := strings.TrimSpace(o.Getenv("OPENCLAW_PROFILE"))
	if p == "" || strings.EqualFold(p, "default") || strings.ContainsAny(p, "/.") {
		return ""
	}
	return filepath.Join(o.Home, stateDirName+"-"+p)
}

// defaultStateDir prefers the present name and falls back to the one of the
// project's earlier name, as OpenClaw does.
func defaultStateDir(o Options) string {
	now, old := filepath.Join(o.Home, stateDirName), filepath.Join(o.Home, legacyDirName)
	if !exists(now) && exists(old) {
		return old
	}
	return now
}

func checkStateDir(dir, said string, o Options) error {
	info, err := os.Stat(dir)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return notFound(dir, said, o)
	case err != nil:
		return &AccessError{Path: dir, What: "cannot be looked at", Fix: "run ocwatch as the user that runs OpenClaw", Err: err}
	case !info.IsDir():
		return &AccessError{Path: dir, What: "is not a directory", Fix: "set openclaw.state_dir to OpenClaw's state directory"}
	}
	if who, foreign := foreignOwner(info); foreign {
		return &AccessError{Path: dir, What: "belongs to " + who, Fix: "run ocwatch as that user, or set openclaw.state_dir to your own install"}
	}
	if _, err := os.ReadDir(dir); err != nil {
		return &AccessError{Path: dir, What: "cannot be read", Fix: "run chmod 700 on it as its owner", Err: err}
	}
	return nil
}

func notFound(dir, said string, o Options) error {
	if said != "" {
		return &NotFoundError{Looked: []string{fmt.Sprintf("the state directory %s (%s)", dir, said)}}
	}
	return &NotFoundError{Looked: []string{
		"the state directory " + filepath.Join(o.Home, stateDirName),
		"the state directory " + filepath.Join(o.Home, legacyDirName),
		"$OPENCLAW_STATE_DIR (not set)",
	}}
}

// configPath follows OpenClaw: the environment names the config only along with
// the install that it also names.
func configPath(o Options, dir string) string {
	if v := strings.TrimSpace(o.Getenv("OPENCLAW_CONFIG_PATH")); v != "" && o.StateDir == "" {
		return expand(v, o.Home)
	}
	standard, old := filepath.Join(dir, configName), filepath.Join(dir, legacyConfigName)
	if !exists(standard) && exists(old) {
		return old
	}
	return standard
}

func otherStateDirs(o Options, chosen string) []string {
	candidates := []string{filepath.Join(o.Home, stateDirName), filepath.Join(o.Home, legacyDirName)}
	if named, err := filepath.Glob(filepath.Join(globEscape(o.Home), stateDirName+"-*")); err == nil {
		candidates = append(candidates, named...)
	}
	return slices.DeleteFunc(candidates, func(dir string) bool {
		return samePath(dir, chosen) || !looksLikeState(dir)
	})
}

func looksLikeState(dir string) bool {
	return exists(filepath.Join(dir, configName)) || exists(filepath.Join(dir, legacyConfigName)) || exists(filepath.Join(dir, "agents"))
}

func globEscape(s string) string {
	return strings.NewReplacer(`\`, `\\`, `*`, `\*`, `?`, `\?`, `[`, `\[`).Replace(s)
}

func expand(path, home string) string {
	path = strings.TrimSpace(path)
	if path == "~" || strings.HasPrefix(path, "~/") {
		path = filepath.Join(home, path[1:])
	}
	return absolute(path)
}

func absolute(path string) string {
	if abs, err := filepath.Abs(path); err == nil {
		return abs
	}
	return filepath.Clean(path)
}

func exists(path string) bool {
	_, err := os.Stat(path)
	return err == nil
}

func samePath(a, b string) bool {
	if a == b {
		return true
	}
	x, errX := os.Stat(a)
	y, errY := os.Stat(b)
	return errX == nil && errY == nil && os.SameFile(x, y)
}
