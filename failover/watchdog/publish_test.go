package watchdog

import (
	"bytes"
	"testing"

	"github.com/rs/zerolog"

	"github.com/ocwatch/ocwatch/failover"
)

// reader reads the status as soon as the log tells a plan.
type reader struct {
	dog  *Watchdog
	line []byte
	saw  []failover.PoolState
}

// Write implements io.Writer.
func (r *reader) Write(p []byte) (int, error) {
	if bytes.Contains(p, r.line) {
		state := failover.PoolState("nothing")
		if s := r.dog.Status(); len(s.Pools) > 0 && !s.At.IsZero() && s.Gateway.Healthy {
			state = s.Pools[0].State
		}
		r.saw = append(r.saw, state)
	}
	return len(p), nil
}

// TestLoggedIsShown: who reads in the log what was decided, or that an order was
// set, finds it in the status.
func TestLoggedIsShown(t *testing.T) {
	t.Parallel()
	for name, tc := range map[string]struct {
		used  float64
		line  string
		state failover.PoolState
	}{
		"a healthy pool":       {10, `"state":"ok"`, failover.PoolOK},
		"a pool past the line": {96, `"state":"warning"`, failover.PoolWarning},
		"an order that is set": {96, "order set: ", failover.PoolWarning},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			bubble(t, abc, func(t *testing.T, w *world) {
				t.Helper()
				w.say("alice", used(tc.used))
				p := w.born(t, brisk())
				r := &reader{dog: p.dog, line: []byte(tc.line)}
				p.dog.Log = zerolog.New(r)
				p.dog.Round(p.ctx)
				if len(r.saw) != 1 || r.saw[0] != tc.state {
					t.Errorf("the status had %q, want %q", r.saw, tc.state)
				}
			})
		})
	}
}
