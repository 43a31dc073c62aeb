package profiles

import (
	"encoding/json"
	"slices"
	"strings"
	"time"

	"github.com/ocwatch/ocwatch/internal/quota"
)

// state is what OpenClaw records beside the credentials: its orders and how
// each profile fared.
type state struct {
	order map[string][]string // by normalised provider id, as stored
	usage map[string]entry    // by profile id
}

// decodeState merges the state documents per key, the later ones first in
// rank, as OpenClaw does. What is malformed in them is passed over, which is
// what OpenClaw does too: they hold nothing that cannot be set again.
func decodeState(docs []json.RawMessage) state {
	s := state{order: map[string][]string{}, usage: map[string]entry{}}
	for _, raw := range docs {
		doc := object(raw)
		for provider, list := range object(doc["order"]) {
			if ids := texts(list); len(ids) > 0 {
				s.order[normalProvider(provider)] = ids
			}
		}
		for id, stats := range object(doc["usageStats"]) {
			if e := object(stats); e != nil {
				s.usage[strings.TrimSpace(id)] = e
			}
		}
	}
	return s
}

// texts gives the strings of a JSON array.
func texts(raw json.RawMessage) []string {
	var list []json.RawMessage
	if json.Unmarshal(raw, &list) != nil {
		return nil
	}
	var out []string
	for _, item := range list {
		if s := (entry{"": item}).text(""); s != "" {
			out = append(out, s)
		}
	}
	return out
}

// The sources that OpenClaw gives a cooldown whose length the usage endpoint
// decided, after a failure of the profile.
const (
	// WhamTokenExpired: it answered 401, and OpenClaw stays away for 12 hours.
	// The token is stale or was: not a quota, and often wrong by then.
	WhamTokenExpired = "wham_token_expired"
	// WhamAccountDead: it answered 403, and OpenClaw stays away for 24 hours.
	// A proxy's or a bot check's HTML page is a 403 as well, so this alone is
	// no proof of a dead login.
	WhamAccountDead = "wham_account_dead"
)

// blocks gives what OpenClaw will not use c for, and until when: the longest
// account-wide block, and those of single models. Those that have ended are
// left out: OpenClaw clears them only when it next writes.
func blocks(c credential, e entry, now time.Time) (account Block, models []Block) {
	if neverBlocked(c.provider) {
		return Block{}, nil
	}
	for _, b := range []Block{blocked(e), cooldown(c, e), disabled(e)} {
		switch {
		case !b.Active(now):
		case b.Model != "":
			models = append(models, b)
		case b.Until.After(account.Until):
			account = b
		}
	}
	return account, models
}

func blocked(e entry) Block {
	b := Block{Kind: Blocked, Reason: e.text("blockedReason"), Source: e.text("blockedSource")}
	b.Until, _ = e.millis("blockedUntil")
	b.Failed, _ = e.millis("lastFailureAt")
	if e.text("blockedScope") == "model" {
		b.Model = e.text("blockedModel")
	}
	return b
}

// modelReasons are the failures that OpenClaw blames on a model if it noted one.
var modelReasons = []string{"rate_limit", "timeout", "model_not_found"}

func cooldown(c credential, e entry) Block {
	b := Block{Kind: Cooldown, Reason: e.text("cooldownReason"), Source: e.text("cooldownClassification")}
	b.Until, _ = e.millis("cooldownUntil")
	if b.Source == "" {
		b.Source = whamCooldown(c, e, b.Until)
	}
	if b.Source == "" && slices.Contains(modelReasons, b.Reason) {
		b.Model = e.text("cooldownModel")
	}
	return b
}

func disabled(e entry) Block {
	b := Block{Kind: Disabled, Reason: e.text("disabledReason")}
	b.Until, _ = e.millis("disabledUntil")
	b.Failed, _ = e.millis("lastFailureAt")
	return b
}

// whamCooldown recognises, by its length, the cooldown that releases before
// 2026.9 record without saying that it came from the usage endpoint. Nothing
// else lasts exactly twelve hours. A run of rate limits ends at exactly
// twenty-four too, but only after a dozen failures.
func whamCooldown(c credential, e entry, until time.Time) string {
	failed, ok := e.millis("lastFailureAt")
	if !ok || until.IsZero() || c.kind != OAuth || quota.Canonical(c.provider) != "openai" {
		return ""
	}
	limits, _ := object(e["failureCounts"]).number("rate_limit")
	switch length := until.Sub(failed).Round(time.Second); {
	case length == 12*time.Hour:
		return WhamTokenExpired
	case length == 24*time.Hour && limits < 12:
		return WhamAccountDead
	default:
		return ""
	}
}
