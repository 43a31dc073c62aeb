package watchdog

import (
	"testing"
	"time"

	"golang.org/x/oauth2"

	"github.com/ocwatch/ocwatch/internal/quota"
	"github.com/ocwatch/ocwatch/probe"
	"github.com/ocwatch/ocwatch/profiles"
)

// tokens gives out tokens alone.
type tokens struct{ Source }

func (tokens) TokenSource(agent, profile string) oauth2.TokenSource {
	return oauth2.StaticTokenSource(&oauth2.Token{AccessToken: agent + "/" + profile})
}

// A probe gets all that says whom to ask, and where.
func TestInquiry(t *testing.T) {
	t.Parallel()
	w := &Watchdog{}
	w.Source = tokens{}
	got := w.inquiry("work", profiles.Profile{
		ID: "google-gemini-cli:a", Provider: "google-gemini-cli", Type: profiles.OAuth, Account: "acct-1",
		AccountID: "id-1", FedRAMP: true, BaseURL: "https://relay.example.com", Project: "project-1",
	})
	token, err := got.Token.Token()
	if err != nil || token.AccessToken != "work/google-gemini-cli:a" {
		t.Errorf("token %v, error %v", token, err)
	}
	got.Token = nil
	want := probe.Account{
		Key: "acct-1", Provider: "google-gemini-cli", Type: "oauth", ID: "id-1", FedRAMP: true,
		BaseURL: "https://relay.example.com", Project: "project-1",
	}
	if got != want {
		t.Errorf("got %+v, want %+v", got, want)
	}
}

// That a key is a plan's is known from its usage, and stays known where the
// provider cannot be reached, also after a restart.
func TestAPlansKeyStaysOne(t *testing.T) {
	t.Parallel()
	bubble(t, []string{"alice", "key"}, func(t *testing.T, w *world) {
		t.Helper()
		paid := func(p *process) bool {
			for _, pr := range p.dog.Status().Pools[0].Profiles {
				if pr.ID == "key" {
					return pr.Paid
				}
			}
			t.Fatal("the status has no profile key")
			return false
		}
		w.say("key", quota.Reading{Source: quota.FromValidity, Verdict: quota.OK})
		p := w.born(t, steady())
		p.rounds(1)
		if !paid(p) {
			t.Error("a key of which nothing else is known is not paid")
		}
		plan := used(20)
		plan.Source = quota.FromUsage
		w.say("key", plan)
		time.Sleep(time.Hour)
		p.rounds(1)
		if paid(p) {
			t.Error("a key with a five-hour window is paid")
		}
		p = w.awake(t, steady())
		p.meddling(always("probe", failBefore))
		p.rounds(2)
		if paid(p) {
			t.Error("it is paid after a restart without a network")
		}
	})
}
