package notify

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/rs/zerolog"

	"github.com/ocwatch/ocwatch/internal/journal"
	"github.com/ocwatch/ocwatch/internal/secret"
)

// The test binary is its own victim: with these set it commits and sends
// until it is killed.
const (
	victimJournal = "OCWATCH_TEST_VICTIM_JOURNAL"
	victimURL     = "OCWATCH_TEST_VICTIM_URL"
	victimChats   = "OCWATCH_TEST_VICTIM_CHATS"
	counterKey    = "test/n"
	lives         = 12
	killWithin    = 10 // commits or arrivals of one life
)

func TestMain(m *testing.M) {
	if path := os.Getenv(victimJournal); path != "" {
		if err := victim(context.Background(), path, os.Getenv(victimURL), os.Getenv(victimChats) != ""); err != nil {
			_, _ = fmt.Fprintln(os.Stderr, err)
		}
		os.Exit(3) // it was to be killed
	}
	os.Exit(m.Run())
}

// victim commits one message a round, numbered on from what the journal says,
// and prints each number once it is committed.
func victim(ctx context.Context, path, url string, chats bool) error {
	j, n, err := openVictim(ctx, path, url, chats)
	if err != nil {
		return err
	}
	go n.Run(ctx)
	last, err := counter(ctx, j)
	if err != nil {
		return err
	}
	for i := last + 1; i <= last+2*killWithin; i++ {
		doc := json.RawMessage(strconv.Itoa(i))
		err := j.Commit(ctx, journal.Round{
			At: time.Now(), State: map[string]json.RawMessage{counterKey: doc},
			Messages: []journal.Message{{ID: newID(), Endpoint: "ops", Body: doc}},
		})
		if err != nil {
			return err
		}
		n.Wake()
		if _, err := fmt.Println(i); err != nil {
			return err
		}
	}
	select {}
}

// chatting makes a chat of a webhook.
type chatting struct{ Sender }

func (chatting) Joins() bool { return true }

func openVictim(ctx context.Context, path, url string, chats bool) (*journal.Journal, *Notifier, error) {
	j, err := journal.Open(ctx, path)
	if err != nil {
		return nil, nil, err
	}
	if len(j.Notes()) > 0 {
		return nil, nil, fmt.Errorf("the journal did not survive: %q", j.Notes())
	}
	hook, err := Webhook(secret.New(url), secret.Value{}, "ocwatch/test", nil)
	if err != nil {
		return nil, nil, err
	}
	if chats {
		hook = chatting{hook}
	}
	n, err := New(Options{Endpoints: []Endpoint{{Name: "ops", Sender: hook}}, Store: j, Log: zerolog.New(os.Stderr).Level(zerolog.WarnLevel)})
	if err == nil {
		n.workers[0].burst = 2 * time.Millisecond // a few of them a life
	}
	return j, n, err
}

func counter(ctx context.Context, j *journal.Journal) (n int, err error) {
	docs, err := j.State(ctx, counterKey)
	if err != nil || docs[counterKey] == nil {
		return 0, err
	}
	err = json.Unmarshal(docs[counterKey], &n)
	return n, err
}

// hook receives the victim's messages and knows its connections.
type hook struct {
	mu       sync.Mutex
	arrived  [][]int // the numbers of each text
	open     map[net.Conn]bool
	onArrive func(total int)
}

func (h *hook) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	body, err := io.ReadAll(r.Body)
	var numbers []int
	for word := range strings.FieldsSeq(string(body)) {
		n, nerr := strconv.Atoi(word)
		err = errors.Join(err, nerr)
		numbers = append(numbers, n)
	}
	if err != nil || len(numbers) == 0 {
		w.WriteHeader(http.StatusBadRequest) // the barrier, or cut off
		return
	}
	h.mu.Lock()
	h.arrived = append(h.arrived, numbers)
	total, tell := len(h.arrived), h.onArrive
	h.mu.Unlock()
	tell(total)
	w.WriteHeader(http.StatusNoContent)
}

func (h *hook) connState(c net.Conn, s http.ConnState) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if s == http.StateClosed {
		delete(h.open, c)
		return
	}
	h.open[c] = true
}

func (h *hook) set(f func(total int)) (total int) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.onArrive = f
	return len(h.arrived)
}

// settle waits until nothing of a dead victim is on its way any more: a request
// of our own comes behind all of its connections, which then close.
func (h *hook) settle(t *testing.T, url string) {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, url, http.NoBody)
	if err != nil {
		t.Fatal(err)
	}
	req.Close = true
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	if err := resp.Body.Close(); err != nil {
		t.Fatal(err)
	}
	eventually(t, "the victim's connections to close", func() bool {
		h.mu.Lock()
		defer h.mu.Unlock()
		return len(h.open) == 0
	})
}

func eventually(t *testing.T, what string, cond func() bool) {
	t.Helper()
	tick := time.NewTicker(5 * time.Millisecond)
	defer tick.Stop()
	for deadline := time.Now().Add(time.Minute); !cond(); <-tick.C {
		if time.Now().After(deadline) {
			t.Fatalf("waited a minute for %s", what)
		}
	}
}

// Killed at random points while it commits and sends: every message that was
// committed arrives, in order, and a kill costs at most one repetition.
func TestKilledAgainAndAgain(t *testing.T) {
	for name, chats := range map[string]bool{"webhook": false, "chat": true} {
		t.Run(name, func(t *testing.T) {
			seed := rand.Uint64()
			t.Logf("seed %d", seed)
			killed(t, rand.New(rand.NewPCG(seed, 0)), chats)
		})
	}
}

func killed(t *testing.T, rng *rand.Rand, chats bool) {
	t.Helper()
	h := &hook{open: map[net.Conn]bool{}}
	srv := httptest.NewUnstartedServer(h)
	srv.Config.ConnState = h.connState
	srv.Start()
	defer srv.Close()
	path := filepath.Join(t.TempDir(), "data", "journal.db")
	committed := 0
	for range lives {
		committed = max(committed, live(t, h, path, srv.URL, chats, 1+rng.IntN(killWithin), 1+rng.IntN(killWithin)))
		h.settle(t, srv.URL)
	}
	last := finish(t, h, path, srv.URL, chats)
	if last < committed {
		t.Errorf("committed %d, the journal knows %d", committed, last)
	}
	// from is where the text before begins: no older message may come again.
	from, at, again := 1, 0, 0
	for _, numbers := range h.arrived {
		first := numbers[0]
		if first <= at {
			again++
		}
		for i, n := range numbers {
			if n != first+i {
				t.Fatalf("a text of %v", numbers)
			}
		}
		if first < from || first > at+1 || numbers[len(numbers)-1] < at || !chats && len(numbers) > 1 {
			t.Fatalf("%v arrived after %d: %v", numbers, at, h.arrived)
		}
		from, at = first, numbers[len(numbers)-1]
	}
	if at != last || again > lives {
		t.Errorf("%d of %d arrived, %d repetitions in %d lives: %v", at, last, again, lives, h.arrived)
	}
	t.Logf("%d messages in %d texts, %d repetitions", at, len(h.arrived), again)
}

// live starts a victim and kills it after so many commits or arrivals,
// whichever is first. It returns the last number known to be committed.
func live(t *testing.T, h *hook, path, url string, chats bool, commits, arrivals int) (committed int) {
	t.Helper()
	exe, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.CommandContext(t.Context(), exe)
	cmd.Env = append(os.Environ(), victimJournal+"="+path, victimURL+"="+url)
	if chats {
		cmd.Env = append(cmd.Env, victimChats+"=1")
	}
	var stderr bytes.Buffer
	cmd.Stderr = &stderr
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	kill := func() { _ = cmd.Process.Kill() }
	before := 0
	ready := make(chan struct{})
	before = h.set(func(total int) {
		if <-ready; total >= before+arrivals {
			kill()
		}
	})
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	close(ready)
	seen := 0
	for s := bufio.NewScanner(out); s.Scan(); {
		if n, err := strconv.Atoi(s.Text()); err == nil {
			committed = n
		}
		if seen++; seen == commits {
			kill()
		}
	}
	var exit *exec.ExitError
	if err := cmd.Wait(); !errors.As(err, &exit) {
		t.Fatalf("the victim ended by itself: %v", err)
	}
	if ws, ok := exit.Sys().(syscall.WaitStatus); !ok || ws.Signal() != syscall.SIGKILL {
		t.Fatalf("the victim was not killed: %v\n%s", exit, stderr.String())
	}
	return committed
}

// finish delivers what is left, in this process, and returns how many messages
// were committed in all.
func finish(t *testing.T, h *hook, path, url string, chats bool) (last int) {
	t.Helper()
	h.set(func(int) {})
	j, n, err := openVictim(t.Context(), path, url, chats)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = j.Close() }()
	stop := start(t.Context(), n)
	defer stop()
	eventually(t, "the outbox to be empty", func() bool {
		pending, err := j.NextMessages(t.Context(), "ops", 1)
		return err == nil && len(pending) == 0
	})
	if last, err = counter(t.Context(), j); err != nil {
		t.Fatal(err)
	}
	return last
}
