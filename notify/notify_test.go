package notify

import (
	"bytes"
	"encoding/json"
	"io"
	"os"
	"reflect"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/rs/zerolog"

	"github.com/ocwatch/ocwatch/internal/event"
	"github.com/ocwatch/ocwatch/internal/journal"
	"github.com/ocwatch/ocwatch/internal/secret"
	"github.com/ocwatch/ocwatch/notify/text"
)

// golden is the body that receivers were promised, to the byte.
const golden = `{"type":"pool.depleted","timestamp":"2026-11-22T10:00:00Z",
 "data":{"host":"srv1","agent":"main","provider":"openai","action":"login","message":"All 3 openai accounts are spent. First back: openai:bob at 18:40 UTC.",
  "recovers_at":"2026-11-22T18:40:00Z","order":["openai:bob","openai:alice","openai:carol"],
  "profiles":[{"id":"openai:bob","state":"exhausted","reason":"5h window 100 % used","until":"2026-11-22T18:40:00Z"}],
  "login":{"url":"https://auth.openai.com/codex/device","code":"ABCD-1234","expires_at":"2026-11-22T10:15:00Z","command":"ocwatch login --provider openai"}}}`

func at(hour, minute int) time.Time { return time.Date(2026, 11, 22, hour, minute, 0, 0, time.UTC) }

func depleted() event.Event {
	// Times as they come: with fractions, and in another zone.
	zone := time.FixedZone("", 8*3600)
	until, expires := at(18, 40).In(zone).Add(300*time.Millisecond), at(10, 15)
	return event.Event{Type: event.PoolDepleted, Timestamp: at(10, 0).In(zone).Add(time.Millisecond), Data: event.Data{
		Agent: "main", Provider: "openai", Action: event.ActionLogin, RecoversAt: &until,
		Message:  "All 3 openai accounts are spent. First back: openai:bob at 18:40 UTC.",
		Order:    []string{"openai:bob", "openai:alice", "openai:carol"},
		Profiles: []event.Profile{{ID: "openai:bob", State: "exhausted", Reason: "5h window 100 % used", Until: &until}},
		Login: &event.Login{
			URL: "https://auth.openai.com/codex/device", Code: "ABCD-1234", ExpiresAt: &expires,
			Command: "ocwatch login --provider openai",
		},
	}}
}

func routed(t *testing.T, e event.Event, eps ...Endpoint) []journal.Message {
	t.Helper()
	for i := range eps {
		eps[i].Sender = hooked(t, secret.New(testURL), secret.Value{}, nil)
	}
	n, err := New(Options{Endpoints: eps, Store: &memory{}, Host: "srv1", Location: time.UTC, Now: func() time.Time { return noon }})
	if err != nil {
		t.Fatal(err)
	}
	ms, err := n.Route(e)
	if err != nil {
		t.Fatal(err)
	}
	return ms
}

func compact(t *testing.T, s string) string {
	t.Helper()
	var b bytes.Buffer
	if err := json.Compact(&b, []byte(s)); err != nil {
		t.Fatal(err)
	}
	return b.String()
}

func TestBodyIsAsPromised(t *testing.T) {
	e := depleted()
	ms := routed(t, e, Endpoint{Name: "ops"})
	if got, want := string(ms[0].Body), compact(t, golden); got != want {
		t.Errorf("got  %s\nwant %s", got, want)
	}
	if e.Data.Profiles[0].Until.Nanosecond() == 0 || e.Data.Host != "" {
		t.Error("the caller's event was changed")
	}
}

func TestRoute(t *testing.T) {
	eps := []Endpoint{
		{Name: "all"},
		{Name: "some", Events: []event.Type{event.PoolRecovered, event.PoolDepleted}},
		{Name: "none", Events: []event.Type{event.GatewayDown}},
	}
	ms := routed(t, depleted(), eps...)
	if len(ms) != 2 || ms[0].Endpoint != "all" || ms[1].Endpoint != "some" {
		t.Fatalf("messages: %+v", ms)
	}
	id := regexp.MustCompile(`^msg_[A-Z2-7]{26}$`)
	for _, m := range ms {
		if !id.MatchString(m.ID) || !m.CreatedAt.Equal(noon) || m.Attempts != 0 {
			t.Errorf("message: %+v", m)
		}
	}
	if ms[0].ID == ms[1].ID {
		t.Error("two messages of one id")
	}
}

// Each endpoint reads its own language; all else is the same for all.
func TestRouteSpeaksEachLanguage(t *testing.T) {
	ms := routed(t, event.Event{Type: event.PoolRecovered, Data: event.Data{Provider: "openai", To: "openai:bob"}},
		Endpoint{Name: "silent"}, Endpoint{Name: "english", Language: text.English}, Endpoint{Name: "chinese", Language: text.Chinese})
	var texts []string
	for _, m := range ms {
		var e event.Event
		if err := json.Unmarshal(m.Body, &e); err != nil {
			t.Fatal(err)
		}
		if want := text.Of(event.Event{Type: e.Type, Timestamp: e.Timestamp, Data: event.Data{Host: "srv1", Provider: "openai", To: "openai:bob"}},
			map[string]text.Language{"chinese": text.Chinese}[m.Endpoint], time.UTC); e.Data.Message != want {
			t.Errorf("%s reads %q, want %q", m.Endpoint, e.Data.Message, want)
		}
		texts = append(texts, e.Data.Message)
	}
	if texts[0] != texts[1] || texts[1] == texts[2] {
		t.Errorf("texts: %q", texts)
	}
}

func TestRouteFillsIn(t *testing.T) {
	far := time.Date(12000, 1, 1, 0, 0, 0, 0, time.UTC)
	cases := map[string]struct {
		in   event.Event
		want string
	}{
		"time and text": {
			event.Event{Type: event.Test},
			`{"type":"test","timestamp":"2026-11-22T12:00:00Z","data":{"host":"srv1","message":"This is a test from ocwatch on srv1. Nothing has happened."}}`,
		},
		"what is given stays": {
			event.Event{Type: event.Test, Timestamp: at(10, 0), Data: event.Data{Host: "srv2", Message: "hi & bye"}},
			`{"type":"test","timestamp":"2026-11-22T10:00:00Z","data":{"host":"srv2","message":"hi & bye"}}`,
		},
		"a time past the year 9999": {event.Event{Type: event.ProfileExhausted, Timestamp: at(10, 0), Data: event.Data{
			Message: "x", RecoversAt: &far, Profiles: []event.Profile{{ID: "a", State: "exhausted", Until: &far}}, Login: &event.Login{ExpiresAt: &far},
		}}, `{"type":"profile.exhausted","timestamp":"2026-11-22T10:00:00Z","data":{"host":"srv1","message":"x","profiles":[{"id":"a","state":"exhausted"}],"login":{"command":""}}}`},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			if got := string(routed(t, c.in, Endpoint{Name: "ops"})[0].Body); got != c.want {
				t.Errorf("got  %s\nwant %s", got, c.want)
			}
		})
	}
}

func TestNewRefuses(t *testing.T) {
	good := Endpoint{Name: "ops", Sender: hooked(t, secret.New(testURL), secret.New(testSecret), nil)}
	with := func(f func(*Endpoint)) Endpoint { ep := good; f(&ep); return ep }
	cases := map[string]struct {
		eps  []Endpoint
		want string
	}{
		"no name":           {[]Endpoint{with(func(ep *Endpoint) { ep.Name = "" })}, "needs a name"},
		"a name twice":      {[]Endpoint{good, good}, `"ops": the name is used twice`},
		"no sender":         {[]Endpoint{with(func(ep *Endpoint) { ep.Sender = nil })}, "needs a sender"},
		"unknown language":  {[]Endpoint{with(func(ep *Endpoint) { ep.Language = "de" })}, "the languages are en and zh"},
		"an unknown event":  {[]Endpoint{with(func(ep *Endpoint) { ep.Events = []event.Type{"pool.empty"} })}, "pool.depleted"},
		"the second is bad": {[]Endpoint{good, with(func(ep *Endpoint) { ep.Name, ep.Sender = "two", nil })}, `endpoint "two"`},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			_, err := New(Options{Endpoints: c.eps, Log: zerolog.New(io.Discard)})
			if err == nil || !strings.Contains(err.Error(), c.want) {
				t.Fatalf("err = %v, want %q", err, c.want)
			}
		})
	}
}

func TestWebhookRefuses(t *testing.T) {
	cases := map[string]struct{ url, secret, want string }{
		"no url":         {"", "", "https://host/path is meant"},
		"another scheme": {"ftp://user:pa55word@host/T0PSECRET", "", "https://host/path is meant"},
		"no host":        {"https:///T0PSECRET", "", "https://host/path is meant"},
		"not a url":      {"https://h/%zzT0PSECRET", "", "https://host/path is meant"},
		"a bad secret":   {testURL, "MfKQ9r8G", "openssl rand"},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			_, err := Webhook(secret.New(c.url), secret.New(c.secret), "ocwatch/1.2.3", nil)
			if err == nil || !strings.Contains(err.Error(), c.want) {
				t.Fatalf("err = %v, want %q", err, c.want)
			}
			mustHide(t, "the error", err.Error())
		})
	}
}

// docs/events.md is the contract with receivers: each type has a section, and
// the example in it is what ocwatch really sends.
func TestDocumentedExamples(t *testing.T) {
	page, err := os.ReadFile("../docs/events.md")
	if err != nil {
		t.Fatal(err)
	}
	section := regexp.MustCompile("(?s)\n### `([a-z_.]+)`\n(.*?)```json\n(.*?)```")
	found := section.FindAllStringSubmatch(string(page), -1)
	types := event.Types()
	if len(found) != len(types) {
		t.Fatalf("%d sections, %d types", len(found), len(types))
	}
	for i, f := range found {
		t.Run(f[1], func(t *testing.T) {
			if f[1] != string(types[i]) {
				t.Fatalf("section %s stands where %s belongs", f[1], types[i])
			}
			var e event.Event
			dec := json.NewDecoder(strings.NewReader(f[3]))
			dec.DisallowUnknownFields()
			if err := dec.Decode(&e); err != nil {
				t.Fatal(err)
			}
			if e.Type != types[i] {
				t.Errorf("the example is of type %s", e.Type)
			}
			e.Data.Message = ""
			got := string(routed(t, e, Endpoint{Name: "ops"})[0].Body)
			if want := compact(t, f[3]); got != want {
				t.Errorf("ocwatch sends\n%s\nthe page says\n%s", got, want)
			}
		})
	}
}

// Every field of the JSON is explained.
func TestDocumentedFields(t *testing.T) {
	page, err := os.ReadFile("../docs/events.md")
	if err != nil {
		t.Fatal(err)
	}
	for _, field := range jsonFields(reflect.TypeFor[event.Data]()) {
		if !strings.Contains(string(page), "| `data."+field+"` |") {
			t.Errorf("data.%s is not explained", field)
		}
	}
}

// jsonFields are the names of a struct's fields as docs/events.md has them.
func jsonFields(typ reflect.Type) []string {
	var names []string
	for f := range typ.Fields() {
		name, _, _ := strings.Cut(f.Tag.Get("json"), ",")
		if name == "-" {
			continue // never sent
		}
		inner := f.Type
		switch inner.Kind() {
		case reflect.Slice:
			inner, name = inner.Elem(), name+"[]"
		case reflect.Pointer:
			inner = inner.Elem()
		}
		if inner.PkgPath() != typ.PkgPath() || inner.Kind() != reflect.Struct {
			names = append(names, strings.TrimSuffix(name, "[]"))
			continue
		}
		for _, sub := range jsonFields(inner) {
			names = append(names, name+"."+sub)
		}
	}
	return names
}
