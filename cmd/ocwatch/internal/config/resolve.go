package config

import (
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"syscall"

	"github.com/ocwatch/ocwatch/internal/secret"
)

// variable is ${NAME}; $${ is a literal ${.
var variable = regexp.MustCompile(`\$?\$\{[^}]*\}?`)

var variableName = regexp.MustCompile(`^\$\{([A-Za-z_][A-Za-z0-9_]*)\}$`)

// expand replaces each ${NAME} by the environment's value. One that is unset or
// empty is an error: an empty secret would be worse than none. names are those
// of the variables.
func expand(raw string, env func(string) string) (text string, names []string, err error) {
	text = variable.ReplaceAllStringFunc(raw, func(match string) string {
		if strings.HasPrefix(match, "$$") {
			return match[1:]
		}
		name := variableName.FindStringSubmatch(match)
		if name == nil {
			err = errors.New("want ${NAME} for an environment variable, or $${ for a literal ${")
			return ""
		}
		value := env(name[1])
		if value == "" {
			err = fmt.Errorf("the environment variable %s is not set", short(name[1]))
		}
		names = append(names, name[1])
		return value
	})
	return text, names, err
}

// resolve makes paths absolute and reads the secrets that files hold.
func (d *decoder) resolve(c *Config, path string) {
	dir, err := filepath.Abs(filepath.Dir(path))
	if err != nil {
		d.fail(1, "working directory: %v", err)
		return
	}
	if c.DataDir == "" {
		if c.DataDir = base(d.env, "XDG_STATE_HOME", ".local/state"); c.DataDir == "" {
			d.failAt("data_dir", "HOME is not set; set data_dir")
			return
		}
		c.DataDir = filepath.Join(c.DataDir, "ocwatch")
	}
	d.path(&c.DataDir, "data_dir", dir)
	d.path(&c.OpenClaw.StateDir, "openclaw.state_dir", dir)
	if strings.Contains(c.OpenClaw.Command, "/") {
		d.path(&c.OpenClaw.Command, "openclaw.command", dir)
	}
	d.secret(&c.OpenClaw.Gateway.Token, &c.OpenClaw.Gateway.TokenFile, "openclaw.gateway.token", dir)
	for i := range c.Notify.Webhooks {
		w := &c.Notify.Webhooks[i]
		d.secret(&w.Secret, &w.SecretFile, fmt.Sprintf("notify.webhooks[%d].secret", i), dir)
	}
	for i := range c.Notify.Channels {
		ch := &c.Notify.Channels[i]
		d.secret(&ch.URL, &ch.URLFile, fmt.Sprintf("notify.channels[%d].url", i), dir)
	}
	d.secret(&c.Web.Token, &c.Web.TokenFile, "web.token", dir)
	d.path(&c.Web.CertFile, "web.cert_file", dir)
	d.path(&c.Web.KeyFile, "web.key_file", dir)
	d.secret(&c.Heartbeat.URL, &c.Heartbeat.URLFile, "heartbeat.url", dir)
	for id, provider := range c.Probe.Providers {
		d.sample(&provider.Generic, "probe.providers."+id+".generic.sample", dir)
		c.Probe.Providers[id] = provider
	}
	if !d.has("heartbeat.every") {
		c.Heartbeat.Every = max(c.Heartbeat.Every, min(c.Probe.Every.Shortest(), maxEvery))
	}
	d.inPlaceSecrets(path)
}

// path makes *p absolute: ~ is HOME, and a relative path starts at the config
// file's directory, wherever ocwatch was started.
func (d *decoder) path(p *string, key, dir string) {
	rest, home := strings.CutPrefix(*p, "~")
	switch {
	case *p == "":
	case home && rest != "" && rest[0] != '/':
		d.failAt(key, "~ stands for your own home directory only; write the whole path")
	case home && d.env("HOME") == "":
		d.failAt(key, "HOME is not set; write the whole path")
	case home:
		*p = filepath.Join(d.env("HOME"), rest)
	case !filepath.IsAbs(*p):
		*p = filepath.Join(dir, *p)
	}
}

// secret fills *v from *file, where one is named.
func (d *decoder) secret(v *secret.Value, file *string, key, dir string) {
	if *file == "" {
		return
	}
	if !v.Empty() {
		d.failAt(key+"_file", "%s is set too; keep one of the two", key)
		return
	}
	d.path(file, key+"_file", dir)
	read, err := readSecret(*file, d.env("CREDENTIALS_DIRECTORY"))
	if err != nil {
		d.failAt(key+"_file", "%v", err)
		return
	}
	*v = read
}

// readSecret reads a file that holds one secret and nothing else, in one line.
// Files that systemd handed over in its credentials directory are not checked
// for who can read them: it guards the directory, and shows group bits that
// mean the service alone.
func readSecret(path, credentials string) (secret.Value, error) {
	f, err := os.Open(path)
	if err != nil {
		return secret.Value{}, err // "open PATH: why" says it all
	}
	defer f.Close() //nolint:errcheck // it was only read
	if credentials == "" || filepath.Dir(path) != filepath.Clean(credentials) {
		info, err := f.Stat()
		if err != nil {
			return secret.Value{}, err // "stat PATH: why" says it all
		}
		if err := ownersAlone(path, info, os.Geteuid()); err != nil {
			return secret.Value{}, err
		}
	}
	data, err := io.ReadAll(io.LimitReader(f, maxSize))
	if err != nil {
		return secret.Value{}, err // "read PATH: why" says it all
	}
	text := strings.TrimRight(string(data), "\r\n")
	if text == "" {
		return secret.Value{}, fmt.Errorf("%s is empty", path)
	}
	v, err := parseSecret(text)
	if err != nil {
		return secret.Value{}, fmt.Errorf("%s: %w", path, err)
	}
	return v, nil
}

// parseSecret refuses what no secret is, so that a wrong file is not taken for
// one. Its errors never hold the text.
func parseSecret(text string) (secret.Value, error) {
	if strings.ContainsAny(text, "\r\n\x00") {
		return secret.Value{}, errors.New("want one line")
	}
	if text != strings.TrimSpace(text) {
		return secret.Value{}, errors.New("there is a space before or after the secret")
	}
	return secret.New(text), nil
}

// ownersAlone fails unless the file is that of the account uid or of root, and
// nobody else can read or write it.
func ownersAlone(path string, info os.FileInfo, uid int) error {
	if !info.Mode().IsRegular() {
		return fmt.Errorf("%s is not a file", path)
	}
	if stat, ok := info.Sys().(*syscall.Stat_t); ok && stat.Uid != 0 && int(stat.Uid) != uid {
		return fmt.Errorf("%s belongs to another account (uid %d); run `chown %d %s`", path, stat.Uid, uid, path)
	}
	if mode := info.Mode().Perm(); mode&0o077 != 0 {
		return fmt.Errorf("others can read %s (mode %04o); run `chmod 600 %s`", path, mode, path)
	}
	return nil
}

// inPlaceSecrets holds a config file with a secret in it to the rules of a
// secret file.
func (d *decoder) inPlaceSecrets(path string) {
	if len(d.inPlace) == 0 {
		return
	}
	info, err := os.Stat(path)
	if err == nil {
		err = ownersAlone(path, info, os.Geteuid())
	}
	if err != nil {
		d.failAt(d.inPlace[0], "the file holds a secret, and %v; or move the secret to a file of its own (%s_file)", err, d.inPlace[0])
	}
}
