package config

import (
	"path/filepath"
	"reflect"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/ocwatch/ocwatch/internal/event"
)

const reference = "../../../../docs/configuration.md"

// documented are the keys that a row of a table begins with.
var documented = regexp.MustCompile("(?m)^\\| `([a-z_.<>\\[\\]]+)` \\|")

// documentedRow is the whole of such a row.
var documentedRow = regexp.MustCompile("(?m)^\\| `[a-z_.<>\\[\\]]+` \\|.*$")

// TestEveryKeyIsDocumented, and no key is documented that does not exist.
func TestEveryKeyIsDocumented(t *testing.T) {
	var got []string
	for _, row := range documented.FindAllStringSubmatch(string(read1(t, reference)), -1) {
		got = append(got, row[1])
	}
	want := append(Keys(), "notify.webhooks", "notify.channels") // the lists, beside the keys in them
	slices.Sort(got)
	slices.Sort(want)
	if !slices.Equal(got, want) {
		t.Errorf("documented:\n%s\nexist:\n%s", strings.Join(got, "\n"), strings.Join(want, "\n"))
	}
}

func TestEveryEventIsDocumented(t *testing.T) {
	text := string(read1(t, reference))
	for _, typ := range event.Types() {
		if !strings.Contains(text, "`"+string(typ)+"`") {
			t.Errorf("%s is missing", typ)
		}
	}
}

// TestExamplesLoad loads every YAML block of the reference. The last one lists
// all defaults, so it changes nothing.
func TestExamplesLoad(t *testing.T) {
	dir, env := world(t)
	for name, from := range map[string]string{"hook.secret": "hook", "telegram.url": "telegram", "ping.url": "ping", "web.token": "web"} {
		write(t, filepath.Join(dir, "home", ".config", "ocwatch", name), read1(t, filepath.Join("testdata", "secrets", from)), 0o600)
	}
	blocks := regexp.MustCompile("(?s)```yaml\n(.*?)```").FindAllStringSubmatch(string(read1(t, reference)), -1)
	if len(blocks) < 4 {
		t.Fatalf("%d examples found", len(blocks))
	}
	var last *Config
	for i, block := range blocks {
		file := filepath.Join(dir, "example.yaml")
		write(t, file, []byte(block[1]), 0o644)
		c, err := Load(file, env)
		if err != nil {
			t.Errorf("example %d: %v\n%s", i+1, err, block[1])
		}
		last = c
	}
	defaults, err := Load("", env)
	if err != nil {
		t.Fatal(err)
	}
	if got, want := show(t, last), show(t, defaults); got != want {
		t.Errorf("the documented defaults:\n%s\nthe real ones:\n%s", got, want)
	}
	for _, key := range keysOf(reflect.TypeFor[Config]()) {
		if !strings.Contains(blocks[len(blocks)-1][1], key+":") {
			t.Errorf("the list of defaults has no %s", key)
		}
	}
}
