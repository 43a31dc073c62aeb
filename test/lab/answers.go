package lab

import (
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"net/http"
	"strings"
	"time"
)

const maxBody = 8 << 20

// mainSize tells a session's own turn from a side call for a title or a
// summary: the former carries the agent's instructions and tools, 30 kB and
// more (also compressed), the latter five.
const mainSize = 12 << 10

// ServeHTTP answers as the provider whose path was asked.
func (p *Provider) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, maxBody))
	if err != nil {
		http.Error(w, "unreadable body", http.StatusBadRequest)
		return
	}
	if p.identify(w, r, body) {
		return
	}
	token := strings.TrimPrefix(r.Header.Get("Authorization"), "Bearer ")
	if token == "" {
		token = r.Header.Get("X-Api-Key")
	}
	account, q, refuse := p.ask(token)
	req := Request{
		At: time.Now(), Path: r.URL.Path, Account: account, Model: modelOf(r, body),
		Main: len(body) > mainSize, Agent: r.UserAgent(),
	}
	if req.Turn() && req.Main {
		p.await(r)
	}
	status, header, answer := p.answer(r, req, q, refuse)
	req.Status = status
	p.record(req)
	maps.Copy(w.Header(), header)
	w.WriteHeader(status)
	_, _ = w.Write(answer) // the caller may be gone
}

func (p *Provider) await(r *http.Request) {
	hold := p.held()
	if hold == nil {
		return
	}
	select {
	case <-hold:
	case <-r.Context().Done():
	}
}

func (p *Provider) answer(r *http.Request, req Request, q Quota, refuse refusal) (int, http.Header, []byte) {
	now := time.Now()
	switch {
	case r.Header.Get("Upgrade") != "":
		// Codex tries a WebSocket first and takes this as "not here".
		return http.StatusUpgradeRequired, nil, nil
	case refuse.status != 0:
		return encode(refuse.status, map[string]any{"error": map[string]any{
			"message": http.StatusText(refuse.status), "code": refuse.code,
		}})
	case req.Turn() && q.spent():
		return limited(q, now)
	case req.Turn():
		return http.StatusOK, http.Header{"Content-Type": {"text/event-stream"}}, turn(req)
	case strings.HasSuffix(req.Path, "/wham/usage"):
		return encode(http.StatusOK, whamUsage(req.Account, q, now))
	case strings.HasSuffix(req.Path, "/api/oauth/usage"):
		return encode(http.StatusOK, anthropicUsage(q, now))
	case strings.HasSuffix(req.Path, "/v1/models"):
		return encode(http.StatusOK, map[string]any{"object": "list", "data": []any{map[string]any{"id": model, "object": "model"}}})
	default:
		return encode(http.StatusNotFound, map[string]any{"error": map[string]any{"message": "no such path"}})
	}
}

func encode(status int, v any) (int, http.Header, []byte) {
	b, err := json.Marshal(v)
	if err != nil {
		return http.StatusInternalServerError, nil, []byte(err.Error())
	}
	return status, http.Header{"Content-Type": {"application/json"}}, b
}

// limited is the refusal of a turn, with the headers by which the native Codex
// runtime learns of the reset.
func limited(q Quota, now time.Time) (int, http.Header, []byte) {
	reset := q.reset(now)
	left := int64(reset.Sub(now).Seconds())
	status, header, body := encode(http.StatusTooManyRequests, map[string]any{"error": map[string]any{
		"type": "usage_limit_reached", "message": "The usage limit has been reached", "plan_type": "plus",
		"resets_at": reset.Unix(), "resets_in_seconds": left,
	}})
	set := func(window string, used float64, minutes int) {
		prefix := "x-codex-" + window
		header.Set(prefix+"-used-percent", fmt.Sprint(used))
		header.Set(prefix+"-window-minutes", fmt.Sprint(minutes))
		header.Set(prefix+"-reset-at", fmt.Sprint(reset.Unix()))
		header.Set(prefix+"-reset-after-seconds", fmt.Sprint(left))
	}
	set("primary", q.FiveHour, 300)
	set("secondary", q.Weekly, 10080)
	return status, header, body
}

func whamUsage(account string, q Quota, now time.Time) map[string]any {
	window := func(used float64, length time.Duration) map[string]any {
		reset := q.reset(now)
		return map[string]any{
			"used_percent": used, "limit_window_seconds": int(length.Seconds()),
			"reset_at": reset.Unix(), "reset_after_seconds": int(reset.Sub(now).Seconds()),
		}
	}
	return map[string]any{
		"account_id": "acct-" + account, "email": account + "@example.com", "plan_type": "plus",
		"rate_limit": map[string]any{
			"allowed": !q.spent(), "limit_reached": q.spent(),
			"primary_window":   window(q.FiveHour, 5*time.Hour),
			"secondary_window": window(q.Weekly, 7*24*time.Hour),
		},
		"additional_rate_limits": []any{}, "rate_limit_reached_type": nil,
		"credits": map[string]any{"has_credits": false, "unlimited": false, "balance": "0"},
	}
}

func anthropicUsage(q Quota, now time.Time) map[string]any {
	window := func(used float64) map[string]any {
		return map[string]any{"utilization": used, "resets_at": q.reset(now).UTC().Format(time.RFC3339Nano)}
	}
	return map[string]any{
		"five_hour": window(q.FiveHour), "seven_day": window(q.Weekly),
		"seven_day_opus": nil, "seven_day_sonnet": nil, "extra_usage": map[string]any{"is_enabled": false},
	}
}
