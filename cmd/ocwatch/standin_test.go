package main

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"slices"
	"strings"
	"sync"

	"github.com/rogpeppe/go-internal/testscript"
)

// standIn plays a provider that ocwatch does not know.
type standIn struct {
	mu      sync.Mutex
	carried []string // headers beside the harmless ones
}

type standInKey struct{}

// harmless are the headers of every question.
var harmless = []string{"Accept", "Accept-Encoding", "User-Agent"}

// standinCmd plays a provider:
//
//	standin FILE          answers every question with the file as it is then, and puts the
//	                      provider into the config with what generic.yaml says
//	standin asked HEADER  it was asked, with HEADER alone beside the harmless ones; without
//	                      one, it was not asked
//	standin forget        what was asked so far
func standinCmd(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) == 0 {
		ts.Fatalf("usage: standin file | asked [header] | forget")
	}
	s, _ := ts.Value(standInKey{}).(*standIn)
	switch args[0] {
	case "asked":
		s.mu.Lock()
		defer s.mu.Unlock()
		if got := strings.Join(s.carried, " "); got != strings.Join(args[1:], " ") {
			ts.Fatalf("tokens came in %q", got)
		}
	case "forget":
		s.mu.Lock()
		defer s.mu.Unlock()
		s.carried = nil
	default:
		ts.Check(s.start(ts, ts.MkAbs(args[0])))
	}
}

func (s *standIn) start(ts *testscript.TestScript, answer string) error {
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		s.mu.Lock()
		for name := range r.Header {
			if !slices.Contains(harmless, name) && !slices.Contains(s.carried, name) {
				s.carried = append(s.carried, name)
			}
		}
		s.mu.Unlock()
		http.ServeFile(w, r, answer)
	}))
	ts.Defer(server.Close)
	path := ts.MkAbs("home/.config/ocwatch/config.yaml")
	file, err := os.ReadFile(path)
	if err != nil {
		return err
	}
	provider := fmt.Sprintf("  providers:\n    acme:\n      url: %s/v1/quota\n%s", server.URL, ts.ReadFile("generic.yaml"))
	return os.WriteFile(path, []byte(strings.Replace(string(file), "  providers:\n", provider, 1)), 0o600)
}
