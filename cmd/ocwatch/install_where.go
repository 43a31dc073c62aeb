package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"

	"github.com/ocwatch/ocwatch/cmd/ocwatch/internal/config"
	"github.com/ocwatch/ocwatch/deploy"
	"github.com/ocwatch/ocwatch/internal/openclaw"
)

// whereabouts are the places that the service uses, as its account sees them.
type whereabouts struct {
	ConfigHome  string              `json:"config_home"` // usually ~/.config
	ConfigFile  string              `json:"config_file"` // "" for none
	DataDir     string              `json:"data_dir"`
	CacheDir    string              `json:"cache_dir"`  // where OpenClaw's command keeps files for a while
	StateDirs   []string            `json:"state_dirs"` // of OpenClaw, all that it writes in
	Path        []string            `json:"path"`
	Environment []string            `json:"environment"`
	Credentials []deploy.Credential `json:"credentials"`
	GatewayUnit string              `json:"gateway_unit"`
	Notes       []string            `json:"notes"`
}

const credentialsVariable = "CREDENTIALS_DIRECTORY"

// usualPath are the directories on every service's PATH.
//
//nolint:gochecknoglobals // a constant list
var usualPath = []string{"/usr/local/bin", "/usr/bin", "/bin"}

// credentialsDir is where files for LoadCredential= stand: beside the config.
func credentialsDir(configPath string) string {
	return filepath.Join(filepath.Dir(configPath), "credentials")
}

// environment is os.Getenv for a config file. What systemd hands to the service
// is read from where systemd has it, so that a config that names it can be used
// by every command.
func environment(configPath string) func(string) string {
	return func(name string) string {
		v := os.Getenv(name)
		if name != credentialsVariable || v != "" || configPath == "" {
			return v
		}
		dir, err := filepath.Abs(credentialsDir(configPath)) // a relative path would be looked for beside the config
		if err != nil {
			return ""
		}
		return dir
	}
}

func (g *global) writeWhereabouts(w io.Writer) error {
	found, err := g.whereabouts(os.Getenv)
	if err != nil {
		return err
	}
	return json.NewEncoder(w).Encode(found)
}

// errNoHome: without it a unit would be looked for below the working directory.
var errNoHome = errors.New("HOME is not set to an absolute path: set it to the account's home directory")

// whereabouts looks for everything as the service will.
func (g *global) whereabouts(getenv func(string) string) (whereabouts, error) {
	if !filepath.IsAbs(getenv("HOME")) {
		return whereabouts{}, errNoHome
	}
	path, there, err := config.Find(g.configPath)
	if err != nil {
		return whereabouts{}, err
	}
	if !there {
		path = ""
	} else if path, err = filepath.Abs(path); err != nil {
		return whereabouts{}, err
	}
	w := whereabouts{ConfigHome: configHome(getenv), ConfigFile: path, CacheDir: filepath.Join(getenv("HOME"), ".cache")}
	var used []string
	lookup := environment(path)
	cfg, err := config.Load(path, func(name string) string {
		used = append(used, name)
		return lookup(name)
	})
	if err != nil {
		return whereabouts{}, err
	}
	w.DataDir, w.GatewayUnit = cfg.DataDir, cfg.Restart.Unit
	if !strings.Contains(w.GatewayUnit, ".") {
		w.GatewayUnit += ".service"
	}
	if w.Environment, err = handedOn(cfg, used, getenv); err != nil {
		return whereabouts{}, err
	}
	if w.Credentials, err = credentials(path); err != nil {
		return whereabouts{}, err
	}
	err = w.openClaw(cfg, getenv)
	return w, err
}

// findOpenClaw finds the one that the config means.
func findOpenClaw(cfg *config.Config) (*openclaw.Install, error) {
	return openclaw.Find(openclaw.Options{StateDir: cfg.OpenClaw.StateDir, Command: cfg.OpenClaw.Command})
}

// openClaw adds what OpenClaw has.
func (w *whereabouts) openClaw(cfg *config.Config, getenv func(string) string) error {
	in, err := findOpenClaw(cfg)
	if err != nil {
		return err
	}
	w.StateDirs = []string{in.StateDir}
	for _, dir := range in.WatchDirs() {
		if rel, err := filepath.Rel(in.StateDir, dir); err != nil || strings.HasPrefix(rel, "..") {
			w.StateDirs = append(w.StateDirs, dir)
		}
	}
	add := func(dir string) {
		if filepath.IsAbs(dir) && !slices.Contains(w.Path, dir) {
			w.Path = append(w.Path, dir)
		}
	}
	if command, err := exec.LookPath(in.Command); err == nil { // doctor says where there is none
		add(filepath.Dir(command))
	}
	if node, err := exec.LookPath("node"); err == nil {
		add(filepath.Dir(node))
	}
	for _, dir := range usualPath {
		add(dir)
	}
	if getenv("OPENCLAW_GATEWAY_TOKEN") != "" && cfg.OpenClaw.Gateway.Token.Empty() {
		w.Notes = append(w.Notes, "$OPENCLAW_GATEWAY_TOKEN is set here and is not given to the service: where openclaw.json does not name the token, set openclaw.gateway.token_file")
	}
	return nil
}

func configHome(getenv func(string) string) string {
	if dir := getenv("XDG_CONFIG_HOME"); filepath.IsAbs(dir) {
		return dir
	}
	return filepath.Join(getenv("HOME"), ".config")
}

// handedOn are the variables that the service needs as they are here. Secrets
// are refused: a unit can be read by everybody.
func handedOn(cfg *config.Config, used []string, getenv func(string) string) ([]string, error) {
	if secrets := cfg.SecretEnv(); len(secrets) > 0 {
		return nil, fmt.Errorf("the config file takes a secret from $%s, which a service does not have: write it into a file in the directory %s beside the config file, and name that as …_file: ${%s}/FILE",
			strings.Join(secrets, " and $"), filepath.Base(credentialsDir("x")), credentialsVariable)
	}
	names := append([]string{
		"XDG_CONFIG_HOME", "XDG_STATE_HOME", "OPENCLAW_STATE_DIR", "OPENCLAW_CONFIG_PATH", "OPENCLAW_PROFILE", "OPENCLAW_HOME",
	}, used...)
	var env []string
	for _, name := range slices.Compact(slices.Sorted(slices.Values(names))) {
		if v := getenv(name); v != "" && name != "HOME" && name != credentialsVariable {
			env = append(env, name+"="+v)
		}
	}
	return env, nil
}

// credentials lists the files of the credentials directory.
func credentials(configPath string) ([]deploy.Credential, error) {
	if configPath == "" {
		return nil, nil
	}
	dir := credentialsDir(configPath)
	entries, err := os.ReadDir(dir)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("the credentials: %w", err)
	}
	var list []deploy.Credential
	for _, e := range entries {
		path := filepath.Join(dir, e.Name())
		info, err := os.Stat(path)
		if err != nil {
			return nil, fmt.Errorf("the credentials: %w", err)
		}
		if !info.Mode().IsRegular() || strings.HasSuffix(e.Name(), "~") {
			continue
		}
		if info.Mode().Perm()&0o077 != 0 {
			return nil, fmt.Errorf("others can read %s (mode %04o); run `chmod 600 %s`", path, info.Mode().Perm(), path)
		}
		list = append(list, deploy.Credential{Name: e.Name(), File: path})
	}
	return list, nil
}

// service is the unit for these places.
func (g *global) service(ctx context.Context, f *installFlags, who account, place whereabouts, run deploy.Runner) (deploy.Service, error) {
	self, err := os.Executable()
	if err != nil {
		return deploy.Service{}, fmt.Errorf("finding the program itself: %w", err)
	}
	s := deploy.Service{
		System: f.system, Account: who.Username, Exec: []string{self},
		Environment: append([]string{"PATH=" + strings.Join(place.Path, ":")}, place.Environment...),
		Credentials: place.Credentials, Confined: f.system || deploy.Confines(ctx, run),
	}
	if g.configPath != "" {
		s.Exec = append(s.Exec, "--config", place.ConfigFile)
	}
	s.Exec = append(s.Exec, "run")
	if rel, below := strings.CutPrefix(place.DataDir, "/var/lib/"); below && f.system {
		s.StateDirectory = rel
	} else {
		s.Writable = []string{place.DataDir}
	}
	// OpenClaw's command writes its log to /tmp, and its locks, by which it and the
	// gateway keep out of each other's way; without a directory for the rest,
	// ~/.cache at the last, it does not start.
	s.Writable = append(append(s.Writable, place.StateDirs...), place.CacheDir, "/tmp")
	if !f.system {
		s.Beside = []string{place.GatewayUnit}
		return s, nil
	}
	s.Beside = []string{"network-online.target", "user@" + strconv.Itoa(who.uid) + ".service"}
	said, err := deploy.Properties(ctx, run, true, place.GatewayUnit, "LoadState")
	if err == nil && said["LoadState"] == "loaded" {
		s.Beside[1] = place.GatewayUnit
		if who.uid != 0 && deploy.RulesKept() {
			s.Restarts = place.GatewayUnit
		}
	}
	return s, nil
}
