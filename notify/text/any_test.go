package text

import (
	"fmt"
	"maps"
	"reflect"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"
	"unicode"
	"unicode/utf8"

	"pgregory.net/rapid"

	"github.com/ocwatch/ocwatch/internal/event"
)

// checkText holds for the text of any event.
func checkText(t interface{ Fatalf(string, ...any) }, text string) {
	switch {
	case text == "" || !utf8.ValidString(text):
		t.Fatalf("no text: %q", text)
	case strings.ContainsFunc(text, func(r rune) bool { return r != '\n' && !unicode.IsPrint(r) }):
		t.Fatalf("what cannot be seen in %q", text)
	}
	for line := range strings.SplitSeq(text, "\n") {
		if line == "" || strings.TrimSpace(line) != line {
			t.Fatalf("the line %q in %q", line, text)
		}
	}
}

var anyZone = rapid.Custom(func(t *rapid.T) *time.Location {
	if rapid.IntRange(0, 9).Draw(t, "utc") == 0 {
		return nil
	}
	return time.FixedZone("", 60*rapid.IntRange(-12*60, 14*60).Draw(t, "minutes east"))
})

func drawEvent(t *rapid.T, word *rapid.Generator[string]) event.Event {
	moment := rapid.Custom(func(t *rapid.T) *time.Time {
		if rapid.Bool().Draw(t, "unknown") {
			return nil
		}
		u := time.Unix(rapid.Int64Range(-1<<36, 1<<38).Draw(t, "unix"), 0)
		return &u
	})
	typ := rapid.SampledFrom(append(event.Types(), event.Type(word.Draw(t, "a new type")))).Draw(t, "type")
	e := event.Event{Type: typ, Timestamp: time.Unix(rapid.Int64Range(-1<<36, 1<<38).Draw(t, "timestamp"), 0)}
	e.Data = event.Data{
		Host: word.Draw(t, "host"), Agent: word.Draw(t, "agent"), Provider: word.Draw(t, "provider"), Profile: word.Draw(t, "profile"),
		Action: rapid.SampledFrom([]string{"", event.ActionWait, event.ActionLogin}).Draw(t, "action"), Reason: word.Draw(t, "reason"),
		Reminder: rapid.Bool().Draw(t, "reminder"), Ends: rapid.SampledFrom([]event.Type{"", event.GatewayDown}).Draw(t, "ends"),
		From: word.Draw(t, "from"), To: word.Draw(t, "to"), RecoversAt: moment.Draw(t, "recovers at"),
		Order: rapid.SliceOfN(word, 0, 3).Draw(t, "order"),
		Profiles: rapid.SliceOfN(rapid.Custom(func(t *rapid.T) event.Profile {
			return event.Profile{
				ID: word.Draw(t, "id"), State: rapid.SampledFrom([]string{"unknown", "dead", "exhausted"}).Draw(t, "state"),
				Reason: word.Draw(t, "reason"), Until: moment.Draw(t, "until"), Refused: rapid.Bool().Draw(t, "refused"),
			}
		}), 0, 12).Draw(t, "profiles"),
	}
	if rapid.Bool().Draw(t, "login") {
		e.Data.Login = &event.Login{
			URL: word.Draw(t, "url"), Code: word.Draw(t, "code"), ExpiresAt: moment.Draw(t, "expires at"), Paste: rapid.Bool().Draw(t, "paste"),
			Command: word.Draw(t, "command"), Chat: word.Draw(t, "chat"),
		}
	}
	return e
}

// Whatever an event holds, its text is a text, and the same twice.
func TestTextOfAnything(t *testing.T) {
	raw := rapid.Custom(func(t *rapid.T) string { return string(rapid.SliceOfN(rapid.Byte(), 0, 300).Draw(t, "bytes")) })
	word := rapid.OneOf(rapid.String(), raw, rapid.SampledFrom(samples), rapid.SampledFrom([]string{"", "main", "%s %d", "\u202eabc", "a\nb", " ", "{id}"}))
	rapid.Check(t, func(t *rapid.T) {
		e, loc := drawEvent(t, word), anyZone.Draw(t, "zone")
		before := fmt.Sprint(e.Data.Order, e.Data.Profiles, e.Data.Login)
		for _, lang := range []Language{English, Chinese, "", "eo"} {
			text := Of(e, lang, loc)
			checkText(t, text)
			if text != Of(e, lang, loc) {
				t.Fatalf("%q is not the same twice", text)
			}
		}
		if fmt.Sprint(e.Data.Order, e.Data.Profiles, e.Data.Login) != before {
			t.Fatalf("the event was changed")
		}
	})
}

// A name from a file or the words of an error make no line of their own, which
// could pass for a link or a command of ours, and do not turn the writing.
func TestNothingForgesALine(t *testing.T) {
	for name, sep := range map[string]string{"line break": "\n", "return": "\r\n", "Unicode's line": "\u2028", "right to left": "\u202e", "escape": "\x1b[2K"} {
		t.Run(name, func(t *testing.T) {
			bad := "openai:a" + sep + "ocwatch login --paste x"
			e := event.Event{Type: event.PoolDepleted, Timestamp: now, Data: event.Data{
				Host: bad, Agent: bad, Provider: bad, Action: event.ActionLogin, Profiles: []event.Profile{{ID: bad, State: "dead", Reason: bad}, {ID: bad, Reason: bad}},
				Login: &event.Login{URL: "https://example.com", Code: "ABCD" + sep + "1234", Command: "ocwatch login", Chat: "/login" + sep + "codex"},
			}}
			for _, lang := range []Language{English, Chinese} {
				text := Of(e, lang, nil)
				checkText(t, text)
				lines := strings.Split(text, "\n")
				if len(lines) != 12 || slices.ContainsFunc(lines, func(l string) bool { return strings.HasPrefix(l, "ocwatch login --paste") }) {
					t.Errorf("%d lines:\n%s", len(lines), text)
				}
			}
		})
	}
}

// With the values that there are, nothing is said that reads like a gap in a
// form, and a phone has room for it.
func TestTextOfUsualValues(t *testing.T) {
	word := rapid.SampledFrom([]string{"", "openai", "openai:alice@example.com", "main"})
	rapid.Check(t, func(t *rapid.T) {
		e, loc := drawEvent(t, word), anyZone.Draw(t, "zone")
		for _, lang := range []Language{English, Chinese} {
			text := Of(e, lang, loc)
			if n := utf8.RuneCountInString(text); n > longestText {
				t.Fatalf("%d characters: %s", n, text)
			}
			for _, bad := range []string{"%!", "..", "。。", "  ", "<nil>", ": .", "：。", "All 0", "All 1 ", "All 2 ", "0001", "（）", "()"} {
				if strings.Contains(text, bad) {
					t.Fatalf("%q in %q", bad, text)
				}
			}
		}
	})
}

func FuzzText(f *testing.F) {
	for i, typ := range event.Types() {
		f.Add(string(typ), "openai", "openai:alice", samples[i%len(samples)], "https://auth.openai.com/codex/device", "ABCD-1234", i%2 == 0, int64(i)*3600, int16(i))
	}
	f.Add("pool.depleted", "open\nai", "\u202e", "restart failed: \x00", "http://%zz?redirect_uri=:", "\xff", true, int64(-1), int16(-840))
	f.Fuzz(func(t *testing.T, typ, provider, id, reason, link, code string, flag bool, ahead int64, east int16) {
		until := now.Add(time.Duration(ahead) * time.Second)
		p := event.Profile{ID: id, State: "dead", Reason: reason, Until: &until, Refused: flag}
		e := event.Event{Type: event.Type(typ), Timestamp: now, Data: event.Data{
			Provider: provider, Profile: id, Agent: provider, Reason: reason, Reminder: flag, RecoversAt: &until, Order: []string{id}, Profiles: []event.Profile{p, {ID: provider}},
			Login: &event.Login{URL: link, Code: code, Paste: flag, Command: id, ExpiresAt: &until},
		}}
		for _, lang := range []Language{English, Chinese} {
			checkText(t, Of(e, lang, time.FixedZone("", 60*int(east))))
		}
	})
}

// FuzzUnderstand: a clause of any shape is looked up in no time, and what is
// not known stays as it is.
func FuzzUnderstand(f *testing.F) {
	for _, s := range samples {
		f.Add(s)
	}
	f.Add(strings.Repeat("no profile, ", 50) + "boom")
	f.Add(strings.Repeat("the running gateway still uses the old order: ", 12) + "a; b, c")
	f.Add(strings.Repeat("the running gateway still uses the old order: ", 2000))
	f.Fuzz(func(t *testing.T, clause string) {
		begin := time.Now()
		u := understand(clause)
		if took := time.Since(begin); took > 5*time.Second {
			t.Fatalf("%q took %v", clause, took)
		}
		if clause != "" && u.known && u.text == "" {
			t.Fatalf("nothing is left of %q", clause)
		}
	})
}

// TestLanguagesTakeTheSame: each format has the arguments that the other
// language's has, each is there, and none is forgotten.
func TestLanguagesTakeTheSame(t *testing.T) {
	en, zh := formats(reflect.ValueOf(english), "words"), formats(reflect.ValueOf(chinese), "words")
	if len(en) < 60 || len(en) != len(zh) {
		t.Fatalf("%d texts in English, %d in Chinese", len(en), len(zh))
	}
	for field, format := range en {
		if format == "" || zh[field] == "" && field != "words.gap" {
			t.Errorf("%s is missing: %q, %q", field, format, zh[field])
		}
		if a, b := arguments(format), arguments(zh[field]); !slices.Equal(a, b) {
			t.Errorf("%s takes %v in English and %v in Chinese", field, a, b)
		}
	}
}

// formats are the texts of a struct; its functions are held by the messages.
func formats(v reflect.Value, path string) map[string]string {
	out := map[string]string{}
	for i := range v.NumField() {
		f, field := v.Field(i), path+"."+v.Type().Field(i).Name
		switch f.Kind() {
		case reflect.String:
			out[field] = f.String()
		case reflect.Array:
			for j := range f.Len() {
				maps.Copy(out, formats(f.Index(j), fmt.Sprint(field, j)))
			}
		}
	}
	return out
}

// arguments are a format's verbs, in the order of its arguments.
func arguments(format string) []string {
	var out []string
	next := 1
	for _, m := range regexp.MustCompile(`%(?:\[(\d)\])?([sd%])`).FindAllStringSubmatch(format, -1) {
		if m[1] != "" {
			next = int(m[1][0] - '0')
		}
		if m[2] != "%" {
			out = append(out, fmt.Sprint(next, m[2]))
			next++
		}
	}
	slices.Sort(out)
	return out
}
