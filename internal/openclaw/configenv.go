package openclaw

import (
	"path/filepath"
	"regexp"
	"strings"

	"github.com/ocwatch/ocwatch/internal/secret"
)

// substitution resolves ${NAME} in config strings the way OpenClaw does: from
// the process, then the .env file of the state directory, then the config's own
// env section.
type substitution struct{ lookup func(name string) string }

var variable = regexp.MustCompile(`\$?\$\{[A-Z_][A-Z0-9_]*\}`)

// expand gives s with its variables; s unresolved where one is missing or
// empty, since half a value is worse than none.
func (e substitution) expand(s string) string {
	out, ok := e.resolve(s)
	if !ok {
		return s
	}
	return out
}

func (e substitution) resolve(s string) (string, bool) {
	complete := true
	out := variable.ReplaceAllStringFunc(s, func(m string) string {
		if literal, ok := strings.CutPrefix(m, "$$"); ok {
			return "$" + literal
		}
		v := e.lookup(m[2 : len(m)-1])
		complete = complete && v != ""
		return v
	})
	return out, complete
}

// secret reads a token or password. It reports ref where there is one and only
// OpenClaw can resolve it.
func (e substitution) secret(v any) (value secret.Value, ref bool) {
	if object, ok := v.(map[string]any); ok {
		if name := text(object["id"]); text(object["source"]) == "env" && name != "" {
			found := strings.TrimSpace(e.lookup(name))
			return secret.New(found), found == ""
		}
		return secret.Value{}, true
	}
	out, ok := e.resolve(text(v))
	if !ok {
		return secret.Value{}, true
	}
	return secret.New(out), false
}

func (i *Install) configEnv(root any) substitution {
	file := i.dotEnv()
	own := field(root, "env")
	return substitution{lookup: func(name string) string {
		if v := i.opts.Getenv(name); v != "" {
			return v
		}
		if v := file[name]; v != "" {
			return v
		}
		if v := text(field(own, "vars", name)); v != "" {
			return v
		}
		return text(field(own, name))
	}}
}

// getenv is a variable as the gateway sees it: of the process, else of the .env
// file in the state directory.
func (i *Install) getenv(name string) string {
	if v := strings.TrimSpace(i.opts.Getenv(name)); v != "" {
		return v
	}
	return strings.TrimSpace(i.dotEnv()[name])
}

// dotEnv reads the state directory's .env. A file that cannot be read counts as
// none: it is optional, and what then lacks is named where it is needed.
func (i *Install) dotEnv() map[string]string {
	raw, err := readFile(filepath.Join(i.StateDir, ".env"), maxConfigBytes)
	if err != nil {
		return nil
	}
	return parseDotEnv(string(raw))
}

func parseDotEnv(raw string) map[string]string {
	out := map[string]string{}
	for line := range strings.Lines(strings.TrimPrefix(raw, "\ufeff")) {
		line = strings.TrimPrefix(strings.TrimSpace(line), "export ")
		name, value, ok := strings.Cut(line, "=")
		if name = strings.TrimSpace(name); !ok || name == "" || strings.HasPrefix(name, "#") {
			continue
		}
		out[name] = unquoteEnv(strings.TrimSpace(value))
	}
	return out
}

func unquoteEnv(v string) string {
	for _, quote := range []string{`"`, `'`, "`"} {
		if rest, ok := strings.CutPrefix(v, quote); ok {
			if inner, _, closed := strings.Cut(rest, quote); closed {
				return inner
			}
		}
	}
	if v, _, ok := strings.Cut(v, " #"); ok {
		return strings.TrimSpace(v)
	}
	return v
}
