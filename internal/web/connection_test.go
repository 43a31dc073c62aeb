package web

import (
	"bufio"
	"io"
	"net"
	"net/http"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/rs/zerolog"
)

// pipes is a listener of connections within the process, whose time a test can
// make pass.
type pipes struct {
	come chan net.Conn
	shut chan struct{}
}

func newPipes() *pipes { return &pipes{make(chan net.Conn), make(chan struct{})} }

func (p *pipes) Accept() (net.Conn, error) {
	select {
	case c := <-p.come:
		return c, nil
	case <-p.shut:
		return nil, net.ErrClosed
	}
}

func (p *pipes) Close() error { close(p.shut); return nil }

func (p *pipes) Addr() net.Addr { return &net.TCPAddr{IP: net.IPv4(127, 0, 0, 1), Port: 18790} }

func (p *pipes) dial() net.Conn {
	c, s := net.Pipe()
	p.come <- fromHere{s}
	return c
}

// fromHere is a connection of this machine.
type fromHere struct{ net.Conn }

func (fromHere) RemoteAddr() net.Addr { return &net.TCPAddr{IP: net.IPv4(127, 0, 0, 1), Port: 4711} }

// inPipes runs test with a served dashboard.
func inPipes(t *testing.T, test func(s *Server, p *pipes)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		s, p, done := newBoardAt(t, Port{Address: "127.0.0.1:18790"}, zerolog.Nop()).server, newPipes(), make(chan struct{})
		go func() { defer close(done); s.Serve(p) }()
		test(s, p)
		_ = s.Close()
		<-done
		time.Sleep(time.Second) // net/http lingers over what it refused
		synctest.Wait()
	})
}

// untilClosed is how long the server lets a connection be.
func untilClosed(c net.Conn) time.Duration {
	began := time.Now()
	_, _ = io.Copy(io.Discard, c)
	return time.Since(began)
}

// TestSlowRequests: who takes forever to say what they want is hung up on.
func TestSlowRequests(t *testing.T) {
	t.Parallel()
	for name, tc := range map[string]struct {
		begin string
		limit time.Duration
	}{
		"nothing":       {"", 5 * time.Second},
		"half a header": {"GET / HTTP/1.1\r\nHost: localhost\r\nX-A: ", 5 * time.Second},
		"half a form":   {"POST /owner/pause HTTP/1.1\r\nHost: localhost\r\nContent-Length: 50\r\n\r\ntok", 10 * time.Second},
		"idle after it": {"GET /none HTTP/1.1\r\nHost: localhost\r\n\r\n", time.Minute},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			inPipes(t, func(_ *Server, p *pipes) {
				c := p.dial()
				if tc.begin != "" {
					_, _ = io.WriteString(c, tc.begin)
				}
				if took := untilClosed(c); took > tc.limit+time.Second {
					t.Errorf("hung up after %s", took)
				}
			})
		})
	}
}

// TestSlowDrip: one byte now and then does not keep a header going.
func TestSlowDrip(t *testing.T) {
	t.Parallel()
	inPipes(t, func(_ *Server, p *pipes) {
		c := p.dial()
		go untilClosed(c)
		began := time.Now()
		for {
			if _, err := io.WriteString(c, "G"); err != nil {
				break
			}
			time.Sleep(time.Second)
		}
		if took := time.Since(began); took > 7*time.Second {
			t.Errorf("hung up after %s", took)
		}
	})
}

// TestHugeHeader is refused before it is read to its end.
func TestHugeHeader(t *testing.T) {
	t.Parallel()
	inPipes(t, func(_ *Server, p *pipes) {
		c := p.dial()
		go func() {
			_, _ = io.WriteString(c, "GET / HTTP/1.1\r\nHost: localhost\r\nX-A: "+strings.Repeat("x", 1<<20))
		}()
		resp, err := http.ReadResponse(bufio.NewReader(c), nil)
		if err != nil || resp.StatusCode != http.StatusRequestHeaderFieldsTooLarge {
			t.Errorf("%v, %v", resp, err)
		} else {
			_ = resp.Body.Close()
		}
		_ = c.Close()
	})
}

// TestReaderThatNeverReads: a page that stays open and takes nothing holds
// nobody up, and is given up.
func TestReaderThatNeverReads(t *testing.T) {
	t.Parallel()
	inPipes(t, func(s *Server, p *pipes) {
		deaf, page := p.dial(), p.dial()
		for _, c := range []net.Conn{deaf, page} {
			_, _ = io.WriteString(c, "GET /events HTTP/1.1\r\nHost: localhost\r\n\r\n")
		}
		lines := bufio.NewScanner(page)
		for lines.Scan() && lines.Text() != "retry: 3000" {
			continue
		}
		began := time.Now()
		s.Changed()
		for lines.Scan() && lines.Text() != "data: changed" {
			continue
		}
		if took := time.Since(began); took > 0 {
			t.Errorf("the page is told after %s", took)
		}
		time.Sleep(writeLimit + time.Second)
		synctest.Wait()
		s.hub.mu.Lock()
		defer s.hub.mu.Unlock()
		if s.hub.watching != 1 {
			t.Errorf("%d pages are counted", s.hub.watching)
		}
	})
}

// TestCloseWithOpenPages: a stop waits for no page.
func TestCloseWithOpenPages(t *testing.T) {
	t.Parallel()
	inPipes(t, func(s *Server, p *pipes) {
		var all []net.Conn
		for range 20 {
			c := p.dial()
			_, _ = io.WriteString(c, "GET /events HTTP/1.1\r\nHost: localhost\r\n\r\n")
			all = append(all, c)
		}
		synctest.Wait()
		began := time.Now()
		_ = s.Close()
		for _, c := range all {
			untilClosed(c)
		}
		if took := time.Since(began); took > 0 {
			t.Errorf("closed after %s", took)
		}
		synctest.Wait()
		if s.hub.watching != 0 {
			t.Errorf("%d pages are counted", s.hub.watching)
		}
	})
}

// TestTooManyConnections: what comes beyond the limit is closed at once, and
// what goes makes room.
func TestTooManyConnections(t *testing.T) {
	t.Parallel()
	limit := atMost(2)
	closed := func(c net.Conn) bool {
		_ = c.SetReadDeadline(time.Now().Add(-time.Second))
		_, err := c.Read(make([]byte, 1))
		return err == io.EOF //nolint:errorlint // net.Pipe's own
	}
	var ours, theirs []net.Conn
	for i := range 4 {
		c, s := net.Pipe()
		ours, theirs = append(ours, c), append(theirs, s)
		if i == 3 {
			limit(theirs[2], http.StateClosed)
			limit(theirs[0], http.StateClosed)
		}
		limit(s, http.StateNew)
	}
	for i, want := range []bool{false, false, true, false} {
		if got := closed(ours[i]); got != want {
			t.Errorf("connection %d: closed %v", i+1, got)
		}
	}
}
