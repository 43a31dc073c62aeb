package profiles

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"github.com/ocwatch/ocwatch/internal/openclaw"
)

const methodAuthStatus = "models.authStatus"

// View gives the order that the running gateway has for a pool, and whether it
// is the one in the store. ViewUnknown and ViewDown come without an order. The
// error says why the gateway could not be asked; that it is down or too old to
// show its order is none.
func (o *Orderer) View(ctx context.Context, agent, provider string) ([]string, GatewayView, error) {
	data, err := o.store.now(ctx, agent)
	if err != nil {
		return nil, ViewUnknown, fmt.Errorf("order for %s of agent %s: %w", provider, agent, err)
	}
	want, _ := data.explicit(normalProvider(provider))
	order, shown, err := o.gatewayOrder(ctx, agent, normalProvider(provider))
	view := viewOf(order, want, shown, err)
	if view == ViewDown {
		err = nil // the view says it
	}
	return order, view, err
}

func viewOf(order, want []string, shown bool, err error) GatewayView {
	switch {
	case errors.Is(err, openclaw.ErrGatewayDown):
		return ViewDown
	case err != nil, !shown:
		return ViewUnknown
	case slices.Equal(order, want):
		return ViewConfirmed
	default:
		return ViewOld
	}
}

// gatewayOrder asks the gateway for its order. Only a gateway that can set an
// order shows it; an older one is not asked in vain, because its status call
// makes it fetch usage from the providers.
func (o *Orderer) gatewayOrder(ctx context.Context, agent, provider string) (order []string, shown bool, err error) {
	ctx, cancel := context.WithTimeout(ctx, rpcLimit)
	defer cancel()
	has, err := o.gateway.Has(ctx, methodOrderSet)
	if err != nil || !has {
		return nil, false, err
	}
	params := struct {
		AgentID string `json:"agentId"`
	}{agent}
	var status struct {
		Providers []struct {
			Provider     string   `json:"provider"`
			ProfileOrder []string `json:"profileOrder"`
		} `json:"providers"`
	}
	if err := o.gateway.Call(ctx, methodAuthStatus, params, &status); err != nil {
		if errors.Is(err, openclaw.ErrMethodUnavailable) {
			return nil, false, nil
		}
		return nil, false, err
	}
	for _, p := range status.Providers {
		if normalProvider(p.Provider) == provider {
			return p.ProfileOrder, true, nil
		}
	}
	return nil, false, nil
}

// lookAtGateway finds out whether the running gateway has the order, and makes
// it re-read the store once where it may not. It may not unless it set the
// order itself: the status of 2026.9 is read from the store, and shows an order
// that the turns do not use yet.
func (s *setting) lookAtGateway(ctx context.Context) {
	nudged := s.Via != ViaRPC || len(s.Notes) > 0
	if nudged && !s.nudge(ctx) {
		return
	}
	s.look(ctx)
	if s.Gateway == ViewOld && !nudged && s.nudge(ctx) {
		s.look(ctx)
	}
}

func (s *setting) look(ctx context.Context) {
	s.timed("gateway", func() {
		order, shown, err := s.gatewayOrder(ctx, s.agent, s.provider)
		s.Gateway = viewOf(order, s.ids, shown, err)
		if s.Gateway == ViewUnknown {
			s.note(err)
		}
	})
	if s.Gateway == ViewUnknown && s.Nudge != "" {
		s.Gateway = ViewReloaded
	}
}

// nudge makes the running gateway re-read its auth state, and reports whether
// one runs at all.
func (s *setting) nudge(ctx context.Context) (up bool) {
	s.timed("nudge", func() {
		method, errs := Reread(ctx, s.gateway, s.agent)
		s.Nudge, up = method, true
		for _, err := range errs {
			if errors.Is(err, openclaw.ErrGatewayDown) {
				s.Gateway, up = ViewDown, false
				return
			}
			s.note(err)
		}
	})
	return up
}
