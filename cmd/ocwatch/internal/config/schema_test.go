package config

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/goccy/go-yaml"
)

func schema(t *testing.T) map[string]any {
	t.Helper()
	var out bytes.Buffer
	if err := Schema(&out); err != nil {
		t.Fatal(err)
	}
	var s map[string]any
	if err := json.Unmarshal(out.Bytes(), &s); err != nil {
		t.Fatal(err)
	}
	return s
}

// TestSchemaKeys: the schema has every key, and no other.
func TestSchemaKeys(t *testing.T) {
	got, want := schemaKeys(schema(t), ""), Keys()
	slices.Sort(got)
	slices.Sort(want)
	if !slices.Equal(got, want) {
		t.Errorf("in the schema:\n%s\nexist:\n%s", strings.Join(got, "\n"), strings.Join(want, "\n"))
	}
}

func schemaKeys(s map[string]any, path string) []string {
	var keys []string
	if properties, ok := s["properties"].(map[string]any); ok {
		for key, inner := range properties {
			keys = append(keys, schemaKeys(inner.(map[string]any), strings.TrimPrefix(path+"."+key, "."))...)
		}
		return keys
	}
	if each, ok := s["additionalProperties"].(map[string]any); ok {
		if each["properties"] == nil {
			return []string{path + ".<profile>"}
		}
		return schemaKeys(each, path+".<provider>")
	}
	if items, ok := s["items"].(map[string]any); ok && items["properties"] != nil {
		return schemaKeys(items, path+"[]")
	}
	return []string{path}
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

// TestSchemaAllows: what Load takes, the schema allows.
func TestSchemaAllows(t *testing.T) {
	s := schema(t)
	files, err := filepath.Glob("testdata/good/*.yaml")
	if err != nil || len(files) == 0 {
		t.Fatalf("%d examples, %v", len(files), err)
	}
	docs := map[string][]byte{}
	for _, f := range files {
		docs[f] = read1(t, f)
	}
	for i, block := range regexp.MustCompile("(?s)```yaml\n(.*?)```").FindAllStringSubmatch(string(read1(t, reference)), -1) {
		docs[fmt.Sprintf("example %d", i+1)] = []byte(block[1])
	}
	for name, doc := range docs {
		var v any
		if err := yaml.Unmarshal(bytes.TrimPrefix(doc, []byte("\ufeff")), &v); err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		if err := allows(s, v, ""); err != nil && v != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// TestSchemaRefuses: the usual mistakes are seen in the editor.
func TestSchemaRefuses(t *testing.T) {
	s := schema(t)
	for _, doc := range []string{
		"falover: {}", "failover: {swich_at: 90}", "failover: {switch_at: 950}", "failover: {min_dwell: 5}", "failover: {paid: sometimes}",
		"restart: {budget: 3}", "probe: {providers: {OpenAI: {}}}", "notify: {webhooks: {name: ops}}", "notify: {webhooks: [{events: [pool.lost]}]}",
		"failover: {pools: {openai: {keep: {work: 10}}}}", "listen: true",
	} {
		var v any
		if err := yaml.Unmarshal([]byte(doc), &v); err != nil {
			t.Fatal(err)
		}
		if allows(s, v, "") == nil {
			t.Errorf("allowed: %s", doc)
		}
	}
}

// allows is as much of JSON Schema as the schema uses.
func allows(s map[string]any, v any, path string) error {
	for word := range s {
		if !slices.Contains([]string{
			"$schema", "title", "default", "type", "properties", "additionalProperties", "propertyNames", "items", "anyOf", "enum", "const", "pattern", "minimum", "maximum", "minLength",
		}, word) {
			return fmt.Errorf("this test knows no %q", word)
		}
	}
	if options, ok := s["anyOf"].([]any); ok {
		var errs []error
		for _, one := range options {
			err := allows(one.(map[string]any), v, path)
			if err == nil {
				return nil
			}
			errs = append(errs, err)
		}
		return errors.Join(errs...)
	}
	if text, ok := v.(string); ok {
		v = strings.TrimSuffix(text, "\n") // of a literal block
	}
	if words, ok := s["enum"].([]any); ok && !slices.Contains(words, v) {
		return fmt.Errorf("%s: %v is none of %v", path, v, words)
	}
	if c, ok := s["const"]; ok && fmt.Sprint(c) != fmt.Sprint(v) {
		return fmt.Errorf("%s: %v is not %v", path, v, c)
	}
	if types := s["type"]; types != nil && !strings.Contains(fmt.Sprint(types), typeOf(v)) {
		return fmt.Errorf("%s: %v is not of type %v", path, v, types)
	}
	if text, ok := v.(string); ok {
		if p, ok := s["pattern"].(string); ok && !regexp.MustCompile(p).MatchString(text) {
			return fmt.Errorf("%s: %q is not %s", path, text, p)
		}
		if least, ok := s["minLength"].(float64); ok && len(text) < int(least) {
			return fmt.Errorf("%s: %q is too short", path, text)
		}
	}
	if most, ok := s["maximum"].(float64); ok && numberOf(v) > most {
		return fmt.Errorf("%s: %v is more than %v", path, v, most)
	}
	switch v := v.(type) {
	case map[string]any:
		return allowsMembers(s, v, path)
	case []any:
		for i, item := range v {
			if err := allows(s["items"].(map[string]any), item, fmt.Sprintf("%s[%d]", path, i)); err != nil {
				return err
			}
		}
	}
	return nil
}

func allowsMembers(s, v map[string]any, path string) error {
	properties, _ := s["properties"].(map[string]any)
	for key, value := range v {
		if names, ok := s["propertyNames"].(map[string]any); ok {
			if err := allows(names, key, path); err != nil {
				return err
			}
		}
		inner, ok := properties[key].(map[string]any)
		if !ok {
			inner, ok = s["additionalProperties"].(map[string]any)
		}
		if !ok {
			return fmt.Errorf("%s has no %s", path, key)
		}
		if err := allows(inner, value, path+"."+key); err != nil {
			return err
		}
	}
	return nil
}

func typeOf(v any) string {
	switch v.(type) {
	case nil:
		return "null"
	case string:
		return "string"
	case bool:
		return "boolean"
	case map[string]any:
		return "object"
	case []any:
		return "array"
	}
	return "number"
}

func numberOf(v any) float64 {
	var f float64
	_, _ = fmt.Sscan(fmt.Sprint(v), &f)
	return f
}
