package openclaw

import (
	"encoding/json"
	"fmt"
	"path/filepath"
	"reflect"
	"strings"
	"syscall"
	"testing"
	"time"
)

func TestConfigReads(t *testing.T) {
	i := newInstall(t, map[string]string{"openclaw.json": "\ufeff" + `// a comment
{
  gateway: { port: 28791, bind: 'loopback', mode: "local", auth: { mode: "token", token: "tok", }, tls: {enabled: true, certPath: "~/c.pem"} },
  auth: { order: { openai: ["openai:a", 7, "openai:b"], odd: 3 }, profiles: { "openai:a": { provider: "openai", mode: "oauth" } } },
  agents: { defaults: { model: { primary: "openai/x", fallbacks: ["openai/y", 7] } }, entries: { work: { agentDir: "~/w" }, Main: {} }, list: [ { id: "old" }, { id: "work" }, { id: "../x" }, 3 ] },
}`})
	c, err := i.Config()
	if err != nil {
		t.Fatal(err)
	}
	home := filepath.Dir(i.StateDir)
	want := Config{
		GatewayPort: 28791, GatewayBind: "loopback", GatewayMode: "local", GatewayTLS: true, GatewayTLSCert: filepath.Join(home, "c.pem"),
		GatewayAuthMode: "token", GatewayToken: secretOf("tok"),
		AuthOrder:    map[string][]string{"openai": {"openai:a", "openai:b"}},
		AuthProfiles: map[string]ConfigProfile{"openai:a": {Provider: "openai", Mode: "oauth"}},
		Fallbacks:    []string{"openai/y"},
		Agents:       []string{"main", "work", "old"}, AgentDirs: map[string]string{"work": filepath.Join(home, "w")},
	}
	if !reflect.DeepEqual(c, want) {
		t.Errorf("got  %+v\nwant %+v", c, want)
	}
}

func TestConfigSecrets(t *testing.T) {
	cases := []struct {
		name, token, config, dotEnv string
		vars                        map[string]string
		want                        string
		ref                         bool
	}{
		{name: "plain", token: `"tok"`, want: "tok"},
		{name: "none", token: `null`},
		{name: "variable", token: `"${TOK}"`, vars: map[string]string{"TOK": "v"}, want: "v"},
		{name: "variable within", token: `"a-${TOK}-b"`, vars: map[string]string{"TOK": "v"}, want: "a-v-b"},
		{name: "variable of .env", token: `"${TOK}"`, dotEnv: "# x\nexport TOK=\"v w\" # why\n", want: "v w"},
		{name: "variable of the config", token: `"${TOK}"`, config: `"env":{"vars":{"TOK":"v"}},`, want: "v"},
		{name: "process before .env", token: `"${TOK}"`, dotEnv: "TOK=file", vars: map[string]string{"TOK": "v"}, want: "v"},
		{name: "variable missing", token: `"${TOK}"`, ref: true},
		{name: "escaped", token: `"$${TOK}"`, want: "${TOK}"},
		{name: "lower case is no variable", token: `"${tok}"`, want: "${tok}"},
		{name: "reference to the environment", token: `{"source":"env","provider":"default","id":"TOK"}`, vars: map[string]string{"TOK": "v"}, want: "v"},
		{name: "reference elsewhere", token: `{"source":"exec","provider":"x","id":"y"}`, ref: true},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			files := map[string]string{"openclaw.json": `{` + c.config + `"gateway":{"auth":{"token":` + c.token + `}}}`, ".env": c.dotEnv}
			got, err := newInstallEnv(t, files, c.vars).Config()
			if err != nil {
				t.Fatal(err)
			}
			if got.GatewayToken.Reveal() != c.want || got.GatewaySecretRef != c.ref {
				t.Errorf("token %q, ref %v; want %q, %v", got.GatewayToken.Reveal(), got.GatewaySecretRef, c.want, c.ref)
			}
		})
	}
}

func TestConfigIncludes(t *testing.T) {
	i := newInstall(t, map[string]string{
		"openclaw.json": `{gateway:{$include:"./g.json5", bind:"lan"}, agents:{$include:["a.json","b.json"]}}`,
		"g.json5":       `{port: 1234, bind: "loopback", auth: {$include: "sub/auth.json"}}`,
		"sub/auth.json": `{"mode":"token"}`,
		"a.json":        `{"list":[{"id":"one"}]}`,
		"b.json":        `{"list":[{"id":"two"}]}`,
	})
	c, err := i.Config()
	if err != nil {
		t.Fatal(err)
	}
	if c.GatewayPort != 1234 || c.GatewayBind != "lan" || c.GatewayAuthMode != "token" || !reflect.DeepEqual(c.Agents, []string{"one", "two"}) {
		t.Errorf("got %+v", c)
	}
}

func TestConfigErrorsNameFileAndMend(t *testing.T) {
	cases := map[string]struct {
		files map[string]string
		want  string
	}{
		"truncated":        {map[string]string{"openclaw.json": `{gateway: {port:`}, "not valid JSON5"},
		"empty":            {map[string]string{"openclaw.json": ``}, "not valid JSON5"},
		"deep":             {map[string]string{"openclaw.json": strings.Repeat("[", 100_000)}, "nested too deeply"},
		"large":            {map[string]string{"openclaw.json": strings.Repeat(" ", maxConfigBytes+1)}, "more than"},
		"include missing":  {map[string]string{"openclaw.json": `{$include:"x.json"}`}, "include x.json"},
		"include circle":   {map[string]string{"openclaw.json": `{$include:"x.json"}`, "x.json": `{$include:"x.json"}`}, "includes itself"},
		"include outside":  {map[string]string{"openclaw.json": `{$include:"../../../../../../etc/passwd"}`}, "outside the config's directory"},
		"include a number": {map[string]string{"openclaw.json": `{$include:3}`}, "neither a file name"},
		"include not one":  {map[string]string{"openclaw.json": `{$include:[3]}`}, "no file name"},
		"include an array": {map[string]string{"openclaw.json": `{a:{$include:"x.json", b:1}}`, "x.json": `[]`}, "keys beside $include"},
		"include many": {map[string]string{
			"openclaw.json": `{$include:[` + strings.Repeat(`"x.json",`, maxIncludedFiles+1) + `]}`, "x.json": `{}`,
		}, "too many included files"},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			i := newInstall(t, c.files)
			_, err := i.Config()
			if err == nil {
				t.Fatal("no error")
			}
			for _, want := range []string{i.ConfigPath, c.want, "openclaw config validate"} {
				if !strings.Contains(err.Error(), want) {
					t.Errorf("%q does not say %q", err, want)
				}
			}
		})
	}
}

func TestConfigIncludeDepth(t *testing.T) {
	files := map[string]string{"openclaw.json": `{$include:"0.json"}`}
	for n := range 15 {
		files[fmt.Sprintf("%d.json", n)] = fmt.Sprintf(`{"$include":"%d.json"}`, n+1)
	}
	if _, err := newInstall(t, files).Config(); err == nil || !strings.Contains(err.Error(), "nested more than 10 deep") {
		t.Fatalf("err = %v", err)
	}
}

func TestConfigMissingIsZero(t *testing.T) {
	c, err := newInstall(t, nil).Config()
	if err != nil || !reflect.DeepEqual(c, Config{}) {
		t.Fatalf("%+v, %v", c, err)
	}
}

func TestConfigNamedPipeDoesNotHang(t *testing.T) {
	i := newInstall(t, nil)
	if err := syscall.Mkfifo(i.ConfigPath, 0o600); err != nil {
		t.Fatal(err)
	}
	done := make(chan error, 1)
	go func() {
		_, err := i.Config()
		done <- err
	}()
	select {
	case err := <-done:
		if err == nil || !strings.Contains(err.Error(), "not a regular file") {
			t.Fatalf("err = %v", err)
		}
	case <-time.After(10 * time.Second):
		t.Fatal("still reading")
	}
}

func FuzzConfig(f *testing.F) {
	for _, seed := range []string{
		`{}`, `{gateway:{port:1,auth:{token:"${X}"}}}`, `{'a':+Infinity,b:0x1F,/* c */d:"\
"}`, "\ufeff{}", `[[[[`, `{agents:{list:[{id:"a"}],entries:{b:{}}}}`, `{$include:["a"]}`, `null`, `{gateway:{port:1e99}}`,
	} {
		f.Add(seed)
	}
	dir := f.TempDir()
	f.Fuzz(func(t *testing.T, raw string) {
		i := &Install{StateDir: dir, ConfigPath: filepath.Join(dir, "openclaw.json"), opts: Options{Home: dir, Getenv: env(nil)}}
		v, err := i.includer().parse([]byte(raw))
		if err != nil {
			return
		}
		c := i.decodeConfig(v)
		if c.GatewayPort < 0 || c.GatewayPort > 65535 {
			t.Errorf("port %d", c.GatewayPort)
		}
		for _, id := range c.Agents {
			if agentID(id) != id || strings.ContainsAny(id, "/.") {
				t.Errorf("agent id %q may lead out of its directory", id)
			}
		}
		if _, err := json.Marshal(c); err != nil {
			t.Error(err)
		}
	})
}
