package web

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"time"
)

// forms are what the owner's page can do. Each is a POST that ends on the page.
func (h *dashboard) forms(mux *http.ServeMux) {
	add := func(path, did string, do func(ctx context.Context, form url.Values) error) {
		mux.Handle("POST "+pathOwner+path, h.owners(h.form(did, do)))
	}
	if h.Wishes != nil {
		add("pause", "paused", h.pause)
		add("resume", "resumed", func(ctx context.Context, _ url.Values) error { h.Wishes.Resume(ctx); return nil })
		add("switch", "switch", h.switchTo)
	}
	if h.Logins != nil {
		add("login", "login", func(ctx context.Context, form url.Values) error {
			if form.Get("agent") == "" || form.Get("provider") == "" {
				return errors.New("a login needs an agent and a provider")
			}
			_, err := h.Logins.Begin(ctx, form.Get("agent"), form.Get("provider"))
			return err
		})
		add("login/paste", "pasted", func(ctx context.Context, form url.Values) error {
			return h.Logins.Paste(ctx, form.Get("address"))
		})
		add("login/cancel", "cancelled", func(_ context.Context, form url.Values) error {
			h.Logins.Cancel(form.Get("agent"), form.Get("provider"))
			return nil
		})
	}
}

// didText is what the page says after a form; only these words can be had by an
// address.
func didText(did string) string {
	return map[string]string{
		"paused":    "Paused: nothing is changed until you resume.",
		"resumed":   "Resumed.",
		"switch":    "Noted. The order follows with the next round, in a few seconds.",
		"login":     "A login has begun: link and code are below, and on their way to your endpoints.",
		"pasted":    "The address was handed to OpenClaw. The login ends in a few seconds.",
		"cancelled": "The login was cancelled.",
	}[did]
}

// origins tells the own page from others, under the name that browsers know it
// by too: a proxy may call us by another.
func (h *dashboard) origins() *http.CrossOriginProtection {
	p := http.NewCrossOriginProtection()
	if at := h.server.gate.port.origin(); at != "" {
		_ = p.AddTrustedOrigin(at) // one that is none is refused with the config
	}
	return p
}

// form takes what the owner's own page sent, and no other page.
func (h *dashboard) form(did string, do func(ctx context.Context, form url.Values) error) http.HandlerFunc {
	origin := h.origins()
	return func(rw http.ResponseWriter, r *http.Request) {
		if err := origin.Check(r); err != nil {
			h.refuse(rw, r, "The form came from another page, so nothing was done.")
			return
		}
		r.Body = http.MaxBytesReader(rw, r.Body, maxRequest)
		if r.Header.Get("Content-Type") != "application/x-www-form-urlencoded" || r.ParseForm() != nil {
			h.render(rw, r, http.StatusBadRequest, true, "", "That was not a form of this page, so nothing was done.")
			return
		}
		if !equal(r.PostForm.Get("token"), formToken(h.password())) {
			h.refuse(rw, r, "The form was made before the password changed, or not by this page. Nothing was done: try again from here.")
			return
		}
		// A login takes as long as OpenClaw takes to get a code.
		_ = http.NewResponseController(rw).SetWriteDeadline(time.Now().Add(postLimit))
		// A person who was told that something is done shall not find it half
		// done for having closed the page.
		ctx, cancel := context.WithTimeout(context.WithoutCancel(r.Context()), loginLimit)
		defer cancel()
		if err := do(ctx, r.PostForm); err != nil {
			h.render(rw, r, http.StatusConflict, true, "", "Not done: "+err.Error())
			return
		}
		h.hub.changed()
		http.Redirect(rw, r, pathOwner+"?did="+did, http.StatusSeeOther)
	}
}

func (h *dashboard) refuse(rw http.ResponseWriter, r *http.Request, why string) {
	h.render(rw, r, http.StatusForbidden, true, "", why)
}

func (h *dashboard) pause(ctx context.Context, form url.Values) error {
	until, err := untilOf(form)
	if err != nil {
		return err
	}
	h.Wishes.Pause(ctx, PauseRequest{Until: until, Reason: "from the dashboard"})
	return nil
}

func (h *dashboard) switchTo(ctx context.Context, form url.Values) error {
	until, err := untilOf(form)
	if err != nil {
		return err
	}
	if form.Get("profile") == "" {
		return errors.New("no account was named: use the button beside one")
	}
	_, err = h.Wishes.Switch(ctx, SwitchRequest{
		Profile: form.Get("profile"), Agent: form.Get("agent"), Until: until, Auto: form.Get("auto") != "",
	})
	return err
}

// longest is more than anybody means.
const longest = 366 * 24 * time.Hour

// untilOf is when a wish ends by itself; zero: never.
func untilOf(form url.Values) (time.Time, error) {
	text := form.Get("for")
	if text == "" {
		return time.Time{}, nil
	}
	d, err := time.ParseDuration(text)
	if err != nil || d <= 0 || d > longest {
		return time.Time{}, fmt.Errorf("%q is no length of time: want one like 4h, up to a year", text)
	}
	return time.Now().Add(d), nil
}
