package sandbox

import (
	"context"
	"time"
)

// SetUsed sets the used percentage (0 to 100) of the window with that name. It
// panics on a profile that the world does not have; a name that the account
// does not have changes nothing.
func (w *World) SetUsed(profile, window string, percent float64) {
	w.mu.Lock()
	defer w.mu.Unlock()
	now := time.Now()
	m := w.mustAccount(profile).meter
	m.settle(now)
	for _, s := range m.windows {
		if s.Name == window {
			s.set(percent, now)
		}
	}
}

// Spend uses percent of every account-wide window of the profile's account, at
// the window's rate.
func (w *World) Spend(profile string, percent float64) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.mustAccount(profile).meter.spend(percent, time.Now())
}

// Reset empties every window before its time, as providers sometimes do.
// OpenClaw is not told.
func (w *World) Reset(profile string) {
	w.mu.Lock()
	defer w.mu.Unlock()
	for _, s := range w.mustAccount(profile).meter.windows {
		s.set(0, time.Now())
	}
}

// UsedOf gives the used percentage of the account-wide window with that name, 0
// where there is none.
func (w *World) UsedOf(profile, window string) float64 {
	w.mu.Lock()
	defer w.mu.Unlock()
	m := w.mustAccount(profile).meter
	m.settle(time.Now())
	for _, s := range m.windows {
		if s.Model == "" && s.Name == window {
			return s.used
		}
	}
	return 0
}

// Used gives the used percentage of the fullest account-wide window, 0 where
// there is none.
func (w *World) Used(profile string) float64 {
	w.mu.Lock()
	defer w.mu.Unlock()
	m := w.mustAccount(profile).meter
	m.settle(time.Now())
	var used float64
	for _, s := range m.windows {
		if s.Model == "" {
			used = max(used, s.used)
		}
	}
	return used
}

// SetFault makes the provider answer the profile's account in that way until
// it is set to NoFault.
func (w *World) SetFault(profile string, f Fault) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.mustAccount(profile).fault = f
}

// RefreshToken gives the profile a new access token that lives for 10 days, as
// OpenClaw does shortly before the old one expires. The provider no longer
// knows the old one.
func (w *World) RefreshToken(ctx context.Context, profile string) error {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.refresh(ctx, w.mustAccount(profile), time.Now())
}

func (w *World) refresh(ctx context.Context, a *account, now time.Time) error {
	a.expires = now.Add(10 * 24 * time.Hour)
	a.issue(now)
	return w.store.saveProfiles(ctx, w.credentials())
}

// refreshMargin is how long before its end OpenClaw replaces a token.
const refreshMargin = 5 * time.Minute

// refreshIfDue is what OpenClaw does when it needs a token; a dead login is
// not refreshed.
func (w *World) refreshIfDue(ctx context.Context, a *account, now time.Time) error {
	if a.Type != "oauth" || a.fault.refusesInference() || now.Add(refreshMargin).Before(a.expires) {
		return nil
	}
	return w.refresh(ctx, a, now)
}
