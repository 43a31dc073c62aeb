package web

import (
	"net/http"
	"sync"
	"time"
)

const (
	// keepAlive is how often a page without news is written to: a connection
	// that is gone is noticed by that.
	keepAlive = 25 * time.Second
	// writeLimit is how long a browser may take to accept a line.
	writeLimit = 10 * time.Second
	// mostWatching is how many pages without the password may be open. Every
	// account of the machine can open some.
	mostWatching = 256
)

// hub tells open pages, by server-sent events, that there is something new. It
// says not what: a page loads itself again and shows what differs.
type hub struct {
	mu       sync.Mutex
	news     chan struct{} // closed when there is something new
	watching int
}

func newHub() *hub { return &hub{news: make(chan struct{})} }

func (h *hub) changed() {
	h.mu.Lock()
	defer h.mu.Unlock()
	close(h.news)
	h.news = make(chan struct{})
}

func (h *hub) next() <-chan struct{} {
	h.mu.Lock()
	defer h.mu.Unlock()
	return h.news
}

// enter counts one more page without the password, if there is room.
func (h *hub) enter() bool {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.watching >= mostWatching {
		return false
	}
	h.watching++
	return true
}

func (h *hub) leave() {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.watching--
}

// serve is for whoever can reach the port.
func (h *hub) serve(rw http.ResponseWriter, r *http.Request) {
	if !h.enter() {
		rw.Header().Set("Retry-After", "60")
		http.Error(rw, "too many dashboards are open", http.StatusServiceUnavailable)
		return
	}
	defer h.leave()
	h.serveOwner(rw, r)
}

// serveOwner writes an event for each change until the page is closed.
func (h *hub) serveOwner(rw http.ResponseWriter, r *http.Request) {
	rw.Header().Set("Content-Type", "text/event-stream")
	rw.Header().Set("Cache-Control", "no-store")
	rw.Header().Set("X-Accel-Buffering", "no") // of a proxy in front
	if r.Method == http.MethodHead {
		return // what it asks for ends here
	}
	control := http.NewResponseController(rw)
	// The server's own limits are for answers that end.
	_ = control.SetReadDeadline(time.Time{})
	news := h.next()
	tick := time.NewTicker(keepAlive)
	defer tick.Stop()
	for line := "retry: 3000\n\n"; ; {
		_ = control.SetWriteDeadline(time.Now().Add(writeLimit))
		if _, err := rw.Write([]byte(line)); err != nil || control.Flush() != nil {
			return
		}
		select {
		case <-r.Context().Done():
			return
		case <-news:
			news, line = h.next(), "data: changed\n\n"
		case <-tick.C:
			line = ":\n\n"
		}
	}
}
