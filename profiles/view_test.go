package profiles

import (
	"slices"
	"testing"

	"github.com/ocwatch/ocwatch/internal/openclaw"
)

func TestView(t *testing.T) {
	order := []string{"openai:b", "openai:a"}
	for name, tc := range map[string]struct {
		world func(w *world)
		want  GatewayView
		order []string
		err   bool
	}{
		"the same":        {func(w *world) { w.seen = order; w.setOrder("openai", order) }, ViewConfirmed, order, false},
		"none anywhere":   {func(*world) {}, ViewConfirmed, nil, false},
		"from the config": {func(w *world) { w.seen = order; w.cfg.AuthOrder = map[string][]string{"openai": order} }, ViewConfirmed, order, false},
		"another":         {func(w *world) { w.seen = order[:1]; w.setOrder("openai", order) }, ViewOld, order[:1], false},
		"none yet":        {func(w *world) { w.setOrder("openai", order) }, ViewOld, nil, false},
		"down":            {func(w *world) { w.down = true }, ViewDown, nil, false},
		"old release":     {func(w *world) { w.methods = old }, ViewUnknown, nil, false},
		"no status":       {func(w *world) { w.fails["models.authStatus"] = openclaw.ErrMethodUnavailable }, ViewUnknown, nil, false},
		"refused":         {func(w *world) { w.fails["models.authStatus"] = openclaw.ErrUnauthorized }, ViewUnknown, nil, true},
		"no store":        {func(w *world) { w.errs = map[string]error{"main": errNotObject} }, ViewUnknown, nil, true},
	} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(modern...)
			tc.world(w)
			got, view, err := w.orderer().View(t.Context(), "main", "openai")
			if view != tc.want || !slices.Equal(got, tc.order) || (err != nil) != tc.err {
				t.Errorf("%v, %s, %v; want %v, %s", got, view, err, tc.order, tc.want)
			}
			if slices.Contains(w.calls, "models.authRefresh") || slices.Contains(w.calls, "models.authOrderSet") {
				t.Errorf("looking made calls %v", w.calls)
			}
		})
	}
}

func TestViewOfAProviderTheGatewayDoesNotList(t *testing.T) {
	w := newWorld(modern...)
	if _, view, err := w.orderer().View(t.Context(), "main", "xai"); view != ViewUnknown || err != nil {
		t.Errorf("%s, %v; want unknown", view, err)
	}
}
