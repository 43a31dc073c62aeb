package notify

import (
	"context"
	"io"
	"net/http"
	"reflect"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/rs/zerolog"
	"pgregory.net/rapid"

	"github.com/ocwatch/ocwatch/internal/secret"
)

const (
	heartURL   = "https://hc.example.com/ping/T0PSECRET?rid=qu3rytoken"
	heartEvery = 5 * time.Minute
)

// monitor is a heartbeat's other side. It notes each request as its offset in
// seconds, its method, path and body.
type monitor struct {
	receiver
	begin time.Time
	asked []string
}

func (m *monitor) ServeHTTP(w http.ResponseWriter, req *http.Request) {
	body, err := io.ReadAll(req.Body)
	if err != nil {
		return
	}
	line := time.Since(m.begin).String() + " " + req.Method + " " + req.URL.RequestURI()
	if len(body) > 0 {
		line += " " + string(body)
	}
	m.mu.Lock()
	n := len(m.asked)
	m.asked = append(m.asked, line)
	m.mu.Unlock()
	m.answer(n, w)
}

func (m *monitor) lines() []string {
	m.mu.Lock()
	defer m.mu.Unlock()
	return append([]string(nil), m.asked...)
}

// heart is a running heartbeat with its monitor.
func heart(t *testing.T, log io.Writer, answer func(n int, w http.ResponseWriter)) (*Heartbeat, *monitor, func()) {
	t.Helper()
	m := &monitor{receiver: receiver{answer: answer}, begin: time.Now()}
	h := NewHeartbeat(HeartbeatOptions{
		URL: secret.New(heartURL), Every: heartEvery, UserAgent: "ocwatch/1.2.3", Client: serve(t, m), Log: zerolog.New(log),
	})
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan struct{})
	go func() {
		defer close(done)
		h.Run(ctx)
	}()
	return h, m, func() { cancel(); <-done }
}

// rounds feeds the heartbeat once a minute.
func rounds(h *Heartbeat, failing ...string) {
	for _, f := range failing {
		h.Beat(f)
		time.Sleep(time.Minute)
	}
}

func wells(n int) []string { return make([]string, n) }

const (
	pingPath = "/ping/T0PSECRET?rid=qu3rytoken"
	failPath = "/ping/T0PSECRET/fail?rid=qu3rytoken"
)

func TestHeartbeat(t *testing.T) {
	ok := status(http.StatusOK)
	firstIs := func(code int, header ...string) func(int, http.ResponseWriter) {
		return func(n int, w http.ResponseWriter) {
			if n > 0 {
				return
			}
			if len(header) > 0 {
				w.Header().Set(header[0], header[1])
			}
			w.WriteHeader(code)
		}
	}
	hangs := func(n int, _ http.ResponseWriter) {
		if n == 0 {
			time.Sleep(time.Hour)
		}
	}
	cases := map[string]struct {
		answer func(int, http.ResponseWriter)
		rounds []string
		want   []string
	}{
		"at most one for each interval": {ok, wells(12), []string{"0s GET " + pingPath, "5m0s GET " + pingPath, "10m0s GET " + pingPath}},
		"a change at once, and the reason": {
			ok,
			[]string{"", "the gateway is down", "the gateway is down", ""},
			[]string{"0s GET " + pingPath, "1m0s POST " + failPath + " the gateway is down", "3m0s GET " + pingPath},
		},
		"another reason waits its turn": {
			ok,
			[]string{"a", "b", "c", "d", "e", "e"},
			[]string{"0s POST " + failPath + " a", "5m0s POST " + failPath + " e"},
		},
		"refused, and soon again": {firstIs(http.StatusNotFound), wells(2), []string{"0s GET " + pingPath, "30s GET " + pingPath}},
		"a redirect is not followed": {
			firstIs(http.StatusFound, "Location", "https://elsewhere.example.com/"), wells(1),
			[]string{"0s GET " + pingPath, "30s GET " + pingPath},
		},
		"asked for quiet": {
			firstIs(http.StatusTooManyRequests, "Retry-After", "150"),
			[]string{"", "down", "down", "down"},
			[]string{"0s GET " + pingPath, "2m30s POST " + failPath + " down"},
		},
		"a monitor that hangs costs nothing but ten seconds of its own": {
			hangs, []string{"", "down"}, []string{"0s GET " + pingPath, "40s GET " + pingPath, "1m0s POST " + failPath + " down"},
		},
		"a round that never ends beats no more": {ok, wells(1), []string{"0s GET " + pingPath}},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				h, m, stop := heart(t, io.Discard, c.answer)
				rounds(h, c.rounds...)
				stop()
				if got := m.lines(); !reflect.DeepEqual(got, c.want) {
					t.Errorf("got  %q\nwant %q", got, c.want)
				}
				time.Sleep(2 * time.Hour) // for the monitor to end
			})
		})
	}
}

// Nobody answers for an hour, then ocwatch hangs: what the last round said is
// not told for longer than the interval.
func TestHeartbeatForgetsWhatIsOld(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h, m, stop := heart(t, io.Discard, status(http.StatusBadGateway))
		rounds(h, wells(60)...)
		time.Sleep(3 * time.Hour)
		stop()
		all := m.lines()
		last, err := time.ParseDuration(strings.Fields(all[len(all)-1])[0])
		if err != nil || last > 59*time.Minute+heartEvery {
			t.Errorf("the last request was after %v, %v", last, err)
		}
		if len(all) < 12 || len(all) > 20 {
			t.Errorf("%d requests in an hour", len(all))
		}
	})
}

func TestHeartbeatNeverBlocksAndStops(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h, m, stop := heart(t, io.Discard, func(int, http.ResponseWriter) { time.Sleep(time.Hour) })
		begin := time.Now()
		for range 1000 {
			h.Beat("")
		}
		synctest.Wait()
		for range 1000 {
			h.Beat("down")
		}
		if took := time.Since(begin); took != 0 {
			t.Errorf("2000 beats took %v", took)
		}
		stop()
		if took := time.Since(begin); took != stopGrace {
			t.Errorf("stopped after %v, want %v", took, stopGrace)
		}
		if got := m.lines(); len(got) != 1 {
			t.Errorf("requests: %q", got)
		}
		time.Sleep(2 * time.Hour) // for the monitor to end
	})
	var none *Heartbeat
	none.Beat("down")
	none.Run(t.Context())
}

func TestHeartbeatIsLoggedOncePerChange(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		log := &safeBuffer{}
		h, _, stop := heart(t, log, func(n int, w http.ResponseWriter) {
			w.WriteHeader([]int{200, 204, 404, 404, 404, 503, 200, 200}[min(n, 7)])
		})
		rounds(h, wells(60)...)
		stop()
		var got []string
		for line := range strings.Lines(log.String()) {
			_, answer, _ := strings.Cut(line, `"answer":"`)
			answer, _, _ = strings.Cut(answer, `"`)
			got = append(got, answer)
		}
		if want := []string{"200 OK", "404 Not Found", "503 Service Unavailable", "200 OK"}; !reflect.DeepEqual(got, want) {
			t.Errorf("logged %q, want %q", got, want)
		}
		mustHide(t, "the log", log.String())
	})
}

// Real sockets: an unknown certificate is refused as for webhooks, and no
// address is logged.
func TestHeartbeatTrustsNobodyUnknown(t *testing.T) {
	s := quietTLS(t)
	h := NewHeartbeat(HeartbeatOptions{URL: withSecrets(s.URL), Every: heartEvery})
	defer h.client.CloseIdleConnections()
	a := h.ask(t.Context(), "down")
	if a.Kind != Failed || !strings.Contains(a.Text, "authority is not known") {
		t.Errorf("answer: %+v", a)
	}
	mustHide(t, "the answer", a.Text)
}

// Whatever the rounds say and the monitor answers: what is told was said less
// than an interval ago, and unchanged beats that were taken keep their distance.
func TestHeartbeatPace(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		var c pace
		now, n := noon, 0
		var lastTaken time.Time
		lastFailing := ""
		for range rapid.IntRange(1, 40).Draw(t, "steps") {
			now = now.Add(time.Duration(rapid.IntRange(0, 400).Draw(t, "seconds")) * time.Second)
			n++
			p := pulse{n: n, failing: rapid.SampledFrom([]string{"", "down"}).Draw(t, "failing"), at: now}
			wait, ok := c.until(p, now, heartEvery)
			if !ok {
				continue
			}
			if wait > heartEvery {
				t.Fatalf("waits %v", wait)
			}
			if now = now.Add(wait); now.Sub(p.at) > heartEvery {
				t.Fatalf("sent %v after the round", now.Sub(p.at))
			}
			if p.failing == lastFailing && now.Sub(lastTaken) < heartEvery && c.misses == 0 && !lastTaken.IsZero() {
				t.Fatalf("again after %v", now.Sub(lastTaken))
			}
			a := Answer{Kind: rapid.SampledFrom([]AnswerKind{Accepted, Failed, Refused, Gone}).Draw(t, "answer")}
			a.RetryAfter = time.Duration(rapid.IntRange(0, 3600).Draw(t, "retry after")) * time.Second
			c.tried(p, a, now, now, heartEvery)
			if a.Kind == Accepted {
				lastTaken, lastFailing = now, p.failing
			}
			if _, again := c.until(p, now, heartEvery); again && a.Kind == Accepted {
				t.Fatal("what was taken is sent again")
			}
		}
	})
}
