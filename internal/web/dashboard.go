package web

import (
	"context"
	"errors"
	"net/http"
	"time"

	"github.com/ocwatch/ocwatch/internal/secret"
	"github.com/ocwatch/ocwatch/internal/web/page"
)

const (
	pathOwner  = "/owner/"
	pathEvents = "events" // below / and below pathOwner
)

// Dashboard is what the page shows and may do.
type Dashboard struct {
	// Address is where it is served, "" for nowhere.
	Address string
	// World is what a page shows.
	World func(ctx context.Context, owner bool) page.World
	// Password makes a browser the owner's.
	Password secret.Value
	Wishes   Wishes
	Logins   Logins
}

// dashboard serves the page on the port: to whoever can reach it for reading,
// below pathOwner, with the password, for acting.
type dashboard struct {
	Dashboard
	server   *Server
	renderer *page.Renderer
	hub      *hub
}

// ServeDashboard adds the page to the port, and the way to the password to the
// socket. It is called before Serve and ServeOwner.
func (s *Server) ServeDashboard(d Dashboard) error {
	renderer, err := page.New()
	if err != nil {
		return err
	}
	s.ownerMux.HandleFunc("GET "+pathAccess, func(rw http.ResponseWriter, _ *http.Request) {
		answer(rw, http.StatusOK, accessOf(d))
	})
	h := &dashboard{Dashboard: d, server: s, renderer: renderer, hub: s.hub}
	mux := s.publicMux
	mux.HandleFunc("GET /{$}", h.show)
	mux.HandleFunc("GET /"+pathEvents, h.hub.serve)
	mux.Handle("GET "+pathOwner+"{$}", h.owners(h.showOwner))
	mux.Handle("GET "+pathOwner+pathEvents, h.owners(h.hub.serveOwner))
	mux.Handle("GET /owner", http.RedirectHandler(pathOwner, http.StatusPermanentRedirect))
	for _, a := range page.Assets() {
		mux.HandleFunc("GET "+a.Path, func(rw http.ResponseWriter, _ *http.Request) { serveAsset(rw, a) })
	}
	h.forms(mux)
	return nil
}

// Changed tells every open page that there is something new.
func (s *Server) Changed() { s.hub.changed() }

func serveAsset(rw http.ResponseWriter, a page.Asset) {
	guard(rw)
	rw.Header().Set("Content-Type", a.Type)
	rw.Header().Set("Cache-Control", "public, max-age=31536000, immutable")
	_, _ = rw.Write(a.Body)
}

func (h *dashboard) show(rw http.ResponseWriter, r *http.Request) {
	h.render(rw, r, http.StatusOK, false, "", "")
}

func (h *dashboard) showOwner(rw http.ResponseWriter, r *http.Request) {
	h.render(rw, r, http.StatusOK, true, didText(r.URL.Query().Get("did")), "")
}

// render writes the page. What did and alert say stands above it.
func (h *dashboard) render(rw http.ResponseWriter, r *http.Request, code int, owner bool, did, alert string) {
	w := h.World(r.Context(), owner)
	w.Owner, w.Did, w.Alert = owner, did, alert
	if owner {
		w.Token = formToken(h.Password)
	}
	body, err := h.renderer.Render(w)
	if err != nil {
		h.server.log.Error().Err(err).Msg("the dashboard cannot be shown")
		http.Error(rw, "the page cannot be made; the log of ocwatch run says why", http.StatusInternalServerError)
		return
	}
	guard(rw)
	rw.Header().Set("Content-Type", "text/html; charset=utf-8")
	rw.Header().Set("Cache-Control", "no-store")
	rw.WriteHeader(code)
	_, _ = rw.Write(body)
}

// guard keeps a page from loading, being loaded by, or sending to anything but
// this server.
func guard(rw http.ResponseWriter) {
	h := rw.Header()
	h.Set("Content-Security-Policy", "default-src 'none'; style-src 'self'; script-src 'self'; connect-src 'self'; img-src data:; "+
		"form-action 'self'; base-uri 'none'; frame-ancestors 'none'")
	h.Set("X-Frame-Options", "DENY")
	h.Set("Referrer-Policy", "same-origin") // no-referrer would hide the origin of the page's own forms
	h.Set("Cross-Origin-Opener-Policy", "same-origin")
	h.Set("Cross-Origin-Resource-Policy", "same-origin")
}

const pathAccess = "/api/v1/dashboard"

// Access is how the owner's browser gets to the dashboard.
type Access struct {
	URL      string `json:"url"`
	User     string `json:"user"`
	Password string `json:"password"`
}

func accessOf(d Dashboard) Access {
	if d.Address == "" {
		return Access{}
	}
	return Access{URL: "http://" + d.Address + pathOwner, User: user, Password: d.Password.Reveal()}
}

// Dashboard returns how to get to the watchdog's dashboard.
func (c *Client) Dashboard(ctx context.Context) (Access, error) {
	ctx, cancel := context.WithTimeout(ctx, statusLimit)
	defer cancel()
	var a Access
	switch err := c.get(ctx, pathAccess, &a); {
	case err != nil:
		return a, err
	case a.URL == "":
		return a, errors.New("the watchdog serves no dashboard: set listen to a free loopback address such as 127.0.0.1:18790, and start it again")
	}
	return a, nil
}

// postLimit is how long a form may take: as long as a login takes to begin.
const postLimit = loginLimit + 10*time.Second
