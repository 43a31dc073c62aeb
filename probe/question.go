package probe

import (
	"context"
	"net/http"
	"slices"

	"github.com/ocwatch/ocwatch/internal/quota"
	"github.com/ocwatch/ocwatch/internal/secret"
)

// question is one free request about an account, and how its answers are read.
type question struct {
	url  string
	body []byte // of a POST; nil: a GET
	// set puts the token in its place.
	set func(http.Header, secret.Value)
	// holds names members of which an answer of usage has at least one. In an
	// answer that has none, an error of status 200 is an error.
	holds []string
	// fails reports an error of status 200 that the provider words in its own
	// way; nil where it has none.
	fails func(object) bool
	// rules say what refusals mean at this provider.
	rules []rule
	parse func(object, clock) quota.Reading
}

// ask asks for usage. What is no usage is classified; parse reads the rest.
func (q question) ask(ctx context.Context, a Account, c *http.Client) (quota.Reading, error) {
	ans, err := fetch(ctx, a, c, q)
	if err != nil {
		return quota.Reading{}, err
	}
	o, ok := ans.object()
	if ans.status != http.StatusOK || !ok || q.isError(o) {
		return classify(a, usageOf, q.rules, ans), nil
	}
	return q.parse(o, ans.clock()), nil
}

// askKey asks for the list of models, which is free and proves that the key is
// valid. It says nothing of credit: these providers do not tell an ordinary key
// what is left. The list is under holds, "data" where that is empty.
func (q question) askKey(ctx context.Context, a Account, c *http.Client) (quota.Reading, error) {
	if len(q.holds) == 0 {
		q.holds = []string{"data"}
	}
	ans, err := fetch(ctx, a, c, q)
	if err != nil {
		return quota.Reading{Source: quota.FromValidity}, err
	}
	o, ok := ans.object()
	if ans.status != http.StatusOK || !ok || q.isError(o) {
		return classify(a, keyOf, q.rules, ans), nil
	}
	if !slices.ContainsFunc(q.holds, o.has) {
		return quota.Reading{
			Source: quota.FromValidity, Verdict: quota.Unknown, Reason: "the answer is not a list of models",
		}, nil
	}
	return quota.Reading{Source: quota.FromValidity, Verdict: quota.OK, Reason: "the key is valid; its credit cannot be read"}, nil
}

// isError reports an error that came as an ordinary answer.
func (q question) isError(o object) bool {
	if q.fails != nil && q.fails(o) {
		return true
	}
	return (o.has("error") || o.has("detail")) && !slices.ContainsFunc(q.holds, o.has)
}

func bearer(h http.Header, token secret.Value) {
	h.Set("Authorization", "Bearer "+token.Reveal())
}

func unsupported(reason string) quota.Reading {
	return quota.Reading{Source: quota.FromUsage, Verdict: quota.Unsupported, Reason: reason}
}
