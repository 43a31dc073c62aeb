package notify

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"pgregory.net/rapid"

	"github.com/ocwatch/ocwatch/internal/event"
	"github.com/ocwatch/ocwatch/internal/journal"
	"github.com/ocwatch/ocwatch/notify/text"
)

// queued is a queued message of these words.
func queued(id, words string) journal.Message { return from("", id, words) }

// from is one that says its host.
func from(host, id, words string) journal.Message {
	body, err := json.Marshal(event.Event{Type: event.ProfileRecovered, Timestamp: noon, Data: event.Data{Host: host, Message: words}})
	if err != nil {
		panic(err)
	}
	return journal.Message{ID: id, Endpoint: "phone", Body: body, CreatedAt: noon}
}

func TestPack(t *testing.T) {
	tried := func(m journal.Message, attempts, refusals int, next time.Time) journal.Message {
		m.Attempts, m.Refusals, m.NextAt = attempts, refusals, next
		return m
	}
	a, b, c := queued("a", "one"), queued("b", "two"), queued("c", "three")
	later := noon.Add(time.Minute)
	full, long := strings.Repeat("é", (longestMessage-len(gap)-lateRoom-3)/2), strings.Repeat("é", longestMessage)
	cases := map[string]struct {
		queue   []journal.Message
		members int
		want    string
	}{
		"one":                  {[]journal.Message{a}, 1, "one"},
		"a burst, in order":    {[]journal.Message{b, a, c}, 3, "two\n\none\n\nthree"},
		"the second fits":      {[]journal.Message{queued("l", full), b, c}, 2, full + "\n\ntwo"},
		"the second does not":  {[]journal.Message{queued("l", full), c, b}, 1, full},
		"too long by itself":   {[]journal.Message{queued("l", long), b}, 1, strings.Repeat("é", (longestMessage-3)/2) + "…"},
		"tried before":         {[]journal.Message{tried(a, 1, 0, later), tried(b, 1, 0, later), c}, 2, "one\n\ntwo"},
		"tried at other times": {[]journal.Message{tried(a, 1, 0, later), tried(b, 1, 0, noon)}, 1, "one"},
		"refused":              {[]journal.Message{tried(a, 1, 1, later), tried(b, 1, 1, later)}, 1, "one"},
		"behind a refused one": {[]journal.Message{a, tried(b, 0, 1, time.Time{})}, 1, "one"},
		"no event":             {[]journal.Message{{ID: "x", Body: []byte("not JSON \xff")}, a}, 2, "not JSON \n\none"},
		"an event of no words": {[]journal.Message{{ID: "x", Body: []byte(`{"type":"test"}`)}}, 1, `{"type":"test"}`},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			p := pack(tc.queue, true, reader{}, noon)
			if len(p.members) != tc.members || string(p.out.Body) != tc.want {
				t.Errorf("%d members, %q\nwant %d, %q", len(p.members), p.out.Body, tc.members, tc.want)
			}
			if tc.members == 1 && p.out.ID != tc.queue[0].ID {
				t.Errorf("id %s", p.out.ID)
			}
			hook := pack(tc.queue, false, reader{}, noon)
			if len(hook.members) != 1 || hook.out.ID != tc.queue[0].ID || string(hook.out.Body) != string(tc.queue[0].Body) {
				t.Errorf("a webhook gets %+v", hook.out)
			}
		})
	}
}

// What a chat is sent says which host it is from, once, and how old a message
// is that was held up.
func TestPackSaysWhereAndWhen(t *testing.T) {
	berlin, err := time.LoadLocation("Europe/Berlin")
	if err != nil {
		t.Fatal(err)
	}
	const host = "srv1.example.com"
	spent := event.Event{Type: event.ProfileExhausted, Data: event.Data{Profile: "openai:alice", Reason: "quota spent"}}
	down := event.Event{Type: event.GatewayDown, Data: event.Data{Reason: "restart failed: boom"}}
	stopped := event.Event{Type: event.WatchdogStopped}
	cases := map[string]struct {
		reader
		host string
		late time.Duration // when the text is sent, after noon
		said []event.Event
		want string
	}{
		"the host, short": {reader{text.English, nil}, host, 0, []event.Event{spent}, "srv1: openai:alice is spent: quota spent.\n…"},
		"no host":         {reader{text.English, nil}, "", 0, []event.Event{spent}, "openai:alice is spent: quota spent.\n…"},
		"in Chinese":      {reader{text.Chinese, berlin}, host, 0, []event.Event{spent}, "srv1：openai:alice 额度已用完。\n…"},
		"once in a burst": {
			reader{text.English, nil},
			host, 0,
			[]event.Event{spent, spent},
			"srv1: openai:alice is spent: quota spent.\n…\n\nopenai:alice is spent: quota spent.\n…",
		},
		"it is named":            {reader{text.English, nil}, host, 0, []event.Event{stopped, spent}, "ocwatch has stopped on srv1.example.com; nobody is watching the quota now.\n\nopenai:alice is spent: quota spent.\n…"},
		"it is named further on": {reader{text.English, nil}, host, 0, []event.Event{spent, stopped}, "srv1: openai:alice is spent: quota spent.\n…\n\nocwatch has stopped on srv1.example.com; nobody is watching the quota now."},
		"a host of that name":    {reader{text.English, nil}, "openai", 0, []event.Event{spent}, "openai: openai:alice is spent: quota spent.\n…"},
		"a quarter of an hour":   {reader{text.English, nil}, host, 15 * time.Minute, []event.Event{spent}, "srv1: openai:alice is spent: quota spent.\n…"},
		"late":                   {reader{text.English, nil}, host, 16 * time.Minute, []event.Event{spent}, "srv1: Late: this is from 12:00 UTC.\nopenai:alice is spent: quota spent.\n…"},
		"late, elsewhere": {
			reader{text.English, berlin},
			host, 24 * time.Hour,
			[]event.Event{spent},
			"srv1: Late: this is from Sun 22 Nov 12:00 UTC (13:00 here).\nopenai:alice is spent: quota spent.\n…",
		},
		"late, in Chinese": {
			reader{text.Chinese, berlin},
			host, time.Hour,
			[]event.Event{spent},
			"srv1：延迟送达：以下是 12:00 UTC（本地 13:00）的消息。\nopenai:alice 额度已用完。\n…",
		},
		"late, and it is named below": {
			reader{text.English, nil},
			host, time.Hour,
			[]event.Event{down},
			"srv1: Late: this is from 12:00 UTC.\nThe OpenClaw gateway on srv1.example.com needs a look.\n…",
		},
		"each that is late": {
			reader{text.English, nil},
			host, 15*time.Minute + 30*time.Second,
			[]event.Event{spent, stopped},
			"srv1: Late: this is from 12:00 UTC.\nopenai:alice is spent: quota spent.\n…\n\nocwatch has stopped on srv1.example.com; nobody is watching the quota now.",
		},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			n, err := New(Options{Endpoints: []Endpoint{{Name: "phone", Language: c.lang, Sender: &phone{}}}, Host: c.host, Location: c.loc})
			if err != nil {
				t.Fatal(err)
			}
			var queue []journal.Message
			for i, e := range c.said {
				e.Timestamp = noon.Add(time.Duration(i) * time.Minute)
				ms, err := n.Route(e)
				if err != nil {
					t.Fatal(err)
				}
				queue = append(queue, ms...)
			}
			got := string(pack(queue, true, c.reader, noon.Add(c.late)).out.Body)
			var paragraphs []string // without what follows their headlines
			for p := range strings.SplitSeq(got, gap) {
				lines := strings.Split(p, "\n")
				keep := 1
				if strings.Contains(lines[0], "Late:") || strings.Contains(lines[0], "延迟") {
					keep = 2
				}
				if len(lines) > keep {
					lines = append(lines[:keep], "…")
				}
				paragraphs = append(paragraphs, strings.Join(lines, "\n"))
			}
			if got := strings.Join(paragraphs, gap); got != c.want {
				t.Errorf("got  %q\nwant %q", got, c.want)
			}
			for _, m := range queue {
				if hook := pack([]journal.Message{m}, false, c.reader, noon.Add(c.late)); string(hook.out.Body) != string(m.Body) {
					t.Errorf("a webhook gets %s", hook.out.Body)
				}
			}
		})
	}
}

// Whatever waits: a text holds messages from the head, whole and in order,
// within the limit; how many and under which id goes by them alone, and not by
// when they are sent.
func TestPackAnything(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		sizes := rapid.SliceOfN(rapid.IntRange(1, maxText+200), 1, 12).Draw(t, "sizes")
		word := rapid.SampledFrom([]string{"x", "é", "额", "😀"}).Draw(t, "letter")
		host := rapid.StringN(0, 30, -1).Draw(t, "host")
		r := reader{rapid.SampledFrom([]text.Language{text.English, text.Chinese}).Draw(t, "language"), time.FixedZone("", 60*rapid.IntRange(-12*60, 14*60).Draw(t, "minutes east"))}
		sent := noon.Add(time.Duration(rapid.IntRange(-60, 60*24*400).Draw(t, "minutes")) * time.Minute)
		var queue []journal.Message
		for i, n := range sizes {
			queue = append(queue, from(host, fmt.Sprint("m", i), fmt.Sprint(i, ":", strings.Repeat(word, 1+n/len(word)))))
		}
		p := pack(queue, true, r, sent)
		body := string(p.out.Body)
		if len(p.members) == 0 || len(body) > maxText || !utf8.ValidString(body) {
			t.Fatalf("%d members in %d bytes", len(p.members), len(body))
		}
		late := ""
		if sent.Sub(noon) > lateAfter {
			late = text.Late(noon, sent, r.lang, r.loc) + "\n"
		}
		var texts []string
		for i, m := range p.members {
			if m.ID != queue[i].ID {
				t.Fatalf("member %d is %s", i, m.ID)
			}
			texts = append(texts, late+clip(messageOf(m.Body)))
		}
		if body != text.From(host, r.lang)+strings.Join(texts, gap) {
			t.Fatalf("the text is %q", body)
		}
		on := pack(queue, true, r, noon)
		if len(on.members) != len(p.members) || on.out.ID != p.out.ID {
			t.Fatalf("%d members on time, %d at %s", len(on.members), len(p.members), sent)
		}
		if n := len(p.members); n < len(queue) && len(on.out.Body)+n*lateRoom+hostRoom+len(gap)+lateRoom+len(messageOf(queue[n].Body)) <= maxText {
			t.Fatal("the next would have fitted")
		}
		if again := pack(queue[:len(p.members)], true, r, sent); again.out.ID != p.out.ID {
			t.Fatal("another id for the same")
		}
		if len(p.members) > 1 && pack(queue[:len(p.members)-1], true, r, sent).out.ID == p.out.ID {
			t.Fatal("the same id for less")
		}
	})
}

func TestUntilFull(t *testing.T) {
	at := func(age time.Duration, attempts int) journal.Message {
		return journal.Message{CreatedAt: noon.Add(-age), Attempts: attempts}
	}
	for name, c := range map[string]struct {
		m    journal.Message
		want time.Duration
	}{
		"new":                    {at(0, 0), burstWindow},
		"four seconds old":       {at(4*time.Second, 0), 6 * time.Second},
		"old":                    {at(time.Hour, 0), 0},
		"tried before":           {at(0, 1), 0},
		"the clock was set back": {at(-time.Hour, 0), 0},
	} {
		if got := untilFull(c.m, burstWindow, noon); got != c.want {
			t.Errorf("%s: %v, want %v", name, got, c.want)
		}
	}
}
