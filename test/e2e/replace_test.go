//go:build e2e

package e2e

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/rs/zerolog"

	"github.com/ocwatch/ocwatch/failover/replace"
	"github.com/ocwatch/ocwatch/failover/restart"
	"github.com/ocwatch/ocwatch/internal/quota"
	"github.com/ocwatch/ocwatch/probe"
	"github.com/ocwatch/ocwatch/profiles"
	"github.com/ocwatch/ocwatch/profiles/login"
	"github.com/ocwatch/ocwatch/test/lab"
)

// TestReplaceAccount changes an account on the real OpenClaw, with a phone that
// approves as whoever the test says.
func TestReplaceAccount(t *testing.T) {
	t.Parallel()
	for _, version := range releases() {
		t.Run(version, func(t *testing.T) {
			daily(t, version, lab.SharedDatabase)
			l := lab.New(t, lab.Options{Version: version})
			c := newChange(t, l)
			gateway := l.Start(t)
			l.Provider.SetQuota("alice", lab.Quota{FiveHour: 100, Weekly: 60, Resets: time.Now().Add(time.Hour)})

			before := c.ids(t)
			_, err := c.replace(t, "alice", "alice")
			same, ok := errors.AsType[*replace.SameAccountError](err)
			if !ok || !strings.Contains(same.Error(), "the browser that approved it was still logged in there. Nothing was removed") {
				t.Fatalf("alice again: %v", err)
			}
			if got := c.ids(t); !slices.Equal(got, before) {
				t.Fatalf("it was refused, and the profiles are %v, not %v", got, before)
			}

			others := c.others(t)
			res, err := c.replace(t, "alice", "dave")
			if err != nil {
				t.Fatal(err)
			}
			c.changed(t, res, others)
			if got := l.TurnRPC(t, l.Dial(t), "after"); got != "dave" {
				t.Errorf("dave was put in the place of alice, and %s served the next turn", got)
			}
			// Older releases write openclaw.json at a login, and their gateway starts
			// itself anew for it.
			if version == lab.SharedDatabase && gateway.Starts() != 1 {
				t.Errorf("the gateway was started %d times", gateway.Starts())
			}
			if version != lab.JSONFiles {
				return
			}
			// The old profile of such a release goes once nothing runs.
			gateway.Stop(t)
			logins := len(l.Provider.DeviceCodes())
			if res, err = c.replace(t, "alice", "nobody"); err != nil || !res.Resumed || res.Removed != profiles.RemoveByFile {
				t.Fatalf("%+v, %v", res, err)
			}
			if len(l.Provider.DeviceCodes()) != logins || slices.Contains(c.ids(t), l.ID("alice")) {
				t.Errorf("profiles %v, %d logins more", c.ids(t), len(l.Provider.DeviceCodes())-logins)
			}
			c.changed(t, res, others)
			l.Start(t)
			if got := l.TurnRPC(t, l.Dial(t), "restarted"); got != "dave" {
				t.Errorf("%s served the first turn after a start", got)
			}
			if slices.Contains(c.ids(t), l.ID("alice")) {
				t.Error("alice came back")
			}
		})
	}
}

// change is what ocwatch login --replace works with, in this process.
type change struct {
	*lab.Lab

	store   *profiles.Store
	starter *login.Starter
	options replace.Options
	t       *testing.T
	phone   string // who approves
}

func newChange(t *testing.T, l *lab.Lab) *change {
	t.Helper()
	in := install(t, l)
	gateway := in.Gateway()
	t.Cleanup(func() { _ = gateway.Close() })
	c := &change{Lab: l, t: t, store: profiles.NewStore(in, profiles.Options{})}
	c.starter = login.New(login.Options{
		Dial: func() login.Gateway { return in.Gateway() }, CLI: in.CLI(), Store: c.store, Log: zerolog.Nop(),
	})
	prober := probe.New(probe.Options{Transport: transport(t, l), UserAgent: "ocwatch/e2e"})
	t.Cleanup(prober.Close)
	c.options = replace.Options{
		Store: c.store, Login: c, Prober: prober, Orderer: profiles.NewOrderer(gateway, in.CLI(), c.store),
		Remover: profiles.NewRemover(in.CLI(), c.store, in, replace.Down(in)),
		Gateway: restart.New(restart.Options{Gateway: gateway, CLI: in.CLI(), Health: in, Log: zerolog.Nop()}),
		Install: replace.Installed(in, gateway), Dir: filepath.Join(t.TempDir(), "data"), Log: zerolog.Nop(),
	}
	return c
}

// Login implements replace.Login with the phone.
func (c *change) Login(ctx context.Context, r login.Request) (login.Result, error) {
	a, err := c.starter.Start(ctx, r)
	if err != nil {
		return login.Result{}, err
	}
	defer a.Cancel()
	if a.Prompt().Code == "" {
		return login.Result{}, fmt.Errorf("a login without a code: %s", a.Prompt().Via)
	}
	c.Provider.Approve(c.t, a.Prompt().Code, c.phone)
	return a.Wait(ctx)
}

// replace runs the change of the account called old, with a phone that approves
// as phone.
func (c *change) replace(t *testing.T, old, phone string) (replace.Result, error) {
	t.Helper()
	c.phone = phone
	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Minute)
	defer cancel()
	var steps []string
	began := time.Now()
	res, err := replace.New(c.options).Run(ctx, replace.Request{Old: c.ID(old), Progress: func(s replace.Step) {
		steps = append(steps, fmt.Sprintf("%s at %.1fs", s, time.Since(began).Seconds()))
	}})
	t.Logf("%s replaced, approved by %s: %v, %+v, %v", old, phone, steps, res, err)
	return res, err
}

// changed holds what must be once dave is in the place of alice.
func (c *change) changed(t *testing.T, res replace.Result, others map[string]uint64) {
	t.Helper()
	if res.Account != replace.Different || res.Reading.Verdict != quota.OK || res.Removed == "" {
		t.Errorf("%+v", res)
	}
	order := c.StoredOrder(t)
	if len(order) == 0 || order[0] != res.New || slices.Contains(order, c.ID("alice")) || !strings.Contains(res.New, "dave") {
		t.Errorf("the order is %v", order)
	}
	if there := slices.Contains(c.ids(t), c.ID("alice")); there != (res.Removed == profiles.RemoveByOrder) {
		t.Errorf("alice went by way of %q, and is there: %v", res.Removed, there)
	}
	for id, revision := range others {
		if c.others(t)[id] != revision {
			t.Errorf("the credential of %s is another one", id)
		}
	}
	if list, err := os.ReadDir(filepath.Join(c.StateDir, "agents", "main", "agent")); err != nil {
		t.Error(err)
	} else if slices.ContainsFunc(list, func(e os.DirEntry) bool {
		return strings.Contains(e.Name(), "ocwatch") || strings.HasSuffix(e.Name(), ".lock")
	}) {
		t.Errorf("left behind in OpenClaw's directory: %v", list)
	}
}

func (c *change) profiles(t *testing.T) []profiles.Profile {
	t.Helper()
	snap, err := c.store.Snapshot(t.Context())
	if err != nil || len(snap.Problems) > 0 {
		t.Fatal(err, snap.Problems)
	}
	var all []profiles.Profile
	for _, pool := range snap.Pools {
		all = append(all, pool.Profiles...)
	}
	return all
}

func (c *change) ids(t *testing.T) []string {
	t.Helper()
	var out []string
	for _, p := range c.profiles(t) {
		out = append(out, p.ID)
	}
	slices.Sort(out)
	return out
}

// others are the credentials that a change of alice must not touch.
func (c *change) others(t *testing.T) map[string]uint64 {
	t.Helper()
	out := map[string]uint64{}
	for _, p := range c.profiles(t) {
		if p.ID != c.ID("alice") && !strings.Contains(p.ID, "dave") {
			out[p.ID] = p.Revision
		}
	}
	return out
}

// transport leads to the lab's providers.
func transport(t *testing.T, l *lab.Lab) *http.Transport {
	t.Helper()
	pem, err := os.ReadFile(l.Provider.CA())
	if err != nil {
		t.Fatal(err)
	}
	roots := x509.NewCertPool()
	if !roots.AppendCertsFromPEM(pem) {
		t.Fatal("the lab's authority is none")
	}
	var proxy *url.URL
	for _, kv := range l.Env() {
		if v, ok := strings.CutPrefix(kv, "HTTPS_PROXY="); ok {
			if proxy, err = url.Parse(v); err != nil {
				t.Fatal(err)
			}
		}
	}
	return &http.Transport{Proxy: http.ProxyURL(proxy), TLSClientConfig: &tls.Config{RootCAs: roots}}
}
