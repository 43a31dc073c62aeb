package forecast

import (
	"testing"
	"time"

	"github.com/ocwatch/ocwatch/internal/quota"
)

// reading is one of an account with a five-hour window, so many minutes before
// noon, that is reset so long after noon.
func reading(ago time.Duration, used float64, reset time.Duration) quota.Reading {
	return quota.Reading{At: noon.Add(-ago), Verdict: quota.OK, Windows: []quota.Window{{
		Name: quota.FiveHour, Length: 5 * time.Hour, UsedPercent: quota.Percent(used), ResetsAt: noon.Add(reset),
	}}}
}

// line is a window that fills evenly from a percentage at an earlier time to one
// now, read every so often.
func line(since, every time.Duration, from, to float64, reset time.Duration) []quota.Reading {
	var list []quota.Reading
	for ago := since; ago >= 0; ago -= every {
		list = append(list, reading(ago, to-(to-from)*ago.Hours()/since.Hours(), reset))
	}
	return list
}

func join(lists ...[]quota.Reading) []quota.Reading {
	var out []quota.Reading
	for _, l := range lists {
		out = append(out, l...)
	}
	return out
}

func one(readings ...quota.Reading) Pool {
	return Pool{SwitchAt: 95, Accounts: []Account{{ID: "alice", Readings: readings}}}
}

func TestWindow(t *testing.T) {
	t.Parallel()
	const m = time.Minute
	even := line(2*time.Hour, 15*m, 15, 55, 3*time.Hour) // 20 % an hour: 95 % in two hours
	change := func(list []quota.Reading, f func(i int, r *quota.Reading)) []quota.Reading {
		out := join(list)
		for i := range out {
			out[i].Windows = append([]quota.Window(nil), out[i].Windows...)
			out[i].Windows[0].UsedPercent = quota.Percent(*out[i].Windows[0].UsedPercent)
			f(i, &out[i])
		}
		return out
	}
	tests := map[string]struct {
		readings   []quota.Reading
		in         time.Duration // until it is reached, 0: never
		within     time.Duration
		confidence Confidence
	}{
		"even":               {even, 2 * time.Hour, m, High},
		"reset first":        {line(2*time.Hour, 15*m, 15, 55, time.Hour), 0, 0, High},
		"a reading a minute": {line(2*time.Hour, m, 15, 55, 3*time.Hour), 2 * time.Hour, m, High},
		"three readings":     {line(2*time.Hour, time.Hour, 15, 55, 3*time.Hour), 2 * time.Hour, m, High},
		"rounded to whole percents": {change(even, func(_ int, r *quota.Reading) {
			*r.Windows[0].UsedPercent = float64(int(*r.Windows[0].UsedPercent))
		}), 2 * time.Hour, 10 * m, High},
		"in steps": {change(even, func(_ int, r *quota.Reading) {
			*r.Windows[0].UsedPercent = float64(int(*r.Windows[0].UsedPercent)/10) * 10
		}), 2*time.Hour + 30*m, 40 * m, Low},
		"reset times that jitter": {change(even, func(i int, r *quota.Reading) {
			r.Windows[0].ResetsAt = r.Windows[0].ResetsAt.Add(time.Duration(i%5-2) * time.Second)
		}), 2 * time.Hour, m, High},
		"a reset that slides": {change(even, func(_ int, r *quota.Reading) {
			r.Windows[0].ResetsAt = r.At.Add(5 * time.Hour)
		}), 2 * time.Hour, m, High},
		"no reset known": {change(even, func(_ int, r *quota.Reading) { r.Windows[0].ResetsAt = time.Time{} }), 2 * time.Hour, m, High},
		"missing percentages": {change(even, func(i int, r *quota.Reading) {
			if i%3 == 1 {
				r.Windows[0].UsedPercent = nil
			}
		}), 2 * time.Hour, m, High},
		"absurd percentages": {change(even, func(i int, r *quota.Reading) {
			if i%3 == 1 {
				r.Windows[0].UsedPercent, r.Windows[0].SuspectPercent = quota.Percent(-3), true
			}
		}), 2 * time.Hour, m, High},
		"a peak that was corrected": {change(even, func(i int, r *quota.Reading) {
			if i == 4 {
				*r.Windows[0].UsedPercent += 5
			}
		}), 2 * time.Hour, 5 * m, High},
		"answers missing": {change(even, func(i int, r *quota.Reading) {
			if i%3 == 1 {
				*r = quota.Reading{At: r.At, Verdict: quota.Unreachable}
			}
		}), 2 * time.Hour, m, High},
		"over a reset": {
			join(line(4*time.Hour, 15*m, 10, 90, -2*time.Hour+time.Second)[:8], line(2*time.Hour, 15*m, 0, 40, 3*time.Hour)),
			165 * m, 15 * m, High,
		},
		"given back early": {
			join(line(4*time.Hour, 15*m, 10, 90, time.Hour)[:8], line(2*time.Hour, 15*m, 0, 40, 3*time.Hour)),
			165 * m, 15 * m, High,
		},
		"just begun to fill": {join(line(10*time.Hour, 15*m, 0, 0, 5*time.Hour)[:39], line(15*m, 5*m, 0, 10, 5*time.Hour)), 0, 0, Low},
		"stands still":       {line(2*time.Hour, 15*m, 55, 55, 3*time.Hour), 0, 0, High},
		"nearly there":       {line(2*time.Hour, 15*m, 54.9, 94.9, 3*time.Hour), m, m, High},
		"beyond":             {line(2*time.Hour, 15*m, 56, 96, 3*time.Hour), 0, 0, High},
		"at a plateau of 99": {line(2*time.Hour, 15*m, 99, 99, 3*time.Hour), 0, 0, High},
		"one reading":        {even[8:], 0, 0, Unknown},
		"two in a minute":    {join(line(m, m, 54, 55, 3*time.Hour)), 0, 0, Unknown},
		"read hours ago":     {even[:4], 0, 0, Unknown},
		"no percentage":      {change(even, func(_ int, r *quota.Reading) { r.Windows[0].UsedPercent = nil }), 0, 0, Unknown},
		"readings to come":   {change(even, func(_ int, r *quota.Reading) { r.At = r.At.Add(5 * time.Hour) }), 0, 0, Unknown},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			f := Of(noon, one(tt.readings...))
			if len(f.Windows) == 0 {
				f.Windows = []Window{{Confidence: Unknown}}
			}
			w := f.Windows[0]
			if (tt.in == 0) != w.At.IsZero() || tt.in > 0 && (w.At.Sub(noon)-tt.in).Abs() > tt.within {
				t.Errorf("reached in %s (%s), want %s", w.At.Sub(noon), w.At, tt.in)
			}
			if w.Confidence != tt.confidence {
				t.Errorf("confidence %s, want %s: %+v", w.Confidence, tt.confidence, w)
			}
		})
	}
}

func TestPool(t *testing.T) {
	t.Parallel()
	const h, m = time.Hour, time.Minute
	spent := func(back time.Duration) []quota.Reading {
		r := reading(m, 100, back)
		r.Verdict, r.Until = quota.Exhausted, noon.Add(back)
		return []quota.Reading{r}
	}
	idle := func() []quota.Reading { return line(2*h, 15*m, 0, 0, 5*h) }
	busy := line(2*h, 15*m, 15, 55, 3*h) // 20 % an hour
	planned := func(plan string, list []quota.Reading) []quota.Reading {
		out := join(list)
		for i := range out {
			out[i].Plan = plan
		}
		return out
	}
	type account = Account
	tests := map[string]struct {
		accounts   []account
		dry, back  time.Duration // after noon; 0: none
		last       string
		first      string
		confidence Confidence
	}{
		"one account":         {[]account{{ID: "alice", Readings: busy}}, 132 * m, 3 * h, "alice", "alice", High},
		"a second in reserve": {[]account{{ID: "alice", Readings: busy}, {ID: "bob", Readings: idle()}}, 0, 0, "", "", High},
		"a second that lasts until the first is back": {
			[]account{{ID: "alice", Readings: busy}, {ID: "bob", Readings: line(2*h, 15*m, 80, 80, 4*h)}},
			0, 0, "", "", High,
		},
		"a second nearly spent": {
			[]account{{ID: "alice", Readings: busy}, {ID: "bob", Readings: line(2*h, 15*m, 90, 90, 4*h)}},
			2*h + 39*m, 3 * h, "bob", "alice", High,
		},
		"a second spent": {
			[]account{{ID: "alice", Readings: busy}, {ID: "bob", Readings: spent(170 * m)}},
			132 * m, 170 * m, "alice", "bob", High,
		},
		"a second spent, back in time": {[]account{{ID: "alice", Readings: busy}, {ID: "bob", Readings: spent(h)}}, 0, 0, "", "", High},
		"a second that needs a login": {
			[]account{{ID: "alice", Readings: busy}, {ID: "bob", Dead: true, Readings: idle()}},
			132 * m, 3 * h, "alice", "alice", High,
		},
		"a second of which nothing is known": {[]account{{ID: "alice", Readings: busy}, {ID: "bob"}}, 0, 0, "", "", Unknown},
		"a second that is a key": {[]account{{ID: "alice", Readings: busy}, {ID: "key", Readings: []quota.Reading{
			{At: noon.Add(-m), Verdict: quota.OK, Source: quota.FromValidity},
		}}}, 0, 0, "", "", High},
		"spent by now": {[]account{{ID: "alice", Readings: join(busy, spent(h))}}, -1, h, "", "alice", High},
		"spent, nobody knows until when": {[]account{{ID: "alice", Readings: join(busy, []quota.Reading{
			{At: noon.Add(-m + time.Second), Verdict: quota.Exhausted},
		})}}, -1, 0, "", "", High},
		"two plans": {
			[]account{{ID: "alice", Readings: planned("pro", busy)}, {ID: "bob", Readings: planned("plus", spent(170*m))}},
			132 * m, 170 * m, "alice", "bob", Low,
		},
		"nobody": {nil, 0, 0, "", "", Unknown},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			f := Of(noon, Pool{SwitchAt: 95, Accounts: tt.accounts})
			at := func(got time.Time, want time.Duration) bool {
				switch want {
				case 0:
					return got.IsZero()
				case -1:
					return got.Equal(noon)
				}
				return !got.IsZero() && (got.Sub(noon)-want).Abs() <= 2*m
			}
			if !at(f.Dry, tt.dry) || !at(f.Back, tt.back) || f.Last != tt.last || f.First != tt.first || f.Confidence != tt.confidence {
				t.Errorf("dry in %s after %q, back in %s with %q, %s\nwant %+v", f.Dry.Sub(noon), f.Last, f.Back.Sub(noon), f.First, f.Confidence, tt)
			}
		})
	}
}
