// Package web serves what the watchdog knows: over a unix socket to the
// ocwatch commands of the same account, and over a port to scripts and
// browsers, by default on loopback.
package web

import (
	"context"
	"errors"
	"fmt"
	"log"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"time"

	"github.com/rs/zerolog"

	"github.com/ocwatch/ocwatch/internal/loopback"
)

// SocketName is the status socket's name in the data directory.
const SocketName = "status.sock"

// Status returns the document that is served as JSON: to the owner whole, to
// others on this machine without what lets its reader log in.
type Status func(ctx context.Context, owner bool) any

// Server serves the status on any number of listeners, and the owner's
// commands on the socket.
type Server struct {
	public *http.Server // reads only, but for the dashboard's forms
	owner  *http.Server
	log    zerolog.Logger
	// ownerMux is where the owner's commands are added, publicMux where all is
	// that others may ask for.
	ownerMux, publicMux *http.ServeMux
	// hub tells open dashboards of changes.
	hub  *hub
	gate *gate
}

// New returns a Server. A nil logins offers no commands.
func New(status Status, logins Logins, log zerolog.Logger) *Server {
	public, owner := http.NewServeMux(), http.NewServeMux()
	serveStatus := func(mux *http.ServeMux, toOwner bool) {
		mux.HandleFunc("GET /api/v1/status", func(rw http.ResponseWriter, r *http.Request) {
			answer(rw, http.StatusOK, status(r.Context(), toOwner))
		})
	}
	serveStatus(public, false)
	serveStatus(owner, true)
	if logins != nil {
		loginRoutes(owner, logins)
	}
	s := &Server{log: log, ownerMux: owner, publicMux: public, hub: newHub(), gate: &gate{wrong: newGuesses(), log: log}}
	s.public, s.owner = newHTTP(s.gate.wrap(public), log), newHTTP(localOnly(owner), log)
	s.public.ConnState = atMost(mostConnections)
	// A code takes as long as OpenClaw takes to get one.
	s.owner.WriteTimeout = loginLimit
	return s
}

// Guard says who may come in by the port: nobody but this machine, where it is
// not called. It is called before ServeDashboard and Serve.
func (s *Server) Guard(p Port) { s.gate.port = p }

func newHTTP(handler http.Handler, logger zerolog.Logger) *http.Server {
	return &http.Server{
		Handler:           handler,
		ReadHeaderTimeout: 5 * time.Second,
		ReadTimeout:       10 * time.Second,
		WriteTimeout:      30 * time.Second,
		IdleTimeout:       time.Minute,
		MaxHeaderBytes:    16 << 10,
		// Whoever reaches the port can cause these.
		ErrorLog: log.New(connectionLog{logger}, "", 0),
	}
}

// connectionLog takes what net/http says of connections that go wrong.
type connectionLog struct{ log zerolog.Logger }

func (l connectionLog) Write(p []byte) (int, error) {
	l.log.Debug().Msg(strings.TrimSpace(string(p)))
	return len(p), nil
}

// mostConnections is how many the port holds: each takes some memory, and a
// descriptor of those that watching needs.
const mostConnections = 1024

// atMost closes connections beyond most as they come.
func atMost(most int64) func(net.Conn, http.ConnState) {
	var open atomic.Int64
	return func(c net.Conn, state http.ConnState) {
		switch state {
		case http.StateNew:
			if open.Add(1) > most {
				_ = c.Close()
			}
		case http.StateClosed, http.StateHijacked:
			open.Add(-1)
		case http.StateActive, http.StateIdle:
		}
	}
}

// localOnly refuses requests on the socket that were made for elsewhere.
func localOnly(next http.Handler) http.Handler {
	return http.HandlerFunc(func(rw http.ResponseWriter, r *http.Request) {
		if name := hostname(r.Host); name != socketHost && !loopback.Host(name) {
			http.Error(rw, "this socket is "+socketHost+", and nothing else", http.StatusMisdirectedRequest)
			return
		}
		guard(rw)
		next.ServeHTTP(rw, r)
	})
}

// Serve answers questions on l until Close.
func (s *Server) Serve(l net.Listener) { s.serve(s.public, l) }

// ServeOwner is Serve with the owner's commands: for the socket, which the
// file system keeps for the owner.
func (s *Server) ServeOwner(l net.Listener) { s.serve(s.owner, l) }

func (s *Server) serve(h *http.Server, l net.Listener) {
	if err := h.Serve(l); err != nil && !errors.Is(err, http.ErrServerClosed) {
		s.log.Error().Err(err).Str("address", l.Addr().String()).Msg("the status API stopped answering")
	}
}

// Close ends all listeners and requests.
func (s *Server) Close() error { return errors.Join(s.public.Close(), s.owner.Close()) }

// ListenUnix opens the status socket in dir, for the owner alone. The caller
// holds the data directory's lock, so a socket that is there is a leftover.
func ListenUnix(ctx context.Context, dir string) (net.Listener, error) {
	path := filepath.Join(dir, SocketName)
	if err := os.Remove(path); err != nil && !errors.Is(err, os.ErrNotExist) {
		return nil, fmt.Errorf("status socket: %w", err)
	}
	l, err := new(net.ListenConfig).Listen(ctx, "unix", path)
	if err != nil {
		return nil, fmt.Errorf("status socket %s: %w (a path over 107 bytes is too long: choose a shorter data_dir)", path, err)
	}
	if err := os.Chmod(path, 0o600); err != nil {
		_ = l.Close()
		return nil, fmt.Errorf("status socket: %w", err)
	}
	return l, nil
}

// ListenTCP opens the status API on a loopback address.
func ListenTCP(ctx context.Context, address string) (net.Listener, error) {
	l, err := new(net.ListenConfig).Listen(ctx, "tcp", address)
	if err != nil {
		return nil, fmt.Errorf("status API on %s: %w (set listen to a free loopback address, or to \"\" for none)", address, err)
	}
	return l, nil
}
