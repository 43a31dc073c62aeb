package openclaw

import (
	"context"
	"errors"
)

// Find locates the install that o means.
func Find(o Options) (*Install, error) { return nil, errors.ErrUnsupported }

// Config reads openclaw.json.
func (i *Install) Config() (Config, error) { return Config{}, errors.ErrUnsupported }

// Layout recognises where the install keeps its auth profiles.
func (i *Install) Layout() (Layout, error) { return "", errors.ErrUnsupported }

// Agents lists the ids of the agents.
func (i *Install) Agents() ([]string, error) { return nil, errors.ErrUnsupported }

// Documents reads the auth documents that hold for agent.
func (i *Install) Documents(ctx context.Context, agent string) (Documents, error) {
	return Documents{}, errors.ErrUnsupported
}

// WatchDirs lists the directories whose change may mean a new store state.
func (i *Install) WatchDirs() []string { return nil }
