package openclaw

import (
	"context"
	"database/sql"
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"
)

var stateDB = map[string]string{ownerKey: `{"location":"state-db"}`, credentialsKey: credentialsDoc, sharedStateKey: usageDoc}

func TestDocuments(t *testing.T) {
	profiles, state := agentFile("main", profilesFile), agentFile("main", stateFile)
	cases := []struct {
		name        string
		files       map[string]string
		seed        func(t *testing.T, dir string)
		agent       string
		layout      Layout
		credentials []string
		state       []string
	}{
		{name: "nothing", agent: "main", layout: NoStore},
		{
			name: "shared", agent: "main", layout: SharedDatabase,
			seed: func(t *testing.T, dir string) {
				t.Helper()
				seedShared(t, dir, stateDB)
				seedAgent(t, dir, "main", "", orderDoc)
			},
			credentials: []string{credentialsDoc}, state: []string{usageDoc, orderDoc},
		},
		{
			name: "shared, before the first order", agent: "main", layout: SharedDatabase,
			seed:        func(t *testing.T, dir string) { t.Helper(); seedShared(t, dir, stateDB) },
			credentials: []string{credentialsDoc}, state: []string{usageDoc},
		},
		{
			name: "shared, a second agent with its own", agent: "Work", layout: SharedDatabase,
			seed: func(t *testing.T, dir string) {
				t.Helper()
				seedShared(t, dir, stateDB)
				seedAgent(t, dir, "main", "", `{"version":1,"order":{"openai":[]}}`)
				seedAgent(t, dir, "work", localDoc, orderDoc)
			},
			credentials: []string{credentialsDoc, localDoc}, state: []string{usageDoc, orderDoc},
		},
		{
			name: "shared, with a leftover file", agent: "main", layout: SharedDatabase,
			files:       map[string]string{profiles: localDoc},
			seed:        func(t *testing.T, dir string) { t.Helper(); seedShared(t, dir, stateDB) },
			credentials: []string{credentialsDoc}, state: []string{usageDoc},
		},
		{
			name: "2026.9 that has not moved the main agent's", agent: "work", layout: AgentDatabase,
			seed: func(t *testing.T, dir string) {
				t.Helper()
				seedShared(t, dir, map[string]string{"plugins.installedIndex": `{}`})
				seedAgent(t, dir, "main", credentialsDoc, orderDoc)
				seedAgent(t, dir, "work", localDoc, "")
			},
			credentials: []string{credentialsDoc, localDoc}, state: []string{orderDoc},
		},
		{
			name: "2026.9 without a profile", agent: "main", layout: NoStore,
			seed: func(t *testing.T, dir string) {
				t.Helper()
				seedShared(t, dir, map[string]string{"plugins.installedIndex": `{}`})
			},
		},
		{
			name: "agent database", agent: "main", layout: AgentDatabase,
			files:       map[string]string{profiles: localDoc},
			seed:        func(t *testing.T, dir string) { t.Helper(); seedAgent(t, dir, "main", credentialsDoc, "") },
			credentials: []string{credentialsDoc},
		},
		{
			name: "JSON, one file", agent: "main", layout: JSONFiles,
			files:       map[string]string{profiles: credentialsDoc},
			credentials: []string{credentialsDoc}, state: []string{credentialsDoc},
		},
		{
			name: "JSON, two files, inherited", agent: "work", layout: JSONFiles,
			files:       map[string]string{profiles: credentialsDoc, state: usageDoc, agentFile("work", profilesFile): localDoc},
			credentials: []string{credentialsDoc, localDoc}, state: []string{credentialsDoc, usageDoc, localDoc},
		},
		{
			name: "JSON of 2026.6.1, which has a state database", agent: "main", layout: JSONFiles,
			files: map[string]string{profiles: credentialsDoc},
			seed: func(t *testing.T, dir string) {
				t.Helper()
				seedOlderState(t, dir)
			},
			credentials: []string{credentialsDoc}, state: []string{credentialsDoc},
		},
		{
			name: "JSON in a directory of the config's", agent: "main", layout: JSONFiles,
			files:       map[string]string{"openclaw.json": `{agents:{list:[{id:"main",agentDir:"~/.openclaw/elsewhere"}]}}`, "elsewhere/" + profilesFile: credentialsDoc},
			credentials: []string{credentialsDoc}, state: []string{credentialsDoc},
		},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			i := newInstall(t, c.files)
			if c.seed != nil {
				c.seed(t, i.StateDir)
			}
			d, err := i.Documents(t.Context(), c.agent)
			if err != nil {
				t.Fatal(err)
			}
			if d.Layout != c.layout || d.Agent != strings.ToLower(c.agent) {
				t.Errorf("layout %s of agent %s, want %s", d.Layout, d.Agent, c.layout)
			}
			if got := texts(d.Credentials); !slices.Equal(got, c.credentials) {
				t.Errorf("credentials %q\nwant %q", got, c.credentials)
			}
			if got := texts(d.State); !slices.Equal(got, c.state) {
				t.Errorf("state %q\nwant %q", got, c.state)
			}
		})
	}
}

func texts[T ~[]byte](docs []T) []string {
	var out []string
	for _, d := range docs {
		out = append(out, string(d))
	}
	return out
}

// seedOlderState writes the state database of 2026.6: its second table has the
// name of the agent's and other columns.
func seedOlderState(t *testing.T, dir string, more ...string) *sql.DB {
	t.Helper()
	db := openOwner(t, filepath.Join(dir, "state", "openclaw.sqlite"))
	run(t, db, `CREATE TABLE auth_profile_stores(store_key TEXT)`, `CREATE TABLE auth_profile_state(other TEXT)`, `CREATE TABLE cron_jobs(store_key TEXT, sort_order INT)`)
	run(t, db, more...)
	return db
}

func TestDocumentsStoreErrors(t *testing.T) {
	profiles := agentFile("main", profilesFile)
	agentDB := agentFile("main", "openclaw-agent.sqlite")
	cases := []struct {
		name  string
		files map[string]string
		seed  func(t *testing.T, dir string)
		agent string
		kind  StoreErrorKind
		path  string
		fix   string
	}{
		{
			name: "2026.9 over JSON", files: map[string]string{profiles: credentialsDoc}, kind: NeedsMigration, path: profiles, fix: "openclaw doctor --fix",
			seed: func(t *testing.T, dir string) {
				t.Helper()
				seedShared(t, dir, map[string]string{"plugins.installedIndex": `{}`})
			},
		},
		{
			name: "2026.6.11 over JSON", files: map[string]string{profiles: credentialsDoc}, kind: NeedsMigration, path: profiles, fix: "openclaw doctor --fix",
			seed: func(t *testing.T, dir string) {
				t.Helper()
				seedOlderState(t, dir, `CREATE INDEX idx_cron_jobs_store_order ON cron_jobs(store_key)`)
			},
		},
		{
			name: "empty agent database beside JSON", files: map[string]string{profiles: credentialsDoc}, kind: NeedsMigration, path: profiles, fix: "openclaw doctor --fix",
			seed: func(t *testing.T, dir string) { t.Helper(); seedAgent(t, dir, "main", emptyDoc, "") },
		},
		{
			name: "a second agent's JSON beside a shared store", files: map[string]string{agentFile("work", profilesFile): localDoc}, agent: "work", kind: NeedsMigration, path: agentFile("work", profilesFile),
			seed: func(t *testing.T, dir string) { t.Helper(); seedShared(t, dir, stateDB) },
		},
		{
			name: "column renamed", kind: UnknownSchema, path: "state/openclaw.sqlite", fix: "update ocwatch",
			seed: func(t *testing.T, dir string) {
				t.Helper()
				run(t, openOwner(t, filepath.Join(dir, "state/openclaw.sqlite")), `CREATE TABLE config_machine_state(k TEXT, value_json TEXT)`)
			},
		},
		{
			name: "agent table gone", kind: UnknownSchema, path: agentDB,
			seed: func(t *testing.T, dir string) {
				t.Helper()
				run(t, openOwner(t, filepath.Join(dir, agentDB)), `CREATE TABLE auth_profiles_v2(x TEXT)`)
			},
		},
		{
			name: "moved to an unknown place", kind: UnknownSchema, path: "state/openclaw.sqlite",
			seed: func(t *testing.T, dir string) {
				t.Helper()
				seedShared(t, dir, map[string]string{ownerKey: `{"location":"keychain"}`})
			},
		},
		{name: "no tables", files: map[string]string{agentDB: ""}, kind: UnknownSchema, path: agentDB},
		{name: "no database", files: map[string]string{agentDB: strings.Repeat("garbage", 1000)}, kind: Corrupt, path: agentDB},
		{
			name: "truncated database", kind: Corrupt, path: "state/openclaw.sqlite", fix: "openclaw doctor --fix",
			seed: func(t *testing.T, dir string) {
				t.Helper()
				db := seedShared(t, dir, map[string]string{credentialsKey: `{"profiles":{"x":"` + strings.Repeat("y", 60_000) + `"}}`})
				if err := db.Close(); err != nil {
					t.Fatal(err)
				}
				if err := os.Truncate(filepath.Join(dir, "state/openclaw.sqlite"), 20_000); err != nil {
					t.Fatal(err)
				}
			},
		},
		{
			name: "row is no JSON", kind: Corrupt, path: "state/openclaw.sqlite",
			seed: func(t *testing.T, dir string) {
				t.Helper()
				seedShared(t, dir, map[string]string{credentialsKey: `{"version":1,`})
			},
		},
		{
			name: "row is an array", kind: Corrupt, path: agentDB,
			seed: func(t *testing.T, dir string) { t.Helper(); seedAgent(t, dir, "main", `[]`, "") },
		},
		{name: "JSON truncated", files: map[string]string{profiles: credentialsDoc[:40]}, kind: Corrupt, path: profiles, fix: "openclaw models auth login"},
		{name: "JSON empty", files: map[string]string{profiles: ""}, kind: Corrupt, path: profiles},
		{name: "JSON too large", files: map[string]string{profiles: strings.Repeat(" ", documentCap+1)}, kind: Corrupt, path: profiles},
		{
			name: "a pipe in the file's place", kind: Corrupt, path: profiles,
			seed: func(t *testing.T, dir string) {
				t.Helper()
				mkdir(t, filepath.Dir(filepath.Join(dir, profiles)))
				if err := syscall.Mkfifo(filepath.Join(dir, profiles), 0o600); err != nil {
					t.Fatal(err)
				}
			},
		},
		{
			name: "a directory in the database's place", kind: Corrupt, path: agentDB,
			seed: func(t *testing.T, dir string) { t.Helper(); mkdir(t, filepath.Join(dir, agentDB)) },
		},
		{
			name: "locked for good", kind: Busy, path: agentDB, fix: "tried again",
			seed: func(t *testing.T, dir string) {
				t.Helper()
				db := seedAgent(t, dir, "main", credentialsDoc, "")
				run(t, db, `PRAGMA journal_mode=delete`, `BEGIN EXCLUSIVE`)
				t.Cleanup(func() { run(t, db, `ROLLBACK`) })
			},
		},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			i := newInstall(t, c.files)
			if c.seed != nil {
				c.seed(t, i.StateDir)
			}
			if c.agent == "" {
				c.agent = "main"
			}
			_, err := i.Documents(t.Context(), c.agent)
			wantStoreError(t, err, c.kind, filepath.Join(i.StateDir, c.path), c.fix)
		})
	}
}

func wantStoreError(t *testing.T, err error, kind StoreErrorKind, path, fix string) {
	t.Helper()
	var e *StoreError
	if !errors.As(err, &e) {
		t.Fatalf("err = %v, want a StoreError", err)
	}
	if e.Kind != kind || e.Path != path || e.Fix == "" || !strings.Contains(err.Error(), fix) {
		t.Errorf("err = %v (kind %s), want kind %s of %s with %q", err, e.Kind, kind, path, fix)
	}
	if strings.Contains(err.Error(), "garbage") || strings.Contains(err.Error(), "profiles\"") {
		t.Errorf("%q quotes the store", err)
	}
}

func TestNotPermitted(t *testing.T) {
	if os.Geteuid() == 0 {
		t.Skip("root reads everything; see TestSQLiteErrorKinds")
	}
	i := newInstall(t, map[string]string{agentFile("main", profilesFile): credentialsDoc})
	path := filepath.Join(i.StateDir, agentFile("main", profilesFile))
	if err := os.Chmod(path, 0); err != nil {
		t.Fatal(err)
	}
	_, err := i.Documents(t.Context(), "main")
	wantStoreError(t, err, NotPermitted, path, "as the user that runs OpenClaw")
}

func TestFileErrorKinds(t *testing.T) {
	cases := map[string]struct {
		err  error
		kind StoreErrorKind
	}{
		"permission": {&os.PathError{Op: "open", Err: syscall.EACCES}, NotPermitted},
		"input":      {&os.PathError{Op: "read", Err: syscall.EIO}, Busy},
		"pipe":       {errNotRegular, Corrupt},
		"size":       {errTooLarge, Corrupt},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) { wantStoreError(t, fileError("/p", c.err), c.kind, "/p", "") })
	}
}

// An owner that is killed leaves its last writes in the log only, and one that
// was closed leaves neither log nor index.
func TestReadsWhateverStateTheOwnerLeft(t *testing.T) {
	src := newInstall(t, nil)
	db := seedShared(t, src.StateDir, stateDB)
	name := "state/openclaw.sqlite"

	t.Run("alive: sees the log, leaves no trace", func(t *testing.T) {
		before := listing(t, src.StateDir)
		wantShared(t, src)
		if after := listing(t, src.StateDir); after != before {
			t.Errorf("before:\n%s\nafter:\n%s", before, after)
		}
	})
	t.Run("killed", func(t *testing.T) {
		dead := newInstall(t, nil)
		for _, suffix := range []string{"", "-wal"} {
			raw, err := os.ReadFile(filepath.Join(src.StateDir, name+suffix))
			if err != nil {
				t.Fatal(err)
			}
			writeFile(t, filepath.Join(dead.StateDir, name+suffix), string(raw))
		}
		if info, err := os.Stat(filepath.Join(dead.StateDir, name+"-wal")); err != nil || info.Size() == 0 {
			t.Fatalf("the log is not hot: %v, %v", info, err)
		}
		wantShared(t, dead)
	})
	t.Run("closed", func(t *testing.T) {
		if err := db.Close(); err != nil {
			t.Fatal(err)
		}
		if exists(filepath.Join(src.StateDir, name+"-wal")) {
			t.Fatal("the owner left its log")
		}
		wantShared(t, src)
	})
}

func wantShared(t *testing.T, i *Install) {
	t.Helper()
	d, err := i.Documents(t.Context(), "main")
	if err != nil {
		t.Fatal(err)
	}
	if got := texts(d.Credentials); !slices.Equal(got, []string{credentialsDoc}) {
		t.Errorf("credentials %q", got)
	}
}

// listing is every file with its size and time of change.
func listing(t *testing.T, dir string) string {
	t.Helper()
	var b strings.Builder
	err := filepath.Walk(dir, func(path string, info os.FileInfo, err error) error {
		if err != nil {
			return err
		}
		// The index of the log is memory shared by all readers; its marks
		// move with each read, its size does not.
		stamp := info.ModTime().String()
		if strings.HasSuffix(path, "-shm") {
			stamp = ""
		}
		b.WriteString(path + " " + info.Mode().String() + " " + stamp + "\n")
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return b.String()
}

func TestReadSeesOneMoment(t *testing.T) {
	i := newInstall(t, nil)
	db := seedShared(t, i.StateDir, map[string]string{credentialsKey: `{"profiles":{}}`, sharedStateKey: `{"usageStats":{}}`})
	seedAgent(t, i.StateDir, "main", "", orderDoc)
	ctx, stop := context.WithCancel(t.Context())
	defer stop()
	done := make(chan error, 1)
	go func() { done <- rewrite(ctx, db) }()
	for range 50 {
		d, err := i.Documents(t.Context(), "main")
		if err != nil {
			t.Fatal(err)
		}
		if len(d.Credentials) != 1 || len(d.State) != 2 || string(d.Credentials[0]) != strings.Replace(string(d.State[0]), "usageStats", "profiles", 1) {
			t.Fatalf("two moments: %q and %q", d.Credentials, d.State)
		}
	}
	stop()
	if err := <-done; err != nil {
		t.Fatal(err)
	}
}

// rewrite changes both rows together, until ctx ends.
func rewrite(ctx context.Context, db *sql.DB) error {
	for n := 0; ctx.Err() == nil; n++ {
		body := strings.Repeat("x", n%100)
		tx, err := db.Begin()
		if err != nil {
			return err
		}
		for key, name := range map[string]string{credentialsKey: "profiles", sharedStateKey: "usageStats"} {
			if _, err := tx.Exec(`UPDATE config_machine_state SET value_json = ? WHERE state_key = ?`, `{"`+name+`":{"`+body+`":{}}}`, key); err != nil {
				return err
			}
		}
		if err := tx.Commit(); err != nil {
			return err
		}
	}
	return nil
}

// An old release writes in place: first the file is empty, then half of it is
// there.
func TestJSONIsReadAgainWhileItIsWritten(t *testing.T) {
	i := newInstall(t, map[string]string{agentFile("main", profilesFile): credentialsDoc[:30]})
	path := filepath.Join(i.StateDir, agentFile("main", profilesFile))
	timer := time.AfterFunc(jsonPause+jsonPause/2, func() { _ = os.WriteFile(path, []byte(credentialsDoc), 0o600) })
	defer timer.Stop()
	d, err := i.Documents(t.Context(), "main")
	if err != nil || len(d.Credentials) != 1 {
		t.Fatalf("%v, %v", d, err)
	}
}

func TestDocumentsEndsWithItsContext(t *testing.T) {
	i := newInstall(t, map[string]string{agentFile("main", profilesFile): "{"})
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := i.Documents(ctx, "main"); !errors.Is(err, context.Canceled) {
		t.Fatalf("err = %v", err)
	}
}

func TestAgents(t *testing.T) {
	cases := []struct {
		name  string
		files map[string]string
		want  []string
	}{
		{"none", nil, []string{"main"}},
		{"on disk", map[string]string{"agents/main/agent/x": "", "agents/ops/agent/x": "", "agents/half/sessions/x": "", "agents/file": "", "agents/UPPER/agent/x": ""}, []string{"main", "ops"}},
		{"config first", map[string]string{"openclaw.json": `{agents:{list:[{id:"work"},{id:"main"}]}}`, "agents/main/agent/x": "", "agents/alpha/agent/x": ""}, []string{"work", "main", "alpha"}},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			got, err := newInstall(t, c.files).Agents()
			if err != nil || !slices.Equal(got, c.want) {
				t.Errorf("%v, %v; want %v", got, err, c.want)
			}
		})
	}
}

func TestDocumentsRefusesAPathAsAgent(t *testing.T) {
	if _, err := newInstall(t, nil).Documents(t.Context(), "../main"); err == nil {
		t.Fatal("no error")
	}
}

func TestLayout(t *testing.T) {
	i := newInstall(t, map[string]string{agentFile("ops", profilesFile): credentialsDoc, agentFile("aaa", "x"): ""})
	if l, err := i.Layout(); err != nil || l != JSONFiles {
		t.Errorf("%s, %v", l, err)
	}
	if l, err := newInstall(t, nil).Layout(); err != nil || l != NoStore {
		t.Errorf("%s, %v", l, err)
	}
	_, err := newInstall(t, map[string]string{agentFile("main", profilesFile): "{"}).Layout()
	if _, ok := errors.AsType[*StoreError](err); !ok {
		t.Errorf("err = %v", err)
	}
}
