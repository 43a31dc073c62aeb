package page

import (
	"strings"
	"time"

	"github.com/ocwatch/ocwatch/internal/say"
)

// ahead is a time to come, both ways: a countdown and a clock.
func ahead(t, now time.Time) string {
	if !t.After(now) {
		return "now"
	}
	return "in " + say.Span(t.Sub(now)) + " (" + say.Clock(t, now) + ")"
}

// ago is a time past.
func ago(t, now time.Time) string {
	if d := now.Sub(t); d >= time.Second {
		return say.Span(d) + " ago"
	}
	return "just now"
}

// capital lets text begin a sentence.
func capital(text string) string {
	if text == "" {
		return ""
	}
	return strings.ToUpper(text[:1]) + text[1:]
}
