package journal

import (
	"database/sql"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"reflect"
	"testing"
	"time"

	"github.com/ocwatch/ocwatch/internal/quota"
)

func TestLoginsComeBackAsTheyWereAndOnce(t *testing.T) {
	j := fresh(t)
	var l Login
	filled(reflect.ValueOf(&l).Elem())
	other := l
	other.Outcome = LoginCancelled
	for range 2 {
		commit(t, j, Round{At: day, Logins: []Login{l, other}})
	}
	got, err := j.Logins(t.Context(), day)
	if err != nil || !reflect.DeepEqual(got, []Login{l, other}) {
		t.Errorf("got  %+v, %v\nwant %+v", got, err, l)
	}
	if got, err := j.Logins(t.Context(), day.Add(time.Hour)); err != nil || len(got) != 0 {
		t.Errorf("since later: %+v, %v", got, err)
	}
}

func TestEpisodes(t *testing.T) {
	at := func(minute int) time.Time { return day.Add(time.Duration(minute) * time.Minute) }
	begin := func(kind EpisodeKind, agent string, since int) Episode {
		return Episode{Kind: kind, Agent: agent, Provider: "openai", Since: at(since), Reason: "all are spent"}
	}
	end := func(kind EpisodeKind, agent string, since, until int) Episode {
		e := begin(kind, agent, since)
		e.Until = at(until)
		return e
	}
	lost := func(e Episode) Episode { e.Lost = true; return e }
	for name, tc := range map[string]struct {
		stored []Episode
		since  int
		want   []Episode
	}{
		"one that goes on":       {[]Episode{begin(EpisodeDepleted, "main", 0)}, 60, []Episode{begin(EpisodeDepleted, "main", 0)}},
		"one that ended":         {[]Episode{begin(EpisodeDepleted, "main", 0), end(EpisodeDepleted, "main", 0, 9)}, 5, []Episode{end(EpisodeDepleted, "main", 0, 9)}},
		"one that ended before":  {[]Episode{begin(EpisodeDepleted, "main", 0), end(EpisodeDepleted, "main", 0, 9)}, 10, nil},
		"stored twice":           {[]Episode{begin(EpisodeBlind, "main", 0), begin(EpisodeBlind, "main", 0), end(EpisodeBlind, "main", 0, 9), begin(EpisodeBlind, "main", 0)}, 0, []Episode{end(EpisodeBlind, "main", 0, 9)}},
		"its beginning was lost": {[]Episode{end(EpisodeBlind, "main", 0, 9)}, 0, []Episode{end(EpisodeBlind, "main", 0, 9)}},
		"its end was lost":       {[]Episode{begin(EpisodeBlind, "main", 0), begin(EpisodeBlind, "main", 7)}, 0, []Episode{lost(begin(EpisodeBlind, "main", 0)), begin(EpisodeBlind, "main", 7)}},
		"a lost one is past":     {[]Episode{begin(EpisodeBlind, "main", 0), begin(EpisodeBlind, "main", 7)}, 5, []Episode{begin(EpisodeBlind, "main", 7)}},
		"others do not end it":   {[]Episode{begin(EpisodeBlind, "main", 0), begin(EpisodeBlind, "work", 1), begin(EpisodeDepleted, "main", 2)}, 0, []Episode{begin(EpisodeBlind, "main", 0), begin(EpisodeBlind, "work", 1), begin(EpisodeDepleted, "main", 2)}},
		"the clock was set back": {[]Episode{begin(EpisodeBlind, "main", 5), end(EpisodeBlind, "main", 5, 1)}, 0, []Episode{end(EpisodeBlind, "main", 5, 1)}},
		"of no pool":             {[]Episode{{Kind: EpisodeBlind, Since: at(0)}}, 0, []Episode{{Kind: EpisodeBlind, Since: at(0)}}},
	} {
		t.Run(name, func(t *testing.T) {
			j := fresh(t)
			for _, e := range tc.stored {
				commit(t, j, Round{At: day, Episodes: []Episode{e}})
			}
			got, err := j.Episodes(t.Context(), at(tc.since))
			if err != nil || !reflect.DeepEqual(got, tc.want) {
				t.Errorf("got  %+v, %v\nwant %+v", got, err, tc.want)
			}
		})
	}
}

// A journal of schema 1 keeps all that it had.
func TestMigrationFromSchema1(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "data")
	if err := os.Mkdir(dir, dirMode); err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(dir, "journal.db")
	db, err := sql.Open("sqlite", path)
	if err != nil {
		t.Fatal(err)
	}
	if err := migrate(t.Context(), db, migrations()[:1]); err != nil {
		t.Fatal(err)
	}
	reading := quota.Reading{
		Account: "acct-1", Provider: "openai", At: day, Source: quota.FromUsage, Verdict: quota.OK, Plan: "plus",
		Windows: []quota.Window{{Name: quota.FiveHour, UsedPercent: quota.Percent(12.5), ResetsAt: day.Add(time.Hour), Length: 5 * time.Hour, Spent: true}},
	}
	doc, err := json.Marshal(reading1{Reading: reading, Windows: []window1{{Window: reading.Windows[0], Length: 5 * time.Hour, Spent: true}}})
	if err != nil {
		t.Fatal(err)
	}
	_, err = db.ExecContext(t.Context(), fmt.Sprintf(`
		INSERT INTO reading (account, at, doc) VALUES ('acct-1', %[1]d, '%[2]s'), ('acct-2', %[1]d, '%[2]s');
		INSERT INTO state VALUES ('k', '1', 0);
		INSERT INTO outbox (id, endpoint, body, created_at) VALUES ('msg_1', 'ops', x'7b7d', %[1]d);
		INSERT INTO restart (at, reason, via, ok, took_ns, error) VALUES (%[1]d, 'why', 'rpc', 1, 5, '');
		INSERT INTO switch (at, agent, provider, from_profile, to_profile, profile_order, reason, via, took_ns, steps) VALUES
			(%[1]d, 'main', 'openai', 'a', 'b', '["b","a"]', 'a is low', 'rpc', 5, ''),
			(%[1]d, 'main', 'openai', 'b', 'a', '["a","b"]', 'set by somebody else', 'other', 0, ''),
			(%[1]d, 'main', 'openai', 'a', 'c', '["c","a"]', 'OpenClaw put the profile of a fresh login first', 'other', 0, '')`,
		millis(day), doc))
	if err != nil {
		t.Fatal(err)
	}
	if err := db.Close(); err != nil {
		t.Fatal(err)
	}

	j := open(t, path)
	if len(j.Notes()) != 0 {
		t.Errorf("notes = %q", j.Notes())
	}
	if got, err := j.Readings(t.Context(), "acct-1", time.Time{}); err != nil || len(got) != 1 || !reflect.DeepEqual(got[0], reading) {
		t.Errorf("reading %+v, %v; want %+v", got, err, reading)
	}
	if got, err := j.Accounts(t.Context()); err != nil || !reflect.DeepEqual(got, []string{"acct-1", "acct-2"}) {
		t.Errorf("accounts %q, %v", got, err)
	}
	var by []string
	switches, err := j.SwitchesSince(t.Context(), day)
	for _, s := range switches {
		by = append(by, s.By)
	}
	if want := []string{ByOcwatch, ByOther, ByOpenClaw}; err != nil || !reflect.DeepEqual(by, want) {
		t.Errorf("set by %q, %v; want %q", by, err, want)
	}
	if m, err := j.NextMessages(t.Context(), "ops", 9); err != nil || len(m) != 1 {
		t.Errorf("messages %+v, %v", m, err)
	}
	if r, err := j.Restarts(t.Context(), day); err != nil || len(r) != 1 || state(t, j) != `{"k":1}` {
		t.Errorf("restarts %+v, %v, state %s", r, err, state(t, j))
	}
	// Thinning goes on from a reading of before.
	next := reading
	next.At = day.Add(time.Minute)
	commit(t, j, Round{At: day, Readings: []quota.Reading{next}})
	if got, err := j.Readings(t.Context(), "acct-1", time.Time{}); err != nil || len(got) != 1 {
		t.Errorf("%d readings, %v", len(got), err)
	}
}
