package watch

import (
	"bytes"
	"context"
	"database/sql"
	"errors"
	"hash/fnv"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/fsnotify/fsnotify"
	"github.com/rs/zerolog"
	_ "modernc.org/sqlite"
)

// patience is how long a test waits for what must come.
const patience = 30 * time.Second

// fixture is a watched directory with a database, whose table kept counts and
// whose table noise does not.
type fixture struct {
	*Watcher
	dir     string
	db      *sql.DB
	changed chan struct{}
	log     *safeBuffer

	mu    sync.Mutex
	looks []time.Time
	fail  error
}

type safeBuffer struct {
	mu  sync.Mutex
	buf bytes.Buffer
}

func (b *safeBuffer) Write(p []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.buf.Write(p)
}

func (b *safeBuffer) String() string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.buf.String()
}

func (b *safeBuffer) count(s string) int {
	return strings.Count(b.String(), s)
}

func newFixture(t *testing.T) *fixture {
	t.Helper()
	f := &fixture{dir: t.TempDir(), changed: make(chan struct{}, 1000), log: &safeBuffer{}}
	var err error
	if f.db, err = sql.Open("sqlite", filepath.Join(f.dir, "store.sqlite")); err != nil {
		t.Fatal(err)
	}
	f.db.SetMaxOpenConns(1)
	t.Cleanup(func() { _ = f.db.Close() })
	f.exec(t, "PRAGMA journal_mode=wal")
	f.exec(t, "CREATE TABLE kept (v TEXT)")
	f.exec(t, "CREATE TABLE noise (v TEXT)")
	f.Watcher = New(Options{
		Dirs: f.dirs, Concerns: concerns, Look: f.look, Changed: func() { f.changed <- struct{}{} }, Log: zerolog.New(f.log),
	})
	// No test waits for the clock unless it says so.
	f.pace = pace{settle: 5 * time.Millisecond, rest: 20 * time.Millisecond, again: time.Hour}
	return f
}

func (f *fixture) dirs() []string {
	dirs := []string{f.dir, filepath.Join(f.dir, "sub")}
	return slices.DeleteFunc(dirs, func(d string) bool {
		_, err := os.Stat(d)
		return err != nil
	})
}

func concerns(path string, written bool) bool {
	switch filepath.Base(path) {
	case "store.sqlite-wal":
		return written
	case "store.sqlite", "store.json", "sub":
		return true
	}
	return false
}

func (f *fixture) look(ctx context.Context) (uint64, error) {
	f.mu.Lock()
	f.looks = append(f.looks, time.Now())
	fail := f.fail
	f.mu.Unlock()
	if fail != nil {
		return 0, fail
	}
	h := fnv.New64a()
	for _, name := range []string{"store.json", "sub/store.json"} {
		raw, _ := os.ReadFile(filepath.Join(f.dir, name))
		_, _ = h.Write(append(raw, 0))
	}
	db, err := sql.Open("sqlite", "file:"+filepath.Join(f.dir, "store.sqlite")+"?mode=ro&_pragma=busy_timeout(2000)")
	if err != nil {
		return 0, err
	}
	defer func() { _ = db.Close() }()
	var kept sql.NullString
	if err := db.QueryRowContext(ctx, "SELECT group_concat(v) FROM kept").Scan(&kept); err != nil {
		return 0, err
	}
	_, _ = h.Write([]byte(kept.String))
	return h.Sum64(), nil
}

func (f *fixture) exec(t *testing.T, statement string) {
	t.Helper()
	if _, err := f.db.ExecContext(t.Context(), statement); err != nil {
		t.Fatal(err)
	}
}

// replace writes a file as OpenClaw does, by renaming.
func (f *fixture) replace(t *testing.T, name, content string) {
	t.Helper()
	path := filepath.Join(f.dir, name)
	if err := os.WriteFile(path+".tmp", []byte(content), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := os.Rename(path+".tmp", path); err != nil {
		t.Fatal(err)
	}
}

func (f *fixture) run(t *testing.T) {
	t.Helper()
	ctx, stop := context.WithCancel(t.Context())
	f.Begin(ctx)
	done := make(chan struct{})
	go func() {
		defer close(done)
		f.Run(ctx)
	}()
	t.Cleanup(func() {
		stop()
		<-done
	})
}

func (f *fixture) expect(t *testing.T, what string) {
	t.Helper()
	select {
	case <-f.changed:
	case <-time.After(patience):
		t.Fatalf("%s was not noticed\n%s", what, f.log.String())
	}
}

func (f *fixture) lookTimes() []time.Time {
	f.mu.Lock()
	defer f.mu.Unlock()
	return slices.Clone(f.looks)
}

func TestChangesAreNoticed(t *testing.T) {
	f := newFixture(t)
	f.run(t)
	f.exec(t, "INSERT INTO kept VALUES ('a block')")
	f.expect(t, "a write to the log of a database")
	f.exec(t, "PRAGMA wal_checkpoint(TRUNCATE)")
	f.exec(t, "UPDATE kept SET v = 'an order'")
	f.expect(t, "a write after a checkpoint")
	f.replace(t, "store.json", `{"a":1}`)
	f.expect(t, "a file that is new")
	f.replace(t, "store.json", `{"a":2}`)
	f.expect(t, "a file that was replaced")
	if err := os.WriteFile(filepath.Join(f.dir, "store.json"), []byte(`{"a":3}`), 0o600); err != nil {
		t.Fatal(err)
	}
	f.expect(t, "a file that was written in place")
	if err := os.Remove(filepath.Join(f.dir, "store.json")); err != nil {
		t.Fatal(err)
	}
	f.expect(t, "a file that was removed")
}

func TestDirectoriesComeAndGo(t *testing.T) {
	f := newFixture(t)
	f.run(t)
	sub := filepath.Join(f.dir, "sub")
	for _, round := range []string{"new", "made anew", "made anew once more"} {
		if err := os.Mkdir(sub, 0o700); err != nil {
			t.Fatal(err)
		}
		f.replace(t, "sub/store.json", round)
		f.expect(t, "a file in a directory that is "+round)
		f.replace(t, "sub/store.json", round+", changed")
		f.expect(t, "a change in a directory that is "+round)
		if err := os.Rename(sub, filepath.Join(f.dir, "away "+round)); err != nil {
			t.Fatal(err)
		}
		f.expect(t, "a directory that went away")
	}
}

// TestTheWatchedDirectoryItself: where it is made anew nobody says so, and the
// clock finds it.
func TestTheWatchedDirectoryItself(t *testing.T) {
	f := newFixture(t)
	f.dir = filepath.Join(f.dir, "below")
	f.Look = func(context.Context) (uint64, error) {
		raw, _ := os.ReadFile(filepath.Join(f.dir, "store.json"))
		return uint64(len(raw)), nil
	}
	f.pace.again = 30 * time.Millisecond
	for i, content := range []string{"1", "22", "333"} {
		if err := os.Mkdir(f.dir, 0o700); err != nil {
			t.Fatal(err)
		}
		if i == 0 {
			f.run(t)
		}
		f.replace(t, "store.json", content)
		f.expect(t, "a file in a directory that is back")
		if err := os.RemoveAll(f.dir); err != nil {
			t.Fatal(err)
		}
		f.expect(t, "a directory that is gone")
	}
}

// TestLookingIsNoReasonToLook: the looks at a database whose owner is not
// running, which make files, cause no look.
func TestLookingIsNoReasonToLook(t *testing.T) {
	f := newFixture(t)
	if err := f.db.Close(); err != nil {
		t.Fatal(err)
	}
	type seen struct{ after, concerned int }
	var mu sync.Mutex
	var got seen
	marked := make(chan struct{})
	f.bell.concerns = func(path string, written bool) bool {
		mu.Lock()
		defer mu.Unlock()
		if filepath.Base(path) == "mark" {
			close(marked)
			f.bell.concerns = concerns
			return false
		}
		yes := concerns(path, written)
		if got.after++; yes {
			got.concerned++
		}
		return yes
	}
	f.attend()
	for range 5 {
		f.Watcher.look(t.Context()) // nobody writes meanwhile
	}
	if n := len(f.lookTimes()); n != 5 {
		t.Fatalf("%d looks", n)
	}
	if err := os.Mkdir(filepath.Join(f.dir, "mark"), 0o700); err != nil {
		t.Fatal(err)
	}
	f.run(t)
	select {
	case <-marked:
	case <-time.After(patience):
		t.Fatal("no notification")
	}
	mu.Lock()
	defer mu.Unlock()
	if got.after == 0 || got.concerned != 0 {
		t.Errorf("%d notifications by looking, %d of concern", got.after, got.concerned)
	}
}

// TestAStormIsAFewLooks: what does not count is never told, and looks keep
// their distance whatever is written.
func TestAStormIsAFewLooks(t *testing.T) {
	f := newFixture(t)
	f.pace.rest = 50 * time.Millisecond
	f.run(t)
	for range 2000 {
		f.exec(t, "INSERT INTO noise VALUES ('a turn')")
	}
	select {
	case <-f.changed:
		t.Error("noise was told")
	default:
	}
	f.exec(t, "INSERT INTO kept VALUES ('a block')")
	f.expect(t, "a change in a storm")
	looks := f.lookTimes()
	for i := 2; i < len(looks); i++ { // the first one is Begin's, before the storm
		if gap := looks[i].Sub(looks[i-1]); gap < f.pace.rest {
			t.Errorf("look %d came %v after the one before", i, gap)
		}
	}
	if len(f.changed) != 0 {
		t.Error("one change was told twice")
	}
}

// TestWithoutNotifications: where there are none, changes are found by looking,
// and that is said once.
func TestWithoutNotifications(t *testing.T) {
	f := newFixture(t)
	var mu sync.Mutex
	limit := error(syscall.EMFILE)
	f.bell.make = func() (*fsnotify.Watcher, error) {
		mu.Lock()
		defer mu.Unlock()
		if limit != nil {
			return nil, limit
		}
		return fsnotify.NewWatcher()
	}
	f.pace.again = 10 * time.Millisecond
	f.run(t)
	for _, v := range []string{"one", "two", "three"} {
		f.exec(t, "INSERT INTO kept VALUES ('"+v+"')")
		f.expect(t, "a change without notifications")
	}
	if n := f.log.count("not noticed at once"); n != 1 || f.log.count("fs.inotify.max_user_instances") != 1 {
		t.Errorf("said %d times:\n%s", n, f.log.String())
	}
	mu.Lock()
	limit = nil
	mu.Unlock()
	for f.log.count("at once again") == 0 {
		f.exec(t, "INSERT INTO kept VALUES ('more')")
		f.expect(t, "a change around the end of the limit")
	}
}

// TestLostNotifications: an overflow and a notifier that ended are both reasons
// to look, and to start anew.
func TestLostNotifications(t *testing.T) {
	f := newFixture(t)
	notifiers := make(chan *fsnotify.Watcher, 10)
	f.bell.make = func() (*fsnotify.Watcher, error) {
		n, err := fsnotify.NewWatcher()
		notifiers <- n
		return n, err
	}
	f.run(t)
	n := <-notifiers
	if err := n.Remove(f.dir); err != nil { // what an overflow hides
		t.Fatal(err)
	}
	f.exec(t, "INSERT INTO kept VALUES ('unheard')")
	n.Errors <- fsnotify.ErrEventOverflow
	f.expect(t, "what an overflow hid")
	f.exec(t, "INSERT INTO kept VALUES ('heard')")
	f.expect(t, "a change after an overflow")
}

func TestANotifierThatEnded(t *testing.T) {
	f := newFixture(t)
	notifiers := make(chan *fsnotify.Watcher, 10)
	f.bell.make = func() (*fsnotify.Watcher, error) {
		n, err := fsnotify.NewWatcher()
		notifiers <- n
		return n, err
	}
	f.pace.again = 20 * time.Millisecond
	f.run(t)
	if err := (<-notifiers).Close(); err != nil {
		t.Fatal(err)
	}
	f.exec(t, "INSERT INTO kept VALUES ('unheard')")
	f.expect(t, "a change after the end of the notifier")
	select {
	case <-notifiers:
	case <-time.After(patience):
		t.Fatal("no new notifier")
	}
}

// TestALookThatFails keeps what was seen before: an error is no change, and the
// change beneath it is told afterwards.
func TestALookThatFails(t *testing.T) {
	f := newFixture(t)
	f.Begin(t.Context())
	defer f.bell.close()
	f.fail = errors.New("busy")
	f.exec(t, "INSERT INTO kept VALUES ('a block')")
	f.Watcher.look(t.Context())
	if len(f.changed) != 0 {
		t.Fatal("an error was told as a change")
	}
	f.fail = nil
	f.Watcher.look(t.Context())
	f.expect(t, "a change after an error")

	f.Look = func(context.Context) (uint64, error) { panic("odd") }
	f.Watcher.look(t.Context())
	if f.log.count(`"odd"`) != 1 {
		t.Errorf("the panic was not logged:\n%s", f.log.String())
	}
}
