package config

import (
	"fmt"
	"path/filepath"
	"reflect"
	"strings"
	"testing"
)

// FuzzLoad: whatever a file holds, it is loaded or refused with a line of it,
// no message holds a secret, and what was loaded can be shown and loaded again.
func FuzzLoad(f *testing.F) {
	for _, pattern := range []string{"testdata/good/*.yaml", "testdata/bad/*.yaml"} {
		files, _ := filepath.Glob(pattern)
		for _, file := range files {
			f.Add(string(read1(f, file)))
		}
	}
	dir, env := world(f)
	file := filepath.Join(dir, "bad", "config.yaml")
	f.Fuzz(func(t *testing.T, text string) {
		write(t, file, []byte(text), 0o600)
		c, err := Load(file, env)
		if err != nil {
			complaint(t, file, text, err)
			return
		}
		if shown := show(t, c); strings.Contains(shown, hookSecret[6:]) {
			t.Errorf("the secret is shown:\n%s", shown)
		}
		for provider := range c.Failover.Pools {
			if p := c.Policy(provider); p.ReturnBelow >= p.SwitchAt {
				t.Errorf("%s: return_below %g, switch_at %g", provider, p.ReturnBelow, p.SwitchAt)
			}
		}
		if c.Probe.Timeout >= c.Probe.Every.Shortest() {
			t.Errorf("timeout %v, every %v", c.Probe.Timeout, c.Probe.Every)
		}
	})
}

func complaint(t *testing.T, file, text string, err error) {
	t.Helper()
	if strings.Contains(err.Error(), hookSecret[6:]) {
		t.Errorf("the secret is in the error: %v", err)
	}
	if len(text) > maxSize || strings.HasPrefix(err.Error(), "config file: ") {
		return
	}
	first, _, _ := strings.Cut(err.Error(), "\n")
	var line int
	if _, scanErr := fmt.Sscanf(strings.TrimPrefix(first, file+":"), "%d:", &line); scanErr != nil {
		t.Errorf("no line: %v", err)
	}
	if line < 1 || line > 2+strings.Count(text, "\n")+strings.Count(text, "\r") {
		t.Errorf("line %d of %d: %v", line, strings.Count(text, "\n")+1, err)
	}
}

// TestEveryTypeCanBeRead: a field of a type that the decoder does not know
// would be left empty without a word.
func TestEveryTypeCanBeRead(t *testing.T) {
	var visit func(reflect.Type, string)
	visit = func(typ reflect.Type, path string) {
		if _, leaf := parsers[typ]; leaf {
			return
		}
		switch typ.Kind() {
		case reflect.Struct:
			for i, key := range keysOf(typ) {
				if key == "" {
					t.Errorf("%s.%s has no yaml tag", path, typ.Field(i).Name)
				}
				visit(typ.Field(i).Type, path+"."+key)
			}
		case reflect.Map, reflect.Slice, reflect.Pointer:
			visit(typ.Elem(), path+"[]")
		default:
			t.Errorf("%s: nothing reads a %s", path, typ)
		}
	}
	visit(reflect.TypeFor[Config](), "")
}
