package app

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/rs/zerolog"

	"github.com/ocwatch/ocwatch/internal/event"
	"github.com/ocwatch/ocwatch/internal/openclaw"
	"github.com/ocwatch/ocwatch/internal/quota"
	"github.com/ocwatch/ocwatch/internal/sandbox"
	"github.com/ocwatch/ocwatch/probe"
	"github.com/ocwatch/ocwatch/profiles"
)

// rounds is a service manager that counts the rounds.
type rounds chan struct{}

func (rounds) Ready(string)  {}
func (r rounds) Beat(string) { r <- struct{}{} }
func (rounds) Reloading()    {}
func (rounds) Stopping()     {}

// TestActsWithoutATick: the schedule and the accounts' turns are an hour away,
// so whatever happens is the doing of a notification.
func TestActsWithoutATick(t *testing.T) {
	world, hook := startWorld(t)
	cfg := configFor(t, world, hook)
	pace := Pace{
		Schedule: constantly(time.Hour), MinGap: time.Second, Breaker: defaultPace(cfg).Breaker,
		Next: func(now time.Time, _ probe.Account, _ quota.Reading, _ float64) time.Time { return now.Add(time.Hour) },
	}
	beats := make(rounds, 1000)
	a, err := New(t.Context(), Options{Config: cfg, Log: zerolog.Nop(), Version: "test", Pace: &pace, Systemd: beats})
	if err != nil {
		t.Fatal(err)
	}
	defer a.Close()
	ctx, stop := context.WithCancel(t.Context())
	done := make(chan struct{})
	go func() {
		defer close(done)
		_ = a.Run(ctx)
	}()
	defer func() {
		stop()
		<-done
	}()
	nextRound(t, beats)

	// Sessions are in the same files and are nobody's business.
	sessions := openSessions(t, world)
	for range 500 {
		if _, err := sessions.ExecContext(t.Context(), "INSERT INTO busy VALUES ('a word')"); err != nil {
			t.Fatal(err)
		}
	}
	if n := len(beats); n != 0 {
		t.Errorf("%d rounds over sessions", n)
	}

	world.SetUsed("openai:alice@example.com", quota.FiveHour, 100)
	begin := time.Now()
	if served, err := world.Turn(t.Context(), "s"); err != nil || served != "openai:bob@example.com" {
		t.Fatalf("served by %s, %v", served, err)
	}
	e := awaitEvent(t, hook, event.PoolSwitched)
	t.Logf("%v from the block to the word of the switch", time.Since(begin).Round(time.Millisecond))
	if first := e.Data.Order[0]; first != "openai:bob@example.com" {
		t.Errorf("%s is first", first)
	}
	writes := world.Writes()
	if len(writes) != 1 {
		t.Fatalf("%d orders were set", len(writes))
	}
	t.Logf("%v from the block to the order", writes[0].At.Sub(begin).Round(time.Millisecond))
}

func nextRound(t *testing.T, beats rounds) {
	t.Helper()
	select {
	case <-beats:
	case <-time.After(30 * time.Second):
		t.Fatal("no round")
	}
}

// openSessions opens the shared database as the gateway has it open, with a
// table that is not about profiles.
func openSessions(tb testing.TB, world *sandbox.World) *sql.DB {
	tb.Helper()
	db, err := sql.Open("sqlite", "file:"+filepath.Join(world.StateDir(), "state", "openclaw.sqlite")+"?_pragma=busy_timeout(5000)")
	if err != nil {
		tb.Fatal(err)
	}
	db.SetMaxOpenConns(1)
	tb.Cleanup(func() { _ = db.Close() })
	if _, err := db.ExecContext(tb.Context(), "CREATE TABLE IF NOT EXISTS busy (v TEXT)"); err != nil {
		tb.Fatal(err)
	}
	return db
}

// scene is a source that gives what a test says.
type scene struct {
	snap profiles.Snapshot
	err  error
}

func (s scene) Snapshot(context.Context) (profiles.Snapshot, error) { return s.snap, s.err }

func TestDigest(t *testing.T) {
	until := time.Date(2026, 11, 22, 18, 40, 0, 0, time.UTC)
	with := func(change func(*scene)) scene {
		s := scene{snap: profiles.Snapshot{Pools: []profiles.Pool{{
			Agent: "main", Provider: "openai", Source: profiles.OrderStored, Order: []string{"openai:alice", "openai:bob"},
			Profiles: []profiles.Profile{{ID: "openai:alice", Revision: 1}, {ID: "openai:bob", Revision: 2}},
		}}}}
		change(&s)
		return s
	}
	first := func(s *scene) *profiles.Profile { return &s.snap.Pools[0].Profiles[0] }
	same := map[string]func(*scene){
		"nothing":         func(*scene) {},
		"the time":        func(s *scene) { s.snap.At = until },
		"who served last": func(s *scene) { first(s).LastUsed = until },
		"the listing":     func(s *scene) { slices.Reverse(s.snap.Pools[0].Profiles) },
		"a plan's name":   func(s *scene) { first(s).Plan = "plus" },
	}
	other := map[string]func(*scene){
		"a block":              func(s *scene) { first(s).Block = profiles.Block{Until: until, Kind: profiles.Blocked} },
		"another block":        func(s *scene) { first(s).Block = profiles.Block{Until: until, Kind: profiles.Disabled} },
		"a model's block":      func(s *scene) { first(s).ModelBlocks = []profiles.Block{{Until: until, Model: "m"}} },
		"an order":             func(s *scene) { slices.Reverse(s.snap.Pools[0].Order) },
		"an order taken away":  func(s *scene) { s.snap.Pools[0].Order, s.snap.Pools[0].Source = nil, profiles.OrderNone },
		"a login":              func(s *scene) { first(s).Revision = 3 },
		"a dead login":         func(s *scene) { first(s).Status = profiles.LoginRequired },
		"a profile less":       func(s *scene) { s.snap.Pools[0].Profiles = s.snap.Pools[0].Profiles[1:] },
		"another agent":        func(s *scene) { s.snap.Pools = append(s.snap.Pools, profiles.Pool{Agent: "ops", Provider: "openai"}) },
		"a store in trouble":   func(s *scene) { s.snap.Problems = []profiles.Problem{{Agent: "main", What: "the store is damaged"}} },
		"a state that is gone": func(s *scene) { *s = scene{err: errors.New("no longer there")} },
		"a state out of reach": func(s *scene) { *s = scene{err: errors.New("cannot be looked at")} },
	}
	seen := map[uint64]string{}
	want, err := digest(t.Context(), with(func(*scene) {}))
	if err != nil {
		t.Fatal(err)
	}
	seen[want] = "nothing"
	for name, change := range same {
		if got, err := digest(t.Context(), with(change)); got != want || err != nil {
			t.Errorf("%s counts as a change (%v)", name, err)
		}
	}
	for name, change := range other {
		got, err := digest(t.Context(), with(change))
		if before, taken := seen[got]; taken || err != nil {
			t.Errorf("%s looks like %s (%v)", name, before, err)
		}
		seen[got] = name
	}
	ended, stop := context.WithCancel(t.Context())
	stop()
	if _, err := digest(ended, with(func(*scene) {})); !errors.Is(err, context.Canceled) {
		t.Errorf("at the end: %v", err)
	}
}

const writerEnv = "OCWATCH_TEST_STORM"

// TestStormWriter is the other process of BenchmarkStorm: it writes a thousand
// times a second for five seconds, as a gateway under load does at most.
func TestStormWriter(t *testing.T) {
	path := os.Getenv(writerEnv)
	if path == "" {
		t.Skip("BenchmarkStorm runs it")
	}
	db, err := sql.Open("sqlite", "file:"+path+"?_pragma=busy_timeout(5000)&_pragma=synchronous(normal)")
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = db.Close() }()
	db.SetMaxOpenConns(1)
	tick := time.NewTicker(time.Millisecond)
	defer tick.Stop()
	for range 5000 {
		if _, err := db.ExecContext(t.Context(), "INSERT INTO busy VALUES (?)", strings.Repeat("x", 500)); err != nil {
			t.Fatal(err)
		}
		<-tick.C
	}
}

// BenchmarkStorm prints what watching costs while another process writes a
// thousand times a second to a database with as many tables as the real one.
func BenchmarkStorm(b *testing.B) {
	account := sandbox.Account{Profile: "openai:alice@example.com", Windows: []sandbox.Window{{Name: quota.FiveHour}}}
	world, err := sandbox.Start(b.Context(), sandbox.Options{Dir: b.TempDir(), Accounts: []sandbox.Account{account}})
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() { _ = world.Close() })
	db := openSessions(b, world)
	for i := range 120 {
		if _, err := db.ExecContext(b.Context(), fmt.Sprintf("CREATE TABLE filler%d (a TEXT PRIMARY KEY, b INTEGER NOT NULL, c TEXT) STRICT", i)); err != nil {
			b.Fatal(err)
		}
	}
	found, err := openclaw.Find(openclaw.Options{StateDir: world.StateDir()})
	if err != nil {
		b.Fatal(err)
	}
	a := &App{opts: Options{Log: zerolog.Nop()}, install: &install{Install: found, store: profiles.NewStore(found, profiles.Options{})}}
	for b.Loop() {
		counted := &counting{Store: a.install.store}
		w := a.newWatch()
		w.Look = func(ctx context.Context) (uint64, error) { return digest(ctx, counted) }
		w.Changed = func() { b.Error("a round over sessions") }
		ctx, stop := context.WithCancel(b.Context())
		w.Begin(ctx)
		done := make(chan struct{})
		before, begin := processor(b), time.Now()
		go func() {
			defer close(done)
			w.Run(ctx)
		}()
		writer := exec.CommandContext(ctx, os.Args[0], "-test.run=^TestStormWriter$", "-test.v")
		writer.Env = append(os.Environ(), writerEnv+"="+filepath.Join(world.StateDir(), "state", "openclaw.sqlite"))
		if out, err := writer.CombinedOutput(); err != nil || !strings.Contains(string(out), "--- PASS: TestStormWriter") {
			b.Fatalf("%v\n%s", err, out)
		}
		took, used := time.Since(begin), processor(b)-before
		stop()
		<-done
		b.ReportMetric(100*used.Seconds()/took.Seconds(), "cpu-%")
		b.ReportMetric(float64(counted.n)/took.Seconds(), "looks/s")
		b.ReportMetric(counted.spent.Seconds()*1000/float64(counted.n), "ms/look")
		b.ReportMetric(5000/took.Seconds(), "writes/s")
	}
}

// counting counts the looks.
type counting struct {
	*profiles.Store
	n     int
	spent time.Duration
}

func (c *counting) Snapshot(ctx context.Context) (profiles.Snapshot, error) {
	begin := time.Now()
	defer func() { c.n, c.spent = c.n+1, c.spent+time.Since(begin) }()
	return c.Store.Snapshot(ctx)
}

// processor is the time that this process spent on a processor.
func processor(tb testing.TB) time.Duration {
	tb.Helper()
	var u syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &u); err != nil {
		tb.Fatal(err)
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}
