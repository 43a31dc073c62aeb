package watchdog

import (
	"time"

	"github.com/ocwatch/ocwatch/failover/forecast"
	"github.com/ocwatch/ocwatch/internal/quota"
)

// Outlook is what is shown of a pool's forecast.
type Outlook struct {
	// RunsDryAt is when nobody is expected to be able to serve any more, but
	// those that are billed per token; null: that is not so within a week, it is
	// so already, or nothing is known.
	RunsDryAt *time.Time `json:"runs_dry_at"`
	// BackAt is when BackFirst is expected to serve again then, null where
	// nobody knows.
	BackAt    *time.Time `json:"back_at"`
	BackFirst string     `json:"back_first,omitempty"`
	// Forecast is how far RunsDryAt can be relied upon, null or not.
	Forecast forecast.Confidence `json:"forecast"`
}

// WindowStatus is one window, and what lies ahead of it.
type WindowStatus struct {
	quota.Window
	// PerHour is how fast it fills, in percent an hour; absent where the account
	// is not in use.
	PerHour float64 `json:"per_hour,omitempty"`
	// ReachesAt is when it is expected to reach switch_at; absent where it is
	// there already, where its reset comes first, and where nothing is known.
	ReachesAt time.Time `json:"reaches_at,omitzero"`
	// Forecast is how far ReachesAt can be relied upon; absent where that is.
	Forecast forecast.Confidence `json:"forecast,omitempty"`
}

func (o outlook) shown() Outlook {
	out := Outlook{Forecast: o.Confidence}
	if out.Forecast == "" {
		out.Forecast = forecast.Unknown
	}
	if o.Dry.After(o.at) {
		out.RunsDryAt, out.BackAt, out.BackFirst = whole(o.Dry), whole(o.Back), o.First
	}
	return out
}

// window joins w of an account with its forecast.
func (o outlook) window(account string, w quota.Window) WindowStatus {
	out := WindowStatus{Window: w}
	for _, f := range o.Windows {
		if f.Account == o.names[account] && f.Name == w.Name && f.Scope == w.Scope {
			out.PerHour = float64(int(f.Rate*10+0.5)) / 10
			if at := whole(f.At); at != nil {
				out.ReachesAt, out.Forecast = *at, f.Confidence
			}
		}
	}
	return out
}

// ReachesAt is when the first of the profile's windows is expected to reach
// switch_at while it is in use; zero: none is, or that is not to be relied upon.
func (s ProfileStatus) ReachesAt() (at time.Time) {
	for _, w := range s.Windows {
		if w.PerHour > 0 && w.Forecast == forecast.High && (at.IsZero() || w.ReachesAt.Before(at)) {
			at = w.ReachesAt
		}
	}
	return at
}

// whole is t to the second, as well as a forecast can be meant.
func whole(t time.Time) *time.Time { return timePtr(t.UTC().Round(time.Second)) }
