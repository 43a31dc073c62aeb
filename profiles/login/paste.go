package login

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"regexp"
	"strconv"
	"strings"
	"time"

	"github.com/ocwatch/ocwatch/internal/openclaw"
	"github.com/ocwatch/ocwatch/internal/quota"
	"github.com/ocwatch/ocwatch/internal/secret"
	"github.com/ocwatch/ocwatch/profiles"
)

// PasteRequest is a credential that somebody made elsewhere.
type PasteRequest struct {
	Agent    string
	Provider string // OpenClaw's provider id
	// Profile is the id that it shall get, "" for one that is free.
	Profile string
	// Type is profiles.Token, such as Anthropic's setup-tokens, or
	// profiles.APIKey.
	Type   profiles.Type
	Secret secret.Value
	// ExpiresIn is after how long a token ends: a number with m, h or d, such
	// as 365d; "": it does not, or nobody knows.
	ExpiresIn string
	// Replace lets it take the place of a profile of the same kind.
	Replace bool
}

// PasteToken has OpenClaw store a token or key, which it gets on its standard
// input, and has a running gateway take it up. It fails with *FailedError where OpenClaw refuses, and
// where OpenClaw's store or command is not to be had. No error holds the secret.
func (s *Starter) PasteToken(ctx context.Context, r PasteRequest) (Result, error) {
	request := Request{Agent: r.Agent, Provider: r.Provider, Profile: r.Profile}
	if err := request.check(); err != nil {
		return Result{}, err
	}
	if err := r.CheckTerms(); err != nil {
		return Result{}, err
	}
	v, err := r.CheckSecret()
	if err != nil {
		return Result{}, err
	}
	have, err := s.existing(ctx, r.Agent)
	if err != nil {
		return Result{}, err
	}
	id, err := r.choose(have)
	if err != nil {
		return Result{}, err
	}
	if r.Type == profiles.APIKey {
		if _, known, err := helpFor(ctx, s.CLI, "paste-api-key"); err != nil {
			return Result{}, err
		} else if !known {
			return Result{}, &FailedError{What: "this OpenClaw takes no pasted API keys", Fix: "update OpenClaw to 2026.5.22 or later"}
		}
	}
	out, err := s.CLI.Run(ctx, bytes.NewReader([]byte(v.Reveal()+"\n")), r.args(id)...)
	if err != nil {
		return Result{}, pasteFailure(out, err, v)
	}
	result, err := s.pasted(ctx, r.Agent, id, have)
	if err == nil {
		s.reread(ctx, r.Agent)
	}
	return result, err
}

// CheckTerms looks at all of the request but the secret, so that nobody pastes
// one in vain.
func (r PasteRequest) CheckTerms() error {
	switch r.Type {
	case profiles.Token:
		return checkExpiry(r.ExpiresIn)
	case profiles.APIKey:
		if r.ExpiresIn != "" {
			return errors.New("openclaw keeps no expiry for an API key")
		}
		return nil
	case profiles.OAuth:
	}
	return fmt.Errorf("a profile of type %q cannot be pasted", r.Type)
}

// CheckSecret is CheckToken or CheckKey, as the request's type demands.
func (r PasteRequest) CheckSecret() (secret.Value, error) {
	if r.Type == profiles.APIKey {
		return CheckKey(r.Provider, r.Secret)
	}
	return CheckToken(r.Provider, r.Secret)
}

var (
	expiryForm  = regexp.MustCompile(`^([1-9][0-9]{0,6})([mhd])$`)
	expiryUnits = map[string]time.Duration{"m": time.Minute, "h": time.Hour, "d": 24 * time.Hour}
)

// expiryMost is longer than any token lives; beyond it is a slip of the unit.
const expiryMost = 10 * 365 * 24 * time.Hour

func checkExpiry(text string) error {
	if text == "" {
		return nil
	}
	m := expiryForm.FindStringSubmatch(text)
	if m == nil {
		return fmt.Errorf("%q is no expiry: want a number with m, h or d, such as 365d", text)
	}
	n, err := strconv.Atoi(m[1])
	if err != nil || time.Duration(n) > expiryMost/expiryUnits[m[2]] {
		return fmt.Errorf("%s is too long for an expiry: 3650d are the most", text)
	}
	return nil
}

// existing are the profiles of agent, by id.
func (s *Starter) existing(ctx context.Context, agent string) (map[string]profiles.Profile, error) {
	snap, err := s.Store.Snapshot(ctx)
	if err != nil {
		return nil, fmt.Errorf("see which profiles there are: %w", err)
	}
	for _, p := range snap.Problems {
		if p.Agent == "" || p.Agent == agent {
			return nil, fmt.Errorf("see which profiles there are: %s; %s", p.What, p.Fix)
		}
	}
	have := map[string]profiles.Profile{}
	for _, pool := range snap.Pools {
		if pool.Agent != agent {
			continue
		}
		for _, p := range pool.Profiles {
			have[p.ID] = p
		}
	}
	return have, nil
}

// choose gives the id that the credential gets. OpenClaw itself would write
// over whatever has it.
func (r PasteRequest) choose(have map[string]profiles.Profile) (string, error) {
	if r.Profile == "" {
		return freeID(r.Provider, have), nil
	}
	there, taken := have[r.Profile]
	switch {
	case !taken:
	case !r.Replace:
		return "", &FailedError{What: "there is a profile " + r.Profile + " already", Fix: "choose another id, or say that it shall be replaced"}
	case there.Type != r.Type || quota.Canonical(there.Provider) != quota.Canonical(r.Provider):
		return "", &FailedError{What: fmt.Sprintf("profile %s is of another kind: %s of %s", r.Profile, there.Type, there.Provider), Fix: "choose another id"}
	}
	return r.Profile, nil
}

// freeID begins with the id that OpenClaw gives a pasted credential.
func freeID(provider string, have map[string]profiles.Profile) string {
	base := strings.ToLower(provider) + ":manual"
	id := base
	for n := 2; ; n++ {
		if _, taken := have[id]; !taken {
			return id
		}
		id = base + "-" + strconv.Itoa(n)
	}
}

// args holds no secret: what stands in a command line can be seen by everybody.
func (r PasteRequest) args(id string) []string {
	command := "paste-token"
	if r.Type == profiles.APIKey {
		command = "paste-api-key"
	}
	args := []string{"models", "auth", "--agent", r.Agent, command, "--provider", r.Provider, "--profile-id", id}
	if r.ExpiresIn != "" {
		args = append(args, "--expires-in", r.ExpiresIn)
	}
	return args
}

// pasteFailure is why OpenClaw refused. Its last words on standard error say
// it; before them it may warn of other things.
func pasteFailure(out openclaw.Output, err error, v secret.Value) error {
	exit, ok := errors.AsType[*openclaw.CLIError](err)
	if !ok {
		return err
	}
	if errors.Is(err, context.Canceled) || errors.Is(err, context.DeadlineExceeded) {
		return &FailedError{What: "openclaw did not store it in time", Fix: "see openclaw models auth list before you try again"}
	}
	var s screen
	s.write(append(bytes.Clone(out.Stderr), '\n'))
	return failure(s.Last, exit.ExitCode, []string{v.Reveal()})
}

// pasted looks whether the store has it: OpenClaw's exit code alone does not
// prove that this agent sees it.
func (s *Starter) pasted(ctx context.Context, agent, id string, before map[string]profiles.Profile) (Result, error) {
	_, was := before[id]
	after, err := s.existing(ctx, agent)
	if err != nil {
		s.Log.Warn().Err(err).Str("agent", agent).Str("profile", id).Msg("openclaw stored what was pasted, and its store cannot be read to see it")
		return Result{Profile: id, New: !was}, nil
	}
	if _, is := after[id]; !is {
		return Result{}, &FailedError{What: "openclaw said that it stored profile " + id + ", and agent " + agent + " does not have it", Fix: "see openclaw models auth list"}
	}
	return Result{Profile: id, New: !was}, nil
}
