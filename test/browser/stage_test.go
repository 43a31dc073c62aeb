//go:build browser

package browser

import (
	"encoding/json"
	"fmt"
	"net/http"
	"strconv"
	"sync"
	"testing"

	"github.com/ocwatch/ocwatch/internal/web"
)

// stage has the scenes of a run. The browser's cases open them and change them
// over HTTP.
type stage struct {
	mu     sync.Mutex
	scenes []*scene
	dir    string // for certificates
}

func newStage(t *testing.T) *stage {
	t.Helper()
	s := &stage{dir: t.TempDir()}
	t.Cleanup(func() {
		for _, sc := range s.scenes {
			sc.stop()
		}
	})
	return s
}

func (s *stage) handler() http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("POST /open", func(rw http.ResponseWriter, r *http.Request) {
		sc, err := newScene(r.Context(), r.FormValue("world"), s.portOf(r.FormValue("tls") != ""))
		if err != nil {
			http.Error(rw, err.Error(), http.StatusBadRequest)
			return
		}
		s.mu.Lock()
		defer s.mu.Unlock()
		s.scenes = append(s.scenes, sc)
		reply(rw, map[string]any{"id": len(s.scenes) - 1, "url": sc.url(), "password": password, "token": token})
	})
	s.on(mux, "change", func(sc *scene, r *http.Request) error { return sc.change(r.FormValue("world")) })
	s.on(mux, "refuse", func(sc *scene, r *http.Request) error { sc.refuse(r.FormValue("why")); return nil })
	s.on(mux, "stop", func(sc *scene, _ *http.Request) error { sc.stop(); return nil })
	s.on(mux, "start", func(sc *scene, r *http.Request) error { return sc.start(r.Context()) })
	s.on(mux, "calls", func(*scene, *http.Request) error { return nil })
	return mux
}

// on serves what is done to one scene; the answer is what the page has asked
// for so far.
func (s *stage) on(mux *http.ServeMux, what string, do func(sc *scene, r *http.Request) error) {
	mux.HandleFunc("POST /"+what, func(rw http.ResponseWriter, r *http.Request) {
		sc, err := s.scene(r.FormValue("id"))
		if err == nil {
			err = do(sc, r)
		}
		if err != nil {
			http.Error(rw, err.Error(), http.StatusBadRequest)
			return
		}
		reply(rw, map[string]any{"calls": sc.asked()})
	})
}

// portOf is what a scene is served on: for this machine, or as to others.
func (s *stage) portOf(tls bool) func(address string) (web.Port, error) {
	return func(address string) (web.Port, error) {
		if tls {
			return openPort(s.dir, address)
		}
		return web.Port{Address: address}, nil
	}
}

func (s *stage) scene(id string) (*scene, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	n, err := strconv.Atoi(id)
	if err != nil || n < 0 || n >= len(s.scenes) {
		return nil, fmt.Errorf("there is no scene %q", id)
	}
	return s.scenes[n], nil
}

func reply(rw http.ResponseWriter, doc any) {
	rw.Header().Set("Content-Type", "application/json")
	_ = json.NewEncoder(rw).Encode(doc) // whoever asked finds it missing
}
