package sandbox_test

import (
	"database/sql"
	"encoding/json"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	_ "modernc.org/sqlite"

	"github.com/ocwatch/ocwatch/internal/openclaw"
	"github.com/ocwatch/ocwatch/internal/quota"
	"github.com/ocwatch/ocwatch/internal/sandbox"
)

func database(t *testing.T, w *sandbox.World, path string) *sql.DB {
	t.Helper()
	db, err := sql.Open("sqlite", "file:"+filepath.Join(w.StateDir(), path)+"?mode=ro&_pragma=busy_timeout(5000)")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = db.Close() })
	return db
}

func text(t *testing.T, db *sql.DB, query string) string {
	t.Helper()
	var s string
	if err := db.QueryRowContext(deadline(t), query).Scan(&s); err != nil {
		t.Fatalf("%s: %v", query, err)
	}
	return s
}

func squeeze(s string) string { return strings.Join(strings.Fields(s), " ") }

func TestSchemaIsTheRealOne(t *testing.T) {
	recorded, err := os.ReadFile("testdata/schema-2026.9.6.txt")
	if err != nil {
		t.Fatal(err)
	}
	w := start(t, sandbox.Options{Accounts: trio(), Order: map[string][]string{"openai": {alice, bob, carol}}})
	seen := 0
	for part := range strings.SplitSeq(string(recorded), "## ") {
		path, rest, ok := strings.Cut(part, "\n")
		if !ok {
			continue
		}
		db := database(t, w, path)
		pragmas, tables, _ := strings.Cut(rest, "CREATE")
		for line := range strings.Lines(pragmas) {
			name, want, _ := strings.Cut(strings.TrimSpace(line), " ")
			if got := text(t, db, "PRAGMA "+name); got != want {
				t.Errorf("%s: %s is %s, want %s", path, name, got, want)
			}
			seen++
		}
		all := tableSQL(t, db)
		if got, want := strings.Join(all, " "), squeeze("CREATE"+tables); got != want {
			t.Errorf("%s:\n got %s\nwant %s", path, got, want)
		}
	}
	if seen != 10 {
		t.Errorf("%d pragmas compared", seen)
	}
}

func tableSQL(t *testing.T, db *sql.DB) []string {
	t.Helper()
	rows, err := db.QueryContext(deadline(t), "SELECT sql FROM sqlite_master WHERE type = 'table' ORDER BY name")
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = rows.Close() }()
	var all []string
	for rows.Next() {
		var s string
		if err := rows.Scan(&s); err != nil {
			t.Fatal(err)
		}
		all = append(all, squeeze(s))
	}
	if err := rows.Err(); err != nil {
		t.Fatal(err)
	}
	return all
}

func TestRows(t *testing.T) {
	w := start(t, sandbox.Options{Accounts: append(trio(),
		sandbox.Account{Profile: "anthropic:setup", Type: "token"},
		sandbox.Account{Profile: "openai:backup", Type: "api_key"},
	)})
	db := database(t, w, "state/openclaw.sqlite")
	if got := text(t, db, "SELECT value_json FROM config_machine_state WHERE state_key = 'auth.sharedStore'"); got != `{"location":"state-db"}` {
		t.Errorf("marker: %s", got)
	}
	var doc struct {
		Version  int
		Profiles map[string]map[string]any
	}
	if err := json.Unmarshal([]byte(text(t, db, "SELECT value_json FROM config_machine_state WHERE state_key = 'authProfiles.store'")), &doc); err != nil {
		t.Fatal(err)
	}
	want := map[string][]string{
		alice:             {"access", "accountId", "email", "expires", "provider", "refresh", "type"},
		"anthropic:setup": {"expires", "provider", "token", "type"},
		"openai:backup":   {"key", "provider", "type"},
	}
	for id, keys := range want {
		var got []string
		for key := range doc.Profiles[id] {
			got = append(got, key)
		}
		slices.Sort(got)
		if !slices.Equal(got, keys) {
			t.Errorf("%s has %v, want %v", id, got, keys)
		}
	}
	if _, err := os.Stat(filepath.Join(w.StateDir(), "agents")); !os.IsNotExist(err) {
		t.Errorf("the agent's database is there before anything was written to it: %v", err)
	}
}

func TestOrderRowGoesWithTheLastOrder(t *testing.T) {
	w := start(t, sandbox.Options{Accounts: trio()})
	c := dial(t, w)
	type m = map[string]any
	must[m](t, c, "models.authOrderSet", m{"provider": "openai", "profileIds": []string{bob, carol, alice}})
	db := database(t, w, "agents/main/agent/openclaw-agent.sqlite")
	want := `{"version":1,"order":{"openai":["` + bob + `","` + carol + `","` + alice + `"]}}`
	if got := text(t, db, "SELECT state_json FROM auth_profile_state WHERE state_key = 'primary'"); got != want {
		t.Errorf("got %s, want %s", got, want)
	}
	must[m](t, c, "models.authOrderSet", m{"provider": "openai"})
	if got := text(t, db, "SELECT count(*) FROM auth_profile_state"); got != "0" {
		t.Errorf("%s rows are left", got)
	}
}

func TestFilesAreTheOwnersAlone(t *testing.T) {
	w := start(t, sandbox.Options{Accounts: trio(), Order: map[string][]string{"openai": {alice, bob, carol}}})
	files := 0
	err := filepath.WalkDir(w.StateDir(), func(path string, d os.DirEntry, err error) error {
		if err != nil {
			return err
		}
		info, err := d.Info()
		if err != nil {
			return err
		}
		if info.Mode().Perm()&0o077 != 0 {
			t.Errorf("%s is %v", path, info.Mode())
		}
		files++
		return nil
	})
	if err != nil || files < 6 {
		t.Errorf("%d files, %v", files, err)
	}
}

// The client that ocwatch itself uses finds and reads the stand-in as it does
// a real install.
func TestOcwatchsOwnClientReadsIt(t *testing.T) {
	w := start(t, sandbox.Options{Accounts: trio(sandbox.Window{Name: quota.FiveHour}), Order: map[string][]string{"openai": {bob, alice, carol}}})
	install, err := openclaw.Find(openclaw.Options{StateDir: w.StateDir(), Home: t.TempDir(), Getenv: func(string) string { return "" }})
	if err != nil {
		t.Fatal(err)
	}
	if layout, err := install.Layout(); layout != openclaw.SharedDatabase || err != nil {
		t.Errorf("layout %s, %v", layout, err)
	}
	docs, err := install.Documents(t.Context(), "main")
	if err != nil {
		t.Fatal(err)
	}
	if len(docs.Credentials) == 0 || len(docs.State) == 0 {
		t.Errorf("%d credential documents, %d state documents", len(docs.Credentials), len(docs.State))
	}
	if h := install.Health(t.Context()); !h.Ready {
		t.Errorf("health: %+v", h)
	}
	g := install.Gateway()
	defer func() { _ = g.Close() }()
	var answer struct{ ProfileIDs []string }
	err = g.Call(deadline(t), "models.authOrderSet", map[string]any{"provider": "openai", "profileIds": []string{carol, alice, bob}}, &answer)
	if err != nil || !slices.Equal(answer.ProfileIDs, []string{carol, alice, bob}) {
		t.Errorf("%v, %v", answer, err)
	}
	if got := w.Order("main", "openai"); !slices.Equal(got, []string{carol, alice, bob}) {
		t.Errorf("the gateway has %v", got)
	}
}
