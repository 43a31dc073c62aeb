package openclaw

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/coder/websocket"
)

// peer is the gateway's side of one connection.
type peer struct {
	t  *testing.T
	ws *websocket.Conn
}

// heard is a request as the gateway gets it.
type heard struct {
	ID     string
	Method string
	Params struct {
		MinProtocol, MaxProtocol int
		Client                   map[string]string
		Role                     string
		Scopes                   []string
		Auth                     map[string]string
		N                        int
	}
}

const (
	challenge = `{"type":"event","event":"connect.challenge","payload":{"nonce":"n","ts":1}}`
	helloOK   = `{"type":"hello-ok","protocol":4,"server":{"version":"2026.9.6"},"features":{"methods":["echo","hang","fail"]},"auth":{"scopes":["operator.admin","operator.read","operator.write"]}}`
)

func (p peer) say(raw string) {
	_ = p.ws.Write(p.t.Context(), websocket.MessageText, []byte(raw))
}

func (p peer) answer(id, payload string) {
	p.say(fmt.Sprintf(`{"type":"res","id":%q,"ok":true,"payload":%s}`, id, payload))
}

func (p peer) refuse(id, failure string) {
	p.say(fmt.Sprintf(`{"type":"res","id":%q,"ok":false,"error":%s}`, id, failure))
}

// next waits for a request; ok is false when the connection ended.
func (p peer) next() (h heard, ok bool) {
	_, raw, err := p.ws.Read(p.t.Context())
	if err != nil {
		return heard{}, false
	}
	return h, json.Unmarshal(raw, &h) == nil
}

// greet shakes hands as 2026.9.6 does.
func (p peer) greet() bool {
	p.say(challenge)
	h, ok := p.next()
	if !ok || h.Method != connectMethod {
		return false
	}
	p.say(`{"type":"event","event":"tick","payload":{}}`)
	p.answer(h.ID, helloOK)
	return true
}

// serve answers echo, refuses fail, and leaves the rest without an answer.
func (p peer) serve() {
	if !p.greet() {
		return
	}
	for {
		h, ok := p.next()
		if !ok {
			return
		}
		switch h.Method {
		case "echo":
			p.answer(h.ID, fmt.Sprintf(`{"n":%d}`, h.Params.N))
		case "fail":
			p.refuse(h.ID, `{"code":"INVALID_REQUEST","message":"no such profile","retryable":true,"details":{"code":"NO_SUCH_PROFILE"}}`)
		}
	}
}

// fakeGateway serves behave on loopback and gives a client for it.
func fakeGateway(t *testing.T, behave func(peer)) *Gateway {
	t.Helper()
	var open sync.WaitGroup
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		open.Add(1)
		defer open.Done()
		ws, err := websocket.Accept(w, r, nil)
		if err != nil {
			return
		}
		ws.SetReadLimit(1 << 20)
		defer func() { _ = ws.CloseNow() }()
		behave(peer{t: t, ws: ws})
	}))
	g := clientFor(t, server.URL)
	t.Cleanup(func() {
		_ = g.Close()
		server.CloseClientConnections()
		server.Close()
		open.Wait()
	})
	return g
}

func clientFor(t *testing.T, address string) *Gateway {
	t.Helper()
	i := newInstall(t, map[string]string{"openclaw.json": `{gateway:{auth:{mode:"token",token:"testtok"}}}`})
	i.opts.GatewayURL = "ws" + strings.TrimPrefix(address, "http")
	g := i.Gateway()
	g.limits = limits{call: 10 * time.Second, connect: 300 * time.Millisecond, handshake: 5 * time.Second}
	return g
}

type number struct {
	N int `json:"n"`
}

func (g *Gateway) echo(t *testing.T, n int) {
	t.Helper()
	var got number
	if err := g.Call(t.Context(), "echo", number{n}, &got); err != nil || got.N != n {
		t.Errorf("echo %d gave %d, %v", n, got.N, err)
	}
}

func TestConnectIntroducesItself(t *testing.T) {
	got := make(chan heard, 1)
	g := fakeGateway(t, func(p peer) {
		p.say(challenge)
		h, _ := p.next()
		got <- h
		p.answer(h.ID, helloOK)
		p.next()
	})
	h, err := g.Hello(t.Context())
	if err != nil || h.Version != "2026.9.6" || h.Protocol != 4 || len(h.Methods) != 3 || len(h.Scopes) != 3 {
		t.Fatalf("%+v, %v", h, err)
	}
	p := (<-got).Params
	if p.MinProtocol != 3 || p.MaxProtocol != 4 || p.Client["id"] != "gateway-client" || p.Client["mode"] != "backend" || p.Role != "operator" || len(p.Scopes) != 3 || p.Auth["token"] != "testtok" {
		t.Errorf("%+v", p)
	}
}

func TestCall(t *testing.T) {
	g := fakeGateway(t, peer.serve)
	g.echo(t, 7)

	err := g.Call(t.Context(), "fail", nil, nil)
	var refused *RPCError
	if !errors.As(err, &refused) || refused.Method != "fail" || refused.Code != "INVALID_REQUEST" || refused.Message != "no such profile" || !refused.Retryable || refused.Detail != "NO_SUCH_PROFILE" {
		t.Errorf("err = %v", err)
	}
	if errors.Is(err, ErrGatewayDown) || errors.Is(err, ErrMethodUnavailable) || errors.Is(err, ErrUnauthorized) {
		t.Errorf("%v is taken for something else", err)
	}
	if err := g.Call(t.Context(), "models.authRefresh", nil, nil); !errors.Is(err, ErrMethodUnavailable) || !strings.Contains(err.Error(), "2026.9.6") {
		t.Errorf("err = %v", err)
	}
	if err := g.Call(t.Context(), "echo", func() {}, nil); err == nil {
		t.Error("params that cannot be encoded gave no error")
	}
	var wrong []string
	if err := g.Call(t.Context(), "echo", number{1}, &wrong); err == nil || !strings.Contains(err.Error(), "expected form") {
		t.Errorf("err = %v", err)
	}
	g.echo(t, 8)
}

func TestHas(t *testing.T) {
	g := fakeGateway(t, peer.serve)
	for method, want := range map[string]bool{"echo": true, "other": false} {
		if got, err := g.Has(t.Context(), method); err != nil || got != want {
			t.Errorf("%s: %v, %v", method, got, err)
		}
	}
}

func TestCallsShareOneConnection(t *testing.T) {
	var connections atomic.Int32
	g := fakeGateway(t, func(p peer) {
		connections.Add(1)
		p.serve()
	})
	var calls sync.WaitGroup
	for n := range 50 {
		calls.Go(func() { g.echo(t, n) })
	}
	calls.Wait()
	if n := connections.Load(); n != 1 {
		t.Errorf("%d connections", n)
	}
}

func TestSlowCallBlocksNoOther(t *testing.T) {
	g := fakeGateway(t, peer.serve)
	ctx, cancel := context.WithCancel(t.Context())
	slow := make(chan error, 1)
	go func() { slow <- g.Call(ctx, "hang", nil, nil) }()
	for n := range 5 {
		g.echo(t, n)
	}
	cancel()
	if err := <-slow; !errors.Is(err, context.Canceled) || errors.Is(err, ErrGatewayDown) {
		t.Errorf("err = %v", err)
	}
	g.echo(t, 9)
}

func TestCallHasALimitOfItsOwn(t *testing.T) {
	g := fakeGateway(t, peer.serve)
	g.limits.call = 100 * time.Millisecond
	if err := g.Call(t.Context(), "hang", nil, nil); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("err = %v", err)
	}
}

// What a broken gateway does once the handshake is done, to a call under way.
func TestFaultsInACall(t *testing.T) {
	cases := []struct {
		name  string
		fault func(peer)
		want  string
	}{
		{"bad JSON", func(p peer) { p.say(`{"type":"res",`) }, "not a frame of its protocol"},
		{"binary", func(p peer) { _ = p.ws.Write(p.t.Context(), websocket.MessageBinary, []byte("{}")) }, "not a frame of its protocol"},
		{"huge frame", func(p peer) { p.say(`{"x":"` + strings.Repeat("y", frameCap) + `"}`) }, "more than 16 MiB"},
		{"restart", func(p peer) {
			p.say(`{"type":"event","event":"shutdown","payload":{}}`)
			_ = p.ws.Close(websocket.StatusServiceRestart, "service restart")
		}, "it restarts"},
		{"closed", func(p peer) { _ = p.ws.Close(websocket.StatusNormalClosure, "") }, "connection was lost"},
		{"cut", func(p peer) { _ = p.ws.CloseNow() }, "connection was lost"},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			var connections atomic.Int32
			g := fakeGateway(t, func(p peer) {
				if connections.Add(1) > 1 {
					p.serve()
					return
				}
				if p.greet() {
					p.next()
					c.fault(p)
				}
			})
			err := g.Call(t.Context(), "hang", nil, nil)
			if !errors.Is(err, ErrGatewayDown) || !strings.Contains(err.Error(), c.want) || strings.Contains(err.Error(), "yyy") {
				t.Errorf("err = %.300v", err)
			}
			g.echo(t, 1)
		})
	}
}

func TestFaultsInTheHandshake(t *testing.T) {
	reply := func(failure string) func(peer) {
		return func(p peer) {
			p.say(challenge)
			if h, ok := p.next(); ok {
				p.refuse(h.ID, failure)
				p.next()
			}
		}
	}
	hello := func(payload string) func(peer) {
		return func(p peer) {
			p.say(challenge)
			if h, ok := p.next(); ok {
				p.answer(h.ID, payload)
				p.next()
			}
		}
	}
	cases := []struct {
		name   string
		behave func(peer)
		is     error
		want   string
		once   bool
	}{
		{"wrong challenge", func(p peer) { p.say(`{"type":"event","event":"welcome"}`); p.next() }, ErrGatewayDown, "does not greet as OpenClaw does", false},
		{"no JSON", func(p peer) { p.say(`hello`); p.next() }, ErrGatewayDown, "not a frame", false},
		{"closes", func(peer) {}, ErrGatewayDown, "connection was lost", false},
		{
			"wrong token", reply(`{"code":"INVALID_REQUEST","message":"unauthorized: gateway token mismatch (provide gateway auth token)","details":{"code":"AUTH_TOKEN_MISMATCH"}}`),
			ErrUnauthorized, "token mismatch", true,
		},
		{"pairing", reply(`{"code":"NOT_PAIRED","message":"pairing required: device is asking for more scopes"}`), ErrUnauthorized, "pairing required", true},
		{"protocol refused", reply(`{"code":"INVALID_REQUEST","message":"protocol mismatch","details":{"code":"PROTOCOL_MISMATCH"}}`), ErrGatewayDown, "update the older", true},
		{"protocol 5", hello(`{"type":"hello-ok","protocol":5}`), ErrGatewayDown, "it speaks 5", true},
		{"starting", reply(`{"code":"UNAVAILABLE","message":"wait","retryable":true,"retryAfterMs":1}`), ErrGatewayDown, "still starting", false},
		{"refused", reply(`{"code":"OTHER","message":"no"}`), ErrGatewayDown, "refused to connect: no", false},
		{"no reason", reply(`null`), ErrGatewayDown, "gave no reason", false},
		{"odd hello", hello(`[]`), ErrGatewayDown, "not of the expected form", false},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			var connections atomic.Int32
			g := fakeGateway(t, func(p peer) {
				connections.Add(1)
				c.behave(p)
			})
			err := g.Call(t.Context(), "echo", nil, nil)
			if !errors.Is(err, c.is) || !strings.Contains(err.Error(), c.want) {
				t.Errorf("err = %v", err)
			}
			if strings.Contains(fmt.Sprintf("%+v", err), "testtok") {
				t.Error("the error holds the token")
			}
			if n := connections.Load(); (n == 1) != c.once {
				t.Errorf("%d attempts", n)
			}
		})
	}
}

func TestConnectWaitsForAGatewayThatStarts(t *testing.T) {
	var connections atomic.Int32
	g := fakeGateway(t, func(p peer) {
		if connections.Add(1) > 2 {
			p.serve()
			return
		}
		p.say(challenge)
		if h, ok := p.next(); ok {
			p.refuse(h.ID, `{"code":"UNAVAILABLE","message":"startup-sidecars"}`)
		}
	})
	g.limits.connect = 10 * time.Second
	g.echo(t, 1)
}

func TestNothingListens(t *testing.T) {
	server := httptest.NewServer(http.NotFoundHandler())
	g := clientFor(t, server.URL)
	server.Close()
	defer func() { _ = g.Close() }()
	if err := g.Call(t.Context(), "echo", nil, nil); !errors.Is(err, ErrGatewayDown) || errors.Is(err, ErrUnauthorized) {
		t.Errorf("err = %v", err)
	}
}

func TestNoWebSocketThere(t *testing.T) {
	server := httptest.NewServer(http.NotFoundHandler())
	defer server.Close()
	g := clientFor(t, server.URL)
	defer func() { _ = g.Close() }()
	if err := g.Call(t.Context(), "echo", nil, nil); !errors.Is(err, ErrGatewayDown) {
		t.Errorf("err = %v", err)
	}
}

// A gateway that says nothing must not hold a call longer than its context.
func TestSilentGateway(t *testing.T) {
	g := fakeGateway(t, func(p peer) { p.next() })
	g.limits.handshake = 200 * time.Millisecond
	ctx, cancel := context.WithTimeout(t.Context(), 100*time.Millisecond)
	defer cancel()
	if err := g.Call(ctx, "echo", nil, nil); !errors.Is(err, ErrGatewayDown) || !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("err = %v", err)
	}
}

func TestDeadConnectionIsNoticed(t *testing.T) {
	var connections atomic.Int32
	g := fakeGateway(t, func(p peer) {
		connections.Add(1)
		p.serve()
	})
	g.echo(t, 1)
	g.limits.call = 50 * time.Millisecond
	g.current.heard.Store(time.Now().Add(-2 * silenceLimit).UnixNano())
	if err := g.Call(t.Context(), "hang", nil, nil); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("err = %v", err)
	}
	g.limits.call = 10 * time.Second
	g.echo(t, 2)
	if n := connections.Load(); n != 2 {
		t.Errorf("%d connections", n)
	}
}

func TestClose(t *testing.T) {
	t.Run("with a call under way", func(t *testing.T) {
		g := fakeGateway(t, peer.serve)
		g.echo(t, 1)
		under := make(chan error, 1)
		go func() { under <- g.Call(t.Context(), "hang", nil, nil) }()
		eventually(t, func() bool {
			g.current.mu.Lock()
			defer g.current.mu.Unlock()
			return len(g.current.pending) == 1
		})
		if err := g.Close(); err != nil {
			t.Fatal(err)
		}
		if err := <-under; !errors.Is(err, ErrGatewayDown) {
			t.Errorf("err = %v", err)
		}
		if err := g.Call(t.Context(), "echo", nil, nil); !errors.Is(err, ErrGatewayDown) || !strings.Contains(err.Error(), "closed") {
			t.Errorf("err = %v", err)
		}
	})
	t.Run("while connecting", func(t *testing.T) {
		connected := make(chan struct{}, 9)
		g := fakeGateway(t, func(p peer) {
			connected <- struct{}{}
			p.next()
		})
		under := make(chan error, 1)
		go func() { under <- g.Call(t.Context(), "echo", nil, nil) }()
		<-connected
		if err := g.Close(); err != nil {
			t.Fatal(err)
		}
		if err := <-under; !errors.Is(err, ErrGatewayDown) {
			t.Errorf("err = %v", err)
		}
	})
	t.Run("twice, never used", func(t *testing.T) {
		g := clientFor(t, "http://127.0.0.1:1")
		if err := errors.Join(g.Close(), g.Close()); err != nil {
			t.Fatal(err)
		}
	})
}

func TestRefusalKinds(t *testing.T) {
	cases := map[string]struct {
		message string
		is      error
	}{
		"unknown method": {"unknown method: x", ErrMethodUnavailable},
		"scope":          {"missing scope: operator.admin", ErrUnauthorized},
		"unauthorized":   {"unauthorized role: node", ErrUnauthorized},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			_, err := frame{Error: &frameError{Code: "INVALID_REQUEST", Message: c.message}}.result("m")
			var refused *RPCError
			if !errors.Is(err, c.is) || !errors.As(err, &refused) {
				t.Errorf("err = %v", err)
			}
		})
	}
}
