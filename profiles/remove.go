package profiles

import (
	"bytes"
	"context"
	"errors"
	"fmt"

	"github.com/ocwatch/ocwatch/internal/openclaw"
)

// RemoveWay is how one profile can be taken away from an OpenClaw.
type RemoveWay string

// The ways.
const (
	// RemoveByCommand: openclaw models auth logout, which names the one profile.
	RemoveByCommand RemoveWay = "command"
	// RemoveByFile: the entry is cut out of auth-profiles.json while the gateway
	// is stopped. Releases that keep profiles in JSON files have no logout for
	// one profile.
	RemoveByFile RemoveWay = "file"
	// RemoveByOrder: the profile stays in the store and is left out of the
	// order, so that OpenClaw never tries it. All there is for a database
	// without that command: it is OpenClaw's alone to write.
	RemoveByOrder RemoveWay = "order"
)

// Why a profile was not removed, told apart with errors.Is.
var (
	ErrStillThere = errors.New("the profile is still in OpenClaw's store")
	ErrGatewayUp  = errors.New("the gateway runs, and may write the file itself")
)

// DamageError says that the removal of one profile touched others.
type DamageError struct {
	Removed  string
	Profiles []string // that are gone or have another credential
}

// Error names them.
func (e *DamageError) Error() string {
	return fmt.Sprintf("removing %s also touched %v: see openclaw models auth list, and log in to what is missing", e.Removed, e.Profiles)
}

// StoreDirs tells which directories hold the files of an agent;
// *openclaw.Install does.
type StoreDirs interface {
	StoreDirs(agent string) ([]string, error)
}

// Remover removes one profile and leaves every other as it is.
//
// It never calls the gateway's models.authLogout: to 2026.6 that method is
// announced under the same name, takes the same parameters, and removes every
// profile of the provider with the API keys among them, whichever one was named.
type Remover struct {
	cli   CLI
	store *Store
	dirs  StoreDirs
	// down reports that no gateway runs on the install, for certain.
	down func(ctx context.Context) bool
}

// NewRemover returns a Remover. down must report whether it is certain that no
// gateway runs: without one that says yes no file is written.
func NewRemover(cli CLI, store *Store, dirs StoreDirs, down func(ctx context.Context) bool) *Remover {
	return &Remover{cli: cli, store: store, dirs: dirs, down: down}
}

// Way finds out how a profile of agent can be removed, and changes nothing. It
// runs the openclaw command, which takes seconds.
func (r *Remover) Way(ctx context.Context, agent string) (RemoveWay, error) {
	data, err := r.store.now(ctx, agent)
	if err != nil {
		return "", fmt.Errorf("read the auth profiles of agent %s: %w", agent, err)
	}
	// A release without the subcommand prints the help of its parent.
	out, err := r.cli.Run(ctx, nil, "models", "auth", "logout", "--help")
	switch {
	case err == nil && bytes.Contains(out.Stdout, []byte("openclaw models auth logout ")):
		return RemoveByCommand, nil
	case err != nil && ctx.Err() != nil:
		return "", err
	case data.layout == openclaw.JSONFiles:
		return RemoveByFile, nil // needs no command
	case err != nil:
		return "", fmt.Errorf("ask openclaw whether it can log one profile out: %w", err)
	default:
		return RemoveByOrder, nil
	}
}

// Remove removes the profile id of agent in one of the first two ways, and reads
// back that it is gone and every other is what it was. A profile that is gone
// already is none to be removed, and no error. After an error the store may or
// may not have the profile; calling again is safe.
func (r *Remover) Remove(ctx context.Context, agent, id string, way RemoveWay) error {
	before, err := r.store.now(ctx, agent)
	if err != nil {
		return fmt.Errorf("remove profile %s of agent %s: %w", id, agent, err)
	}
	if !before.has(id) {
		return nil
	}
	switch way {
	case RemoveByCommand:
		_, err = r.cli.Run(ctx, nil, "models", "auth", "logout", "--yes", "--agent", agent, "--", id)
	case RemoveByFile:
		err = r.cut(ctx, agent, id)
	case RemoveByOrder:
		err = errors.New("this OpenClaw has no way to remove one profile: leave it out of the order")
	}
	if err = r.readBack(ctx, agent, id, before, err); err != nil {
		return fmt.Errorf("remove profile %s of agent %s: %w", id, agent, err)
	}
	return nil
}

// readBack lets the store decide: a command that failed late may have removed
// the profile, and one that says 0 may not.
func (r *Remover) readBack(ctx context.Context, agent, id string, before content, failed error) error {
	after, err := r.store.now(ctx, agent)
	switch {
	case err != nil && failed != nil:
		return failed
	case err != nil:
		return fmt.Errorf("read back: %w", err)
	}
	if touched := before.lost(after, id); len(touched) > 0 {
		return &DamageError{Removed: id, Profiles: touched}
	}
	switch {
	case !after.has(id):
		return nil
	case failed != nil:
		return failed
	default:
		return ErrStillThere
	}
}

func (c content) has(id string) bool {
	for _, cred := range c.credentials {
		if cred.id == id {
			return true
		}
	}
	return false
}

// lost lists the profiles besides id that after lacks or bills to somebody
// else. A token may differ: OpenClaw renews them at any time.
func (c content) lost(after content, id string) []string {
	var out []string
	is := map[string]credential{}
	for _, cred := range after.credentials {
		is[cred.id] = cred
	}
	for _, was := range c.credentials {
		now, there := is[was.id]
		same := there && now.kind == was.kind && now.accountID == was.accountID && now.email == was.email &&
			(was.kind == OAuth || *now.token == *was.token)
		if was.id != id && !same {
			out = append(out, was.id)
		}
	}
	return out
}
