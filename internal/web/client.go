package web

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net"
	"net/http"
	"path/filepath"
	"syscall"
	"time"
)

// socketHost is the Host of requests over the socket.
const socketHost = "ocwatch"

// maxStatus bounds a status document; a thousand accounts take half a megabyte.
const maxStatus = 16 << 20

// ErrNotRunning is returned where no watchdog serves the data directory.
var ErrNotRunning = errors.New("no watchdog is running")

// Fetch returns the status document of the watchdog that serves dir. The error
// is ErrNotRunning where there is none.
func Fetch(ctx context.Context, dir string) ([]byte, error) {
	path := filepath.Join(dir, SocketName)
	client := &http.Client{Timeout: 10 * time.Second, Transport: &http.Transport{
		DisableKeepAlives: true,
		DialContext: func(ctx context.Context, _, _ string) (net.Conn, error) {
			return new(net.Dialer).DialContext(ctx, "unix", path)
		},
	}}
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, "http://"+socketHost+"/api/v1/status", nil)
	if err != nil {
		return nil, err
	}
	resp, err := client.Do(req)
	switch {
	case errors.Is(err, fs.ErrNotExist), errors.Is(err, syscall.ECONNREFUSED):
		return nil, fmt.Errorf("%w on %s: start it with ocwatch run, or look once with ocwatch check", ErrNotRunning, path)
	case errors.Is(err, fs.ErrPermission):
		return nil, fmt.Errorf("status socket %s belongs to another account: run this as the account that runs the watchdog", path)
	case errors.Is(err, syscall.EINVAL):
		return nil, fmt.Errorf("%w on %s: the path is over 107 bytes, too long for a socket; choose a shorter data_dir", ErrNotRunning, path)
	case err != nil:
		return nil, fmt.Errorf("status: %w", err)
	}
	defer func() { _ = resp.Body.Close() }()
	if resp.StatusCode != http.StatusOK {
		return nil, fmt.Errorf("status: the watchdog answered %s", resp.Status)
	}
	body, err := io.ReadAll(io.LimitReader(resp.Body, maxStatus+1))
	if err != nil {
		return nil, fmt.Errorf("status: %w", err)
	}
	if len(body) > maxStatus {
		return nil, fmt.Errorf("status: the watchdog's answer is larger than %d MiB", maxStatus>>20)
	}
	return body, nil
}
