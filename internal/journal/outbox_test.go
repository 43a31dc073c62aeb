package journal

import (
	"reflect"
	"testing"
	"time"
)

func queue(t *testing.T, j *Journal, endpoint string, ids ...string) {
	t.Helper()
	r := Round{At: day}
	for _, id := range ids {
		r.Messages = append(r.Messages, Message{ID: id, Endpoint: endpoint, Body: []byte(`{"id":"` + id + `"}`)})
	}
	commit(t, j, r)
}

func next(t *testing.T, j *Journal, endpoint string) Message {
	t.Helper()
	m, ok, err := j.NextMessage(t.Context(), endpoint)
	if err != nil || ok != (m.ID != "") {
		t.Fatalf("next of %s: %+v, %v, %v", endpoint, m, ok, err)
	}
	return m
}

func settle(t *testing.T, j *Journal, o Outcome) {
	t.Helper()
	if err := j.Settle(t.Context(), o); err != nil {
		t.Fatal(err)
	}
}

func TestOutboxKeepsTheOrderOfEachEndpoint(t *testing.T) {
	j := fresh(t)
	queue(t, j, "ops", "b", "a", "c")
	queue(t, j, "phone", "p")
	queue(t, j, "ops", "a") // the repetition of a commit whose answer was lost
	var got []string
	for m := next(t, j, "ops"); m.ID != ""; m = next(t, j, "ops") {
		got = append(got, m.ID)
		settle(t, j, Outcome{ID: m.ID, Endpoint: "ops", Result: Delivered, At: day})
	}
	if want := []string{"b", "a", "c"}; !reflect.DeepEqual(got, want) {
		t.Errorf("order = %v, want %v", got, want)
	}
	if m := next(t, j, "phone"); m.ID != "p" {
		t.Errorf("phone has %+v", m)
	}
}

func TestRetryStaysAtTheHead(t *testing.T) {
	j := fresh(t)
	queue(t, j, "ops", "a", "b")
	o := Outcome{ID: "a", Endpoint: "ops", Result: Retry, At: day, NextAt: day.Add(5 * time.Second), Attempts: 1, Refusals: 1, Err: "503"}
	settle(t, j, o)
	settle(t, j, o) // repeated: the same
	want := Message{
		ID: "a", Endpoint: "ops", Body: []byte(`{"id":"a"}`), CreatedAt: day, Attempts: 1, Refusals: 1,
		NextAt: day.Add(5 * time.Second), LastError: "503",
	}
	if got := next(t, open(t, j.path), "ops"); !reflect.DeepEqual(got, want) {
		t.Errorf("got  %+v\nwant %+v", got, want)
	}
}

func TestSettleLeavesTheDeadAlone(t *testing.T) {
	j := fresh(t)
	queue(t, j, "ops", "a", "b")
	settle(t, j, Outcome{ID: "a", Endpoint: "ops", Result: Dead, At: day, Err: "404"})
	settle(t, j, Outcome{ID: "a", Endpoint: "ops", Result: Delivered, At: day})
	settle(t, j, Outcome{ID: "a", Endpoint: "ops", Result: Retry, At: day})
	settle(t, j, Outcome{ID: "unheard of", Endpoint: "nobody", Result: Delivered, At: day})
	want := []EndpointStatus{{Endpoint: "ops", Pending: 1, Dead: 1, LastError: "404"}}
	if got, err := j.Outbox(t.Context()); err != nil || !reflect.DeepEqual(got, want) {
		t.Errorf("outbox = %+v, %v", got, err)
	}
	if err := j.Settle(t.Context(), Outcome{ID: "b", Endpoint: "ops", Result: "nonsense"}); err == nil {
		t.Error("an unknown result was taken")
	}
}

func TestOutboxStatus(t *testing.T) {
	j := fresh(t)
	queue(t, j, "ops", "a", "b", "c")
	queue(t, j, "phone", "p")
	queue(t, j, "quiet", "q")
	settle(t, j, Outcome{ID: "a", Endpoint: "ops", Result: Delivered, At: day.Add(time.Minute)})
	settle(t, j, Outcome{ID: "b", Endpoint: "ops", Result: Retry, At: day, Err: "503"})
	settle(t, j, Outcome{ID: "p", Endpoint: "phone", Result: Gone, At: day, Target: "h1", Err: "410"})
	want := []EndpointStatus{
		{Endpoint: "ops", Pending: 2, LastError: "503", LastDelivered: day.Add(time.Minute)},
		{Endpoint: "phone", Dead: 1, LastError: "410", Disabled: true},
		{Endpoint: "quiet", Pending: 1},
	}
	if got, err := j.Outbox(t.Context()); err != nil || !reflect.DeepEqual(got, want) {
		t.Errorf("got  %+v, %v\nwant %+v", got, err, want)
	}
}

func TestGoneHoldsUntilTheTargetChanges(t *testing.T) {
	j := fresh(t)
	enabled := func(target string) bool {
		t.Helper()
		ok, err := j.Enabled(t.Context(), "ops", target)
		if err != nil {
			t.Fatal(err)
		}
		return ok
	}
	if !enabled("h1") {
		t.Error("an unknown endpoint is disabled")
	}
	queue(t, j, "ops", "a", "b")
	settle(t, j, Outcome{ID: "a", Endpoint: "ops", Result: Gone, At: day, Target: "h1", Err: "410"})
	if enabled("h1") {
		t.Error("enabled after Gone")
	}
	settle(t, j, Outcome{ID: "b", Endpoint: "ops", Result: Dead, At: day, Err: "disabled"})
	j = open(t, j.path)
	if enabled("h1") {
		t.Error("enabled after a dead letter and a restart")
	}
	for _, target := range []string{"h2", "h2", "h1"} {
		if !enabled(target) {
			t.Errorf("disabled at %s, though another target lifted the mark", target)
		}
	}
}
