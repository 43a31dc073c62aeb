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

// next is the oldest pending message, the zero Message where there is none.
func next(t *testing.T, j *Journal, endpoint string) Message {
	t.Helper()
	list, err := j.NextMessages(t.Context(), endpoint, 1)
	if err != nil || len(list) > 1 {
		t.Fatalf("next of %s: %+v, %v", endpoint, list, err)
	}
	return append(list, Message{})[0]
}

func settle(t *testing.T, j *Journal, list ...Outcome) {
	t.Helper()
	if err := j.Settle(t.Context(), list); err != nil {
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
	want := []EndpointStatus{{Endpoint: "ops", Pending: 1, Dead: 1, LastError: "404", LastDead: &DeadMessage{At: day, Error: "404"}}}
	if got, err := j.Outbox(t.Context()); err != nil || !reflect.DeepEqual(got, want) {
		t.Errorf("outbox = %+v, %v", got, err)
	}
}

// A batch is settled as one: where one member cannot be, none is.
func TestSettleIsAllOrNothing(t *testing.T) {
	j := fresh(t)
	queue(t, j, "ops", "a", "b", "c", "d")
	done := func(id string) Outcome { return Outcome{ID: id, Endpoint: "ops", Result: Delivered, At: day} }
	if err := j.Settle(t.Context(), []Outcome{done("a"), {ID: "b", Endpoint: "ops", Result: "nonsense"}}); err == nil {
		t.Error("an unknown result was taken")
	}
	pending := func(want ...string) {
		t.Helper()
		list, err := j.NextMessages(t.Context(), "ops", 3)
		var got []string
		for _, m := range list {
			got = append(got, m.ID)
		}
		if err != nil || !reflect.DeepEqual(got, want) {
			t.Errorf("pending %q, %v; want %q", got, err, want)
		}
	}
	pending("a", "b", "c")
	settle(t, j, done("a"), done("unheard of"), done("b"))
	pending("c", "d")
	settle(t, j, done("a"), done("b")) // repeated
	settle(t, j)
	pending("c", "d")
}

func TestLastDeadIsTheNewest(t *testing.T) {
	j := fresh(t)
	for i, typ := range []string{"pool.depleted", "pool.recovered", "test"} {
		body := []byte(`{"type":"` + typ + `","data":{"message":"x"}}`)
		commit(t, j, Round{At: day, Messages: []Message{{ID: typ, Endpoint: "ops", Body: body, CreatedAt: day.Add(time.Duration(i) * time.Hour)}}})
	}
	for _, id := range []string{"pool.recovered", "pool.depleted"} { // in whatever order they die
		settle(t, j, Outcome{ID: id, Endpoint: "ops", Result: Dead, At: day, Err: id + " was refused"})
	}
	want := []EndpointStatus{{
		Endpoint: "ops", Pending: 1, Dead: 2, LastError: "pool.depleted was refused",
		LastDead: &DeadMessage{Event: "pool.recovered", At: day.Add(time.Hour), Error: "pool.recovered was refused"},
	}}
	if got, err := j.Outbox(t.Context()); err != nil || !reflect.DeepEqual(got, want) {
		t.Errorf("got %+v, %v", got, err)
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
		{Endpoint: "phone", Dead: 1, LastError: "410", Disabled: true, LastDead: &DeadMessage{At: day, Error: "410"}},
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
