package openclaw

import (
	"os"
	"path/filepath"
	"slices"
	"testing"
	"time"

	"github.com/fsnotify/fsnotify"
)

func TestWatchDirs(t *testing.T) {
	i := newInstall(t, map[string]string{
		"state/x": "", agentFile("main", "x"): "", "agents/begun/x": "", "agents/No agent/x": "", "w/x": "",
		"openclaw.json": `{agents:{entries:{w:{agentDir:"~/.openclaw/w"}, gone:{agentDir:"/nowhere"}}}}`,
	})
	var want []string
	for _, d := range []string{"", "agents", "agents/begun", "agents/main", "agents/main/agent", "state", "w"} {
		want = append(want, filepath.Join(i.StateDir, d))
	}
	if got := i.WatchDirs(); !slices.Equal(got, want) {
		t.Errorf("got %v\nwant %v", got, want)
	}
}

func TestConcerns(t *testing.T) {
	i := newInstall(t, nil)
	for _, c := range []struct {
		name          string
		made, written bool
	}{
		{"openclaw.json", true, true},
		{"state/openclaw.sqlite", true, true},
		{"state/openclaw.sqlite-wal", false, true},
		{"state/openclaw.sqlite-shm", false, false},
		{"state/tasks.sqlite", false, false},
		{"agents/main/agent/openclaw-agent.sqlite", true, true},
		{"agents/main/agent/openclaw-agent.sqlite-wal", false, true},
		{"agents/main/agent/openclaw-agent.sqlite-shm", false, false},
		{"agents/main/agent/auth-profiles.json", true, true},
		{"agents/main/agent/auth-state.json", true, true},
		{"agents/main/agent/auth-profiles.json.1234.tmp", false, false},
		{"agents/main/agent/models.json", false, false},
		{"agents/main/agent", true, true},
		{"agents/main/sessions", false, false},
		{"agents/ops", true, true},
		{"agents/.DS_Store", false, false},
		{"agents", true, true},
		{"state", true, true},
		{"logs", false, false},
	} {
		path := filepath.Join(i.StateDir, c.name)
		if got := i.Concerns(path, false); got != c.made {
			t.Errorf("%s made: %v", c.name, got)
		}
		if got := i.Concerns(path, true); got != c.written {
			t.Errorf("%s written: %v", c.name, got)
		}
	}
}

// TestReadingConcernsNobody: what reading does to the real files must never be
// taken for a change, or each reading would be a reason for the next.
func TestReadingConcernsNobody(t *testing.T) {
	seed := func(t *testing.T) (i *Install, stop func()) {
		t.Helper()
		i = newInstall(t, nil)
		state := seedShared(t, i.StateDir, map[string]string{ownerKey: `{"location":"state-db"}`, credentialsKey: credentialsDoc})
		agent := seedAgent(t, i.StateDir, "main", emptyDoc, orderDoc)
		return i, func() {
			if err := state.Close(); err != nil {
				t.Fatal(err)
			}
			if err := agent.Close(); err != nil {
				t.Fatal(err)
			}
		}
	}
	for name, install := range map[string]func(t *testing.T) *Install{
		"the gateway runs": func(t *testing.T) *Install {
			t.Helper()
			i, _ := seed(t)
			return i
		},
		"the gateway was stopped": func(t *testing.T) *Install {
			t.Helper()
			i, stop := seed(t)
			stop()
			return i
		},
		"the gateway was killed": func(t *testing.T) *Install {
			t.Helper()
			running, _ := seed(t)
			i := newInstall(t, nil)
			for _, db := range []string{filepath.Join("state", sharedDatabase), agentFile("main", agentDatabase)} {
				for _, suffix := range []string{"", walSuffix} {
					raw, err := os.ReadFile(filepath.Join(running.StateDir, db+suffix))
					if err != nil {
						t.Fatal(err)
					}
					writeFile(t, filepath.Join(i.StateDir, db+suffix), string(raw))
				}
			}
			return i
		},
		"json files": func(t *testing.T) *Install {
			t.Helper()
			return newInstall(t, map[string]string{agentFile("main", profilesFile): credentialsDoc, agentFile("main", stateFile): orderDoc})
		},
	} {
		t.Run(name, func(t *testing.T) {
			i := install(t)
			n, err := fsnotify.NewWatcher()
			if err != nil {
				t.Fatal(err)
			}
			defer func() { _ = n.Close() }()
			for _, dir := range i.WatchDirs() {
				if err := n.Add(dir); err != nil {
					t.Fatal(err)
				}
			}
			for range 5 {
				d, err := i.Documents(t.Context(), mainAgent)
				if err != nil || len(d.Credentials) == 0 {
					t.Fatalf("%d documents, %v", len(d.Credentials), err)
				}
			}
			writeFile(t, filepath.Join(i.StateDir, "done"), "")
			deadline := time.After(30 * time.Second)
			for {
				select {
				case e := <-n.Events:
					if filepath.Base(e.Name) == "done" {
						return // events come in the order of what they tell of
					}
					t.Log(e)
					if e.Op != fsnotify.Chmod && i.Concerns(e.Name, e.Has(fsnotify.Write)) {
						t.Errorf("reading caused %v", e)
					}
				case <-deadline:
					t.Fatal("no notification")
				}
			}
		})
	}
}
