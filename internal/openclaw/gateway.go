package openclaw

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"sync"
	"time"

	"github.com/cenkalti/backoff/v5"
)

const (
	// callLimit is a call's where its context has no deadline.
	callLimit = 30 * time.Second
	// connectLimit is how long one call goes on starting attempts to connect.
	// Long enough for a gateway that is just opening its port, short enough
	// that the CLI is still a quick way out.
	connectLimit = 3 * time.Second
	// handshakeLimit bounds one attempt. A gateway on a busy machine may take
	// seconds to greet, and the CLI would then take longer still.
	handshakeLimit = 10 * time.Second
)

// Gateway calls the RPC methods of a running gateway. It connects on the first
// call and again after a connection was lost. All methods may be called
// concurrently. Use Close when done.
type Gateway struct {
	install *Install
	limits  limits

	life context.Context // the connection outlives the call that opened it
	end  context.CancelFunc

	mu      sync.Mutex
	current *session
	opening *opening
}

type limits struct{ call, connect, handshake time.Duration }

// opening is one attempt to connect that several calls wait for.
type opening struct {
	done    chan struct{}
	session *session
	err     error
}

// Hello is what the gateway said of itself on connecting.
type Hello struct {
	Version  string
	Protocol int
	Methods  []string // what may be called
	Scopes   []string // what this connection was granted
}

// Gateway gives the RPC client of the install.
func (i *Install) Gateway() *Gateway {
	life, end := context.WithCancel(context.Background())
	return &Gateway{
		install: i, life: life, end: end,
		limits: limits{call: callLimit, connect: connectLimit, handshake: handshakeLimit},
	}
}

// URL is where the gateway is expected, "" where the config cannot be read.
func (g *Gateway) URL() string {
	e := g.install.endpoint()
	if e.err != nil {
		return ""
	}
	return e.url.String()
}

// Hello connects if needed and gives what the gateway said of itself.
func (g *Gateway) Hello(ctx context.Context) (Hello, error) {
	ctx, cancel := g.bound(ctx)
	defer cancel()
	s, err := g.connect(ctx)
	if err != nil {
		return Hello{}, err
	}
	return s.hello, nil
}

// Has reports whether the gateway announces method.
func (g *Gateway) Has(ctx context.Context, method string) (bool, error) {
	h, err := g.Hello(ctx)
	if err != nil {
		return false, err
	}
	return h.has(method), nil
}

// has takes an empty list for a gateway that announces nothing, not for one
// that offers nothing.
func (h Hello) has(method string) bool {
	return len(h.Methods) == 0 || slices.Contains(h.Methods, method)
}

// Call calls method with params and decodes the answer into result, either of
// which may be nil. Without a deadline in ctx it takes 30 s at most. A refusal
// is an *RPCError; see also ErrGatewayDown, ErrMethodUnavailable and
// ErrUnauthorized. A call is never repeated: after ErrGatewayDown it may have
// taken effect.
func (g *Gateway) Call(ctx context.Context, method string, params, result any) error {
	ctx, cancel := g.bound(ctx)
	defer cancel()
	s, err := g.connect(ctx)
	if err != nil {
		return fmt.Errorf("call %s: %w", method, err)
	}
	if !s.hello.has(method) {
		return fmt.Errorf("call %s on OpenClaw %s: %w", method, s.hello.Version, ErrMethodUnavailable)
	}
	payload, err := s.call(ctx, method, params)
	if err != nil {
		return fmt.Errorf("call %s: %w", method, err)
	}
	if result == nil {
		return nil
	}
	if err := json.Unmarshal(payload, result); err != nil {
		return fmt.Errorf("call %s: the answer is not of the expected form: %w", method, err)
	}
	return nil
}

// Close ends the connection. Calls under way and calls to come fail with
// ErrGatewayDown.
func (g *Gateway) Close() error {
	g.end()
	g.mu.Lock()
	s := g.current
	g.current = nil
	g.mu.Unlock()
	if s != nil {
		s.close(errClosed)
		<-s.ended
	}
	return nil
}

var errClosed = fmt.Errorf("%w: this client was closed", ErrGatewayDown)

func (g *Gateway) bound(ctx context.Context) (context.Context, context.CancelFunc) {
	if _, ok := ctx.Deadline(); ok {
		return context.WithCancel(ctx)
	}
	return context.WithTimeout(ctx, g.limits.call)
}

// connect gives the living session, or joins the attempt to open one. The
// attempt is nobody's own: a caller that gives up does not end it for others.
func (g *Gateway) connect(ctx context.Context) (*session, error) {
	g.mu.Lock()
	if g.life.Err() != nil {
		g.mu.Unlock()
		return nil, errClosed
	}
	if g.current != nil && g.current.alive() {
		defer g.mu.Unlock()
		return g.current, nil
	}
	o := g.opening
	if o == nil {
		o = &opening{done: make(chan struct{})}
		g.opening = o
		go g.open(o)
	}
	g.mu.Unlock()
	select {
	case <-o.done:
		return o.session, o.err
	case <-ctx.Done():
		return nil, fmt.Errorf("%w: no connection yet: %w", ErrGatewayDown, ctx.Err())
	}
}

// open tries to connect for as long as limits.connect allows.
func (g *Gateway) open(o *opening) {
	wait := backoff.NewExponentialBackOff()
	wait.InitialInterval = 100 * time.Millisecond
	wait.MaxInterval = time.Second
	o.session, o.err = backoff.Retry(g.life, g.attempt, backoff.WithBackOff(wait), backoff.WithMaxElapsedTime(g.limits.connect))
	if o.err != nil && g.life.Err() != nil {
		o.err = errClosed
	}
	g.mu.Lock()
	g.opening = nil
	g.current = o.session
	closed := g.life.Err() != nil
	g.mu.Unlock()
	if closed && o.session != nil {
		o.session.close(errClosed)
		o.session, o.err = nil, errClosed
	}
	close(o.done)
}

// attempt opens one session. What a second try cannot mend is permanent.
func (g *Gateway) attempt() (*session, error) {
	ctx, cancel := context.WithTimeout(g.life, g.limits.handshake)
	defer cancel()
	s, err := dial(ctx, g.life, g.install.endpoint())
	if err != nil && (!errors.Is(err, ErrGatewayDown) || errors.Is(err, errProtocol)) {
		err = backoff.Permanent(err)
	}
	return s, err
}
