package web

import (
	"bufio"
	"context"
	"fmt"
	"net"
	"net/http"
	"runtime"
	"testing"
	"time"

	"github.com/rs/zerolog"

	"github.com/ocwatch/ocwatch/failover"
	"github.com/ocwatch/ocwatch/failover/watchdog"
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

// served serves the dashboard of fifty accounts on a port of its own.
func served(b *testing.B) (*Server, string) {
	b.Helper()
	s := New(fixed("status"), nil, zerolog.Nop())
	if err := s.ServeDashboard(Dashboard{Password: secret.New(testPassword), World: func(context.Context, bool) page.World { return fifty() }}); err != nil {
		b.Fatal(err)
	}
	l, err := ListenTCP(b.Context(), "127.0.0.1:0")
	if err != nil {
		b.Fatal(err)
	}
	go s.Serve(l)
	b.Cleanup(func() { _ = s.Close() })
	return s, l.Addr().String()
}

// BenchmarkFirstByte is how long the page of fifty accounts takes to begin.
func BenchmarkFirstByte(b *testing.B) {
	_, address := served(b)
	client := &http.Client{}
	for b.Loop() {
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

// BenchmarkIdleDashboards is what a hundred open pages cost, the memory of
// their sockets in this process included.
func BenchmarkIdleDashboards(b *testing.B) {
	const pages = 100
	s, address := served(b)
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
