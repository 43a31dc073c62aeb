package main

import (
	"fmt"
	"time"

	"github.com/ocwatch/ocwatch/failover/watchdog"
	"github.com/ocwatch/ocwatch/probe"
)

// liveText says what real requests an account was asked with, and what the next
// one waits for.
func liveText(l watchdog.LiveStatus, now time.Time) string {
	text := fmt.Sprintf("a real request of 1 token is made at most every %d minutes, ", l.Every/60)
	if l.Since == nil || l.AskedAt == nil {
		text += "none so far"
	} else {
		text += fmt.Sprintf("%d since %s, the last %s ago", l.Count, l.Since.UTC().Format("2006-01-02 15:04 UTC"), tookText(now.Sub(*l.AskedAt)))
	}
	switch l.Waits {
	case probe.WaitReadable:
		text += "; its usage can be read for nothing as far as is known, so none is due"
	case probe.WaitUse:
		text += "; the next one waits until OpenClaw uses the account, so as not to begin a window"
	case probe.WaitInterval, probe.WaitVerdict:
		text += "; the next one not before " + backCell(l.Next, now)
	case probe.NoWait:
		text += "; the next one is due"
	}
	return text
}
