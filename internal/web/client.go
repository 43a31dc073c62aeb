package web

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net"
	"net/http"
	"path/filepath"
	"syscall"
	"time"

	"github.com/ocwatch/ocwatch/internal/event"
)

// socketHost is the Host of requests over the socket.
const socketHost = "ocwatch"

const (
	// maxAnswer bounds an answer; the status of a thousand accounts takes half
	// a megabyte.
	maxAnswer = 16 << 20
	// statusLimit bounds what the watchdog answers out of its memory.
	statusLimit = 10 * time.Second
	// loginLimit is more than the watchdog itself takes to get a code.
	loginLimit = 2 * time.Minute
)

// ErrNotRunning is returned where no watchdog serves the data directory.
var ErrNotRunning = errors.New("no watchdog is running")

// Client asks the watchdog that serves one data directory. Every call fails
// with ErrNotRunning where there is none.
type Client struct {
	path string
	http *http.Client
}

// NewClient returns a client of the watchdog that serves dir, which need not run.
func NewClient(dir string) *Client {
	c := &Client{path: filepath.Join(dir, SocketName)}
	c.http = &http.Client{Transport: &http.Transport{
		DisableKeepAlives: true,
		DialContext: func(ctx context.Context, _, _ string) (net.Conn, error) {
			return new(net.Dialer).DialContext(ctx, "unix", c.path)
		},
	}}
	return c
}

// Status returns the status document.
func (c *Client) Status(ctx context.Context) ([]byte, error) {
	ctx, cancel := context.WithTimeout(ctx, statusLimit)
	defer cancel()
	return c.do(ctx, http.MethodGet, "/api/v1/status", nil)
}

// BeginLogin has the watchdog start a login and send its link and code to
// every endpoint that wants login.started.
func (c *Client) BeginLogin(ctx context.Context, agent, provider string) (event.Login, error) {
	var l event.Login
	err := c.post(ctx, pathLogin, LoginRequest{Agent: agent, Provider: provider}, &l)
	return l, err
}

// PasteLogin hands the address that a browser ended on to the login that waits
// for one.
func (c *Client) PasteLogin(ctx context.Context, address string) error {
	return c.post(ctx, pathLoginPaste, LoginRequest{Address: address}, nil)
}

// CancelLogin ends the watchdog's own login for a provider, if there is one.
func (c *Client) CancelLogin(ctx context.Context, agent, provider string) error {
	return c.post(ctx, pathLoginCancel, LoginRequest{Agent: agent, Provider: provider}, nil)
}

// LoggedIn tells the watchdog of a login that was made without it.
func (c *Client) LoggedIn(ctx context.Context, agent, provider, profile string) error {
	return c.post(ctx, pathLoginDone, LoginRequest{Agent: agent, Provider: provider, Profile: profile}, nil)
}

func (c *Client) post(ctx context.Context, path string, params, result any) error {
	ctx, cancel := context.WithTimeout(ctx, loginLimit)
	defer cancel()
	body, err := json.Marshal(params)
	if err != nil {
		return err
	}
	answer, err := c.do(ctx, http.MethodPost, path, body)
	if err != nil || result == nil {
		return err
	}
	if err := json.Unmarshal(answer, result); err != nil {
		return fmt.Errorf("the watchdog's answer is not understood: %w (is another version running?)", err)
	}
	return nil
}

// get asks for a JSON document.
func (c *Client) get(ctx context.Context, path string, result any) error {
	answer, err := c.do(ctx, http.MethodGet, path, nil)
	if err != nil {
		return err
	}
	if err := json.Unmarshal(answer, result); err != nil {
		return fmt.Errorf("the watchdog's answer is not understood: %w (is another version running?)", err)
	}
	return nil
}

// do makes one request and returns the answer's body.
func (c *Client) do(ctx context.Context, method, path string, body []byte) ([]byte, error) {
	req, err := http.NewRequestWithContext(ctx, method, "http://"+socketHost+path, bytes.NewReader(body))
	if err != nil {
		return nil, err
	}
	if method == http.MethodPost {
		req.Header.Set("Content-Type", "application/json")
	}
	resp, err := c.http.Do(req)
	if err != nil {
		return nil, c.explain(err)
	}
	defer func() { _ = resp.Body.Close() }()
	answer, err := io.ReadAll(io.LimitReader(resp.Body, maxAnswer+1))
	switch {
	case err != nil:
		return nil, fmt.Errorf("read the watchdog's answer: %w", err)
	case len(answer) > maxAnswer:
		return nil, fmt.Errorf("the watchdog's answer is larger than %d MiB", maxAnswer>>20)
	case resp.StatusCode/100 == 2:
		return answer, nil
	}
	var refusal struct{ Error string }
	if json.Unmarshal(answer, &refusal) == nil && refusal.Error != "" {
		return nil, errors.New(refusal.Error)
	}
	return nil, fmt.Errorf("the watchdog answered %s to %s (is another version running?)", resp.Status, path)
}

// explain says what a failed connection to the socket means.
func (c *Client) explain(err error) error {
	switch {
	case errors.Is(err, fs.ErrNotExist), errors.Is(err, syscall.ECONNREFUSED):
		return fmt.Errorf("%w on %s: start it with ocwatch run, or look once with ocwatch check", ErrNotRunning, c.path)
	case errors.Is(err, fs.ErrPermission):
		return fmt.Errorf("status socket %s belongs to another account: run this as the account that runs the watchdog", c.path)
	case errors.Is(err, syscall.EINVAL):
		return fmt.Errorf("%w on %s: the path is over 107 bytes, too long for a socket; choose a shorter data_dir", ErrNotRunning, c.path)
	case errors.Is(err, context.DeadlineExceeded):
		return fmt.Errorf("the watchdog on %s does not answer: the machine is overloaded, or ocwatch run hangs; its log says which, and it can be started again at any time (%w)", c.path, context.DeadlineExceeded)
	}
	return fmt.Errorf("ask the watchdog: %w", err)
}
