package text

import (
	"testing"
	"time"
)

func TestClock(t *testing.T) {
	cases := map[string]struct {
		zone, now, at string // now and at in UTC
		en, zh        string
	}{
		"today": {
			"UTC", "2026-11-22 10:00", "2026-11-22 18:40",
			"at 18:40 UTC, in 8 h 40 min", "18:40 UTC，8 小时 40 分后",
		},
		"today here": {
			"Europe/Berlin", "2026-11-22 10:00", "2026-11-22 18:40",
			"at 18:40 UTC (19:40 here), in 8 h 40 min", "18:40 UTC（本地 19:40），8 小时 40 分后",
		},
		"the same clock under another name": {
			"Europe/London", "2026-11-22 10:00", "2026-11-22 18:40",
			"at 18:40 UTC, in 8 h 40 min", "18:40 UTC，8 小时 40 分后",
		},
		"tomorrow": {
			"UTC", "2026-11-22 10:00", "2026-11-23 10:00",
			"on Mon 23 Nov 10:00 UTC, in 1 day", "11月23日周一 10:00 UTC，1 天后",
		},
		"tomorrow here, today in UTC": {
			"Asia/Shanghai", "2026-11-22 10:00", "2026-11-22 18:40",
			"on Sun 22 Nov 18:40 UTC (Mon 23 Nov 02:40 here), in 8 h 40 min", "11月22日周日 18:40 UTC（本地 11月23日周一 02:40），8 小时 40 分后",
		},
		"today here, tomorrow in UTC": {
			"America/New_York", "2026-11-22 23:00", "2026-11-23 04:00",
			"at 04:00 UTC (23:00 here), in 5 h", "04:00 UTC（本地 23:00），5 小时后",
		},
		"today here, and UTC has turned to the same date": {
			"Asia/Shanghai", "2026-11-22 22:00", "2026-11-23 01:30",
			"at 01:30 UTC (09:30 here), in 3 h 30 min", "01:30 UTC（本地 09:30），3 小时 30 分后",
		},
		"another day, one date": {
			"Asia/Shanghai", "2026-11-22 10:00", "2026-11-25 07:00",
			"on Wed 25 Nov 07:00 UTC (15:00 here), in 2 days 21 h", "11月25日周三 07:00 UTC（本地 15:00），2 天 21 小时后",
		},
		"half an hour": {
			"Asia/Kolkata", "2026-11-22 10:00", "2026-11-22 12:40",
			"at 12:40 UTC (18:10 here), in 2 h 40 min", "12:40 UTC（本地 18:10），2 小时 40 分后",
		},
		"three quarters of an hour, over midnight here": {
			"Asia/Kathmandu", "2026-11-22 10:00", "2026-11-22 18:40",
			"on Sun 22 Nov 18:40 UTC (Mon 23 Nov 00:25 here), in 8 h 40 min", "11月22日周日 18:40 UTC（本地 11月23日周一 00:25），8 小时 40 分后",
		},
		"west of Greenwich, yesterday there": {
			"America/St_Johns", "2026-11-22 10:00", "2026-11-24 02:00",
			"on Tue 24 Nov 02:00 UTC (Mon 23 Nov 22:30 here), in 1 day 16 h", "11月24日周二 02:00 UTC（本地 11月23日周一 22:30），1 天 16 小时后",
		},
		"summer time begins in between": {
			"Europe/Berlin", "2026-03-28 22:00", "2026-03-29 03:00",
			"on Sun 29 Mar 03:00 UTC (05:00 here), in 5 h", "3月29日周日 03:00 UTC（本地 05:00），5 小时后",
		},
		"summer time ends in between": {
			"Europe/Berlin", "2026-10-24 22:30", "2026-10-25 05:00",
			"at 05:00 UTC (06:00 here), in 6 h 30 min", "05:00 UTC（本地 06:00），6 小时 30 分后",
		},
		"the hour that comes twice": {
			"Europe/Berlin", "2026-10-25 00:30", "2026-10-25 01:30",
			"at 01:30 UTC (02:30 here), in 1 h", "01:30 UTC（本地 02:30），1 小时后",
		},
		"London has summer time by then": {
			"Europe/London", "2026-03-28 22:00", "2026-03-29 10:00",
			"on Sun 29 Mar 10:00 UTC (11:00 here), in 12 h", "3月29日周日 10:00 UTC（本地 11:00），12 小时后",
		},
		"the year turns tonight": {
			"UTC", "2026-12-31 22:00", "2027-01-01 03:00",
			"on Fri 1 Jan 03:00 UTC, in 5 h", "1月1日周五 03:00 UTC，5 小时后",
		},
		"the year turns here only": {
			"Asia/Shanghai", "2026-12-31 10:00", "2026-12-31 17:00",
			"on Thu 31 Dec 17:00 UTC (Fri 1 Jan 01:00 here), in 7 h", "12月31日周四 17:00 UTC（本地 1月1日周五 01:00），7 小时后",
		},
		"next year, not near": {
			"Europe/Berlin", "2026-12-20 10:00", "2027-01-11 00:00",
			"on 11 Jan 2027 00:00 UTC (01:00 here), in 22 days", "2027年1月11日 00:00 UTC（本地 01:00），22 天后",
		},
		"in a minute": {
			"UTC", "2026-11-22 10:00", "2026-11-22 10:01",
			"at 10:01 UTC, in 1 min", "10:01 UTC，1 分钟后",
		},
		"now": {
			"UTC", "2026-11-22 10:00", "2026-11-22 10:00",
			"at 10:00 UTC", "10:00 UTC",
		},
		"past": {
			"UTC", "2026-11-22 10:00", "2026-11-21 09:00",
			"on Sat 21 Nov 09:00 UTC", "11月21日周六 09:00 UTC",
		},
	}
	parse := func(t *testing.T, s string) time.Time {
		t.Helper()
		at, err := time.Parse("2006-01-02 15:04", s)
		if err != nil {
			t.Fatal(err)
		}
		return at
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			loc, err := time.LoadLocation(c.zone)
			if err != nil {
				t.Fatal(err)
			}
			for w, want := range map[*words]string{&english: c.en, &chinese: c.zh} {
				// Neither zone may depend on the one that a time was read in.
				clk, at := clock{now: parse(t, c.now).In(loc), loc: loc, w: w}, parse(t, c.at).Local()
				if got := clk.at(at) + clk.hint(at); got != want {
					t.Errorf("got  %s\nwant %s", got, want)
				}
			}
		})
	}
}

func TestDays(t *testing.T) {
	for until, want := range map[time.Duration]string{
		30 * 24 * time.Hour:               "in 30 days",
		7*24*time.Hour - time.Minute:      "in 7 days",
		6*24*time.Hour + 22*time.Hour:     "in 7 days",
		2*24*time.Hour + 3*time.Hour:      "in 2 days",
		24*time.Hour - 20*time.Second:     "in 1 day",
		23 * time.Hour:                    "in 23 h",
		23*time.Hour + 45*time.Minute:     "in 1 day",
		5*time.Hour + 20*time.Minute:      "in 5 h 20 min",
		20 * time.Second:                  "in 1 min",
		-time.Second:                      "soon",
		0:                                 "soon",
		365 * 24 * time.Hour:              "in 365 days",
		29*24*time.Hour + 13*time.Hour:    "in 30 days",
		24*time.Hour + 11*time.Hour:       "in 1 day",
		13*24*time.Hour + 12*time.Hour:    "in 14 days",
		time.Hour + 59*time.Minute + 31e9: "in 2 h",
	} {
		at := now.Add(until)
		if got := (clock{now: now, loc: time.UTC, w: &english}).days(&at); got != want {
			t.Errorf("%v: %q, want %q", until, got, want)
		}
	}
}
