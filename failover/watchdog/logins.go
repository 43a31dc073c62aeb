package watchdog

import (
	"errors"
	"slices"
	"time"

	"github.com/ocwatch/ocwatch/failover"
	"github.com/ocwatch/ocwatch/internal/event"
	"github.com/ocwatch/ocwatch/internal/journal"
	"github.com/ocwatch/ocwatch/internal/quota"
	"github.com/ocwatch/ocwatch/profiles"
	"github.com/ocwatch/ocwatch/profiles/login"
)

// startedPrefix is where logins are journalled that were announced to a
// person, who is owed a word about their end.
const startedPrefix = "started/"

// startedMark is such a login.
type startedMark struct {
	Agent    string `json:"agent"`
	Provider string `json:"provider"`
}

func startedKey(agent, provider string) string { return startedPrefix + agent + "/" + provider }

var (
	errStopped = errors.New("ocwatch was stopped before it was approved")
	errNoTrace = errors.New("OpenClaw says it is done, and none of its profiles changed")
)

// traceWithin is how long OpenClaw's store may take to show a login.
const traceWithin = 2 * time.Minute

// loginNews is something that was heard of a login, until a round tells it.
type loginNews struct {
	at              time.Time
	agent, provider string
	started         *event.Login // it was begun; the fields below do not count
	result          login.Result
	err             error
}

// LoginStarted announces a login that was begun on request. It never blocks.
func (w *Watchdog) LoginStarted(agent, provider string, prompt event.Login) {
	w.hear(loginNews{agent: agent, provider: provider, started: &prompt})
}

// LoginDone takes what became of a login, whoever began it. A round follows at
// once and asks the provider about the new credential. It never blocks.
func (w *Watchdog) LoginDone(agent, provider string, result login.Result, err error) {
	w.hear(loginNews{agent: agent, provider: provider, result: result, err: err})
}

func (w *Watchdog) hear(n loginNews) {
	n.at = time.Now().UTC()
	w.mu.Lock()
	w.heard = append(w.heard, n)
	w.mu.Unlock()
	w.Wake()
}

// loginNews is what a round has to tell.
func (w *Watchdog) loginNews() []loginNews {
	w.mu.Lock()
	defer w.mu.Unlock()
	return slices.Clone(w.heard)
}

// told forgets the news of a round, apart from what it keeps.
func (w *Watchdog) told(news, keep []loginNews) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.heard = append(keep, w.heard[len(news):]...)
}

// noticeLogins makes accounts due whose credential is new: a person waits for
// the answer, and what the provider said of the old one counts no more. It
// returns the agents that got a login which ocwatch did not hear of, each time
// the first round that sees it.
func (w *Watchdog) noticeLogins(snap profiles.Snapshot, news []loginNews, cfg Config) (unheard []string) {
	seen := make(map[string]uint64, len(w.seen))
	for _, pl := range snap.Pools {
		m := w.pool(poolKey(pl.Agent, pl.Provider)).plan.Memory
		for _, p := range pl.Profiles {
			key := pl.Agent + "/" + p.ID
			seen[key] = p.Revision
			named := slices.ContainsFunc(news, func(n loginNews) bool { return n.brought(pl, p.ID) })
			fresh := isNew(m, p) || w.revised(key, p)
			if named || fresh {
				w.renew(p.Account, cfg)
			}
			was, known := w.seen[key]
			if fresh && !named && (!known || was != p.Revision) {
				unheard = append(unheard, pl.Agent)
			}
		}
	}
	w.seen = seen
	return unheard
}

func isNew(m failover.Memory, p profiles.Profile) bool {
	pm, known := m.Profiles[p.ID]
	return m.Known && (!known || p.Status == profiles.Usable && pm.Account != "" && pm.Account != p.Account)
}

// revised reports that the credential of a revoked account changed.
func (w *Watchdog) revised(key string, p profiles.Profile) bool {
	was, known := w.seen[key]
	a := w.accounts[p.Account]
	return known && was != p.Revision && a != nil && a.usage.Verdict == quota.Revoked
}

// renew lets an account be asked at once, whatever its pace or its breaker say.
func (w *Watchdog) renew(key string, cfg Config) {
	a := w.account(key, cfg)
	if a.usage.Verdict == quota.Revoked {
		a.usage, a.latest = quota.Reading{}, quota.Reading{} // said of the credential before
	}
	a.breaker = failover.NewBreaker(key, failover.BreakerState{}, cfg.Breaker)
	a.next = time.Time{}
}

// brought reports whether n is a login that ended with this profile of pl.
func (n loginNews) brought(pl profiles.Pool, id string) bool {
	return n.started == nil && n.err == nil && n.result.Profile == id && n.of(pl)
}

func (n loginNews) of(pl profiles.Pool) bool {
	return n.agent == pl.Agent && quota.Canonical(n.provider) == quota.Canonical(pl.Provider)
}

// sortLogins tells what of the news needs no decision, and returns the profiles
// that logins brought, by pool. What OpenClaw's store does not show yet waits.
func (w *Watchdog) sortLogins(rd *journal.Round, snap profiles.Snapshot, news []loginNews) map[string][]string {
	loggedIn := map[string][]string{}
	var keep []loginNews
	for _, n := range news {
		switch {
		case n.started != nil || n.err != nil:
			w.tellLogin(rd, n)
		case w.place(rd, snap, n, loggedIn):
		case rd.At.Sub(n.at) < traceWithin:
			keep = append(keep, n)
		default:
			n.err = errNoTrace
			w.tellLogin(rd, n)
		}
	}
	w.told(news, keep)
	return loggedIn
}

// place finds what a login brought. One that names no profile is answered by
// any that is new in its pool.
func (w *Watchdog) place(rd *journal.Round, snap profiles.Snapshot, n loginNews, loggedIn map[string][]string) bool {
	for _, pl := range snap.Pools {
		if !n.of(pl) {
			continue
		}
		key := poolKey(pl.Agent, pl.Provider)
		m := w.pool(key).plan.Memory
		for _, p := range pl.Profiles {
			if n.brought(pl, p.ID) {
				loggedIn[key] = append(loggedIn[key], p.ID)
				w.unmark(rd, n)
				return true
			}
			if l := m.Profiles[p.ID].Login; n.result.Profile == "" && (isNew(m, p) || l.At.After(n.at.Add(-traceWithin))) {
				w.unmark(rd, n)
				return true
			}
		}
	}
	return false
}

// tellLoginNews tells what can be told without OpenClaw's state.
func (w *Watchdog) tellLoginNews(rd *journal.Round, news []loginNews) {
	var keep []loginNews
	for _, n := range news {
		if n.started == nil && n.err == nil {
			keep = append(keep, n)
			continue
		}
		w.tellLogin(rd, n)
	}
	w.told(news, keep)
}

// tellLogin tells that a login was begun, or that it came to nothing.
func (w *Watchdog) tellLogin(rd *journal.Round, n loginNews) {
	data := event.Data{Agent: n.agent, Provider: n.provider}
	by := &event.Login{Command: failover.LoginCommand(n.agent, n.provider), Chat: chatCommand(n.provider, w.shared)}
	if n.started != nil {
		prompt := *n.started
		prompt.Command, prompt.Chat = by.Command, by.Chat
		data.Login = &prompt
		w.remember(rd, startedKey(n.agent, n.provider), startedMark{n.agent, n.provider})
		w.route(rd, map[string]bool{}, event.Event{Type: event.LoginStarted, Timestamp: n.at, Data: data})
		return
	}
	requested := w.unmark(rd, n)
	recordVain(rd, n)
	if quiet := errors.Is(n.err, login.ErrCancelled) || errors.Is(n.err, login.ErrExpired) && !requested; quiet {
		w.Log.Info().Err(n.err).Str("agent", n.agent).Str("provider", n.provider).Msg("a login came to nothing")
		return
	}
	data.Reason = faultOf(n.err)
	data.Login = by
	w.route(rd, map[string]bool{}, event.Event{Type: event.LoginFailed, Timestamp: n.at, Data: data})
}

// unmark forgets that the login was announced, and reports whether it was.
func (w *Watchdog) unmark(rd *journal.Round, n loginNews) bool {
	key := startedKey(n.agent, n.provider)
	_, marked := w.saved[key]
	marked = marked || rd.State[key] != nil
	delete(rd.State, key)
	w.forget(rd, key)
	return marked
}

// faultOf says what went wrong, without the word that every event has already.
func faultOf(err error) string {
	var failed *login.FailedError
	switch {
	case !errors.As(err, &failed):
		return err.Error()
	case failed.Fix == "":
		return failed.What
	default:
		return failed.What + "; " + failed.Fix
	}
}
