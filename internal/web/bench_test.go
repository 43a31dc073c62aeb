package web

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"path/filepath"
	"runtime"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/rs/zerolog"

	"github.com/ocwatch/ocwatch/failover"
	"github.com/ocwatch/ocwatch/failover/watchdog"
	"github.com/ocwatch/ocwatch/internal/journal"
	"github.com/ocwatch/ocwatch/internal/quota"
	"github.com/ocwatch/ocwatch/internal/secret"
	"github.com/ocwatch/ocwatch/internal/web/page"
)

// fifty is a world of fifty accounts with two windows each.
func fifty() page.World {
	now := time.Now()
	pool := watchdog.PoolStatus{Agent: "main", Provider: "openai", State: failover.PoolOK, Reason: "openai:person00@example.com is first"}
	for i := range 50 {
		id := fmt.Sprintf("openai:person%02d@example.com", i)
		pool.Order = append(pool.Order, id)
		pool.Profiles = append(pool.Profiles, watchdog.ProfileStatus{
			ID: id, State: failover.Available, Plan: "plus", Reason: "5h window 62 % used", ProbedAt: &now,
			Windows: []watchdog.WindowStatus{
				{Window: quota.Window{Name: quota.FiveHour, UsedPercent: quota.Percent(62), ResetsAt: now.Add(time.Hour)}},
				{Window: quota.Window{Name: quota.Weekly, UsedPercent: quota.Percent(30), ResetsAt: now.Add(80 * time.Hour)}},
			},
		})
	}
	return page.World{
		Now: now, Host: "srv1", Status: watchdog.Status{At: now, Pools: []watchdog.PoolStatus{pool}},
		Policy: func(string) failover.Policy { return failover.DefaultPolicy() },
	}
}

// season is a journal of ninety days of fifty accounts: a reading an hour and
// account, a switch each half hour, and what goes wrong now and then.
func season(b *testing.B) *journal.Journal {
	b.Helper()
	j, err := journal.Open(b.Context(), filepath.Join(b.TempDir(), "journal.db"))
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() { _ = j.Close() })
	order := fifty().Status.Pools[0].Order
	start := time.Now().AddDate(0, 0, -90)
	for day := range 90 {
		r := journal.Round{At: start.AddDate(0, 0, day+1)}
		for hour := range 24 {
			at := start.AddDate(0, 0, day).Add(time.Duration(hour) * time.Hour)
			for i := range order {
				r.Readings = append(r.Readings, quota.Reading{
					Account: fmt.Sprintf("acct-%016x", i), Provider: "openai", At: at, Source: quota.FromUsage, Verdict: quota.OK, Plan: "plus",
					Windows: []quota.Window{{Name: quota.FiveHour, UsedPercent: quota.Percent(float64(hour * 4)), ResetsAt: at.Add(time.Hour)}},
				})
			}
			for half := range 2 {
				n := 2*hour + half
				r.Switches = append(r.Switches, journal.Switch{
					At: at.Add(time.Duration(half) * 30 * time.Minute), Agent: "main", Provider: "openai", From: order[n%50], To: order[(n+1)%50],
					Order: order, Before: order, Reason: order[n%50] + " is low: 5h window 95 % used", Via: "rpc", By: journal.ByOcwatch,
				})
			}
			if hour%6 == 0 {
				r.Episodes = append(r.Episodes, journal.Episode{Kind: journal.EpisodeDepleted, Agent: "main", Provider: "openai", Since: at, Until: at.Add(time.Hour), Reason: "all 50 openai accounts are spent"})
				r.Logins = append(r.Logins, journal.Login{At: at, Agent: "main", Provider: "openai", Profile: order[hour], Outcome: journal.LoginCompleted, Reason: "it has 97 % left"})
				r.Restarts = append(r.Restarts, journal.Restart{At: at, Reason: "the gateway did not take the order", Via: "rpc", OK: true, Took: 9 * time.Second})
			}
		}
		if err := j.Commit(b.Context(), r); err != nil {
			b.Fatal(err)
		}
	}
	return j
}

// served serves the dashboard of fifty accounts and a full journal on a port of
// its own, and counts its renderings.
func served(b *testing.B, j *journal.Journal) (s *Server, address string, made *atomic.Int64) {
	b.Helper()
	s, made = New(fixed("status"), nil, zerolog.Nop()), new(atomic.Int64)
	world := func(ctx context.Context, _ bool) page.World {
		made.Add(1)
		w := fifty()
		w.History = History(ctx, j, w.Now)
		return w
	}
	if err := s.ServeDashboard(Dashboard{Password: secret.New(testPassword), World: world}); err != nil {
		b.Fatal(err)
	}
	l, err := ListenTCP(b.Context(), "127.0.0.1:0")
	if err != nil {
		b.Fatal(err)
	}
	go s.Serve(l)
	b.Cleanup(func() { _ = s.Close() })
	return s, l.Addr().String(), made
}

// BenchmarkDashboard is the dashboard with fifty accounts and ninety days.
func BenchmarkDashboard(b *testing.B) {
	j := season(b)
	b.Run("first-byte", func(b *testing.B) { firstByte(b, j) })
	b.Run("idle", func(b *testing.B) { idleDashboards(b, j) })
	b.Run("live", func(b *testing.B) { liveDashboards(b, j) })
}

// firstByte is how long the page of fifty accounts takes to begin,
// where nobody else had it made: the journal is read and the page rendered.
func firstByte(b *testing.B, j *journal.Journal) {
	b.Helper()
	s, address, _ := served(b, j)
	client := &http.Client{}
	for b.Loop() {
		s.Changed()
		resp, err := client.Get("http://" + address + "/")
		if err != nil {
			b.Fatal(err)
		}
		if _, err := bufio.NewReader(resp.Body).ReadByte(); err != nil {
			b.Fatal(err)
		}
		_ = resp.Body.Close()
	}
}

// idleDashboards is what a hundred open pages cost, the memory of
// their sockets in this process included.
func idleDashboards(b *testing.B, j *journal.Journal) {
	b.Helper()
	const pages = 100
	s, address, _ := served(b, j)
	var most float64
	for b.Loop() {
		before := inUse()
		var open []net.Conn
		for range pages {
			open = append(open, openEvents(b, address))
		}
		s.Changed()
		most = max(most, float64(inUse()-before))
		for _, c := range open {
			_ = c.Close()
		}
	}
	b.ReportMetric(most/(1<<20), "MB/100-pages")
}

// liveDashboards is what one change costs with a hundred pages that
// load themselves again for it.
func liveDashboards(b *testing.B, j *journal.Journal) {
	b.Helper()
	const pages = 100
	s, address, made := served(b, j)
	client := &http.Client{Transport: &http.Transport{MaxIdleConnsPerHost: pages}}
	before := made.Load()
	for b.Loop() {
		s.Changed()
		var all sync.WaitGroup
		for range pages {
			all.Go(func() {
				resp, err := client.Get("http://" + address + "/")
				if err != nil {
					b.Error(err)
					return
				}
				_, _ = io.Copy(io.Discard, resp.Body)
				_ = resp.Body.Close()
			})
		}
		all.Wait()
	}
	b.ReportMetric(float64(made.Load()-before)/float64(b.N), "renderings/change")
}

// inUse is the heap and the stacks.
func inUse() int64 {
	runtime.GC()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return int64(m.HeapInuse + m.StackInuse)
}

// openEvents is a page that stays open, as a bare connection: the client's side
// of it is not what is measured.
func openEvents(b *testing.B, address string) net.Conn {
	b.Helper()
	c, err := net.Dial("tcp", address)
	if err != nil {
		b.Fatal(err)
	}
	if _, err := fmt.Fprintf(c, "GET /events HTTP/1.1\r\nHost: %s\r\n\r\n", address); err != nil {
		b.Fatal(err)
	}
	if _, err := c.Read(make([]byte, 1)); err != nil {
		b.Fatal(err)
	}
	return c
}
