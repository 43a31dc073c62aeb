package journal

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"
)

// image is the journal that full copies: days of readings take seconds to write
// under the race detector.
var image struct {
	once sync.Once
	file []byte
}

// full is a closed journal of a few hundred pages with something in every
// table, the readings last.
func full(t *testing.T) string {
	t.Helper()
	image.once.Do(func() {
		b, err := os.ReadFile(fill(t))
		if err != nil {
			t.Fatal(err)
		}
		image.file = b
	})
	path := filepath.Join(t.TempDir(), FileName)
	if err := os.WriteFile(path, image.file, 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

func fill(t *testing.T) string {
	t.Helper()
	j := fresh(t)
	r := Round{
		At: day, State: map[string]json.RawMessage{},
		Switches: []Switch{{At: day, To: "openai:b", Order: []string{"openai:b"}}},
		Restarts: []Restart{{At: day}}, Logins: []Login{{At: day}}, Episodes: []Episode{{Kind: EpisodeBlind, Since: day}},
	}
	for n := range 40 {
		r.State[fmt.Sprintf("account/%d", n)] = json.RawMessage(`"` + strings.Repeat("s", 200) + `"`)
		r.Messages = append(r.Messages, Message{ID: fmt.Sprintf("msg_%02d", n), Endpoint: "ops", Body: bytes.Repeat([]byte("m"), 500)})
	}
	commit(t, j, r)
	if err := j.Settle(t.Context(), []Outcome{{ID: "msg_00", Endpoint: "ops", Result: Gone, Target: "t", Err: "410"}}); err != nil {
		t.Fatal(err)
	}
	season(t, j, 1, 4)
	if err := j.Close(); err != nil {
		t.Fatal(err)
	}
	return j.path
}

func pending(t *testing.T, j *Journal) []string {
	t.Helper()
	list, err := j.NextMessages(t.Context(), "ops", 100)
	if err != nil {
		t.Fatal(err)
	}
	ids := make([]string, len(list))
	for i, m := range list {
		ids[i] = m.ID
	}
	return ids
}

// What cannot be made again is taken over from a file that is damaged
// elsewhere, in its order and with its attempts.
func TestDamageElsewhereLosesNoMessage(t *testing.T) {
	if testing.Short() {
		t.Skip("SQLite takes many seconds for it under the race detector; -short leaves it out")
	}
	path := full(t)
	b, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	copy(b[len(b)*3/4:], bytes.Repeat([]byte{0xa5}, 16*4096)) // readings
	if err := os.WriteFile(path, b, 0o600); err != nil {
		t.Fatal(err)
	}
	j := open(t, path)
	notes := strings.Join(j.Notes(), "\n")
	if j.Trouble() != nil || !strings.Contains(notes, "taken over: 40 messages, 40 entries of the memory, 8 of the history") {
		t.Errorf("trouble %v, notes = %q", j.Trouble(), notes)
	}
	ids := pending(t, j)
	if len(ids) != 39 || ids[0] != "msg_01" || !slices.IsSorted(ids) {
		t.Errorf("pending %q", ids)
	}
	if ok, err := j.Enabled(t.Context(), "ops", "t"); ok || err != nil {
		t.Errorf("the endpoint that wants no more is asked again (%v)", err)
	}
	docs, err := j.State(t.Context(), "")
	if err != nil || len(docs) != 40 {
		t.Errorf("%d documents, %v", len(docs), err)
	}
	if e, err := j.Episodes(t.Context(), day); err != nil || len(e) != 1 {
		t.Errorf("episodes %+v, %v", e, err)
	}
	if exists(j.fresh()) {
		t.Error("the file that was made is still beside it")
	}
}

// Damage that shows only later is mended by the round that meets it. The round
// is refused, and stored when it is committed again.
func TestDamageWhileOpen(t *testing.T) {
	if testing.Short() {
		t.Skip("SQLite takes many seconds for it under the race detector; -short leaves it out")
	}
	path := full(t)
	j := open(t, path)
	b, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	copy(b[len(b)*3/4:], bytes.Repeat([]byte{0xa5}, 16*4096))
	if err := os.WriteFile(path, b, 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := j.db.ExecContext(t.Context(), "PRAGMA shrink_memory"); err != nil { // what it holds in memory is sound
		t.Fatal(err)
	}
	late := Round{At: day.AddDate(1, 0, 0), State: map[string]json.RawMessage{"late": json.RawMessage(`1`)}} // prunes all readings
	if err := j.Commit(t.Context(), late); !errors.Is(err, ErrDamaged) || !strings.Contains(err.Error(), "set aside as") {
		t.Errorf("err = %v", err)
	}
	commit(t, j, late)
	docs, err := j.State(t.Context(), "")
	if ids := pending(t, j); err != nil || len(docs) != 41 || j.Trouble() != nil {
		t.Errorf("%d documents, pending %q, trouble %v, %v", len(docs), ids, j.Trouble(), err)
	}
}

// Whatever a disk does to the file and its WAL, ocwatch starts, writes and
// reads, and nothing that it reads was never written.
func TestAnyDamage(t *testing.T) {
	if testing.Short() {
		t.Skip("SQLite takes many seconds for it under the race detector; -short leaves it out")
	}
	whole, err := os.ReadFile(full(t))
	if err != nil {
		t.Fatal(err)
	}
	other, wal := strangersWAL(t)
	for name, damage := range map[string]func(b []byte, r *rand.Rand) (file, log []byte){
		"noise in one page":  func(b []byte, r *rand.Rand) ([]byte, []byte) { return noise(b, r, 1), nil },
		"noise in ten pages": func(b []byte, r *rand.Rand) ([]byte, []byte) { return noise(b, r, 10), nil },
		"noise everywhere": func(b []byte, r *rand.Rand) ([]byte, []byte) {
			return noise(b, r, len(b)/4096), nil
		},
		"truncated":              func(b []byte, r *rand.Rand) ([]byte, []byte) { return b[:r.IntN(len(b))], nil },
		"a header of zeroes":     func(b []byte, _ *rand.Rand) ([]byte, []byte) { clear(b[:100]); return b, nil },
		"no application id":      func(b []byte, _ *rand.Rand) ([]byte, []byte) { clear(b[68:72]); return b, nil },
		"another's WAL":          func(b []byte, _ *rand.Rand) ([]byte, []byte) { return b, wal },
		"another's file and WAL": func([]byte, *rand.Rand) ([]byte, []byte) { return other[:len(other)/2], wal },
		"a WAL of noise":         func(b []byte, r *rand.Rand) ([]byte, []byte) { return b, noise(bytes.Clone(wal), r, 99) },
		"a WAL alone":            func([]byte, *rand.Rand) ([]byte, []byte) { return nil, wal },
		"swapped pages": func(b []byte, r *rand.Rand) ([]byte, []byte) {
			x, y := 4096*(1+r.IntN(len(b)/4096-1)), 4096*(1+r.IntN(len(b)/4096-1))
			page := bytes.Clone(b[x : x+4096])
			copy(b[x:], b[y:y+4096])
			copy(b[y:], page)
			return b, nil
		},
	} {
		t.Run(name, func(t *testing.T) {
			for seed := range uint64(6) {
				path := filepath.Join(t.TempDir(), FileName)
				file, log := damage(bytes.Clone(whole), rand.New(rand.NewPCG(seed, 7)))
				if err := os.WriteFile(path, file, 0o600); err != nil {
					t.Fatal(err)
				}
				if log != nil {
					if err := os.WriteFile(path+"-wal", log, 0o600); err != nil {
						t.Fatal(err)
					}
				}
				livesOn(t, open(t, path))
			}
		})
	}
}

// livesOn checks that j can be used, and holds nothing that was made up.
func livesOn(t *testing.T, j *Journal) {
	t.Helper()
	if err := j.Trouble(); err != nil {
		t.Fatalf("the file is not used: %v", err)
	}
	commit(t, j, Round{
		At: day, State: map[string]json.RawMessage{"new": json.RawMessage(`1`)},
		Messages: []Message{{ID: "new", Endpoint: "ops", Body: []byte(`{}`)}},
	})
	ids := pending(t, j)
	if len(ids) == 0 || ids[len(ids)-1] != "new" {
		t.Errorf("pending %q", ids)
	}
	if _, err := j.State(t.Context(), ""); err != nil {
		t.Error(err)
	}
	if _, err := j.SwitchesSince(t.Context(), time.Time{}); err != nil {
		t.Error(err)
	}
}

func noise(b []byte, r *rand.Rand, pages int) []byte {
	for range pages {
		at := r.IntN(len(b)/4096) * 4096
		for i := range 64 {
			b[min(len(b)-1, at+i*60)] = byte(r.Uint32())
		}
	}
	return b
}

// strangersWAL is another journal and what is in its WAL.
func strangersWAL(t *testing.T) (file, wal []byte) {
	t.Helper()
	j := fresh(t)
	commit(t, j, Round{At: day, State: map[string]json.RawMessage{"theirs": json.RawMessage(`1`)}})
	file, err := os.ReadFile(j.path)
	wal, err2 := os.ReadFile(j.path + "-wal")
	if err := errors.Join(err, err2); err != nil || len(wal) == 0 {
		t.Fatal(len(wal), err)
	}
	return file, wal
}

// Death at any point of the replacement leaves what the next start goes on from.
func TestReplacementIsFinished(t *testing.T) {
	for name, tc := range map[string]struct {
		files map[string]string // suffix: a journal with that key, "damaged", or a stale WAL
		want  string
	}{
		"the fresh file half made":      {map[string]string{"": "damaged", ".fresh": "damaged"}, `{}`},
		"whole, beside the damaged one": {map[string]string{"": "damaged", ".fresh": "rescued"}, `{}`},
		"the damaged one moved":         {map[string]string{".fresh": "rescued"}, `{"rescued":1}`},
		"moved, and its WAL not":        {map[string]string{".fresh": "rescued", "-wal": "stale"}, `{"rescued":1}`},
		"all done, and one beside it":   {map[string]string{"": "sound", ".fresh": "rescued"}, `{"sound":1}`},
	} {
		t.Run(name, func(t *testing.T) {
			path := filepath.Join(t.TempDir(), FileName)
			_, wal := strangersWAL(t)
			for _, suffix := range slices.Sorted(maps.Keys(tc.files)) { // a journal that is opened takes a fresh one beside it over
				what := tc.files[suffix]
				var err error
				switch what {
				case "damaged":
					err = os.WriteFile(path+suffix, bytes.Repeat([]byte("no database "), 5000), 0o600)
				case "stale":
					err = os.WriteFile(path+suffix, wal, 0o600)
				default:
					j := open(t, path+suffix)
					commit(t, j, Round{At: day, State: map[string]json.RawMessage{what: json.RawMessage(`1`)}})
					err = j.Close()
				}
				if err != nil {
					t.Fatal(err)
				}
			}
			j := open(t, path)
			if got := state(t, j); got != tc.want || j.Trouble() != nil {
				t.Errorf("state %s, trouble %v; want %s", got, j.Trouble(), tc.want)
			}
		})
	}
}

// A check that takes too long is left off, and said.
func TestCheckDoesNotDelay(t *testing.T) {
	path := full(t)
	j, err := Open(t.Context(), path, func(j *Journal) { j.within = time.Nanosecond })
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = j.Close() }()
	if notes := strings.Join(j.Notes(), "\n"); j.Trouble() != nil || !strings.Contains(notes, "not checked to its end") {
		t.Errorf("trouble %v, notes %q", j.Trouble(), notes)
	}
	livesOn(t, j)
}

// A start that is cancelled is no damage.
func TestCancelledOpen(t *testing.T) {
	path := full(t)
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if j, err := Open(ctx, path); err == nil {
		_ = j.Close()
		t.Error("no error")
	}
	if aside, err := filepath.Glob(path + ".*"); err != nil || len(aside) != 0 {
		t.Errorf("left behind: %q, %v", aside, err)
	}
}
