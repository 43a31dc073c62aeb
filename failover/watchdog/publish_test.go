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
	// pending tells of each whether its order was still to be put in force.
	pending []bool
}

// Write implements io.Writer.
func (r *reader) Write(p []byte) (int, error) {
	if bytes.Contains(p, r.line) {
		state, pending := failover.PoolState("nothing"), false
		if s := r.dog.Status(); len(s.Pools) > 0 && !s.At.IsZero() && s.Gateway.Healthy {
			state, pending = s.Pools[0].State, s.Pools[0].Pending != ""
		}
		r.saw, r.pending = append(r.saw, state), append(r.pending, pending)
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
		// pending: the order that is shown is not in force yet.
		pending bool
	}{
		"a healthy pool":       {10, `"state":"ok"`, failover.PoolOK, false},
		"a pool past the line": {96, `"state":"warning"`, failover.PoolWarning, true},
		"an order that is set": {96, "order set: ", failover.PoolWarning, true},
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
				if len(r.pending) != 1 || r.pending[0] != tc.pending {
					t.Errorf("the status had an order that is pending: %v, want %v", r.pending, tc.pending)
				}
				if got := p.dog.Status().Pools[0].Pending; got != "" {
					t.Errorf("after the round the order is still pending: %s", got)
				}
			})
		})
	}
}
