package probe

import (
	"cmp"
	"encoding/base64"
	"fmt"
	"net/http"
	"slices"
	"strings"

	"github.com/ocwatch/ocwatch/internal/quota"
)

// trouble is what classify looks at.
type trouble struct {
	profileType string
	asked       asked
	status      int
	codes       []string
	message     string
	retry       string // Google's Retry-After, which stands in the body: "31s"
}

// classify turns an answer that is no usage into a verdict, by the provider's
// own rules before those that hold everywhere. Nothing of the answer's text
// enters the reason.
func classify(a Account, q asked, own []rule, ans answer) quota.Reading {
	t := read(a, q, ans)
	r := quota.Reading{Verdict: quota.Unreachable, Source: sourceOf(q)}
	switch {
	case ans.status >= 500, ans.status >= 300 && ans.status < 400:
		r.Reason = statusReason(ans.status)
	case !ans.isJSON() && outsider(ans):
		r.Reason = fmt.Sprintf("something in between answered %d in place of the provider", ans.status)
	default:
		found := t.judge(own)
		r.Verdict, r.Reason, r.Until = found.verdict, found.reason, found.end(t.message, ans.clock())
	}
	if r.Verdict == quota.Throttled {
		if r.Until = askAgain(ans.header, ans.clock()); r.Until.IsZero() {
			r.Until = retryAfter(t.retry, ans.clock())
		}
	}
	return r
}

// outsider reports an answer of the network's edge (a challenge page, a portal)
// rather than the provider's. 401 and 429 without JSON mean the same from either.
func outsider(ans answer) bool {
	switch ans.status {
	case http.StatusTooManyRequests:
		return false
	case http.StatusUnauthorized:
		return ans.isHTML()
	}
	return true
}

// judge finds the rule for t, with a reason in it whatever the table has.
func (t trouble) judge(own []rule) rule {
	for _, r := range slices.Concat(own, everywhere) {
		if r.matches(t) {
			r.reason = cmp.Or(r.reason, statusReason(t.status))
			return r
		}
	}
	if t.status == innerError {
		return rule{verdict: quota.Unreachable, reason: "the answer is not usage"}
	}
	return rule{verdict: quota.Unknown, reason: statusReason(t.status)}
}

func (r rule) matches(t trouble) bool {
	if r.asked != "" && r.asked != t.asked {
		return false
	}
	if len(r.types) > 0 && !slices.Contains(r.types, t.profileType) || !slices.Contains(r.statuses, t.status) {
		return false
	}
	if len(r.codes)+len(r.phrases) == 0 {
		return true
	}
	said := func(phrase string) bool { return strings.Contains(t.message, phrase) }
	named := func(code string) bool { return slices.Contains(t.codes, code) }
	return slices.ContainsFunc(r.codes, named) || slices.ContainsFunc(r.phrases, said)
}

func statusReason(status int) string {
	if status >= 300 && status < 400 {
		return fmt.Sprintf("the provider redirects elsewhere (%d); not followed", status)
	}
	if text := http.StatusText(status); text != "" {
		return fmt.Sprintf("the provider answered %d %s", status, text)
	}
	return fmt.Sprintf("the provider answered %d", status)
}

func sourceOf(q asked) quota.Source {
	switch q {
	case keyOf:
		return quota.FromValidity
	case liveOf:
		return quota.FromLive
	case usageOf:
	}
	return quota.FromUsage
}

// read gathers the codes and messages, which providers put in many places.
func read(a Account, q asked, ans answer) trouble {
	t := trouble{profileType: a.Type, asked: q, status: ans.status}
	if o, ok := ans.object(); ok {
		t.gather(o)
	}
	// OpenAI's edge hides the code in a header, in base64.
	if hidden, err := base64.StdEncoding.DecodeString(ans.header.Get("X-Error-Json")); err == nil {
		if o, ok := parseObject(hidden); ok {
			t.gather(o)
		}
	}
	return t
}

func (t *trouble) gather(o object) {
	places := []object{o, o.sub("error"), o.sub("detail"), o.sub("error").sub("details"), o.sub("base_resp")}
	for _, in := range append(places, o.sub("error").list("details")...) {
		for _, key := range []string{"code", "type", "error", "error_code", "status", "status_code", "reason"} {
			if code := in.word(key); code != "" {
				t.codes = append(t.codes, strings.ToLower(code))
			}
		}
		t.retry = cmp.Or(t.retry, in.text("retryDelay"))
		for _, key := range []string{"message", "detail", "error", "error_description", "msg", "status_msg"} {
			t.message += "\n" + strings.ToLower(in.text(key))
		}
	}
}
