package app

import (
	"context"

	"github.com/ocwatch/ocwatch/profiles"
)

// Stored is what OpenClaw's store has. Nobody is asked for anything.
func Stored(ctx context.Context, o Options) (profiles.Snapshot, error) {
	in, err := findInstall(o.Config, o.Log)
	if err != nil {
		return profiles.Snapshot{}, err
	}
	defer in.close()
	return in.store.Snapshot(ctx)
}
