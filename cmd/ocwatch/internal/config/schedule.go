package config

import (
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/robfig/cron/v3"
)

// Probing more often than minEvery would only spend the usage endpoints' own
// limits; less often than maxEvery is not watching.
const (
	minEvery = 30 * time.Second
	maxEvery = 24 * time.Hour
)

// Schedule is when something happens again: a fixed interval, or a cron
// expression in UTC. It is a cron.Schedule. The zero Schedule never fires.
type Schedule struct {
	spec string
	cron cron.Schedule
}

// Every returns the schedule that fires each d, in whole seconds.
func Every(d time.Duration) Schedule {
	d = d.Truncate(time.Second)
	return Schedule{spec: formatDuration(d), cron: cron.Every(d)}
}

// ParseSchedule reads a duration from 30 s to 24 h ("1m", also "@every 1m"), a
// cron expression of five fields ("*/5 * * * *") or a descriptor ("@hourly").
// A schedule that never fires is refused.
func ParseSchedule(text string) (Schedule, error) {
	text = strings.TrimSpace(text)
	if every, ok := strings.CutPrefix(text, "@every "); ok {
		return parseInterval(strings.TrimSpace(every))
	}
	if !strings.HasPrefix(text, "@") && !strings.ContainsAny(text, " \t=") {
		return parseInterval(text)
	}
	return parseCron(text)
}

func parseInterval(text string) (Schedule, error) {
	d, err := parseDuration(text)
	if err != nil {
		return Schedule{}, fmt.Errorf("%w, or a cron expression of five fields in UTC (\"*/5 * * * *\")", err)
	}
	if d < minEvery || d > maxEvery {
		return Schedule{}, fmt.Errorf("%s is not between %s and %s", formatDuration(d), formatDuration(minEvery), formatDuration(maxEvery))
	}
	return Every(d), nil
}

// parseCron guards against what the parser is known for: it panics on "TZ=",
// and it accepts dates that never come.
func parseCron(text string) (s Schedule, err error) {
	if strings.HasPrefix(text, "TZ=") || strings.HasPrefix(text, "CRON_TZ=") {
		return Schedule{}, errors.New("schedules are in UTC; leave the time zone out")
	}
	defer func() {
		if r := recover(); r != nil {
			s, err = Schedule{}, errors.New("not a cron expression of five fields (\"*/5 * * * *\")")
		}
	}()
	parsed, err := cron.ParseStandard(text)
	if err != nil {
		return Schedule{}, fmt.Errorf("not a cron expression of five fields (\"*/5 * * * *\"): %w", err)
	}
	s = Schedule{spec: strings.Join(strings.Fields(text), " "), cron: parsed}
	if s.Next(time.Unix(0, 0)).IsZero() {
		return Schedule{}, fmt.Errorf("%q never fires: no such date", s.spec)
	}
	return s, nil
}

// Next returns when the schedule fires next after t, in UTC, or the zero time
// for never.
func (s Schedule) Next(t time.Time) time.Time {
	if s.cron == nil {
		return time.Time{}
	}
	// An expression without a zone takes that of its argument.
	return s.cron.Next(t.UTC())
}

// Shortest returns the least time between two firings.
func (s Schedule) Shortest() time.Duration {
	switch c := s.cron.(type) {
	case nil:
		return 0
	case cron.ConstantDelaySchedule:
		return c.Delay
	default:
		return time.Minute // the finest that five fields can say
	}
}

// String returns the schedule as ParseSchedule reads it.
func (s Schedule) String() string { return s.spec }

// MarshalText returns String.
func (s Schedule) MarshalText() ([]byte, error) { return []byte(s.spec), nil }
