package watchdog

import (
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/ocwatch/ocwatch/internal/quota"
)

// meter is what a provider counts for one account: five hours and a week, each
// from the first use on. Figures are percent.
type meter struct {
	five, week         float64
	fiveEnds, weekEnds time.Time
}

const (
	shortWindow = 5 * time.Hour
	longWindow  = 7 * 24 * time.Hour
)

// roll closes the windows that are over.
func (m *meter) roll(now time.Time) {
	if !now.Before(m.fiveEnds) {
		m.five, m.fiveEnds = 0, time.Time{}
	}
	if !now.Before(m.weekEnds) {
		m.week, m.weekEnds = 0, time.Time{}
	}
}

// use takes percent of the five-hour window, and a tenth of it of the week.
func (m *meter) use(now time.Time, percent float64) {
	m.roll(now)
	if m.fiveEnds.IsZero() {
		m.fiveEnds = now.Add(shortWindow)
	}
	if m.weekEnds.IsZero() {
		m.weekEnds = now.Add(longWindow)
	}
	m.five, m.week = min(100, m.five+percent), min(100, m.week+percent/10)
}

func (m *meter) spent(now time.Time) bool {
	m.roll(now)
	return m.five >= 100 || m.week >= 100
}

// reading is what a probe would make of it.
func (m *meter) reading(now time.Time) quota.Reading {
	spent := m.spent(now)
	r := quota.Reading{Verdict: quota.OK, Windows: []quota.Window{
		{Name: quota.FiveHour, UsedPercent: quota.Percent(m.five), ResetsAt: m.fiveEnds},
		{Name: quota.Weekly, UsedPercent: quota.Percent(m.week), ResetsAt: m.weekEnds},
	}}
	if spent {
		r.Verdict = quota.Exhausted
		if m.five >= 100 {
			r.Until = m.fiveEnds
		}
		if m.week >= 100 && m.weekEnds.After(r.Until) {
			r.Until = m.weekEnds
		}
	}
	return r
}

// body is what the usage endpoint would answer.
func (m *meter) body(now time.Time) string {
	spent := m.spent(now)
	return fmt.Sprintf(`{"plan_type":"plus","rate_limit":{"allowed":%v,"limit_reached":%v,"primary_window":%s,"secondary_window":%s}}`,
		!spent, spent, window(now, m.five, m.fiveEnds, shortWindow), window(now, m.week, m.weekEnds, longWindow))
}

func window(now time.Time, used float64, ends time.Time, length time.Duration) string {
	if ends.IsZero() {
		ends = now.Add(length)
	}
	return fmt.Sprintf(`{"used_percent":%.2f,"limit_window_seconds":%d,"reset_after_seconds":%d,"reset_at":%d}`,
		used, length/time.Second, ends.Sub(now)/time.Second, ends.Unix())
}

// network is net/http on both ends of net.Pipe, which a bubble can see through.
type network struct {
	conns chan net.Conn
	done  chan struct{}
	once  sync.Once

	mu  sync.Mutex
	cut bool
}

func (n *network) Accept() (net.Conn, error) {
	select {
	case c := <-n.conns:
		return c, nil
	case <-n.done:
		return nil, net.ErrClosed
	}
}

func (n *network) Close() error {
	n.once.Do(func() { close(n.done) })
	return nil
}

func (n *network) Addr() net.Addr { return &net.UnixAddr{Name: "pipe", Net: "pipe"} }

// setCut takes the network away, or gives it back.
func (n *network) setCut(cut bool) {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.cut = cut
}

func (n *network) isCut() bool {
	n.mu.Lock()
	defer n.mu.Unlock()
	return n.cut
}

func (n *network) dial(ctx context.Context, _, _ string) (net.Conn, error) {
	if n.isCut() {
		return nil, &net.OpError{Op: "dial", Net: "tcp", Err: fmt.Errorf("network is unreachable")}
	}
	here, there := net.Pipe()
	select {
	case n.conns <- there:
		return here, nil
	case <-ctx.Done():
		return nil, ctx.Err()
	}
}

// serve starts h on a network of its own, until the bubble's test ends.
func serve(t *testing.T, h http.HandlerFunc) (*network, *http.Transport) {
	t.Helper()
	n := &network{conns: make(chan net.Conn), done: make(chan struct{})}
	server := &http.Server{Handler: h, ReadHeaderTimeout: time.Minute}
	stopped := make(chan struct{})
	go func() {
		defer close(stopped)
		_ = server.Serve(n)
	}()
	tr := &http.Transport{DialContext: n.dial, DialTLSContext: n.dial, IdleConnTimeout: time.Minute}
	t.Cleanup(func() {
		tr.CloseIdleConnections()
		_ = server.Close()
		<-stopped
	})
	return n, tr
}

// usage is the usage endpoint of a simulation.
func (s *sim) usage(rw http.ResponseWriter, r *http.Request) {
	id := strings.TrimPrefix(r.Header.Get("Authorization"), "Bearer token-of-")
	s.with(func() {
		rw.Header().Set("Content-Type", "application/json")
		_, _ = io.WriteString(rw, s.meters["acct-"+id].body(time.Now()))
	})
}

// hook is the receiver of the webhooks.
func (s *sim) hook(rw http.ResponseWriter, r *http.Request) {
	body, err := io.ReadAll(r.Body)
	s.with(func() {
		if err == nil {
			s.received = append(s.received, string(body))
		}
	})
	rw.WriteHeader(http.StatusNoContent)
}
