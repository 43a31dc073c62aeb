package openclaw

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"runtime"
	"strings"

	"github.com/coder/websocket"
)

// The versions of the gateway's protocol that this client speaks.
const (
	minProtocol = 3
	maxProtocol = 4
)

// connectMethod is the first call of every connection, and its id.
const connectMethod = "connect"

// errProtocol marks a gateway whose protocol this client does not speak, which
// trying again does not change.
var errProtocol = errors.New("no common protocol")

// dial opens a connection and shakes hands within ctx; the session then lives
// as long as life.
func dial(ctx, life context.Context, e endpoint) (*session, error) {
	if e.err != nil {
		return nil, e.err
	}
	if !e.private() && (!e.token.Empty() || !e.password.Empty()) {
		return nil, fmt.Errorf("%w: the token is not sent to %s without TLS; use wss:// there", ErrUnauthorized, e.url.Host)
	}
	client := e.httpClient()
	ws, resp, err := websocket.Dial(ctx, e.url.String(), &websocket.DialOptions{HTTPClient: client})
	if resp != nil && resp.Body != nil {
		_ = resp.Body.Close()
	}
	if err != nil {
		return nil, fmt.Errorf("%w at %s: %w", ErrGatewayDown, e.url.Host, withoutURL(err))
	}
	ws.SetReadLimit(frameCap)
	hello, err := shakeHands(ctx, ws, e)
	if err != nil {
		_ = ws.CloseNow()
		return nil, err
	}
	return newSession(life, ws, hello), nil
}

func shakeHands(ctx context.Context, ws *websocket.Conn, e endpoint) (Hello, error) {
	f, err := readFrame(ctx, ws)
	if err != nil {
		return Hello{}, err
	}
	if f.Type != "event" || f.Event != "connect.challenge" {
		return Hello{}, fmt.Errorf("%w: whatever listens at %s does not greet as OpenClaw does", ErrGatewayDown, e.url.Host)
	}
	raw, err := json.Marshal(request{Type: "req", ID: connectMethod, Method: connectMethod, Params: connectParams(e)})
	if err != nil {
		return Hello{}, fmt.Errorf("encode connect: %w", err)
	}
	if err := ws.Write(ctx, websocket.MessageText, raw); err != nil {
		return Hello{}, fmt.Errorf("%w: write: %w", ErrGatewayDown, err)
	}
	for {
		f, err := readFrame(ctx, ws)
		if err != nil {
			return Hello{}, err
		}
		if f.Type == "res" && f.ID == connectMethod {
			return readHello(f, e)
		}
	}
}

// connectParams names the client as OpenClaw's own control plane does: only
// this id and mode keep their scopes without a paired device.
func connectParams(e endpoint) any {
	auth := map[string]string{}
	if !e.token.Empty() {
		auth["token"] = e.token.Reveal()
	}
	if !e.password.Empty() {
		auth["password"] = e.password.Reveal()
	}
	return map[string]any{
		"minProtocol": minProtocol,
		"maxProtocol": maxProtocol,
		"client":      map[string]string{"id": "gateway-client", "version": "ocwatch", "platform": runtime.GOOS, "mode": "backend"},
		"role":        "operator",
		"scopes":      []string{"operator.admin", "operator.read", "operator.write"},
		"caps":        []string{},
		"auth":        auth,
	}
}

func readHello(f frame, e endpoint) (Hello, error) {
	if !f.OK {
		return Hello{}, refusal(f.Error, e)
	}
	var p struct {
		Type     string
		Protocol int
		Server   struct{ Version string }
		Features struct{ Methods []string }
		Auth     struct{ Scopes []string }
	}
	if json.Unmarshal(f.Payload, &p) != nil || p.Type != "hello-ok" {
		return Hello{}, fmt.Errorf("%w: its answer to connect is not of the expected form", ErrGatewayDown)
	}
	if p.Protocol < minProtocol || p.Protocol > maxProtocol {
		return Hello{}, protocolError(fmt.Sprintf("it speaks %d", p.Protocol))
	}
	return Hello{Version: p.Server.Version, Protocol: p.Protocol, Methods: p.Features.Methods, Scopes: p.Auth.Scopes}, nil
}

// refusal tells apart what a person must mend from what passes. The code of the
// error itself is INVALID_REQUEST for nearly everything.
func refusal(e *frameError, at endpoint) error {
	if e == nil {
		return fmt.Errorf("%w: it refused to connect and gave no reason", ErrGatewayDown)
	}
	code, low := e.detail(), strings.ToLower(e.Message)
	switch {
	case code == "PROTOCOL_MISMATCH", strings.Contains(low, "protocol mismatch"):
		return protocolError("it refused ours")
	case e.Code == "UNAVAILABLE":
		return fmt.Errorf("%w: it is still starting", ErrGatewayDown)
	case at.token.Empty() && at.password.Empty():
		return fmt.Errorf("%w: no token or password is known; set openclaw.gateway.token_file, or OPENCLAW_GATEWAY_TOKEN (gateway said: %s)", ErrUnauthorized, shorten(e.Message))
	case strings.HasPrefix(code, "AUTH_"), strings.Contains(low, "unauthorized"), strings.Contains(low, "pairing"):
		return fmt.Errorf("%w: %s", ErrUnauthorized, shorten(e.Message))
	default:
		return fmt.Errorf("%w: it refused to connect: %s", ErrGatewayDown, shorten(e.Message))
	}
}

func protocolError(what string) error {
	return fmt.Errorf("%w: %w: this ocwatch speaks %d to %d, %s; update the older of the two", ErrGatewayDown, errProtocol, minProtocol, maxProtocol, what)
}
