package sdnotify

import (
	"bytes"
	"context"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"testing/synctest"
	"time"
	"unicode/utf8"

	"github.com/rs/zerolog"
)

// manager is the service manager's end of a real notify socket.
type manager struct{ conn *net.UnixConn }

func listen(t *testing.T, watchdog time.Duration) manager {
	t.Helper()
	path := filepath.Join(t.TempDir(), "notify")
	conn, err := net.ListenUnixgram("unixgram", &net.UnixAddr{Name: path, Net: "unixgram"})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = conn.Close() })
	t.Setenv("NOTIFY_SOCKET", path)
	t.Setenv("WATCHDOG_USEC", "")
	if watchdog > 0 {
		t.Setenv("WATCHDOG_USEC", strconv.FormatInt(watchdog.Microseconds(), 10))
		t.Setenv("WATCHDOG_PID", strconv.Itoa(os.Getpid()))
	}
	return manager{conn}
}

// heard returns what has arrived. It never waits, since a wait for the network
// would stop the time of a bubble for ever.
func (m manager) heard(t *testing.T) []string {
	t.Helper()
	raw, err := m.conn.SyscallConn()
	if err != nil {
		t.Fatal(err)
	}
	var all []string
	err = raw.Read(func(fd uintptr) bool {
		buf := make([]byte, 4096)
		for {
			n, _, err := syscall.Recvfrom(int(fd), buf, syscall.MSG_DONTWAIT)
			if err != nil {
				return true
			}
			all = append(all, string(buf[:n]))
		}
	})
	if err != nil {
		t.Fatal(err)
	}
	return all
}

// pass lets time pass in a bubble and counts the pings. It reads as it goes: a
// notify socket holds few messages, and a sender waits for room.
func (m manager) pass(t *testing.T, d time.Duration) (pings int) {
	t.Helper()
	for ; d > 0; d -= 10 * time.Second {
		time.Sleep(min(d, 10*time.Second))
		synctest.Wait()
		for _, s := range m.heard(t) {
			if s == "WATCHDOG=1" {
				pings++
			}
		}
	}
	return pings
}

func notifier(t *testing.T, first time.Duration) *Notifier {
	t.Helper()
	n, err := New(first, zerolog.Nop())
	if err != nil {
		t.Fatal(err)
	}
	return n
}

func TestMessages(t *testing.T) {
	m := listen(t, 0)
	n := notifier(t, time.Hour)
	tests := []struct {
		name string
		send func() error
		want string
	}{
		{"ready", func() error { return n.Ready("openai ok") }, "READY=1\nSTATUS=openai ok"},
		{"status", func() error { return n.Status("openai low: 96 % used") }, "STATUS=openai low: 96 % used"},
		{"stopping", func() error { return n.Stopping("bye") }, "STOPPING=1\nSTATUS=bye"},
		{"a status cannot say anything else", func() error { return n.Status("a\nSTOPPING=1\r\tb\x00") }, "STATUS=a STOPPING=1  b "},
		{"a status that is no text", func() error { return n.Status("a\xff\xfeb") }, "STATUS=a\uFFFDb"},
		{"no watchdog, no ping", func() error { n.Beat(time.Second); return nil }, ""},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			if err := tt.send(); err != nil {
				t.Fatal(err)
			}
			if got := strings.Join(m.heard(t), "|"); got != tt.want {
				t.Errorf("got %q, want %q", got, tt.want)
			}
		})
	}
}

func TestReloadingTellsTheTime(t *testing.T) {
	m := listen(t, 0)
	uptime, err := os.ReadFile("/proc/uptime")
	if err != nil {
		t.Fatal(err)
	}
	if err := notifier(t, time.Hour).Reloading(); err != nil {
		t.Fatal(err)
	}
	got := m.heard(t)
	if len(got) != 1 {
		t.Fatalf("got %q", got)
	}
	var usec int64
	if _, err := fmt.Sscanf(got[0], "RELOADING=1\nMONOTONIC_USEC=%d", &usec); err != nil {
		t.Fatalf("got %q: %v", got[0], err)
	}
	var up float64
	if _, err := fmt.Sscanf(string(uptime), "%f", &up); err != nil {
		t.Fatal(err)
	}
	// /proc/uptime also counts a suspend, and has hundredths.
	if s := float64(usec) / 1e6; s <= 0 || s > up+60 {
		t.Errorf("monotonic clock at %f s, %f s after boot", s, up)
	}
}

func TestWithoutSystemd(t *testing.T) {
	t.Setenv("NOTIFY_SOCKET", "")
	t.Setenv("WATCHDOG_USEC", "")
	n := notifier(t, time.Second)
	for name, err := range map[string]error{
		"ready": n.Ready(""), "status": n.Status(""), "reloading": n.Reloading(), "stopping": n.Stopping(""),
	} {
		if err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
	n.Watch(t.Context()) // returns, or the test hangs
}

func TestSocketGone(t *testing.T) {
	m := listen(t, time.Minute)
	_ = m.conn.Close()
	var log bytes.Buffer
	n, err := New(time.Hour, zerolog.New(&log))
	if err != nil {
		t.Fatal(err)
	}
	if err := n.Ready(""); err == nil || !strings.HasPrefix(err.Error(), "telling systemd: ") {
		t.Errorf("ready: %v", err)
	}
	if n.Beat(time.Hour); !strings.Contains(log.String(), "could not be served") {
		t.Errorf("log: %s", &log)
	}
}

func TestNewReadsTheWatchdog(t *testing.T) {
	tests := []struct {
		name, usec, pid string
		want            time.Duration
		err             string
	}{
		{name: "none"},
		{name: "a minute", usec: "60000000", want: time.Minute},
		{name: "of this process", usec: "60000000", pid: strconv.Itoa(os.Getpid()), want: time.Minute},
		{name: "of another process", usec: "60000000", pid: "1"},
		{name: "no number", usec: "soon", err: "no watchdog: "},
		{name: "negative", usec: "-1", err: "no watchdog: "},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Setenv("WATCHDOG_USEC", tt.usec)
			t.Setenv("WATCHDOG_PID", tt.pid)
			n, err := New(time.Hour, zerolog.Nop())
			if tt.err == "" && err != nil || tt.err != "" && (err == nil || !strings.HasPrefix(err.Error(), tt.err)) {
				t.Errorf("error %v, want %q", err, tt.err)
			}
			if n.Period() != tt.want {
				t.Errorf("period %s, want %s", n.Period(), tt.want)
			}
		})
	}
}

// A step waits, and perhaps a round is finished then; silent says whether the
// watchdog period before it passed without a ping.
type step struct {
	wait   time.Duration
	beat   time.Duration // 0: no round finished
	silent bool
}

func TestWatch(t *testing.T) {
	const period = time.Minute
	tests := []struct {
		name  string
		first time.Duration
		stop  bool
		steps []step
	}{
		{name: "rounds more often than the period", first: 2 * time.Minute, steps: []step{
			{wait: 30 * time.Second, beat: 2 * time.Minute}, {wait: 30 * time.Second, beat: 2 * time.Minute}, {wait: 90 * time.Second},
		}},
		{name: "rounds that are rare: the idle wait is not silent", first: 2 * time.Minute, steps: []step{
			{wait: time.Minute, beat: time.Hour}, {wait: 10 * time.Minute}, {wait: 49 * time.Minute, beat: time.Hour}, {wait: 59 * time.Minute},
		}},
		{name: "a round that hangs", first: 2 * time.Minute, steps: []step{
			{wait: time.Minute, beat: 7 * time.Minute}, {wait: 7 * time.Minute}, {wait: 2 * time.Minute, silent: true}, {wait: time.Hour, silent: true},
		}},
		{name: "the first round hangs", first: 2 * time.Minute, steps: []step{
			{wait: 2 * time.Minute}, {wait: 2 * time.Minute, silent: true},
		}},
		{name: "a late round", first: 2 * time.Minute, steps: []step{
			{wait: 4 * time.Minute, beat: 2 * time.Minute, silent: true}, {wait: 90 * time.Second}, {wait: 4 * time.Minute, silent: true},
		}},
		{name: "an orderly end takes its time", first: time.Minute, stop: true, steps: []step{{wait: 10 * time.Minute}}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			m := listen(t, period)
			synctest.Test(t, func(t *testing.T) {
				n := notifier(t, tt.first)
				ctx, cancel := context.WithCancel(t.Context())
				defer cancel()
				go n.Watch(ctx)
				if tt.stop {
					if err := n.Stopping(""); err != nil {
						t.Fatal(err)
					}
				}
				for i, s := range tt.steps {
					m.pass(t, s.wait-period)
					if pings := m.pass(t, period); (pings == 0) != s.silent {
						t.Errorf("step %d: %d pings in the last %s, silent %v", i+1, pings, period, s.silent)
					}
					if s.beat > 0 {
						n.Beat(s.beat)
					}
				}
			})
		})
	}
}

// Silence is told once, and so is its end.
func TestWatchLogs(t *testing.T) {
	m := listen(t, time.Minute)
	var log bytes.Buffer
	synctest.Test(t, func(t *testing.T) {
		n, err := New(time.Minute, zerolog.New(&log))
		if err != nil {
			t.Fatal(err)
		}
		ctx, cancel := context.WithCancel(t.Context())
		defer cancel()
		go n.Watch(ctx)
		m.pass(t, 10*time.Minute)
		n.Beat(time.Minute)
		n.Beat(time.Minute)
	})
	for _, part := range []string{"no round has finished", "served again"} {
		if got := strings.Count(log.String(), part); got != 1 {
			t.Errorf("%q is told %d times:\n%s", part, got, &log)
		}
	}
}

func FuzzLine(f *testing.F) {
	f.Add("openai ok · anthropic low")
	f.Add("a\nREADY=1")
	f.Add(strings.Repeat("€", 400))
	f.Add("\xff")
	f.Fuzz(func(t *testing.T, s string) {
		got := line(s)
		if len(got) > statusMax || !utf8.ValidString(got) || strings.ContainsAny(got, "\n\r\x00") {
			t.Fatalf("%q became %q", s, got)
		}
	})
}
