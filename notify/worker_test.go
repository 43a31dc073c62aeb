package notify

import (
	"io"
	"net/http"
	"path/filepath"
	"reflect"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"pgregory.net/rapid"

	"github.com/ocwatch/ocwatch/internal/journal"
)

func openJournal(t *testing.T, path string) *journal.Journal {
	t.Helper()
	j, err := journal.Open(t.Context(), path)
	if err != nil {
		t.Fatal(err)
	}
	return j
}

// Three days of 503 with a restart of ocwatch in between, then the receiver is
// back: all arrive, in order, each under the id it always had.
func TestThreeDaysDownThenBack(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		path := filepath.Join(t.TempDir(), "data", "journal.db")
		back := time.Now().Add(giveUpAfter - 2*time.Hour)
		r := &receiver{answer: func(_ int, w http.ResponseWriter) {
			if time.Now().Before(back) {
				w.WriteHeader(http.StatusServiceUnavailable)
			}
		}}
		client := serve(t, r)
		j := openJournal(t, path)
		n := setup(t, j, client, io.Discard)
		stop := start(t.Context(), n)
		want := []string{post(t, n, j), post(t, n, j)}
		time.Sleep(36 * time.Hour)
		stop()
		if err := j.Close(); err != nil {
			t.Fatal(err)
		}

		j = openJournal(t, path)
		n = setup(t, j, client, io.Discard)
		stop = start(t.Context(), n)
		want = append(want, post(t, n, j))
		time.Sleep(time.Until(back) + MaxWait)
		stop()

		if got := r.ids(); !reflect.DeepEqual(got, want) {
			t.Errorf("arrived: %v\nwant:    %v", got, want)
		}
		if tries := len(r.seen()); tries < 70 || tries > 110 {
			t.Errorf("%d requests in three days", tries)
		}
		status, err := j.Outbox(t.Context())
		if err != nil || len(status) != 1 || status[0].Pending != 0 || status[0].Dead != 0 || status[0].LastDelivered.Before(back) {
			t.Errorf("outbox = %+v, %v", status, err)
		}
		if err := j.Close(); err != nil {
			t.Fatal(err)
		}
	})
}

func TestGivenUpAfterThreeDays(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := &receiver{answer: status(http.StatusBadGateway)}
		s := &memory{}
		n := setup(t, s, serve(t, r), io.Discard)
		stop := start(t.Context(), n)
		begin := time.Now()
		id := post(t, n, s)
		time.Sleep(giveUpAfter + time.Minute)
		stop()
		if !s.isDead(id) || s.left() != 0 {
			t.Error("not given up")
		}
		all := r.seen()
		if last := all[len(all)-1].at.Sub(begin); last != giveUpAfter {
			t.Errorf("the last try was after %v, want %v", last, giveUpAfter)
		}
		if all[1].at.Sub(begin) > firstWait {
			t.Errorf("the second try came after %v", all[1].at.Sub(begin))
		}
	})
}

func TestHeadersOfADelivery(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := &receiver{answer: func(n int, w http.ResponseWriter) {
			if n == 0 {
				w.Header().Set("Retry-After", "600")
				w.WriteHeader(http.StatusTooManyRequests)
			}
		}}
		s := &memory{}
		n := setup(t, s, serve(t, r), io.Discard)
		stop := start(t.Context(), n)
		begin := time.Now()
		id := post(t, n, s)
		time.Sleep(time.Hour)
		stop()
		all := r.seen()
		if len(all) != 2 || all[0].id != id || all[1].id != id || all[0].body != all[1].body {
			t.Fatalf("arrivals: %+v", all)
		}
		if wait := all[1].at.Sub(begin); wait != 10*time.Minute {
			t.Errorf("Retry-After was answered after %v", wait)
		}
		h := all[1].header
		for key, want := range map[string]string{
			"Content-Type": "application/json", "User-Agent": "ocwatch/1.2.3", "Webhook-Timestamp": "946685400",
		} {
			if got := h.Get(key); got != want {
				t.Errorf("%s = %q, want %q", key, got, want)
			}
		}
		if all[0].header.Get("Webhook-Signature") == h.Get("Webhook-Signature") {
			t.Error("the signature does not cover the time of the attempt")
		}
	})
}

func TestGoneSwitchesTheEndpointOff(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := &receiver{answer: status(http.StatusGone)}
		s := &memory{}
		log := &safeBuffer{}
		n := setup(t, s, serve(t, r), log)
		stop := start(t.Context(), n)
		a, b := post(t, n, s), post(t, n, s)
		time.Sleep(giveUpAfter)
		stop()
		if len(r.seen()) != 1 || !s.isDead(a) || !s.isDead(b) {
			t.Errorf("%d requests; dead %v, %v", len(r.seen()), s.isDead(a), s.isDead(b))
		}
		if !strings.Contains(log.String(), "switched off") {
			t.Errorf("log: %s", log)
		}
	})
}

func TestRefusalsStopAfterThree(t *testing.T) {
	for _, code := range []int{http.StatusNotFound, http.StatusBadRequest, http.StatusFound} {
		synctest.Test(t, func(t *testing.T) {
			r := &receiver{answer: func(n int, w http.ResponseWriter) {
				if n < 4 {
					w.WriteHeader([]int{code, http.StatusServiceUnavailable, code, code}[n])
				}
			}}
			s := &memory{}
			n := setup(t, s, serve(t, r), io.Discard)
			stop := start(t.Context(), n)
			a, b := post(t, n, s), post(t, n, s)
			time.Sleep(time.Hour)
			stop()
			if got := r.ids(); !reflect.DeepEqual(got, []string{a, b}) || len(r.seen()) != 5 || !s.isDead(a) || s.isDead(b) {
				t.Errorf("%d: arrived %v of %v; dead: %v, %v", code, got, []string{a, b}, s.isDead(a), s.isDead(b))
			}
		})
	}
}

// A receiver that hangs costs 15 seconds an attempt, and keeps only its own
// endpoint waiting.
func TestHangingReceiver(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := &receiver{answer: func(n int, _ http.ResponseWriter) {
			if n == 0 {
				time.Sleep(time.Hour)
			}
		}}
		s := &memory{}
		n := setup(t, s, serve(t, r), io.Discard)
		stop := start(t.Context(), n)
		begin := time.Now()
		post(t, n, s)
		time.Sleep(2 * time.Hour)
		stop()
		all := r.seen()
		if len(all) != 2 {
			t.Fatalf("%d requests", len(all))
		}
		if wait := all[1].at.Sub(begin); wait < webhookTimeout || wait > webhookTimeout+firstWait {
			t.Errorf("tried again after %v", wait)
		}
		if s.outcomes[0].Err != "https://hooks.example.com: no answer in time" {
			t.Errorf("error: %q", s.outcomes[0].Err)
		}
	})
}

func TestStop(t *testing.T) {
	cases := map[string]struct {
		answerAfter time.Duration
		stopsAfter  time.Duration
		left        int
	}{
		"lets the attempt finish":            {time.Second + stopGrace/2, time.Second + stopGrace/2, 0},
		"cuts it off after the grace period": {14 * time.Second, stopGrace + time.Second, 1},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				r := &receiver{answer: func(int, http.ResponseWriter) { time.Sleep(c.answerAfter) }}
				s := &memory{}
				n := setup(t, s, serve(t, r), io.Discard)
				stop := start(t.Context(), n)
				begin := time.Now()
				post(t, n, s)
				time.Sleep(time.Second)
				stop()
				if took := time.Since(begin); took != c.stopsAfter {
					t.Errorf("stopped after %v, want %v", took, c.stopsAfter)
				}
				if s.left() != c.left || len(s.dead) != 0 {
					t.Errorf("%d left, %d dead; want %d left", s.left(), len(s.dead), c.left)
				}
				if c.left > 0 && s.pending[0].Attempts != 0 {
					t.Error("an attempt that was cut short was counted")
				}
				time.Sleep(time.Minute) // for the receiver to end
			})
		})
	}
}

// A store that fails at any one operation loses nothing, keeps the order, and
// costs the receiver no repetition at all.
func TestStoreFailsAtEveryOperation(t *testing.T) {
	for _, after := range []bool{false, true} {
		for n := 0; ; n++ {
			if !storeFailsAt(t, n, after) {
				break
			}
		}
	}
}

func storeFailsAt(t *testing.T, n int, after bool) (reached bool) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		codes := []int{200, 503, 200, 404, 404, 404, 200}
		r := &receiver{answer: func(n int, w http.ResponseWriter) { w.WriteHeader(codes[min(n, len(codes)-1)]) }}
		s := &memory{}
		f := &faulty{Store: s, n: n, after: after}
		no := setup(t, f, serve(t, r), io.Discard)
		want := []string{post(t, no, s), post(t, no, s), post(t, no, s), post(t, no, s)}
		stop := start(t.Context(), no)
		time.Sleep(time.Hour)
		stop()
		if got := r.ids(); !reflect.DeepEqual(got, want) || len(r.seen()) != len(codes) || s.left() != 0 || !s.isDead(want[2]) {
			t.Errorf("operation %d (after %v): arrived %v, %d requests, %d left; want %v", n, after, got, len(r.seen()), s.left(), want)
		}
		reached = f.ops > n
	})
	return reached
}

// Whatever is answered: every message arrives or is dead, in order, and
// nothing is sent after a 410.
func TestAnyAnswers(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		codes := rapid.SliceOfN(rapid.SampledFrom([]int{200, 204, 301, 400, 404, 410, 429, 500, 503, -1, -2}), 1, 12).Draw(rt, "answers")
		gaps := rapid.SliceOfN(rapid.IntRange(0, 40), 1, 5).Draw(rt, "hours between the messages")
		restart := rapid.IntRange(0, len(gaps)).Draw(rt, "restart before message")
		var wrong string
		synctest.Test(t, func(t *testing.T) { wrong = anyAnswers(t, codes, gaps, restart) })
		if wrong != "" {
			rt.Fatal(wrong)
		}
	})
}

func anyAnswers(t *testing.T, codes, gaps []int, restart int) string {
	t.Helper()
	r := &receiver{answer: func(n int, w http.ResponseWriter) {
		switch code := codes[n%len(codes)]; code {
		case -1:
			time.Sleep(time.Minute)
		case -2:
			panic(http.ErrAbortHandler)
		default:
			w.WriteHeader(code)
		}
	}}
	s := &memory{}
	client := serve(t, r)
	n := setup(t, s, client, io.Discard)
	stop := start(t.Context(), n)
	var sent []string
	for i, gap := range gaps {
		if i == restart {
			stop()
			n = setup(t, s, client, io.Discard)
			stop = start(t.Context(), n)
		}
		sent = append(sent, post(t, n, s))
		time.Sleep(time.Duration(gap) * time.Hour)
	}
	time.Sleep(giveUpAfter * time.Duration(len(gaps)+1))
	stop()
	return checkArrivals(r, s, codes, sent)
}

// checkArrivals is the oracle: it knows only what the receiver saw.
func checkArrivals(r *receiver, s *memory, codes []int, sent []string) string {
	if s.left() > 0 {
		return "messages are still pending"
	}
	at, taken := -1, map[string]bool{}
	for i, a := range r.seen() {
		switch {
		case at >= 0 && sent[at] == a.id:
		case at+1 < len(sent) && sent[at+1] == a.id:
			at++
		default:
			return "out of order: " + a.id
		}
		if taken[a.id] {
			return "sent again after it was taken: " + a.id
		}
		code := codes[i%len(codes)]
		taken[a.id] = code >= 200 && code < 300
		if code == http.StatusGone && i+1 < len(r.seen()) {
			return "sent after a 410"
		}
	}
	for _, id := range sent {
		if taken[id] == s.isDead(id) {
			return "neither taken nor dead, or both: " + id
		}
	}
	return ""
}
