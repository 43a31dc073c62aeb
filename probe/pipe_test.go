package probe

import (
	"context"
	"net"
	"net/http"
	"sync"
	"testing"
	"time"
)

// pipe is a network of net.Pipe connections with the real net/http on both
// ends: in a synctest bubble a loopback socket would hang for ever, since
// waiting for it is not waiting for time.
type pipe struct {
	conns  chan net.Conn
	closed chan struct{}
	once   sync.Once

	mu     sync.Mutex
	dialed map[string]int
}

func (p *pipe) Accept() (net.Conn, error) {
	select {
	case c := <-p.conns:
		return c, nil
	case <-p.closed:
		return nil, net.ErrClosed
	}
}

func (p *pipe) Close() error {
	p.once.Do(func() { close(p.closed) })
	return nil
}

func (p *pipe) Addr() net.Addr { return &net.UnixAddr{Name: "pipe", Net: "pipe"} }

func (p *pipe) dial(ctx context.Context, _, addr string) (net.Conn, error) {
	p.mu.Lock()
	p.dialed[addr]++
	p.mu.Unlock()
	client, server := net.Pipe()
	select {
	case p.conns <- server:
		return client, nil
	case <-ctx.Done():
		return nil, ctx.Err()
	}
}

// serve starts h behind a pipe and returns the transport that reaches it under
// every address. It ends with the test's bubble.
func serve(t *testing.T, h http.Handler) (*http.Transport, *pipe) {
	t.Helper()
	p := &pipe{conns: make(chan net.Conn), closed: make(chan struct{}), dialed: map[string]int{}}
	server := &http.Server{Handler: h, ReadHeaderTimeout: time.Minute}
	done := make(chan struct{})
	go func() {
		defer close(done)
		_ = server.Serve(p)
	}()
	tr := newTransport()
	tr.Proxy, tr.DialContext = nil, p.dial
	t.Cleanup(func() {
		tr.CloseIdleConnections()
		_ = server.Close()
		<-done
	})
	return tr, p
}
