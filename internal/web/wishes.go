package web

import (
	"context"
	"encoding/json"
	"net/http"
	"time"
)

const (
	pathPause  = "/api/v1/pause"
	pathResume = "/api/v1/resume"
	pathSwitch = "/api/v1/switch"
	pathWhy    = "/api/v1/why"
)

// PauseRequest asks the watchdog to change nothing.
type PauseRequest struct {
	// Until is when the pause ends by itself; zero: never.
	Until  time.Time `json:"until,omitzero"`
	Reason string    `json:"reason,omitempty"`
}

// SwitchRequest asks for a profile to be put first, or no more.
type SwitchRequest struct {
	Profile string `json:"profile"`
	Agent   string `json:"agent,omitempty"` // "": the one that is meant
	// Until is when the pin ends by itself; zero: never.
	Until time.Time `json:"until,omitzero"`
	Auto  bool      `json:"auto,omitempty"` // the pin ends now
}

// Switched is the answer to a SwitchRequest.
type Switched struct {
	Agent    string    `json:"agent"`
	Provider string    `json:"provider"`
	Was      string    `json:"was"` // pinned until then, "" for none
	At       time.Time `json:"at"`  // a status of after that shows it
}

// Resumed is the answer to a request to end a pause.
type Resumed struct {
	Was bool `json:"was"` // there was one
}

// Wishes is what the owner may ask of the running watchdog.
type Wishes interface {
	Pause(ctx context.Context, r PauseRequest)
	// Resume reports whether there was a pause.
	Resume(ctx context.Context) bool
	Switch(ctx context.Context, r SwitchRequest) (Switched, error)
}

// ServeWishes adds the owner's wishes and the explanation of the order to the
// socket. It is called before ServeOwner. A person who was told that something
// is done shall not find it half done for having hung up: a wish goes on.
func (s *Server) ServeWishes(wishes Wishes, why func(ctx context.Context) any) {
	s.ownerMux.HandleFunc("GET "+pathWhy, func(rw http.ResponseWriter, r *http.Request) {
		answer(rw, http.StatusOK, why(r.Context()))
	})
	handle(s.ownerMux, pathPause, func(ctx context.Context, r PauseRequest) (any, error) {
		wishes.Pause(context.WithoutCancel(ctx), r)
		return done{}, nil
	})
	handle(s.ownerMux, pathResume, func(ctx context.Context, _ done) (any, error) {
		return Resumed{Was: wishes.Resume(context.WithoutCancel(ctx))}, nil
	})
	handle(s.ownerMux, pathSwitch, func(ctx context.Context, r SwitchRequest) (any, error) {
		return wishes.Switch(context.WithoutCancel(ctx), r)
	})
}

// handle serves a request with a JSON body at path.
func handle[T any](mux *http.ServeMux, path string, do func(ctx context.Context, r T) (any, error)) {
	mux.HandleFunc("POST "+path, func(rw http.ResponseWriter, r *http.Request) {
		var params T
		dec := json.NewDecoder(http.MaxBytesReader(rw, r.Body, maxRequest))
		if r.Header.Get("Content-Type") != "application/json" || dec.Decode(&params) != nil {
			answer(rw, http.StatusBadRequest, refusal{"the request is not JSON"})
			return
		}
		result, err := do(r.Context(), params)
		if err != nil {
			answer(rw, http.StatusConflict, refusal{err.Error()})
			return
		}
		answer(rw, http.StatusOK, result)
	})
}

// Pause asks the watchdog to change nothing.
func (c *Client) Pause(ctx context.Context, r PauseRequest) error {
	return c.post(ctx, pathPause, r, nil)
}

// Resume ends a pause.
func (c *Client) Resume(ctx context.Context) (Resumed, error) {
	var r Resumed
	err := c.post(ctx, pathResume, done{}, &r)
	return r, err
}

// Switch has a profile put first, or no more.
func (c *Client) Switch(ctx context.Context, r SwitchRequest) (Switched, error) {
	var s Switched
	err := c.post(ctx, pathSwitch, r, &s)
	return s, err
}

// Why returns the explanation of the order.
func (c *Client) Why(ctx context.Context) ([]byte, error) {
	ctx, cancel := context.WithTimeout(ctx, statusLimit)
	defer cancel()
	return c.do(ctx, http.MethodGet, pathWhy, nil)
}
