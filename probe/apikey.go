package probe

import (
	"context"
	"net/http"

	"github.com/ocwatch/ocwatch/internal/quota"
	"github.com/ocwatch/ocwatch/internal/secret"
)

// key asks for the list of models, which is free and proves that the key is
// valid. It says nothing of credit: neither provider tells an ordinary key what
// is left.
func key(ctx context.Context, a Account, c *http.Client, url string, set func(http.Header, secret.Value)) (quota.Reading, error) {
	ans, err := fetch(ctx, a, c, url, set)
	if err != nil {
		return quota.Reading{Source: quota.FromValidity}, err
	}
	o, ok := ans.object()
	if ans.status != http.StatusOK || !ok || isError(o) {
		return classify(a, keyOf, ans), nil
	}
	if !o.has("data") {
		return quota.Reading{
			Source: quota.FromValidity, Verdict: quota.Unknown, Reason: "the answer is not a list of models",
		}, nil
	}
	return quota.Reading{Source: quota.FromValidity, Verdict: quota.OK, Reason: "the key is valid; its credit cannot be read"}, nil
}

func unsupported(reason string) quota.Reading {
	return quota.Reading{Source: quota.FromUsage, Verdict: quota.Unsupported, Reason: reason}
}
