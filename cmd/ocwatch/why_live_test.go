package main

import (
	"testing"
	"time"

	"github.com/ocwatch/ocwatch/failover/watchdog"
	"github.com/ocwatch/ocwatch/probe"
)

func TestLiveText(t *testing.T) {
	now := time.Date(2027, 1, 15, 8, 0, 0, 0, time.UTC)
	at := func(d time.Duration) *time.Time { t := now.Add(d); return &t }
	const begin = "a real request of 1 token is made at most every 30 minutes, "
	for name, tc := range map[string]struct {
		live watchdog.LiveStatus
		want string
	}{
		"none yet": {
			watchdog.LiveStatus{Every: 1800, Waits: probe.WaitUse},
			begin + "none so far; the next one waits until OpenClaw uses the account, so as not to begin a window",
		},
		"some": {
			watchdog.LiveStatus{Every: 1800, Count: 7, Since: at(-26 * time.Hour), AskedAt: at(-10 * time.Minute), Waits: probe.WaitInterval, Next: at(20 * time.Minute)},
			begin + "7 since 2027-01-14 06:00 UTC, the last 10 min ago; the next one not before 08:20",
		},
		"not needed": {
			watchdog.LiveStatus{Every: 1800, Waits: probe.WaitReadable},
			begin + "none so far; its usage can be read for nothing as far as is known, so none is due",
		},
		"due": {watchdog.LiveStatus{Every: 1800}, begin + "none so far; the next one is due"},
	} {
		t.Run(name, func(t *testing.T) {
			if got := liveText(tc.live, now); got != tc.want {
				t.Errorf("got  %s\nwant %s", got, tc.want)
			}
		})
	}
}
