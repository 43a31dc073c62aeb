package config

import (
	"errors"
	"fmt"
	"math"
	"strconv"
	"strings"
	"time"
)

// parseDuration reads what time.ParseDuration does, and days ("3d", "1d12h"),
// and refuses what is negative.
func parseDuration(text string) (time.Duration, error) {
	if _, err := strconv.ParseFloat(text, 64); err == nil && text != "0" {
		return 0, fmt.Errorf("%q has no unit; want a duration like \"%ss\" or \"%sm\"", text, text, text)
	}
	days, rest, hasDays := strings.Cut(text, "d")
	var d time.Duration
	if hasDays {
		n, err := strconv.ParseUint(days, 10, 16)
		if err != nil {
			return 0, notDuration(text)
		}
		d = time.Duration(n) * 24 * time.Hour
		if rest == "" {
			return d, nil
		}
		text = rest
	}
	more, err := time.ParseDuration(text)
	if err != nil || more > math.MaxInt64-d {
		return 0, notDuration(text)
	}
	if more < 0 {
		return 0, fmt.Errorf("%q is negative; want a number and a unit, like \"90s\" or \"5m\"", text)
	}
	return d + more, nil
}

func notDuration(text string) error {
	return fmt.Errorf("%q is not a duration; want a number and a unit, like \"90s\", \"5m\", \"6h\" or \"3d\"", text)
}

// formatDuration drops the zero units that time.Duration.String spells out.
func formatDuration(d time.Duration) string {
	s := d.String()
	if strings.HasSuffix(s, "m0s") {
		s = strings.TrimSuffix(s, "0s")
	}
	if strings.HasSuffix(s, "h0m") {
		s = strings.TrimSuffix(s, "0m")
	}
	return s
}

// Budget is how often something may happen: at most Count times within Per.
type Budget struct {
	Count int
	Per   time.Duration
}

// ParseBudget reads "3/30m": a count from 1 to 20, and a time of at least a
// minute for each, up to 24 h.
func ParseBudget(text string) (Budget, error) {
	count, per, ok := strings.Cut(text, "/")
	n, err := strconv.Atoi(strings.TrimSpace(count))
	if !ok || err != nil {
		return Budget{}, fmt.Errorf("%q is not a budget; want a count and a time, like \"3/30m\"", text)
	}
	d, err := parseDuration(strings.TrimSpace(per))
	if err != nil {
		return Budget{}, err
	}
	if n < 1 || n > 20 {
		return Budget{}, fmt.Errorf("%d is not a count from 1 to 20", n)
	}
	if d > maxEvery {
		return Budget{}, fmt.Errorf("%s is longer than %s", formatDuration(d), formatDuration(maxEvery))
	}
	// systemd gives up on a unit that restarts too often, and counts ours.
	if d < time.Duration(n)*time.Minute {
		return Budget{}, fmt.Errorf("%d in %s is more than one a minute; the gateway takes that long to start", n, formatDuration(d))
	}
	return Budget{Count: n, Per: d}, nil
}

// String returns the budget as ParseBudget reads it.
func (b Budget) String() string { return fmt.Sprintf("%d/%s", b.Count, formatDuration(b.Per)) }

// MarshalText returns String.
func (b Budget) MarshalText() ([]byte, error) { return []byte(b.String()), nil }

// Argv is a command with its arguments. It is never given to a shell.
type Argv []string

// shellSyntax are the characters that mean something to a shell, which a
// person who writes them expects to work.
const shellSyntax = "'\"\\`$&|;<>(){}[]*?~#!\n"

// ParseArgv splits text at spaces and tabs. Text with shell syntax in it is
// refused, since no shell will see it: such a command is written as a list.
func ParseArgv(text string) (Argv, error) {
	if i := strings.IndexAny(text, shellSyntax); i >= 0 {
		return nil, fmt.Errorf("%q needs a shell, and none is used; write a list: [command, \"first argument\", …]", text[i:i+1])
	}
	return Argv(strings.Fields(text)), nil
}

func parsePercent(text string) (float64, error) {
	p, err := strconv.ParseFloat(text, 64)
	switch {
	case err != nil && strings.HasSuffix(text, "%"):
		return 0, fmt.Errorf("%q: leave the percent sign out", text)
	case err != nil || math.IsNaN(p):
		return 0, fmt.Errorf("%q is not a number from 0 to 100", text)
	case p < 0 || p > 100:
		return 0, fmt.Errorf("%s is not from 0 to 100", text)
	case p > 0 && p < 1:
		return 0, fmt.Errorf("%s is less than one percent; did you mean %g?", text, p*100)
	}
	return p, nil
}

func parsePlain(text string) (string, error) {
	if strings.ContainsAny(text, "\n\x00") {
		return "", errors.New("want one line")
	}
	return text, nil
}
