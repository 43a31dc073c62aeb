package journal

import (
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/ocwatch/ocwatch/internal/quota"
)

// account is one whose owner works twelve hours a day: its five-hour window
// fills seven times a week, and its weekly window once.
type account struct {
	key          string
	five, weekly float64 // percent used
	fiveEnds     time.Time
	weekEnds     time.Time
	random       *rand.Rand
}

func (a *account) minute(now time.Time) quota.Reading {
	if !now.Before(a.fiveEnds) {
		a.five, a.fiveEnds = 0, now.Add(5*time.Hour)
	}
	if !now.Before(a.weekEnds) {
		a.weekly, a.weekEnds = 0, now.Add(7*24*time.Hour)
	}
	if h := now.Hour(); h >= 8 && h < 20 && a.weekly < 100 {
		step := a.random.Float64() * 2 * 100 / (12 * 60)
		a.five, a.weekly = min(100, a.five+step), min(100, a.weekly+step/7)
	}
	r := quota.Reading{
		Account: a.key, Provider: "openai", At: now, Source: quota.FromUsage, Verdict: quota.OK, Plan: "plus", Repeats: 12,
		Windows: []quota.Window{
			{Name: quota.FiveHour, UsedPercent: quota.Percent(float64(int(a.five))), ResetsAt: a.fiveEnds, Length: 5 * time.Hour},
			{Name: quota.Weekly, UsedPercent: quota.Percent(float64(int(a.weekly))), ResetsAt: a.weekEnds, Length: 7 * 24 * time.Hour},
			{Name: quota.Weekly, Scope: "one-model", UsedPercent: quota.Percent(0), ResetsAt: a.weekEnds, Length: 7 * 24 * time.Hour},
		},
		Credits: &quota.Credits{Unit: "credits", Balance: 12.5},
	}
	if a.five >= 100 || a.weekly >= 100 {
		r.Verdict, r.Until, r.Reason = quota.Exhausted, a.fiveEnds, "5h window 100 % used"
	}
	return r
}

// season journals days of accounts that are asked every minute, a commit an
// hour, and returns how many readings were kept.
func season(tb testing.TB, j *Journal, accounts, days int) (kept int) {
	tb.Helper()
	as := make([]*account, accounts)
	for i := range as {
		as[i] = &account{
			key: fmt.Sprintf("acct-%016x", i), random: rand.New(rand.NewPCG(1, uint64(i))),
			weekEnds: day.Add(time.Duration(i) * 17 * time.Hour),
		}
	}
	for hour := range days * 24 {
		start := day.Add(time.Duration(hour) * time.Hour)
		rd := Round{At: start.Add(59 * time.Minute)}
		for m := range 60 {
			for _, a := range as {
				rd.Readings = append(rd.Readings, a.minute(start.Add(time.Duration(m)*time.Minute)))
			}
		}
		if hour%24 == 0 {
			rd.Switches = []Switch{{At: start, Order: []string{"openai:alice@example.com", "openai:bob@example.com"}, Reason: "alice is low"}}
		}
		if err := j.Commit(tb.Context(), rd); err != nil {
			tb.Fatal(err)
		}
	}
	if err := j.db.QueryRowContext(tb.Context(), "SELECT count(*) FROM reading").Scan(&kept); err != nil {
		tb.Fatal(err)
	}
	return kept
}

// size is what the closed journal takes on disk.
func size(tb testing.TB, j *Journal) int64 {
	tb.Helper()
	if err := j.Close(); err != nil {
		tb.Fatal(err)
	}
	info, err := os.Stat(j.path)
	if err != nil {
		tb.Fatal(err)
	}
	return info.Size()
}

// Ten accounts and 90 days are 900 of these account days.
func TestReadingsStaySmall(t *testing.T) {
	if testing.Short() {
		t.Skip("eight days of readings take many seconds under the race detector; -short leaves it out")
	}
	const accounts, days, most = 2, 8, 50 << 20
	j := fresh(t)
	kept := season(t, j, accounts, days)
	bytes := size(t, j)
	perReading, season := bytes/int64(kept), bytes*900/(accounts*days)
	t.Logf("%d bytes a reading, %d readings a day and account, %.1f MB for 10 accounts and 90 days",
		perReading, kept/(accounts*days), float64(season)/(1<<20))
	if kept < accounts*days*24*4 {
		t.Errorf("%d readings kept: not one a quarter of an hour", kept)
	}
	if perReading > 200 || season > most {
		t.Errorf("%d bytes a reading, %d bytes for 10 accounts and 90 days, want at most %d", perReading, season, most)
	}
}

// BenchmarkOpen opens a journal of 10 accounts and 90 days, which checks it.
func BenchmarkOpen(b *testing.B) {
	j, err := Open(b.Context(), filepath.Join(b.TempDir(), "data", "journal.db"))
	if err != nil {
		b.Fatal(err)
	}
	kept := season(b, j, 10, 90)
	bytes := size(b, j)
	for b.Loop() {
		again, err := Open(b.Context(), j.path)
		if err != nil {
			b.Fatal(err)
		}
		if err := again.Close(); err != nil {
			b.Fatal(err)
		}
	}
	b.ReportMetric(float64(bytes)/(1<<20), "MB")
	b.ReportMetric(float64(bytes)/float64(kept), "B/reading")
}
