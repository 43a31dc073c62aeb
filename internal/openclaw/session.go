package openclaw

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/coder/websocket"
)

const (
	// frameCap is above what the gateway itself sends at most for our calls,
	// and keeps a stranger on the port from filling memory.
	frameCap = 16 << 20
	// writeLimit bounds one write; a request is a few hundred bytes, so a
	// write that takes this long has nobody at the other end.
	writeLimit = 10 * time.Second
	// silenceLimit is more than twice the gateway's tick of 15 s: a connection
	// on which nothing came for so long is dead without having been closed.
	silenceLimit = 40 * time.Second
)

// session is one connection to the gateway, after the handshake.
type session struct {
	ws    *websocket.Conn
	hello Hello
	life  context.Context // of the connection, not of a call
	heard atomic.Int64    // when the last frame came, Unix nanoseconds
	ended chan struct{}   // closed when the reader is gone

	mu      sync.Mutex
	pending map[string]chan frame
	lastID  uint64
	cause   error // why it ended, nil while it is alive
}

// frame is anything the gateway sends; which fields are set depends on Type.
type frame struct {
	Type    string          `json:"type"`
	ID      string          `json:"id"`
	Event   string          `json:"event"`
	OK      bool            `json:"ok"`
	Payload json.RawMessage `json:"payload"`
	Error   *frameError     `json:"error"`
}

type frameError struct {
	Code      string          `json:"code"`
	Message   string          `json:"message"`
	Retryable bool            `json:"retryable"`
	Details   json.RawMessage `json:"details"`
}

// detail is the code within the details, which says more than Code does.
func (e *frameError) detail() string {
	var d struct{ Code string }
	if json.Unmarshal(e.Details, &d) != nil {
		return ""
	}
	return d.Code
}

type request struct {
	Type   string `json:"type"`
	ID     string `json:"id"`
	Method string `json:"method"`
	Params any    `json:"params"`
}

func newSession(life context.Context, ws *websocket.Conn, hello Hello) *session {
	s := &session{ws: ws, hello: hello, life: life, ended: make(chan struct{}), pending: map[string]chan frame{}}
	s.heard.Store(time.Now().UnixNano())
	go s.read()
	return s
}

func (s *session) alive() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.cause == nil
}

// call sends one request and waits for its answer only: others go on meanwhile.
func (s *session) call(ctx context.Context, method string, params any) (json.RawMessage, error) {
	if params == nil {
		params = struct{}{}
	}
	id, answer, err := s.expect()
	if err != nil {
		return nil, err
	}
	defer s.forget(id)
	if err := s.send(request{Type: "req", ID: id, Method: method, Params: params}); err != nil { //nolint:contextcheck // a write is not the caller's to cancel, see send
		return nil, err
	}
	select {
	case f, ok := <-answer:
		if !ok {
			return nil, s.reason()
		}
		return f.result(method)
	case <-ctx.Done():
		s.checkSilence()
		return nil, fmt.Errorf("no answer: %w", ctx.Err())
	}
}

func (s *session) expect() (string, <-chan frame, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.cause != nil {
		return "", nil, s.cause
	}
	s.lastID++
	id := strconv.FormatUint(s.lastID, 10)
	answer := make(chan frame, 1)
	s.pending[id] = answer
	return id, answer, nil
}

func (s *session) forget(id string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	delete(s.pending, id)
}

// send writes under a limit of its own: the library closes the connection when
// a write is cancelled, which a caller's context must not do to other calls.
func (s *session) send(r request) error {
	raw, err := json.Marshal(r)
	if err != nil {
		return fmt.Errorf("encode params: %w", err)
	}
	ctx, cancel := context.WithTimeout(s.life, writeLimit)
	defer cancel()
	if err := s.ws.Write(ctx, websocket.MessageText, raw); err != nil {
		s.close(fmt.Errorf("%w: write: %w", ErrGatewayDown, err))
		return s.reason()
	}
	return nil
}

// read hands each answer to its call until the connection ends, and then fails
// the calls that still wait.
func (s *session) read() {
	defer close(s.ended)
	for {
		f, err := readFrame(s.life, s.ws)
		if err != nil {
			s.close(err)
			return
		}
		s.heard.Store(time.Now().UnixNano())
		if f.Type == "res" {
			s.deliver(f)
		}
	}
}

func (s *session) deliver(f frame) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if answer, ok := s.pending[f.ID]; ok {
		delete(s.pending, f.ID)
		answer <- f
	}
}

// close ends the session once; the first cause is the one that is told.
func (s *session) close(cause error) {
	s.mu.Lock()
	first := s.cause == nil
	if first {
		s.cause = cause
		for id, answer := range s.pending {
			close(answer)
			delete(s.pending, id)
		}
	}
	s.mu.Unlock()
	if first {
		_ = s.ws.CloseNow()
	}
}

func (s *session) reason() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.cause
}

// checkSilence ends a connection on which even the gateway's ticks stopped, so
// that the next call opens a new one.
func (s *session) checkSilence() {
	if quiet := time.Since(time.Unix(0, s.heard.Load())); quiet > silenceLimit {
		s.close(fmt.Errorf("%w: nothing heard for %s", ErrGatewayDown, quiet.Round(time.Second)))
	}
}

// readFrame reads one frame. What came is never quoted in the error.
func readFrame(ctx context.Context, ws *websocket.Conn) (frame, error) {
	kind, raw, err := ws.Read(ctx)
	if err != nil {
		return frame{}, readError(err)
	}
	var f frame
	if kind != websocket.MessageText || json.Unmarshal(raw, &f) != nil {
		return frame{}, fmt.Errorf("%w: it sent something that is not a frame of its protocol", ErrGatewayDown)
	}
	return f, nil
}

func readError(err error) error {
	if errors.Is(err, websocket.ErrMessageTooBig) {
		return fmt.Errorf("%w: it sent a frame of more than %d MiB", ErrGatewayDown, frameCap>>20)
	}
	var closed websocket.CloseError
	if errors.As(err, &closed) && closed.Code == websocket.StatusServiceRestart {
		return fmt.Errorf("%w: it restarts", ErrGatewayDown)
	}
	return fmt.Errorf("%w: the connection was lost: %w", ErrGatewayDown, err)
}

// result turns an answer into its payload or an *RPCError.
func (f frame) result(method string) (json.RawMessage, error) {
	if f.OK {
		return f.Payload, nil
	}
	if f.Error == nil {
		return nil, &RPCError{Method: method, Code: "UNKNOWN", Message: "it gave no reason"}
	}
	return nil, f.Error.rpcError(method)
}

func (e *frameError) rpcError(method string) *RPCError {
	r := &RPCError{Method: method, Code: shorten(e.Code), Message: shorten(e.Message), Retryable: e.Retryable, Detail: shorten(e.detail())}
	low := strings.ToLower(e.Message)
	switch {
	case strings.HasPrefix(low, "unknown method"):
		r.kind = ErrMethodUnavailable
	case strings.HasPrefix(low, "missing scope"), strings.HasPrefix(low, "unauthorized"):
		r.kind = ErrUnauthorized
	}
	return r
}
