package web

import (
	"context"
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
	// NewPassword makes another; nil: nobody can ask for one.
	NewPassword func() (secret.Value, error)
	Wishes      Wishes
	Logins      Logins
}

// dashboard serves the page on the port: to whoever can reach it for reading,
// below pathOwner, with the password, for acting.
type dashboard struct {
	Dashboard
	server   *Server
	renderer *page.Renderer
	hub      *hub
	kept     map[bool]*kept // for everybody, and for the owner
}

// ServeDashboard adds the page to the port, and the way to the password to the
// socket. It is called before Serve and ServeOwner.
func (s *Server) ServeDashboard(d Dashboard) error {
	renderer, err := page.New()
	if err != nil {
		return err
	}
	h := &dashboard{Dashboard: d, server: s, renderer: renderer, hub: s.hub, kept: map[bool]*kept{false: newKept(), true: newKept()}}
	s.gate.password.Store(&d.Password)
	h.access(s.ownerMux)
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
	var body []byte
	var err error
	if did == "" && alert == "" {
		body, err = h.kept[owner].get(r.Context(), h, owner)
	} else {
		body, err = h.page(r.Context(), owner, did, alert)
	}
	switch {
	case r.Context().Err() != nil:
		return // nobody is there any more
	case err != nil:
		h.server.log.Error().Err(err).Msg("the dashboard cannot be shown")
		http.Error(rw, "the page cannot be made; the log of ocwatch run says why", http.StatusInternalServerError)
		return
	}
	rw.Header().Set("Content-Type", "text/html; charset=utf-8")
	rw.Header().Set("Cache-Control", "no-store")
	rw.WriteHeader(code)
	_, _ = rw.Write(body)
}

// page makes a page, which others may get too: whoever asked first may hang up.
func (h *dashboard) page(ctx context.Context, owner bool, did, alert string) ([]byte, error) {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), pageLimit)
	defer cancel()
	w := h.World(ctx, owner)
	w.Owner, w.Did, w.Alert = owner, did, alert
	if owner {
		w.Token = formToken(h.password())
	}
	return h.renderer.Render(w)
}

const (
	// pageAge is how old a page may be that is served: its times are in seconds.
	pageAge = time.Second
	// pageLimit is how long what it shows may be read for.
	pageLimit = 10 * time.Second
)

// kept is a page for everybody who asks at the same time: each change has all
// open pages ask at once.
type kept struct {
	turn chan struct{} // who may look at the rest
	body []byte
	made time.Time
	news <-chan struct{} // closed once there was a change since
}

func newKept() *kept { return &kept{turn: make(chan struct{}, 1)} }

// get returns the page, and renders one where there is none since the last
// change and of now.
func (k *kept) get(ctx context.Context, h *dashboard, owner bool) ([]byte, error) {
	select {
	case k.turn <- struct{}{}:
		defer func() { <-k.turn }()
	case <-ctx.Done():
		return nil, ctx.Err()
	}
	news := h.hub.next()
	if age := time.Since(k.made); k.news == news && age >= 0 && age < pageAge {
		return k.body, nil
	}
	body, err := h.page(ctx, owner, "", "")
	if err == nil {
		k.body, k.made, k.news = body, time.Now(), news
	}
	return body, err
}

// guard keeps a page from loading, being loaded by, or sending to anything but
// this server, and whatever else is answered from being taken for a page.
func guard(rw http.ResponseWriter) {
	h := rw.Header()
	h.Set("Content-Security-Policy", "default-src 'none'; style-src 'self'; script-src 'self'; connect-src 'self'; img-src data:; "+
		"form-action 'self'; base-uri 'none'; frame-ancestors 'none'")
	h.Set("X-Frame-Options", "DENY")
	h.Set("Referrer-Policy", "same-origin") // no-referrer would hide the origin of the page's own forms
	h.Set("X-Content-Type-Options", "nosniff")
	h.Set("Content-Type", "text/plain; charset=utf-8") // of what the mux answers by itself
	h.Set("Cross-Origin-Opener-Policy", "same-origin")
	h.Set("Cross-Origin-Resource-Policy", "same-origin")
}

// postLimit is how long a form may take: as long as a login takes to begin.
const postLimit = loginLimit + 10*time.Second
