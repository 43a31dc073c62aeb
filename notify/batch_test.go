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
)

// queued is a queued message that tells text.
func queued(id, text string) journal.Message {
	body, err := json.Marshal(event.Event{Type: event.Test, Data: event.Data{Message: text}})
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
	long, longer := strings.Repeat("é", maxText/2-3), strings.Repeat("é", maxText)
	cases := map[string]struct {
		queue   []journal.Message
		members int
		want    string
	}{
		"one":                  {[]journal.Message{a}, 1, "one"},
		"a burst, in order":    {[]journal.Message{b, a, c}, 3, "two\n\none\n\nthree"},
		"the second fits":      {[]journal.Message{queued("l", long), b, c}, 2, long + "\n\ntwo"},
		"the second does not":  {[]journal.Message{queued("l", long), c, b}, 1, long},
		"too long by itself":   {[]journal.Message{queued("l", longer), b}, 1, strings.Repeat("é", (maxText-3)/2) + "…"},
		"tried before":         {[]journal.Message{tried(a, 1, 0, later), tried(b, 1, 0, later), c}, 2, "one\n\ntwo"},
		"tried at other times": {[]journal.Message{tried(a, 1, 0, later), tried(b, 1, 0, noon)}, 1, "one"},
		"refused":              {[]journal.Message{tried(a, 1, 1, later), tried(b, 1, 1, later)}, 1, "one"},
		"behind a refused one": {[]journal.Message{a, tried(b, 0, 1, time.Time{})}, 1, "one"},
		"no event":             {[]journal.Message{{ID: "x", Body: []byte("not JSON \xff")}, a}, 2, "not JSON \n\none"},
		"an event of no words": {[]journal.Message{{ID: "x", Body: []byte(`{"type":"test"}`)}}, 1, `{"type":"test"}`},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			p := pack(tc.queue, true)
			if len(p.members) != tc.members || string(p.out.Body) != tc.want {
				t.Errorf("%d members, %q\nwant %d, %q", len(p.members), p.out.Body, tc.members, tc.want)
			}
			if tc.members == 1 && p.out.ID != tc.queue[0].ID {
				t.Errorf("id %s", p.out.ID)
			}
			hook := pack(tc.queue, false)
			if len(hook.members) != 1 || hook.out.ID != tc.queue[0].ID || string(hook.out.Body) != string(tc.queue[0].Body) {
				t.Errorf("a webhook gets %+v", hook.out)
			}
		})
	}
}

// Whatever waits: a text holds messages from the head, whole and in order,
// within the limit; its id goes by them alone.
func TestPackAnything(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		sizes := rapid.SliceOfN(rapid.IntRange(1, maxText+200), 1, 12).Draw(t, "sizes")
		word := rapid.SampledFrom([]string{"x", "é", "额", "😀"}).Draw(t, "letter")
		var queue []journal.Message
		for i, n := range sizes {
			queue = append(queue, queued(fmt.Sprint("m", i), fmt.Sprint(i, ":", strings.Repeat(word, 1+n/len(word)))))
		}
		p := pack(queue, true)
		body := string(p.out.Body)
		if len(p.members) == 0 || len(body) > maxText || !utf8.ValidString(body) {
			t.Fatalf("%d members in %d bytes", len(p.members), len(body))
		}
		var texts []string
		for i, m := range p.members {
			if m.ID != queue[i].ID {
				t.Fatalf("member %d is %s", i, m.ID)
			}
			texts = append(texts, clip(messageOf(m.Body)))
		}
		if body != strings.Join(texts, gap) {
			t.Fatalf("the text is %q", body)
		}
		if n := len(p.members); n < len(queue) && len(body)+len(gap)+len(messageOf(queue[n].Body)) <= maxText {
			t.Fatal("the next would have fitted")
		}
		if again := pack(queue[:len(p.members)], true); again.out.ID != p.out.ID {
			t.Fatal("another id for the same")
		}
		if len(p.members) > 1 && pack(queue[:len(p.members)-1], true).out.ID == p.out.ID {
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
