package profiles

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/ocwatch/ocwatch/internal/openclaw"
)

func TestSnapshotOfAllAgents(t *testing.T) {
	in := &install{
		agents: []string{"main", "work", "lost", "odd"},
		docs: map[string]openclaw.Documents{
			"main": documents(openclaw.SharedDatabase, profilesDoc(oauthEntry("openai:a"), keyEntry("zai:k")), ""),
			"work": documents(openclaw.SharedDatabase, profilesDoc(oauthEntry("openai:a")), `{"order":{"openai":["openai:a"]}}`),
			"odd":  documents(openclaw.SharedDatabase, `{"version":1,"profiles":[]}`, ""),
		},
		errs: map[string]error{"lost": &openclaw.StoreError{Path: "/x.sqlite", Kind: openclaw.Busy, Fix: "wait"}},
	}
	snap, err := NewStore(in, Options{}).Snapshot(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, p := range snap.Pools {
		got = append(got, p.Agent+"/"+p.Provider+"/"+string(p.Source))
	}
	if want := "main/openai/none main/zai/none work/openai/stored"; strings.Join(got, " ") != want {
		t.Errorf("pools %v, want %s", got, want)
	}
	if len(snap.Problems) != 2 || snap.Problems[0].Agent != "lost" || snap.Problems[0].Reason != Busy || snap.Problems[1].Agent != "odd" || snap.Problems[1].Reason != Corrupt {
		t.Errorf("problems %+v, want lost (busy) and odd (corrupt)", snap.Problems)
	}
	if snap.Layout != openclaw.SharedDatabase || time.Since(snap.At) > time.Minute {
		t.Errorf("layout %s at %v", snap.Layout, snap.At)
	}
}

func TestSnapshotOfChosenAgents(t *testing.T) {
	in := &install{agents: []string{"main", "work"}, docs: map[string]openclaw.Documents{
		"main": documents(openclaw.JSONFiles, profilesDoc(oauthEntry("openai:a")), ""),
		"work": documents(openclaw.JSONFiles, profilesDoc(oauthEntry("openai:b")), ""),
	}}
	snap, err := NewStore(in, Options{Agents: []string{"work"}}).Snapshot(t.Context())
	if err != nil || len(snap.Pools) != 1 || snap.Pools[0].Agent != "work" {
		t.Errorf("pools %+v, error %v; want work's alone", snap.Pools, err)
	}
}

func TestSnapshotOfAnInstallWithoutProfiles(t *testing.T) {
	in := &install{agents: []string{"main"}, docs: map[string]openclaw.Documents{"main": {Layout: openclaw.NoStore}}}
	snap, err := NewStore(in, Options{}).Snapshot(t.Context())
	if err != nil || len(snap.Pools)+len(snap.Problems) != 0 || snap.Layout != openclaw.NoStore {
		t.Errorf("%+v, %v; want nothing, and no problem", snap, err)
	}
}

func TestProblems(t *testing.T) {
	for name, tc := range map[string]struct {
		err  error
		want ProblemKind
		fix  string
	}{
		"migration":  {&openclaw.StoreError{Kind: openclaw.NeedsMigration, Fix: "openclaw doctor --fix"}, NeedsMigration, "doctor"},
		"schema":     {&openclaw.StoreError{Kind: openclaw.UnknownSchema, Fix: "update"}, UnknownSchema, "update"},
		"corrupt":    {&openclaw.StoreError{Kind: openclaw.Corrupt, Fix: "restore"}, Corrupt, "restore"},
		"permission": {&openclaw.StoreError{Kind: openclaw.NotPermitted, Fix: "user"}, NotPermitted, "user"},
		"busy":       {fmt.Errorf("deeper: %w", &openclaw.StoreError{Kind: openclaw.Busy, Fix: "wait"}), Busy, "wait"},
		"access":     {&openclaw.AccessError{Path: "/x", What: "belongs to another", Fix: "user", Err: fs.ErrPermission}, NotPermitted, "user"},
		"version":    {errVersion, UnknownSchema, "update ocwatch"},
		"malformed":  {errProfiles, Corrupt, "doctor"},
		"other":      {errors.New("out of memory"), Busy, "by itself"},
	} {
		t.Run(name, func(t *testing.T) {
			p := problem("main", tc.err)
			if p.Agent != "main" || p.Reason != tc.want || !strings.Contains(p.Fix, tc.fix) || p.What == "" {
				t.Errorf("%+v, want %s with a fix that says %q", p, tc.want, tc.fix)
			}
			if strings.Contains(p.What, p.Fix) || strings.HasSuffix(p.What, ":") || strings.HasSuffix(p.What, ";") {
				t.Errorf("%q says its fix %q too", p.What, p.Fix)
			}
		})
	}
}

func TestSnapshotFailsWhereNothingCanBeRead(t *testing.T) {
	broken := errors.New("broken")
	for name, in := range map[string]*install{
		"config": {cfgErr: broken, agents: []string{"main"}},
		"agents": {listErr: broken},
	} {
		if _, err := NewStore(in, Options{}).Snapshot(t.Context()); !errors.Is(err, broken) {
			t.Errorf("%s: error %v, want the cause", name, err)
		}
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	in := &install{agents: []string{"main"}, block: make(chan struct{})}
	if _, err := NewStore(in, Options{}).Snapshot(ctx); !errors.Is(err, context.Canceled) {
		t.Errorf("error %v, want the end of the context and no problem of the agent", err)
	}
}

func TestTokenSource(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		entry := func(token string, end time.Time) map[string]openclaw.Documents {
			return map[string]openclaw.Documents{"main": documents(openclaw.SharedDatabase,
				profilesDoc(`"openai:a":{"type":"oauth","provider":"openai","access":"`+token+`","refresh":"`+refreshed+`","expires":`+millis(end)+`}`), "")}
		}
		end := time.Now().Add(time.Hour).Truncate(time.Millisecond)
		in := &install{agents: []string{"main"}, docs: entry("one", end)}
		source := NewStore(in, Options{}).TokenSource("main", "openai:a")

		tok, err := source.Token()
		if err != nil || tok.AccessToken != "one" || !tok.Expiry.Equal(end) || tok.RefreshToken != "" || !tok.Valid() {
			t.Fatalf("token %v, %v; want the stored one and no refresh token", tok.Valid(), err)
		}
		in.docs = entry("two", end)
		if tok, _ := source.Token(); tok.AccessToken != "one" || in.reads != 1 {
			t.Errorf("the store was read %d times within a second", in.reads)
		}
		time.Sleep(freshFor)
		if tok, err := source.Token(); err != nil || tok.AccessToken != "two" || in.reads != 2 {
			t.Errorf("after a second the source has an old token (%d reads, %v)", in.reads, err)
		}

		time.Sleep(time.Hour)
		var te *TokenError
		if _, err := source.Token(); !errors.As(err, &te) || te.Status != Stale || te.Profile != "openai:a" || te.Agent != "main" {
			t.Errorf("error %v of an expired token, want stale", err)
		}
		in.docs = entry(fenced, time.UnixMilli(1))
		time.Sleep(freshFor)
		if tok, err := source.Token(); tok != nil || !errors.As(err, &te) || te.Status != Refreshing {
			t.Errorf("a fence gave token %v, error %v", tok, err)
		}
		in.docs = nil
		time.Sleep(freshFor)
		if _, err := source.Token(); !errors.As(err, &te) || te.Status != Unreadable {
			t.Errorf("error %v of a profile that is gone", err)
		}
		in.errs = map[string]error{"main": &openclaw.StoreError{Path: "/x", Kind: openclaw.Busy}}
		time.Sleep(freshFor)
		var se *openclaw.StoreError
		if _, err := source.Token(); !errors.As(err, &se) || errors.As(err, new(*TokenError)) {
			t.Errorf("error %v of a busy store: it says nothing of the token", err)
		}
	})
}

func TestTokenSourceGivesUpOnAStoreThatHangs(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		in := &install{block: make(chan struct{})}
		start := time.Now()
		_, err := NewStore(in, Options{}).TokenSource("main", "a").Token()
		if !errors.Is(err, context.DeadlineExceeded) || time.Since(start) != readLimit {
			t.Errorf("error %v after %v, want the deadline after %v", err, time.Since(start), readLimit)
		}
		close(in.block)
		if _, err := NewStore(in, Options{}).TokenSource("main", "a").Token(); !errors.As(err, new(*TokenError)) {
			t.Errorf("error %v after the store came back", err)
		}
	})
}

// A thousand accounts that are asked at once cost one read.
func TestOneReadForAllTokens(t *testing.T) {
	in := &install{docs: map[string]openclaw.Documents{"main": documents(openclaw.SharedDatabase, profilesDoc(keyEntry("openai:a"), keyEntry("openai:b")), "")}}
	s := NewStore(in, Options{})
	var wg sync.WaitGroup
	for i := range 100 {
		wg.Go(func() {
			if _, err := s.TokenSource("main", []string{"openai:a", "openai:b"}[i%2]).Token(); err != nil {
				t.Error(err)
			}
		})
	}
	wg.Wait()
	if in.reads > 2 { // two if the machine paused for a second
		t.Errorf("%d reads for 100 tokens", in.reads)
	}
}
