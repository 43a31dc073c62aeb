package config

import (
	"flag"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"
)

var update = flag.Bool("update", false, "write the rows of docs/configuration.md anew")

// TestKeysPage: each row of the reference is what keyDocs says, and -update
// writes it. Which rows there are, TestEveryKeyIsDocumented holds.
func TestKeysPage(t *testing.T) {
	page := string(read1(t, reference))
	want := documentedRow.ReplaceAllStringFunc(page, func(line string) string {
		key := documented.FindStringSubmatch(line)[1]
		if k, ok := keyDocs[key]; ok {
			return k.row(key)
		}
		return line
	})
	if *update {
		if err := os.WriteFile(reference, []byte(want), 0o644); err != nil {
			t.Fatal(err)
		}
		return
	}
	got := strings.Split(page, "\n")
	for i, line := range strings.Split(want, "\n") {
		if got[i] != line {
			t.Errorf("docs/configuration.md:%d is\n%s\nkeys.go says\n%s", i+1, got[i], line)
		}
	}
}

// TestKeyDocs: each key has words, and no word is of a key that does not exist.
func TestKeyDocs(t *testing.T) {
	keys := map[string]bool{"notify.webhooks": true, "notify.channels": true} // the lists, beside the keys in them
	for _, key := range Keys() {
		keys[key] = true
	}
	for key := range keys {
		if k := keyDocs[key]; k.def == "" || k.meaning == "" {
			t.Errorf("%s: %+v", key, k)
		}
	}
	for key, k := range keyDocs {
		if !keys[key] || strings.Contains(k.def+k.meaning, " | ") {
			t.Errorf("%s: %+v", key, k)
		}
	}
}

// TestKeyRanges: a range in words is the one that Load holds, both ends
// included.
func TestKeyRanges(t *testing.T) {
	dir, env := world(t)
	found := 0
	for key, k := range keyDocs {
		kind, least, most, ok := k.bounds()
		if !ok {
			if strings.HasPrefix(k.meaning, "duration,") {
				t.Errorf("%s: no range in %q", key, k.meaning)
			}
			continue
		}
		found++
		refused := func(value string) bool {
			file := filepath.Join(dir, "range.yaml")
			path := strings.Split(strings.NewReplacer("<provider>", "acme", "<profile>", "acme:work").Replace(key), ".")
			write(t, file, []byte(nested(path, value)), 0o600)
			_, err := Load(file, env)
			return err != nil && strings.Contains(err.Error(), path[len(path)-1]) &&
				(strings.Contains(err.Error(), "between") || strings.Contains(err.Error(), "from") || strings.Contains(err.Error(), "unused") || strings.Contains(err.Error(), "at least"))
		}
		below, above := beyond(t, kind, least, most)
		for value, want := range map[string]bool{least: false, most: false, below: true, above: true} {
			if value != "" && refused(value) != want {
				t.Errorf("%s: %s: refused for its size: %v; documented from %s to %s", key, value, !want, least, most)
			}
		}
	}
	if found < 10 {
		t.Errorf("%d ranges found", found)
	}
}

// beyond are values just outside of a range, "" where there are none.
func beyond(t *testing.T, kind, least, most string) (below, above string) {
	t.Helper()
	if kind == "percent" {
		from, err1 := strconv.Atoi(least)
		to, err2 := strconv.Atoi(most)
		if err1 != nil || err2 != nil {
			t.Fatalf("%s to %s", least, most)
		}
		return strconv.Itoa(from - 1), strconv.Itoa(to + 1)
	}
	from, err1 := parseDuration(least)
	to, err2 := parseDuration(most)
	if err1 != nil || err2 != nil {
		t.Fatalf("%s to %s", least, most)
	}
	if from > 0 {
		below = (from - time.Millisecond).String()
	}
	return below, (to + time.Millisecond).String()
}
