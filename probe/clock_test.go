package probe

import (
	"net/http"
	"testing"
	"time"
)

func TestReset(t *testing.T) {
	t.Parallel()
	const window = 5 * time.Hour
	in := func(d time.Duration) time.Time { return noon.Add(d) }
	tests := map[string]struct {
		date   time.Duration // the provider's clock, relative to ours
		at     time.Time
		after  time.Duration // 0: not said
		length time.Duration
		want   time.Time
	}{
		"both agree: the absolute one, which does not tremble": {0, in(time.Hour), time.Hour + time.Second, window, in(time.Hour)},
		"only absolute":                               {0, in(time.Hour), 0, window, in(time.Hour)},
		"only relative":                               {0, time.Time{}, time.Hour, window, in(time.Hour)},
		"neither":                                     {0, time.Time{}, 0, window, time.Time{}},
		"our clock is an hour fast":                   {-time.Hour, in(time.Hour), 2 * time.Hour, window, in(2 * time.Hour)},
		"our clock is an hour slow":                   {time.Hour, in(3 * time.Hour), 2 * time.Hour, window, in(2 * time.Hour)},
		"fast, and no relative time":                  {-time.Hour, in(time.Hour), 0, window, in(2 * time.Hour)},
		"fast, so that it seems passed":               {-3 * time.Hour, in(-time.Hour), 0, window, in(2 * time.Hour)},
		"30 s apart is latency, not skew":             {-30 * time.Second, in(time.Hour), 0, window, in(time.Hour)},
		"absolute passed, relative stands in":         {0, in(-time.Hour), 20 * time.Minute, window, in(20 * time.Minute)},
		"absolute further than the window is long":    {0, in(200 * time.Hour), 20 * time.Minute, window, in(20 * time.Minute)},
		"further than the window, and nothing better": {0, in(200 * time.Hour), 0, window, in(200 * time.Hour)},
		"length unknown":                              {0, in(200 * time.Hour), 20 * time.Minute, 0, in(200 * time.Hour)},
		"ten years away":                              {0, in(10 * 365 * day), 0, window, in(10 * 365 * day)},
		"ten years away, relative stands in":          {0, in(10 * 365 * day), time.Hour, window, in(time.Hour)},
		"passed, and nothing better":                  {0, in(-time.Hour), 0, window, in(-time.Hour)},
		"a Date of 1970 is no clock":                  {-57 * 365 * day, in(time.Hour), 0, window, in(time.Hour)},
		"a reset of 28 to 31 days is a month":         {0, in(31 * day), time.Hour, 30 * day, in(31 * day)},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			h := http.Header{"Date": {noon.Add(tt.date).Format(http.TimeFormat)}}
			got := readClock(noon, h).reset(tt.at, tt.after, tt.after > 0, tt.length)
			if !got.Equal(tt.want) {
				t.Errorf("%s, want %s", relative(got, noon), relative(tt.want, noon))
			}
		})
	}
}

func TestClockReadsCachedAnswers(t *testing.T) {
	t.Parallel()
	tests := map[string]struct {
		header http.Header
		want   time.Duration
	}{
		"no date":           {http.Header{}, 0},
		"garbled date":      {http.Header{"Date": {"yesterday"}}, 0},
		"fresh":             {http.Header{"Date": {noon.Add(-10 * time.Minute).Format(http.TimeFormat)}}, 10 * time.Minute},
		"ten minutes old":   {http.Header{"Date": {noon.Add(-10 * time.Minute).Format(http.TimeFormat)}, "Age": {"600"}}, 0},
		"an age of nothing": {http.Header{"Date": {noon.Add(-10 * time.Minute).Format(http.TimeFormat)}, "Age": {"old"}}, 10 * time.Minute},
	}
	for name, tt := range tests {
		if got := readClock(noon, tt.header).skew; got != tt.want {
			t.Errorf("%s: skew %s, want %s", name, got, tt.want)
		}
	}
}

func TestRetryAfter(t *testing.T) {
	t.Parallel()
	tests := map[string]struct {
		header string
		skew   time.Duration
		want   time.Duration // 0: not said
	}{
		"seconds":                {"700", 0, 700 * time.Second},
		"spaces":                 {" 30 ", 0, 30 * time.Second},
		"zero is a busy edge":    {"0", 0, 0},
		"negative":               {"-5", 0, 0},
		"absent":                 {"", 0, 0},
		"garbled":                {"soon", 0, 0},
		"fraction":               {"1.5", 0, 0},
		"date":                   {noon.Add(time.Hour).Format(http.TimeFormat), 0, time.Hour},
		"date that passed":       {noon.Add(-time.Hour).Format(http.TimeFormat), 0, 0},
		"date by a clock behind": {noon.Add(-time.Hour).Format(http.TimeFormat), 2 * time.Hour, time.Hour},
		"longer than a day":      {"99999999", 0, day},
		"a number too large":     {"99999999999999999999", 0, 0},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			var want time.Time
			if tt.want > 0 {
				want = noon.Add(tt.want)
			}
			if got := retryAfter(tt.header, clock{now: noon, skew: tt.skew}); !got.Equal(want) {
				t.Errorf("%s, want %s", relative(got, noon), relative(want, noon))
			}
		})
	}
}

// Where no wait is named, the end of a rate limit counts that has nothing left.
func TestAskAgain(t *testing.T) {
	t.Parallel()
	tests := map[string]struct {
		retry, left, reset string
		skew               time.Duration
		want               time.Duration // 0: not said
	}{
		"a wait is named":         {"30", "0", "1800000600", 0, 30 * time.Second},
		"seconds since 1970":      {"", "0", "1800000600", 0, 10 * time.Minute},
		"milliseconds":            {"", "0", "1800000600000", 0, 10 * time.Minute},
		"by a clock behind":       {"", "0", "1799999400", time.Hour, 50 * time.Minute},
		"a wait of nothing":       {"0", "0", "1800000600", 0, 10 * time.Minute},
		"something left":          {"", "12", "1800000600", 0, 0},
		"left unsaid":             {"", "", "1800000600", 0, 0},
		"passed":                  {"", "0", "1799999999", 0, 0},
		"a span in place of time": {"", "0", "60", 0, 0},
		"absent":                  {"", "0", "", 0, 0},
		"garbled":                 {"", "0", `"}`, 0, 0},
		"weeks away":              {"", "0", "1802000000", 0, day},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			h := http.Header{"Retry-After": {tt.retry}, "X-Ratelimit-Remaining": {tt.left}, "X-Ratelimit-Reset": {tt.reset}}
			var want time.Time
			if tt.want > 0 {
				want = noon.Add(tt.want)
			}
			if got := askAgain(h, clock{now: noon, skew: tt.skew}); !got.Equal(want) {
				t.Errorf("%s, want %s", relative(got, noon), relative(want, noon))
			}
		})
	}
}
