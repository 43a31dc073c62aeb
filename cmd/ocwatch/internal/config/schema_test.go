package config

import (
	"bytes"
	"encoding/json"
	"fmt"
	"maps"
	"path/filepath"
	"reflect"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/goccy/go-yaml"
	"github.com/santhosh-tekuri/jsonschema/v6"
)

func schema(t *testing.T) map[string]any {
	t.Helper()
	var s map[string]any
	if err := json.Unmarshal(schemaText(t), &s); err != nil {
		t.Fatal(err)
	}
	return s
}

func schemaText(t *testing.T) []byte {
	t.Helper()
	var out bytes.Buffer
	if err := Schema(&out); err != nil {
		t.Fatal(err)
	}
	return out.Bytes()
}

// compiled is the schema as an editor has it; compiling it holds it to its own
// schema, that of draft 2020-12.
func compiled(t *testing.T) *jsonschema.Schema {
	t.Helper()
	doc, err := jsonschema.UnmarshalJSON(bytes.NewReader(schemaText(t)))
	if err != nil {
		t.Fatal(err)
	}
	c := jsonschema.NewCompiler()
	if err := c.AddResource("schema.json", doc); err != nil {
		t.Fatal(err)
	}
	s, err := c.Compile("schema.json")
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// validate checks a YAML document as an editor does: as the JSON that it stands
// for.
func validate(t *testing.T, s *jsonschema.Schema, doc []byte) error {
	t.Helper()
	var v any
	if err := yaml.Unmarshal(bytes.TrimPrefix(doc, []byte("\ufeff")), &v); err != nil {
		t.Fatalf("%v\n%s", err, doc)
	}
	if v == nil {
		return nil // an empty file
	}
	text, err := json.Marshal(v)
	if err != nil {
		t.Fatal(err)
	}
	inst, err := jsonschema.UnmarshalJSON(bytes.NewReader(text))
	if err != nil {
		t.Fatal(err)
	}
	return s.Validate(inst)
}

// TestSchemaKeys: the schema has every key, and no other.
func TestSchemaKeys(t *testing.T) {
	var got []string
	eachKey(schema(t), "", func(key string, _ map[string]any) { got = append(got, key) })
	want := Keys()
	slices.Sort(got)
	slices.Sort(want)
	if !slices.Equal(got, want) {
		t.Errorf("in the schema:\n%s\nexist:\n%s", strings.Join(got, "\n"), strings.Join(want, "\n"))
	}
}

// eachKey calls f with each key that has a value, as Keys lists them.
func eachKey(s map[string]any, path string, f func(string, map[string]any)) {
	if properties, ok := s["properties"].(map[string]any); ok {
		for key, inner := range properties {
			eachKey(inner.(map[string]any), strings.TrimPrefix(path+"."+key, "."), f)
		}
		return
	}
	if each, ok := s["additionalProperties"].(map[string]any); ok {
		if each["properties"] == nil {
			f(path+".<profile>", each)
			return
		}
		eachKey(each, path+".<provider>", f)
		return
	}
	if items, ok := s["items"].(map[string]any); ok && items["properties"] != nil {
		eachKey(items, path+"[]", f)
		return
	}
	f(path, s)
}

// TestSchemaEnums: Load refuses another word with the very list of the schema.
func TestSchemaEnums(t *testing.T) {
	dir, env := world(t)
	for _, key := range slices.Sorted(maps.Keys(enums())) {
		file := filepath.Join(dir, "enum.yaml")
		write(t, file, []byte(nested(strings.Split(strings.ReplaceAll(key, "<provider>", "acme"), "."), "zzzzzzzzzzzz")), 0o600)
		_, err := Load(file, env)
		if want := oneOf(enums()[key]); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: Load says %v; the schema has %s", key, err, want)
		}
	}
}

// nested is the YAML that sets one key.
func nested(path []string, value string) string {
	if len(path) == 0 {
		return value
	}
	key, list := strings.CutSuffix(path[0], "[]")
	inner := nested(path[1:], value)
	if list {
		inner = "[" + inner + "]"
	}
	return fmt.Sprintf("{%q: %s}", key, inner)
}

// TestSchemaAllows: what Load takes, the schema allows: the good files, and every
// example of the documents.
func TestSchemaAllows(t *testing.T) {
	s := compiled(t)
	docs := map[string][]byte{}
	for _, pattern := range []string{"testdata/good/*.yaml", "../../../../docs/*.md", "../../../../README*.md"} {
		files, err := filepath.Glob(pattern)
		if err != nil || len(files) == 0 {
			t.Fatalf("%s: %d files, %v", pattern, len(files), err)
		}
		for _, f := range files {
			if filepath.Ext(f) == ".yaml" {
				docs[f] = read1(t, f)
				continue
			}
			for i, block := range yamlBlocks.FindAllStringSubmatch(string(read1(t, f)), -1) {
				if ours.MatchString(block[1]) {
					docs[fmt.Sprintf("%s, example %d", f, i+1)] = []byte(block[1])
				}
			}
		}
	}
	if len(docs) < 30 {
		t.Errorf("%d examples found", len(docs))
	}
	for name, doc := range docs {
		if err := validate(t, s, doc); err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
}

var (
	yamlBlocks = regexp.MustCompile("(?s)```yaml\n(.*?)```")
	// ours begins with a key of the config: documents show YAML of others too.
	ours = regexp.MustCompile("(?m)\\A(#.*\n)*(" + strings.Join(keysOf(reflect.TypeFor[Config]()), "|") + "):")
)

// TestSchemaRefuses: the usual mistakes are seen in the editor.
func TestSchemaRefuses(t *testing.T) {
	s := compiled(t)
	for _, doc := range []string{
		"falover: {}", "failover: {swich_at: 90}", "failover: {switch_at: 950}", "failover: {switch_at: 0.5}", "failover: {min_dwell: 5}", "failover: {paid: sometimes}",
		"restart: {budget: 3}", "probe: {providers: {OpenAI: {}}}", "notify: {webhooks: {name: ops}}", "notify: {webhooks: [{events: [pool.lost]}]}",
		"failover: {pools: {openai: {keep: {work: 10}}}}", "failover: {pools: {openai: {keep: {'openai:work': 60}}}}", "listen: true",
		"probe: {every: [1m]}", "openclaw: main", "notify: {channels: [{openclaw: {chanel: telegram}}]}", "probe: {timeout: 10}", "log: {level: loud}",
	} {
		if validate(t, s, []byte(doc)) == nil {
			t.Errorf("allowed: %s", doc)
		}
	}
}

// TestSchemaTypos: a slip in any key is refused, wherever it stands.
func TestSchemaTypos(t *testing.T) {
	s := compiled(t)
	for _, key := range Keys() {
		path := strings.Split(strings.NewReplacer("<provider>", "acme", ".<profile>", "").Replace(key), ".")
		last := len(path) - 1
		path[last] = strings.TrimSuffix(path[last], "[]") + "x"
		if validate(t, s, []byte(nested(path, "1m"))) == nil {
			t.Errorf("%s can be written %s", key, strings.Join(path, "."))
		}
	}
}

// TestSchemaDescribes: each key says what it is, and its default is the one of
// the documentation.
func TestSchemaDescribes(t *testing.T) {
	eachKey(schema(t), "", func(key string, s map[string]any) {
		text, _ := s["description"].(string)
		if len(text) < 8 || strings.Contains(text, "](") {
			t.Errorf("%s is described as %q", key, text)
		}
		def, has := s["default"]
		if !has {
			if !strings.Contains(text, " Default: ") {
				t.Errorf("%s: nothing is said of its default: %q", key, text)
			}
			return
		}
		if want := fmt.Sprintf("`%v`", def); !strings.HasPrefix(keyDocs[key].def, want) {
			t.Errorf("%s: the default is %s, documented %s", key, want, keyDocs[key].def)
		}
	})
}
