package main

import (
	"fmt"
	"strconv"
	"time"
)

// parseSince reads how far to look back: "90m", "12h", "7d", "2w", a date or a
// time of this machine, or RFC 3339.
func parseSince(text string, now time.Time) (time.Time, error) {
	for _, layout := range []string{time.DateOnly, "2006-01-02 15:04", "2006-01-02T15:04"} {
		if t, err := time.ParseInLocation(layout, text, time.Local); err == nil {
			return t, nil
		}
	}
	if t, err := time.Parse(time.RFC3339, text); err == nil {
		return t, nil
	}
	if len(text) > 1 {
		days := map[byte]int{'d': 1, 'w': 7}[text[len(text)-1]]
		if n, err := strconv.ParseUint(text[:len(text)-1], 10, 12); err == nil && days > 0 {
			return now.AddDate(0, 0, -int(n)*days), nil
		}
	}
	d, err := time.ParseDuration(text)
	if err != nil || d < 0 {
		return time.Time{}, fmt.Errorf("--since %q: want how far to look back, like 12h, 7d or 2w, or a date like %s", text, now.Format(time.DateOnly))
	}
	return now.Add(-d), nil
}
