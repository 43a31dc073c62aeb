package probe

import (
	"cmp"
	"net/http"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/ocwatch/ocwatch/internal/quota"
)

// A row that lacks something would be found by its users.
func TestTable(t *testing.T) {
	t.Parallel()
	for id, p := range providers {
		if id != quota.Canonical(id) || p.name == "" || p.ask == nil || len(p.types) == 0 || len(p.hosts) == 0 {
			t.Errorf("%s: %+v", id, p)
		}
	}
	if known := Known(); len(known) != len(providers) || !slices.IsSortedFunc(known, func(a, b Info) int { return cmp.Compare(a.ID, b.ID) }) {
		t.Errorf("%+v", known)
	}
}

// What a provider allows is shared with OpenClaw and the owner's own tools, so
// our worst hour stays below it, and an ordinary one takes a quarter at most
// where others are known to ask, too.
func TestPacesKeepToTheirBudgets(t *testing.T) {
	t.Parallel()
	for _, p := range Known() {
		for name, pace := range map[string]Pace{"logins": p.Pace, "keys": p.KeyPace} {
			if pace.Rush <= 0 || pace.Rush > pace.Min || pace.Min > pace.Every || pace.Every > pace.Idle || pace.Rush < time.Minute {
				t.Errorf("%s, %s: %+v is out of step", p.ID, name, pace)
			}
			if pace.Hourly <= 0 || p.Budget > 0 && pace.Hourly > p.Budget {
				t.Errorf("%s, %s: %d questions an hour, the provider allows %d", p.ID, name, pace.Hourly, p.Budget)
			}
			if int(time.Hour/pace.Every) > pace.Hourly {
				t.Errorf("%s, %s: an ordinary hour has more than %d questions", p.ID, name, pace.Hourly)
			}
		}
	}
}

// No probe takes a credential anywhere but to its provider's hosts, over TLS,
// whatever the answer is.
func TestCredentialsGoToTheirProviderOnly(t *testing.T) {
	t.Parallel()
	bodies := []string{
		`{}`, `{"error":{"code":"x"}}`, `{"data":{}}`, `{"data":[]}`, `{"code":200,"success":true,"data":{"limits":[]}}`,
		`{"buckets":[]}`, `{"cloudaicompanionProject":"p"}`, `{"url":"https://elsewhere.example.com/","location":"https://elsewhere.example.com/"}`,
	}
	for _, w := range everyFunc {
		hosts := providers[quota.Canonical(w.provider)].hosts
		for _, status := range []int{200, 302, 401, 403, 404, 429, 500} {
			for _, body := range bodies {
				var mu sync.Mutex
				asked := 0
				p := New(Options{Transport: transport(func(r *http.Request) (*http.Response, error) {
					mu.Lock()
					defer mu.Unlock()
					asked++
					if !slices.Contains(hosts, r.URL.Host) || r.URL.Scheme != "https" {
						t.Errorf("%s %s: asked %s", w.provider, w.profileType, r.URL)
					}
					return reply(status, body, isJSON, "Location: https://elsewhere.example.com/"), nil
				})})
				mustNotLeak(t, p.Probe(t.Context(), account(w.provider, w.profileType)))
				if asked == 0 || asked > 3 {
					t.Errorf("%s %s, %d %s: asked %d times", w.provider, w.profileType, status, body, asked)
				}
			}
		}
	}
}
