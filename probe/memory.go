package probe

import (
	"sync"
	"time"

	"github.com/ocwatch/ocwatch/internal/quota"
)

// memory counts, per account, how often in a row a probe ended alike. A Func
// knows one answer only; two things need more: backing off, and telling a
// throttle from a token that will never be let in. Nothing is lost with it: a
// restart begins counting anew.
type memory struct {
	mu      sync.Mutex
	streaks map[string]streak
}

type streak struct {
	verdict quota.Verdict
	length  int
}

// throttledForGood is how many throttles in a row make a long-lived Anthropic
// token unsupported: without the user:profile scope it is sometimes answered
// 429 where 403 would be meant.
const throttledForGood = 3

func newMemory() *memory { return &memory{streaks: map[string]streak{}} }

// note counts r and returns it with what the count tells.
func (m *memory) note(a Account, r quota.Reading) quota.Reading {
	key := a.Key
	if a.Live && key != "" {
		key += "/live" // the free question has a count of its own
	}
	n := m.count(key, r.Verdict)
	r.Repeats = n
	if r.Verdict != quota.Throttled {
		return r
	}
	if !a.Live && a.Type == "token" && quota.Canonical(a.Provider) == "anthropic" && n >= throttledForGood {
		r.Verdict, r.Until = quota.Unsupported, time.Time{}
		r.Reason = "the usage endpoint keeps refusing this long-lived token"
		return r
	}
	if r.Until.IsZero() {
		r.Until = r.At.Add(throttleWait(n))
	}
	return r
}

func (m *memory) count(key string, v quota.Verdict) int {
	if key == "" {
		return 1
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	s := m.streaks[key]
	if s.verdict != v {
		s = streak{verdict: v}
	}
	s.length++
	m.streaks[key] = s
	return s.length
}
