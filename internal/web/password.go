package web

import (
	"context"
	"errors"
	"net/http"

	"github.com/ocwatch/ocwatch/internal/secret"
)

const (
	pathAccess      = "/api/v1/dashboard"
	pathNewPassword = pathAccess + "/password"
)

// Access is how the owner's browser gets to the dashboard.
type Access struct {
	URL      string `json:"url"`
	User     string `json:"user"`
	Password string `json:"password"`
}

// access adds the way to the password to the socket.
func (h *dashboard) access(mux *http.ServeMux) {
	mux.HandleFunc("GET "+pathAccess, func(rw http.ResponseWriter, _ *http.Request) {
		answer(rw, http.StatusOK, h.accessOf())
	})
	if h.NewPassword == nil {
		return
	}
	handle(mux, pathNewPassword, func(context.Context, done) (any, error) {
		password, err := h.NewPassword()
		if err != nil {
			return nil, err
		}
		h.server.gate.password.Store(&password)
		h.hub.changed() // pages that were the owner's are none now
		return h.accessOf(), nil
	})
}

// password is the one in force.
func (h *dashboard) password() secret.Value { return *h.server.gate.password.Load() }

func (h *dashboard) accessOf() Access {
	if h.Address == "" {
		return Access{}
	}
	at, port := "http://"+h.Address, h.server.gate.port
	switch {
	case port.URL != "":
		at = port.origin()
	case port.CertFile != "":
		at = "https://" + h.Address
	}
	return Access{URL: at + pathOwner, User: user, Password: h.password().Reveal()}
}

// Dashboard returns how to get to the watchdog's dashboard.
func (c *Client) Dashboard(ctx context.Context) (Access, error) {
	ctx, cancel := context.WithTimeout(ctx, statusLimit)
	defer cancel()
	var a Access
	err := c.get(ctx, pathAccess, &a)
	return a.check(err)
}

// NewPassword has the watchdog make another password, which is in force at once.
func (c *Client) NewPassword(ctx context.Context) (Access, error) {
	var a Access
	err := c.post(ctx, pathNewPassword, done{}, &a)
	return a.check(err)
}

func (a Access) check(err error) (Access, error) {
	if err == nil && a.URL == "" {
		err = errors.New("the watchdog serves no dashboard: listen is \"\" in the config, or the port was taken when it started, which its log tells; " +
			"set listen to a free loopback address such as 127.0.0.1:18790, and start it again")
	}
	return a, err
}
