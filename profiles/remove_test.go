package profiles

import (
	"context"
	"encoding/json"
	"errors"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"testing/synctest"

	"github.com/ocwatch/ocwatch/internal/openclaw"
)

// What the real commands print: 2026.9.6 has a logout, 2026.6.11 answers with
// the help of the parent.
const (
	logoutHelp = "Usage: openclaw models auth logout [options] <profileId>\n\nRemove a saved auth profile\n"
	parentHelp = "Usage: openclaw models auth [options] [command]\n\nManage model auth profiles\n"
)

// shelf is an OpenClaw whose profiles are in JSON files, with a command that
// does as told.
type shelf struct {
	*openclaw.Install
	t     *testing.T
	down  bool
	logs  []string
	help  string
	fails error
	// does is what the logout does to the ids of the file.
	does func(id string, ids map[string]json.RawMessage)
}

func newShelf(t *testing.T, files map[string]string) *shelf {
	t.Helper()
	dir := t.TempDir()
	for name, doc := range files {
		path := filepath.Join(dir, "agents", name)
		if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(doc), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	in, err := openclaw.Find(openclaw.Options{StateDir: dir, Home: t.TempDir(), Getenv: func(string) string { return "" }})
	if err != nil {
		t.Fatal(err)
	}
	return &shelf{
		Install: in, t: t, down: true, help: logoutHelp,
		does: func(id string, ids map[string]json.RawMessage) { delete(ids, id) },
	}
}

func (s *shelf) remover() *Remover {
	return NewRemover(s, NewStore(s.Install, Options{}), s.Install, func(context.Context) bool { return s.down })
}

func (s *shelf) path(agent string) string {
	return filepath.Join(s.StateDir, "agents", agent, "agent", profilesName)
}

func (s *shelf) text(agent string) string {
	s.t.Helper()
	b, err := os.ReadFile(s.path(agent))
	if err != nil {
		s.t.Fatal(err)
	}
	return string(b)
}

// Run implements CLI.
func (s *shelf) Run(ctx context.Context, _ io.Reader, args ...string) (openclaw.Output, error) {
	s.logs = append(s.logs, strings.Join(args, " "))
	if args[len(args)-1] == "--help" {
		return openclaw.Output{Stdout: []byte(s.help)}, s.fails
	}
	if err := ctx.Err(); err != nil {
		return openclaw.Output{}, err
	}
	var doc map[string]json.RawMessage
	ids := map[string]json.RawMessage{}
	if err := errors.Join(json.Unmarshal([]byte(s.text("main")), &doc), json.Unmarshal(doc["profiles"], &ids)); err != nil {
		s.t.Fatal(err)
	}
	s.does(args[len(args)-1], ids)
	doc["profiles"], _ = json.Marshal(ids) // raw messages of a valid document
	whole, err := json.Marshal(doc)
	if err != nil {
		s.t.Fatal(err)
	}
	if err := os.WriteFile(s.path("main"), whole, 0o600); err != nil {
		s.t.Fatal(err)
	}
	return openclaw.Output{}, s.fails
}

func threeProfiles() map[string]string {
	return map[string]string{"main/agent/" + profilesName: profilesDoc(oauthEntry("openai:a"), oauthEntry("openai:b"), keyEntry("openai:k"))}
}

func TestRemoveWay(t *testing.T) {
	broken := &openclaw.CommandNotFoundError{Command: "openclaw", Err: errors.New("no such file")}
	tests := []struct {
		name string
		help string
		err  error
		want RemoveWay
	}{
		{name: "the release has a logout", help: logoutHelp, want: RemoveByCommand},
		{name: "it has none, and JSON files", help: parentHelp, want: RemoveByFile},
		{name: "no command at all", err: broken, want: RemoveByFile},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			s := newShelf(t, threeProfiles())
			s.help, s.fails = tt.help, tt.err
			if got, err := s.remover().Way(t.Context(), "main"); got != tt.want || err != nil {
				t.Errorf("%q, %v; want %q", got, err, tt.want)
			}
		})
	}
	t.Run("it has none, and a database", func(t *testing.T) {
		w := newWorld()
		s := newShelf(t, threeProfiles())
		s.help = parentHelp
		r := NewRemover(s, NewStore(w, Options{}), s.Install, func(context.Context) bool { return true })
		if got, err := r.Way(t.Context(), "main"); got != RemoveByOrder || err != nil {
			t.Errorf("%q, %v", got, err)
		}
		s.fails = broken
		if got, err := r.Way(t.Context(), "main"); !errors.Is(err, broken) {
			t.Errorf("without a command nothing can be said, and yet %q, %v", got, err)
		}
	})
}

func TestRemoveByCommand(t *testing.T) {
	late := errors.New("killed late")
	tests := []struct {
		name  string
		does  func(id string, ids map[string]json.RawMessage)
		fails error
		err   error
		want  string // ids that are left
	}{
		{name: "removes one", want: "openai:b openai:k"},
		{name: "fails after it did", fails: late, want: "openai:b openai:k"},
		{name: "fails", does: func(string, map[string]json.RawMessage) {}, fails: late, err: late, want: "openai:a openai:b openai:k"},
		{name: "claims to, and did not", does: func(string, map[string]json.RawMessage) {}, err: ErrStillThere, want: "openai:a openai:b openai:k"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			s := newShelf(t, threeProfiles())
			s.fails = tt.fails
			if tt.does != nil {
				s.does = tt.does
			}
			r := s.remover()
			if err := r.Remove(t.Context(), "main", "openai:a", RemoveByCommand); !errors.Is(err, tt.err) {
				t.Errorf("error %v, want %v", err, tt.err)
			}
			if got := s.left(r); got != tt.want {
				t.Errorf("left are %s, want %s", got, tt.want)
			}
			if want := "models auth logout --yes --agent main -- openai:a"; s.logs[0] != want {
				t.Errorf("ran %q, want %q", s.logs[0], want)
			}
		})
	}
}

func (s *shelf) left(r *Remover) string {
	s.t.Helper()
	snap, err := r.store.Snapshot(s.t.Context())
	if err != nil || len(snap.Problems) > 0 {
		s.t.Fatal(err, snap.Problems)
	}
	return ids(snap.Pools[0])
}

// A logout that takes more than it was asked for is not passed over.
func TestRemoveSeesDamage(t *testing.T) {
	for name, does := range map[string]func(string, map[string]json.RawMessage){
		"all of the provider": func(_ string, ids map[string]json.RawMessage) { clear(ids) },
		"another credential": func(id string, ids map[string]json.RawMessage) {
			delete(ids, id)
			ids["openai:b"] = json.RawMessage(`{"type":"oauth","provider":"openai","access":"x","accountId":"somebody-else"}`)
		},
	} {
		t.Run(name, func(t *testing.T) {
			s := newShelf(t, threeProfiles())
			s.does = does
			err := s.remover().Remove(t.Context(), "main", "openai:a", RemoveByCommand)
			damage, ok := errors.AsType[*DamageError](err)
			if !ok || damage.Profiles[0] != "openai:b" || damage.Removed != "openai:a" {
				t.Errorf("got %v", err)
			}
		})
	}
}

func TestRemoveWhatIsGone(t *testing.T) {
	s := newShelf(t, threeProfiles())
	if err := s.remover().Remove(t.Context(), "main", "openai:z", RemoveByCommand); err != nil || len(s.logs) > 0 {
		t.Errorf("%v after %v", err, s.logs)
	}
}

func TestRemoveByFile(t *testing.T) {
	main := "{\n  \"version\": 1,\n  \"odd\": [1, 2],\n  \"profiles\": {\n    " + oauthEntry("openai:a") + ",\n    " + oauthEntry("openai:b") + "\n  }\n}\n"
	cut := "{\n  \"version\": 1,\n  \"odd\": [1, 2],\n  \"profiles\": {\n    " + oauthEntry("openai:b") + "\n  }\n}\n"
	own := profilesDoc(oauthEntry("openai:a"), oauthEntry("openai:w"))
	tests := []struct {
		name, agent     string
		files           map[string]string
		wantMain, wantW string
	}{
		{name: "of main", agent: "main", files: map[string]string{"main/agent/" + profilesName: main}, wantMain: cut},
		{
			name: "inherited from main", agent: "work",
			files:    map[string]string{"main/agent/" + profilesName: main, "work/agent/" + profilesName: profilesDoc(oauthEntry("openai:w"))},
			wantMain: cut, wantW: profilesDoc(oauthEntry("openai:w")),
		},
		{
			name: "of its own and of main", agent: "work",
			files:    map[string]string{"main/agent/" + profilesName: main, "work/agent/" + profilesName: own},
			wantMain: cut, wantW: profilesDoc(oauthEntry("openai:w")),
		},
		{
			name: "main's leaves the others' own", agent: "main",
			files:    map[string]string{"main/agent/" + profilesName: main, "work/agent/" + profilesName: own},
			wantMain: cut, wantW: own,
		},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			s := newShelf(t, tt.files)
			if err := s.remover().Remove(t.Context(), tt.agent, "openai:a", RemoveByFile); err != nil {
				t.Fatal(err)
			}
			if got := s.text("main"); got != tt.wantMain {
				t.Errorf("main is\n%s\nwant\n%s", got, tt.wantMain)
			}
			if tt.wantW != "" && s.text("work") != tt.wantW {
				t.Errorf("work is\n%s\nwant\n%s", s.text("work"), tt.wantW)
			}
			s.onlyTheFile("main")
			if info, err := os.Stat(s.path("main")); err != nil || info.Mode().Perm() != 0o600 {
				t.Errorf("mode %v, %v", info.Mode(), err)
			}
		})
	}
}

// onlyTheFile fails where a lock, a backup or half a file was left.
func (s *shelf) onlyTheFile(agent string) {
	s.t.Helper()
	list, err := os.ReadDir(filepath.Dir(s.path(agent)))
	if err != nil || len(list) != 1 {
		s.t.Errorf("left beside the file: %v, %v", list, err)
	}
}

func TestRemoveByFileThroughALink(t *testing.T) {
	s := newShelf(t, threeProfiles())
	elsewhere := filepath.Join(t.TempDir(), "real.json")
	if err := errors.Join(os.Rename(s.path("main"), elsewhere), os.Symlink(elsewhere, s.path("main"))); err != nil {
		t.Fatal(err)
	}
	if err := s.remover().Remove(t.Context(), "main", "openai:a", RemoveByFile); err != nil {
		t.Fatal(err)
	}
	if info, err := os.Lstat(s.path("main")); err != nil || info.Mode()&fs.ModeSymlink == 0 {
		t.Errorf("the link is gone: %v, %v", info, err)
	}
	if b, err := os.ReadFile(elsewhere); err != nil || strings.Contains(string(b), "openai:a") {
		t.Errorf("the file still has it: %v", err)
	}
}

// Whatever keeps it from being done, the file stays as it was.
func TestRemoveByFileRefuses(t *testing.T) {
	lock := func(holder string) func(*shelf) {
		return func(s *shelf) {
			if err := os.WriteFile(s.path("main")+".lock", []byte(holder), 0o600); err != nil {
				s.t.Fatal(err)
			}
		}
	}
	tests := []struct {
		name  string
		setup func(*shelf)
		want  string
	}{
		{"a gateway runs", func(s *shelf) { s.down = false }, ErrGatewayUp.Error()},
		{"the lock is held", lock(`{"pid":1,"createdAt":"2026-11-22T10:00:00Z"}`), "is held by process 1: wait for it"},
		{"the lock is left over", lock(`{"pid":4194304999,"createdAt":"2026-11-22T10:00:00Z"}`), "is left over from process 4194304999"},
		{"the lock is empty", lock(``), "is held: end what else works"},
		{"no room for the backup", func(s *shelf) {
			if err := os.MkdirAll(filepath.Join(s.path("main")+backupSuffix, "x"), 0o700); err != nil {
				s.t.Fatal(err)
			}
		}, errCut.Error()},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				s := newShelf(t, threeProfiles())
				before := s.text("main")
				tt.setup(s)
				err := s.remover().Remove(t.Context(), "main", "openai:a", RemoveByFile)
				if err == nil || !strings.Contains(err.Error(), tt.want) {
					t.Errorf("error %v, want %q", err, tt.want)
				}
				if s.text("main") != before {
					t.Error("the file was changed")
				}
			})
		})
	}
}

// An edit that is killed at any of its moments is settled by the next.
func TestRemoveByFileAfterAKill(t *testing.T) {
	doc := threeProfiles()["main/agent/"+profilesName]
	after := profilesDoc(oauthEntry("openai:b"), keyEntry("openai:k"))
	tests := []struct{ name, file, backup string }{
		{"the backup was written", doc, doc},
		{"the file was written", after, doc},
		{"half a backup was written", doc, doc[:20]},
		{"the file is a ruin", doc[:30], doc},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			s := newShelf(t, map[string]string{"main/agent/" + profilesName: tt.file, "main/agent/" + profilesName + backupSuffix: tt.backup})
			if err := settleBackup(s.path("main")); err != nil {
				t.Fatal(err)
			}
			if err := s.remover().Remove(t.Context(), "main", "openai:a", RemoveByFile); err != nil {
				t.Fatal(err)
			}
			if got := s.text("main"); got != after {
				t.Errorf("got  %s\nwant %s", got, after)
			}
			s.onlyTheFile("main")
		})
	}
}

// A file that cannot be replaced is an error, and one that can leaves no backup.
func TestSwap(t *testing.T) {
	dir := t.TempDir()
	inTheWay := filepath.Join(dir, "directory")
	if err := os.MkdirAll(filepath.Join(inTheWay, "x"), 0o700); err != nil {
		t.Fatal(err)
	}
	if err := swap(inTheWay, []byte("old"), []byte("new"), 0o600); err == nil {
		t.Error("a directory was replaced")
	}
	path := filepath.Join(dir, profilesName)
	if err := swap(path, []byte("old"), []byte("new"), 0o600); err != nil {
		t.Fatal(err)
	}
	b, err := os.ReadFile(path)
	if string(b) != "new" || err != nil {
		t.Errorf("%q, %v", b, err)
	}
	if _, err := os.Stat(path + backupSuffix); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("the backup stayed: %v", err)
	}
}
