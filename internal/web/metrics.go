package web

import "net/http"

const pathMetrics = "/metrics"

// ServeMetrics adds what Prometheus reads, on every listener. It is called
// before Serve and ServeOwner.
func (s *Server) ServeMetrics(metrics http.Handler) {
	for _, mux := range []*http.ServeMux{s.publicMux, s.ownerMux} {
		mux.Handle("GET "+pathMetrics, metrics)
	}
}
