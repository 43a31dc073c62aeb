package text

import (
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"pgregory.net/rapid"

	"github.com/ocwatch/ocwatch/internal/event"
)

func TestFrom(t *testing.T) {
	for host, want := range map[string]string{
		"srv1": "srv1: ", "srv1.example.com": "srv1: ", "": "", ".example.com": "",
		"a-host-with-a-name-of-thirty-1.example.com": "a-host-with-a-name-…: ",
		"twenty-characters-ok.example.com":           "twenty-characters-ok: ",
		"192.0.2.17":                                 "192.0.2.17: ",
		"2001:db8::17":                               "2001:db8::17: ",
		"srv1\nocwatch login":                        "srv1 ocwatch login: ",
	} {
		if got := From(host, English); got != want {
			t.Errorf("%q: %q, want %q", host, got, want)
		}
	}
	if got := From("srv1.example.com", Chinese); got != "srv1：" {
		t.Errorf("in Chinese %q", got)
	}
}

func TestLate(t *testing.T) {
	berlin, err := time.LoadLocation("Europe/Berlin")
	if err != nil {
		t.Fatal(err)
	}
	for name, c := range map[string]struct {
		after  time.Duration
		loc    *time.Location
		en, zh string
	}{
		"today":     {time.Hour, berlin, "Late: this is from 10:00 UTC (11:00 here).", "延迟送达：以下是 10:00 UTC（本地 11:00）的消息。"},
		"in UTC":    {time.Hour, nil, "Late: this is from 10:00 UTC.", "延迟送达：以下是 10:00 UTC 的消息。"},
		"yesterday": {20 * time.Hour, berlin, "Late: this is from Sun 22 Nov 10:00 UTC (11:00 here).", "延迟送达：以下是 11月22日周日 10:00 UTC（本地 11:00）的消息。"},
	} {
		t.Run(name, func(t *testing.T) {
			for lang, want := range map[Language]string{English: c.en, Chinese: c.zh, "": c.en} {
				if got := Late(now, now.Add(c.after), lang, c.loc); got != want {
					t.Errorf("%q, want %q", got, want)
				}
			}
		})
	}
}

// Every message, told as it is, says by the headline alone which host it is of,
// or it is known that it does not.
func TestNamesHost(t *testing.T) {
	for _, c := range tolds() {
		for _, lang := range []Language{English, Chinese} {
			for host, only := range map[string]bool{"xkcd.example.com": true, "ocwatch": false, "openai": false} {
				e := event.Event{Type: c.typ, Timestamp: now, Data: c.data}
				e.Data.Host = host
				e.Data.Message = Of(e, lang, time.UTC)
				first, _, _ := strings.Cut(e.Data.Message, "\n")
				got := NamesHost(e, lang)
				if only && got != strings.Contains(first, host) || got && !strings.Contains(first, host) {
					t.Errorf("%s on %s: %v of %q", c.name, host, got, first)
				}
				e.Data.Host = ""
				if NamesHost(e, lang) {
					t.Errorf("%s names a host that there is not", c.name)
				}
			}
		}
	}
	for _, e := range []event.Event{
		{Type: event.ProfileExhausted, Data: event.Data{Host: "openai", Profile: "openai:alice", Message: "openai:alice is spent."}},
		{Type: event.WatchdogBlind, Data: event.Data{Host: "ocwatch", Provider: "openai", Message: "ocwatch cannot see the quota of any openai account."}},
		{Type: event.Test, Data: event.Data{Host: "srv1", Message: "words of somebody's own"}},
	} {
		if NamesHost(e, English) {
			t.Errorf("%q is taken to name the host", e.Data.Message)
		}
	}
}

// A host is short and on one line, whatever it is called.
func TestFromAnything(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		got := From(rapid.String().Draw(t, "host"), rapid.SampledFrom([]Language{English, Chinese}).Draw(t, "language"))
		if utf8.RuneCountInString(got) > longestHost+2 || strings.ContainsAny(got, "\n\r") || !utf8.ValidString(got) {
			t.Fatalf("%q", got)
		}
	})
}
