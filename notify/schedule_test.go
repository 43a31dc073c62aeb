package notify

import (
	"net/http"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/ocwatch/ocwatch/internal/journal"
)

var noon = time.Date(2026, 11, 22, 12, 0, 0, 0, time.UTC)

func TestBackoff(t *testing.T) {
	for n, want := range map[int]time.Duration{
		1: 5 * time.Second, 2: 10 * time.Second, 5: 80 * time.Second, 10: 2560 * time.Second, 11: time.Hour, 1000: time.Hour,
	} {
		if got := backoff(n, 0); got != want {
			t.Errorf("backoff(%d) = %v, want %v", n, got, want)
		}
		if got := backoff(n, 1); got != want*3/4 {
			t.Errorf("backoff(%d) at most jitter = %v, want %v", n, got, want*3/4)
		}
	}
}

func TestRetryAfter(t *testing.T) {
	for name, c := range map[string]struct {
		status int
		header string
		want   time.Duration
	}{
		"seconds":              {429, "120", 2 * time.Minute},
		"503":                  {503, " 7 ", 7 * time.Second},
		"a date":               {429, noon.Add(time.Minute).Format(http.TimeFormat), time.Minute},
		"a date in the past":   {429, noon.Add(-time.Minute).Format(http.TimeFormat), 0},
		"more than an hour":    {429, "86400", time.Hour},
		"absurd":               {429, "18446744073709551615", time.Hour},
		"a date years away":    {429, noon.AddDate(10, 0, 0).Format(http.TimeFormat), time.Hour},
		"negative":             {429, "-5", 0},
		"nonsense":             {429, "soon", 0},
		"none":                 {429, "", 0},
		"not for other errors": {500, "120", 0},
	} {
		t.Run(name, func(t *testing.T) {
			if got := retryAfter(c.status, http.Header{"Retry-After": {c.header}}, noon); got != c.want {
				t.Errorf("got %v, want %v", got, c.want)
			}
		})
	}
}

func FuzzRetryAfter(f *testing.F) {
	for _, s := range []string{"1", "Sun, 22 Nov 2026 12:00:01 GMT", "-1", "99999999999999999999", "Sunday, 22-Nov-26 12:00:01 GMT"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		if d := retryAfter(429, http.Header{"Retry-After": {s}}, noon); d < 0 || d > MaxWait {
			t.Errorf("%q: %v", s, d)
		}
	})
}

// answered is what a webhook makes of a status, 0 for none.
func answered(code int) Answer {
	if code == 0 {
		return Answer{Text: "connection refused"}
	}
	return HTTPAnswer(code, nil, noon)
}

// Every status there is, and what becomes of the message.
func TestJudgeEveryStatus(t *testing.T) {
	for code := range 1000 {
		want := journal.Retry
		switch {
		case code >= 200 && code < 300:
			want = journal.Delivered
		case code == 410:
			want = journal.Gone
		}
		m := journal.Message{ID: "a", Endpoint: "ops", CreatedAt: noon}
		o := judge(m, answered(code), noon, 0.5)
		if o.Result != want || o.Attempts != 1 || (o.Err == "") != (want == journal.Delivered) {
			t.Errorf("%d: %+v, want %s", code, o, want)
		}
		definite := want == journal.Retry && code != 0 && code != 429 && code < 500
		if (o.Refusals == 1) != definite {
			t.Errorf("%d: %d refusals", code, o.Refusals)
		}
		m.Refusals, m.Attempts = 2, 2
		if o := judge(m, answered(code), noon, 0.5); (o.Result == journal.Dead) != definite {
			t.Errorf("%d for the third time: %+v", code, o)
		}
	}
}

func TestJudgeIsBounded(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		m := journal.Message{
			ID: "a", Endpoint: "ops", CreatedAt: noon, Attempts: rapid.IntRange(0, 1000).Draw(t, "attempts"),
			Refusals: rapid.IntRange(0, 2).Draw(t, "refusals"),
		}
		a := Answer{
			Kind:       rapid.SampledFrom([]AnswerKind{Failed, Refused}).Draw(t, "kind"),
			RetryAfter: time.Duration(rapid.Int64().Draw(t, "retry after")),
		}
		now := noon.Add(time.Duration(rapid.Int64Range(-int64(time.Hour), int64(4*24*time.Hour)).Draw(t, "age")))
		o := judge(m, a, now, rapid.Float64Range(0, 0.999).Draw(t, "jitter"))
		switch {
		case o.Result == journal.Dead:
			if now.Sub(noon) < giveUpAfter && o.Refusals < maxRefusals {
				t.Fatalf("given up early: %+v", o)
			}
		case o.NextAt.After(noon.Add(giveUpAfter)), o.NextAt.Sub(now) > MaxWait, !o.NextAt.After(now):
			t.Fatalf("next at %v after %v", o.NextAt, now)
		case o.NextAt.Sub(now) < min(a.RetryAfter, MaxWait) && !o.NextAt.Equal(noon.Add(giveUpAfter)):
			t.Fatal("earlier than the receiver asked for")
		}
	})
}

func TestUntilDue(t *testing.T) {
	for name, c := range map[string]struct {
		next time.Time
		want time.Duration
	}{
		"never tried":            {time.Time{}, 0},
		"past":                   {noon.Add(-time.Hour), 0},
		"soon":                   {noon.Add(time.Second), time.Second},
		"an hour":                {noon.Add(time.Hour), time.Hour},
		"the clock was set back": {noon.Add(time.Hour + 1), 0},
	} {
		if got := untilDue(c.next, noon); got != c.want {
			t.Errorf("%s: %v, want %v", name, got, c.want)
		}
	}
}

func TestAnswerText(t *testing.T) {
	for code, want := range map[int]string{
		204: "204 No Content", 302: "302 Found: redirects are not followed; set url to where it leads", 599: "599", 410: "410 Gone",
	} {
		if got := answered(code).Text; got != want {
			t.Errorf("%d: %q", code, got)
		}
	}
}
