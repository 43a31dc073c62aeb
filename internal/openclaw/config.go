package openclaw

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"slices"
	"strings"

	"github.com/titanous/json5"

	"github.com/ocwatch/ocwatch/internal/secret"
)

// Config is what ocwatch needs of openclaw.json. A zero field was not set.
type Config struct {
	GatewayPort     int
	GatewayBind     string // loopback, lan, tailnet, auto, custom
	GatewayMode     string // local or remote
	GatewayTLS      bool
	GatewayTLSCert  string // file of the gateway's own certificate
	GatewayAuthMode string // token, password, none, trusted-proxy
	GatewayToken    secret.Value
	GatewayPassword secret.Value
	// GatewaySecretRef reports that token or password is a reference that only
	// OpenClaw can resolve; the field itself is then empty.
	GatewaySecretRef bool
	AuthOrder        map[string][]string      // auth.order: provider to profile ids
	AuthProfiles     map[string]ConfigProfile // auth.profiles, by profile id
	Agents           []string                 // ids of agents.entries or agents.list
	AgentDirs        map[string]string        // by agent id: a directory other than the usual one
	Providers        map[string]Provider      // models.providers, by provider id in lower case
	Fallbacks        []string                 // agents.defaults.model.fallbacks
}

// ConfigProfile is one entry of auth.profiles.
type ConfigProfile struct {
	Provider string
	Mode     string // oauth, token or api_key
}

// Config reads openclaw.json, with what it includes, and never writes it. A
// missing file is a zero Config.
func (i *Install) Config() (Config, error) {
	raw, err := readFile(i.ConfigPath, maxConfigBytes)
	if errors.Is(err, fs.ErrNotExist) {
		return Config{}, nil
	}
	if err != nil {
		return Config{}, configError(i.ConfigPath, err)
	}
	root, err := i.includer().parse(raw)
	if err != nil {
		return Config{}, configError(i.ConfigPath, err)
	}
	return i.decodeConfig(root), nil
}

// configError leaves the mending to OpenClaw's own tool, which names line and
// key and knows every release's rules.
func configError(path string, err error) error {
	return fmt.Errorf("read %s: %w; run openclaw config validate, which says where", path, err)
}

// maxConfigDepth is far beyond any real config. The JSON5 parser recurses, and
// a stack that overflows cannot be recovered from.
const maxConfigDepth = 500

// parseJSON5 reads JSON first, as OpenClaw does, then JSON5. A byte order mark
// is white space to JavaScript.
func parseJSON5(raw []byte) (any, error) {
	raw = bytes.TrimPrefix(raw, []byte("\xef\xbb\xbf"))
	var v any
	if json.Unmarshal(raw, &v) == nil {
		return v, nil
	}
	if tooDeep(raw) {
		return nil, errors.New("nested too deeply")
	}
	if err := json5.Unmarshal(raw, &v); err != nil {
		return nil, fmt.Errorf("not valid JSON5: %w", err)
	}
	return v, nil
}

// tooDeep counts brackets without looking for strings and comments: it may
// refuse an absurd file, and never passes a dangerous one.
func tooDeep(raw []byte) bool {
	opened := bytes.Count(raw, []byte("[")) + bytes.Count(raw, []byte("{"))
	if opened <= maxConfigDepth {
		return false
	}
	depth, deepest := 0, 0
	for _, b := range raw {
		switch b {
		case '[', '{':
			depth++
			deepest = max(deepest, depth)
		case ']', '}':
			depth = max(0, depth-1)
		}
	}
	return deepest > maxConfigDepth
}

func (i *Install) decodeConfig(root any) Config {
	env := i.configEnv(root)
	gateway := field(root, "gateway")
	c := Config{
		GatewayPort:     port(field(gateway, "port")),
		GatewayBind:     env.expand(text(field(gateway, "bind"))),
		GatewayMode:     env.expand(text(field(gateway, "mode"))),
		GatewayTLS:      field(gateway, "tls", "enabled") == true,
		GatewayAuthMode: env.expand(text(field(gateway, "auth", "mode"))),
	}
	if cert := env.expand(text(field(gateway, "tls", "certPath"))); cert != "" {
		c.GatewayTLSCert = expand(cert, i.opts.Home)
	}
	var refToken, refPassword bool
	c.GatewayToken, refToken = env.secret(field(gateway, "auth", "token"))
	c.GatewayPassword, refPassword = env.secret(field(gateway, "auth", "password"))
	c.GatewaySecretRef = refToken || refPassword
	c.AuthOrder = stringLists(field(root, "auth", "order"))
	c.AuthProfiles = configProfiles(field(root, "auth", "profiles"))
	c.Fallbacks = listed(field(root, "agents", "defaults", "model", "fallbacks"))
	c.Providers = i.providers(field(root, "models", "providers"), env)
	i.decodeAgents(&c, field(root, "agents"), env)
	return c
}

// decodeAgents reads both rosters: agents.entries of the present releases, an
// object by id, and the older agents.list.
func (i *Install) decodeAgents(c *Config, agents any, env substitution) {
	add := func(id string, entry any) {
		if id = agentID(id); id == "" || slices.Contains(c.Agents, id) {
			return
		}
		c.Agents = append(c.Agents, id)
		if dir := env.expand(text(field(entry, "agentDir"))); dir != "" {
			if c.AgentDirs == nil {
				c.AgentDirs = map[string]string{}
			}
			c.AgentDirs[id] = expand(dir, i.opts.Home)
		}
	}
	if entries, ok := field(agents, "entries").(map[string]any); ok {
		for _, id := range slices.Sorted(maps.Keys(entries)) {
			add(id, entries[id])
		}
	}
	if list, ok := field(agents, "list").([]any); ok {
		for _, entry := range list {
			add(text(field(entry, "id")), entry)
		}
	}
}

// agentID is an id as OpenClaw uses it in paths, "" where it is none.
func agentID(s string) string {
	s = strings.ToLower(strings.TrimSpace(s))
	if s == "" || len(s) > 64 || strings.Trim(s, "abcdefghijklmnopqrstuvwxyz0123456789_-") != "" {
		return ""
	}
	return s
}

func configProfiles(v any) map[string]ConfigProfile {
	entries, ok := v.(map[string]any)
	if !ok {
		return nil
	}
	out := make(map[string]ConfigProfile, len(entries))
	for id, e := range entries {
		out[id] = ConfigProfile{Provider: text(field(e, "provider")), Mode: text(field(e, "mode"))}
	}
	return out
}

// listed are the words of a list, nil where it is none.
func listed(v any) []string {
	list, _ := v.([]any)
	var out []string
	for _, item := range list {
		if s := text(item); s != "" {
			out = append(out, s)
		}
	}
	return out
}

func stringLists(v any) map[string][]string {
	entries, ok := v.(map[string]any)
	if !ok {
		return nil
	}
	out := make(map[string][]string, len(entries))
	for key, e := range entries {
		list, ok := e.([]any)
		if !ok {
			continue
		}
		out[key] = []string{}
		for _, item := range list {
			if s := text(item); s != "" {
				out[key] = append(out[key], s)
			}
		}
	}
	return out
}

// field walks into nested objects; nil where the path does not lead anywhere.
func field(v any, path ...string) any {
	for _, key := range path {
		object, ok := v.(map[string]any)
		if !ok {
			return nil
		}
		v = object[key]
	}
	return v
}

func text(v any) string {
	s, _ := v.(string)
	return strings.TrimSpace(s)
}

// port gives 0 for anything that is no TCP port.
func port(v any) int {
	f, ok := v.(float64)
	if !ok || f < 1 || f > 65535 || f != float64(int(f)) {
		return 0
	}
	return int(f)
}
