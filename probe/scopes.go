package probe

import (
	"time"

	"github.com/ocwatch/ocwatch/internal/quota"
)

// addTighter appends w unless the list has that window already, in which case
// the one with more used stands.
func addTighter(list []quota.Window, w quota.Window) []quota.Window {
	for i := range list {
		if list[i].Name != w.Name || list[i].Scope != w.Scope {
			continue
		}
		was, known := list[i].Used()
		if now, ok := w.Used(); ok && (!known || now > was) {
			list[i] = w
		}
		return list
	}
	return append(list, w)
}

// scopeState is how the windows of one scope stand together: one that is spent
// is enough to stop it.
type scopeState struct {
	known, spent bool
	back         time.Time // when the last spent window has reset
	open         bool      // one of them has no reset that is known
}

// judgeScopes reads a verdict off an answer that has windows of models, or of
// groups of models, and none of the whole account: it can serve as long as one
// of them can, and is spent when all are.
func judgeScopes(r *quota.Reading, now time.Time) {
	states := map[string]scopeState{}
	for _, w := range r.Windows {
		used, ok := w.Used()
		s := states[w.Scope]
		switch {
		case !ok, used >= 100 && passed(w, now):
		case used < 100:
			s.known = true
		default:
			at, told := w.Reset()
			s.known, s.spent, s.open = true, true, s.open || !told
			s.back = later(s.back, at)
		}
		states[w.Scope] = s
	}
	judgeStates(r, states)
}

func judgeStates(r *quota.Reading, states map[string]scopeState) {
	unknown, spent := len(states) == 0, false
	for _, s := range states {
		switch {
		case s.known && !s.spent:
			r.Verdict, r.Reason, r.Until = quota.OK, "", time.Time{}
			return
		case !s.known:
			unknown = true
		default:
			spent = true
			if !s.open && (r.Until.IsZero() || s.back.Before(r.Until)) {
				r.Until = s.back // the first to be back brings the account back
			}
		}
	}
	switch {
	case !unknown:
		r.Verdict, r.Reason = quota.Exhausted, "the quota of every model is spent"
	case spent:
		r.Verdict, r.Reason, r.Until = quota.Unknown, "the answer leaves out what some models have left", time.Time{}
	default:
		r.Verdict, r.Reason, r.Until = quota.Unknown, "the answer names no limit of this account", time.Time{}
	}
}
