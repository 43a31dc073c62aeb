package journal

import (
	"encoding/json"
	"errors"
	"maps"
	"math"
	"path/filepath"
	"reflect"
	"strconv"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/ocwatch/ocwatch/internal/quota"
)

func TestStateIsByPrefix(t *testing.T) {
	j := fresh(t)
	commit(t, j, Round{At: day, State: map[string]json.RawMessage{
		"pool/main/openai": json.RawMessage(`{"a":1}`), "pool/work/openai": json.RawMessage(`{}`),
		"pool_x": json.RawMessage(`2`), "account/acct-1": json.RawMessage(`[3]`),
	}})
	commit(t, j, Round{At: day, State: map[string]json.RawMessage{
		"pool/main/openai": json.RawMessage(`{"a":2}`), "pool/work/openai": nil, "never/there": nil,
	}})
	for prefix, want := range map[string]string{
		"pool/":    `{"pool/main/openai":{"a":2}}`,
		"account/": `{"account/acct-1":[3]}`,
		"":         `{"account/acct-1":[3],"pool/main/openai":{"a":2},"pool_x":2}`,
		"%":        `{}`,
	} {
		docs, err := j.State(t.Context(), prefix)
		if err != nil {
			t.Fatal(err)
		}
		if b, err := json.Marshal(docs); err != nil || string(b) != want {
			t.Errorf("State(%q) = %s, %v; want %s", prefix, b, err, want)
		}
	}
}

func TestCommitIsAllOrNothing(t *testing.T) {
	cases := map[string]Round{
		"a document that is no JSON": {State: map[string]json.RawMessage{"a": json.RawMessage(`1`), "b": json.RawMessage(`{`)}},
		"a message without an id":    {State: map[string]json.RawMessage{"a": json.RawMessage(`1`)}, Messages: []Message{{ID: "msg_1", Endpoint: "ops", Body: []byte(`{}`)}, {Endpoint: "ops", Body: []byte(`{}`)}}},
		"a message without a body":   {State: map[string]json.RawMessage{"a": json.RawMessage(`1`)}, Messages: []Message{{ID: "msg_1", Endpoint: "ops"}}},
		"a message without a target": {State: map[string]json.RawMessage{"a": json.RawMessage(`1`)}, Messages: []Message{{ID: "msg_1", Body: []byte(`{}`)}}},
	}
	for name, r := range cases {
		t.Run(name, func(t *testing.T) {
			j := fresh(t)
			r.At = day
			r.Restarts = []Restart{{At: day}}
			if err := j.Commit(t.Context(), r); err == nil {
				t.Fatal("no error")
			}
			restarts, err := j.Restarts(t.Context(), time.Time{})
			if got := state(t, j); got != `{}` || len(restarts) != 0 || err != nil {
				t.Errorf("stored: %s, %v, %v", got, restarts, err)
			}
			if m, err := j.NextMessages(t.Context(), "ops", 1); len(m) > 0 || err != nil {
				t.Errorf("a message was stored (%v)", err)
			}
		})
	}
}

func TestHistoryComesBackAsItWas(t *testing.T) {
	j := fresh(t)
	switches := []Switch{
		{
			At: day, Agent: "main", Provider: "openai", From: "openai:alice", To: "openai:bob", Order: []string{"openai:bob", "openai:alice"},
			Reason: "alice is low", Via: "rpc", By: ByOcwatch, Took: 140 * time.Millisecond, Steps: json.RawMessage(`{"set":100}`),
		},
		{At: day.Add(time.Hour), Agent: "main", Provider: "openai", To: "openai:alice", By: ByOther, Before: []string{"openai:bob"}},
	}
	restarts := []Restart{
		{At: day.Add(-time.Hour), Reason: "old", Via: "dbus", OK: true, Took: 10 * time.Second},
		{At: day, Reason: "the gateway did not see the order", Via: "rpc", Took: time.Minute, Err: "no health within 6 minutes"},
	}
	commit(t, j, Round{At: day, Switches: switches, Restarts: restarts})

	got, err := j.Switches(t.Context(), 10)
	if err != nil || len(got) != 2 || !reflect.DeepEqual(got[1], switches[0]) || !reflect.DeepEqual(got[0], switches[1]) {
		t.Errorf("switches = %+v, %v", got, err)
	}
	if got, err := j.Switches(t.Context(), 1); err != nil || len(got) != 1 || got[0].To != "openai:alice" {
		t.Errorf("the newest = %+v, %v", got, err)
	}
	if got, err := j.SwitchesSince(t.Context(), day.Add(time.Minute)); err != nil || !reflect.DeepEqual(got, switches[1:]) {
		t.Errorf("those since = %+v, %v", got, err)
	}
	first := switches[0]
	first.Order, first.Steps = nil, nil
	if got, err := j.FirstsSince(t.Context(), day); err != nil || len(got) != 2 || !reflect.DeepEqual(got[0], first) || got[1].Before != nil {
		t.Errorf("without the orders = %+v, %v", got, err)
	}
	if got, err := j.Restarts(t.Context(), day.Add(-time.Minute)); err != nil || !reflect.DeepEqual(got, restarts[1:]) {
		t.Errorf("restarts = %+v, %v", got, err)
	}
}

// filled sets every field of a struct, so that a field that is added later and
// not stored fails the test.
func filled(v reflect.Value) {
	switch v.Kind() {
	case reflect.Struct:
		if v.Type() == reflect.TypeFor[time.Time]() {
			v.Set(reflect.ValueOf(day.Add(7 * time.Minute)))
			return
		}
		for _, field := range v.Fields() {
			filled(field)
		}
	case reflect.Pointer:
		v.Set(reflect.New(v.Type().Elem()))
		filled(v.Elem())
	case reflect.Slice:
		v.Set(reflect.MakeSlice(v.Type(), 1, 1))
		filled(v.Index(0))
	case reflect.String:
		v.SetString("some text")
	case reflect.Bool:
		v.SetBool(true)
	case reflect.Int, reflect.Int64:
		v.SetInt(12345)
	case reflect.Float64:
		v.SetFloat(12.5)
	default:
		panic("unhandled kind " + v.Kind().String())
	}
}

func TestReadingComesBackAsItWas(t *testing.T) {
	j := fresh(t)
	var r quota.Reading
	filled(reflect.ValueOf(&r).Elem())
	commit(t, j, Round{At: day, Readings: []quota.Reading{r}})
	got, err := j.Readings(t.Context(), r.Account, time.Time{})
	if err != nil || len(got) != 1 || !reflect.DeepEqual(got[0], r) {
		t.Errorf("got  %+v, %v\nwant %+v", got, err, r)
	}
}

func TestAbsurdReadingDoesNotCostTheRound(t *testing.T) {
	j := fresh(t)
	far := time.Date(20000, 1, 1, 0, 0, 0, 0, time.UTC)
	commit(t, j, Round{At: day, Readings: []quota.Reading{{
		Account: "acct-1", At: day, Verdict: quota.Exhausted, Until: far,
		Windows: []quota.Window{{Name: "5h", UsedPercent: new(math.NaN()), ResetsAt: far}},
	}}})
	got, err := j.Readings(t.Context(), "acct-1", time.Time{})
	if err != nil || len(got) != 1 || !got[0].Until.IsZero() || got[0].Windows[0].UsedPercent != nil {
		t.Errorf("got %+v, %v", got, err)
	}
}

func TestReadingsAreThinned(t *testing.T) {
	at := func(after time.Duration, v quota.Verdict, used float64) quota.Reading {
		return quota.Reading{
			Account: "acct-1", At: day.Add(after), Verdict: v,
			Windows: []quota.Window{{Name: "5h", UsedPercent: new(used)}},
		}
	}
	cases := map[string]struct {
		next quota.Reading
		want bool
	}{
		"the same a minute later":     {at(time.Minute, quota.OK, 10), false},
		"less than a percent":         {at(time.Minute, quota.OK, 10.9), false},
		"a percent up":                {at(time.Minute, quota.OK, 11), true},
		"a percent down":              {at(time.Minute, quota.OK, 9), true},
		"another verdict":             {at(time.Minute, quota.Throttled, 10), true},
		"a quarter of an hour":        {at(15*time.Minute, quota.OK, 10), true},
		"just short of it":            {at(15*time.Minute-1, quota.OK, 10), false},
		"the clock was set back":      {at(-time.Hour, quota.OK, 10), true},
		"no windows any more":         {quota.Reading{Account: "acct-1", At: day, Verdict: quota.OK}, true},
		"another window":              {quota.Reading{Account: "acct-1", At: day, Verdict: quota.OK, Windows: []quota.Window{{Name: "weekly", UsedPercent: quota.Percent(10)}}}, true},
		"the percentage went missing": {quota.Reading{Account: "acct-1", At: day, Verdict: quota.OK, Windows: []quota.Window{{Name: "5h"}}}, true},
		"another account":             {quota.Reading{Account: "acct-2", At: day, Verdict: quota.OK}, true},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			j := fresh(t)
			commit(t, j, Round{At: day, Readings: []quota.Reading{at(0, quota.OK, 10), c.next}})
			var n int
			if err := j.db.QueryRowContext(t.Context(), "SELECT count(*) FROM reading").Scan(&n); err != nil || n == 2 != c.want {
				t.Errorf("%d readings stored, %v; kept should be %v", n, err, c.want)
			}
		})
	}
}

// After the clock was set back the newest time stays ahead for long; thinning
// goes on all the same.
func TestReadingsAreThinnedAfterTheClockWasSetBack(t *testing.T) {
	j := fresh(t)
	for _, after := range []time.Duration{0, -time.Hour, -59 * time.Minute, -58 * time.Minute} {
		commit(t, j, Round{At: day, Readings: []quota.Reading{{Account: "acct-1", At: day.Add(after), Verdict: quota.OK}}})
	}
	got, err := j.Readings(t.Context(), "acct-1", time.Time{})
	if err != nil || len(got) != 2 {
		t.Errorf("%d readings kept, %v; want 2", len(got), err)
	}
}

func TestOldThingsArePruned(t *testing.T) {
	j := fresh(t)
	now := day.Add(500 * 24 * time.Hour)
	ago := func(days int) time.Time { return now.Add(-time.Duration(days) * 24 * time.Hour) }
	old := Round{At: now}
	for _, days := range []int{401, 399, 91, 89, 31, 29} {
		old.Readings = append(old.Readings, quota.Reading{Account: "acct-1", At: ago(days)})
		old.Switches = append(old.Switches, Switch{At: ago(days)})
		old.Restarts = append(old.Restarts, Restart{At: ago(days)})
		old.Logins = append(old.Logins, Login{At: ago(days)})
		old.Episodes = append(old.Episodes, Episode{Kind: EpisodeBlind, Since: ago(days), Until: ago(days)})
		old.Messages = append(old.Messages, Message{ID: ago(days).String(), Endpoint: "ops", Body: []byte(`{}`), CreatedAt: ago(days)})
	}
	commit(t, j, old)
	var counts [6]int
	err := j.db.QueryRowContext(t.Context(), `SELECT (SELECT count(*) FROM reading), (SELECT count(*) FROM switch),
		(SELECT count(*) FROM restart), (SELECT count(*) FROM outbox), (SELECT count(*) FROM login), (SELECT count(*) FROM episode)`).
		Scan(&counts[0], &counts[1], &counts[2], &counts[3], &counts[4], &counts[5])
	if want := [6]int{3, 5, 5, 1, 5, 5}; err != nil || counts != want {
		t.Errorf("left: %v, %v; want %v", counts, err, want)
	}

	commit(t, j, Round{At: now.Add(time.Minute), Readings: []quota.Reading{{Account: "acct-1", At: ago(100)}}})
	if got, err := j.Readings(t.Context(), "acct-1", ago(200)); err != nil || len(got) != 4 {
		t.Errorf("pruned again within the hour: %d left, %v", len(got), err)
	}
	commit(t, j, Round{At: now.Add(2 * time.Hour)})
	if got, err := j.Readings(t.Context(), "acct-1", ago(200)); err != nil || len(got) != 3 {
		t.Errorf("not pruned after an hour: %d left, %v", len(got), err)
	}
}

// A provider that names another plan each time fills the file for 90 days, and
// no longer.
func TestShapesArePruned(t *testing.T) {
	j := fresh(t)
	r := Round{At: day}
	for i := range keepShapes + 1 {
		r.Readings = append(r.Readings, quota.Reading{Account: "acct-1", At: day.Add(-time.Duration(i) * time.Hour), Plan: strconv.Itoa(i)})
	}
	commit(t, j, r)
	commit(t, j, Round{At: day.Add(80 * 24 * time.Hour), Readings: []quota.Reading{{Account: "acct-1", At: day.Add(80 * 24 * time.Hour)}}})
	var readings, shapes int
	err := j.db.QueryRowContext(t.Context(), "SELECT (SELECT count(*) FROM reading), (SELECT count(*) FROM shape)").Scan(&readings, &shapes)
	if err != nil || readings != 242 || shapes != readings {
		t.Errorf("%d readings of %d shapes, %v", readings, shapes, err)
	}
}

// The journal against a plain map, over failing commits and reopening.
func TestStateModel(t *testing.T) {
	if testing.Short() {
		t.Skip("SQLite takes many seconds for it under the race detector; -short leaves it out")
	}
	key := rapid.SampledFrom([]string{"pool/a", "pool/b", "account/x", "intent/1"})
	doc := rapid.SampledFrom([]json.RawMessage{nil, json.RawMessage(`1`), json.RawMessage(`{"a":[]}`), json.RawMessage(`"é"`)})
	rapid.Check(t, func(r *rapid.T) {
		j, err := Open(t.Context(), filepath.Join(t.TempDir(), "data", "journal.db"))
		if err != nil {
			r.Fatal(err)
		}
		defer func() { _ = j.Close() }()
		model := map[string]json.RawMessage{}
		for _, step := range rapid.SliceOfN(rapid.SampledFrom([]string{"commit", "commit", "fail", "reopen"}), 1, 6).Draw(r, "steps") {
			docs := rapid.MapOf(key, doc).Draw(r, "docs")
			switch step {
			case "commit":
				err = j.Commit(t.Context(), Round{At: day, State: docs})
				maps.Copy(model, docs)
				maps.DeleteFunc(model, func(_ string, d json.RawMessage) bool { return d == nil })
			case "fail":
				docs["zz"] = json.RawMessage("no JSON")
				if j.Commit(t.Context(), Round{At: day, State: docs}) == nil {
					r.Fatal("no error")
				}
			case "reopen":
				j, err = reopen(j, r)
			}
			if err != nil {
				r.Fatal(err)
			}
			got, err := j.State(t.Context(), "")
			if err != nil || !reflect.DeepEqual(got, model) {
				r.Fatalf("after %s: got %s, %v; want %s", step, got, err, model)
			}
		}
	})
}

func reopen(j *Journal, r *rapid.T) (*Journal, error) {
	if err := j.Close(); err != nil {
		return j, err
	}
	again, err := Open(r.Context(), j.path)
	if err == nil && len(again.Notes()) > 0 {
		err = errors.New(strings.Join(again.Notes(), "; "))
	}
	return again, err
}

// Nothing that changes nothing reaches the disk: an idle watchdog must not
// wear it out.
func TestIdleRoundWritesNothing(t *testing.T) {
	j := fresh(t)
	r := Round{
		At: day, State: map[string]json.RawMessage{"pool/main/openai": json.RawMessage(`{}`), "gone": nil},
		Readings: []quota.Reading{{Account: "acct-1", At: day, Verdict: quota.OK}},
	}
	commit(t, j, r)
	// data_version of a second connection moves with every commit that wrote.
	other := open(t, j.path)
	version := func() (n int) {
		t.Helper()
		if err := other.db.QueryRowContext(t.Context(), "PRAGMA data_version").Scan(&n); err != nil {
			t.Fatal(err)
		}
		return n
	}
	before := version()
	r.At, r.Readings[0].At = day.Add(time.Minute), day.Add(time.Minute)
	commit(t, j, r)
	if after := version(); after != before {
		t.Error("an idle round wrote to the file")
	}
	r.State["pool/main/openai"] = json.RawMessage(`{"a":1}`)
	commit(t, j, r)
	if after := version(); after == before {
		t.Error("the test cannot see writes")
	}
}
