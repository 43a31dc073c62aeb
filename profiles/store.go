package profiles

import (
	"context"
	"fmt"
	"slices"
	"sync"
	"time"

	"github.com/ocwatch/ocwatch/internal/openclaw"
)

// Install is what a Store needs of an OpenClaw install; *openclaw.Install is
// one.
type Install interface {
	Config() (openclaw.Config, error)
	Agents() ([]string, error)
	Documents(ctx context.Context, agent string) (openclaw.Documents, error)
}

// Options say what a Store looks at.
type Options struct {
	// Agents are the agents to watch; none means all.
	Agents []string
}

// freshFor is for how long one read of an agent's store serves its token
// sources. A round asks for the tokens of all its accounts at once; a thousand
// accounts are then one read.
const freshFor = time.Second

// Store reads OpenClaw's auth profiles. It never writes, and it keeps nothing
// for longer than a second. It is safe for concurrent use.
type Store struct {
	install Install
	agents  []string

	mu    sync.Mutex
	cache map[string]*cached
}

// cached is one agent's last read. Its own lock lets the agents be read beside
// each other while each is read once.
type cached struct {
	mu   sync.Mutex
	at   time.Time
	data content
	err  error
}

// NewStore returns a Store of install.
func NewStore(install Install, o Options) *Store {
	return &Store{install: install, agents: slices.Clone(o.Agents), cache: map[string]*cached{}}
}

// Snapshot reads all agents. What cannot be read of one agent is a Problem of
// that agent, and the others are there all the same. The error is for what
// concerns them all: the list of agents, openclaw.json, the end of ctx.
func (s *Store) Snapshot(ctx context.Context) (Snapshot, error) {
	cfg, err := s.install.Config()
	if err != nil {
		return Snapshot{}, fmt.Errorf("read OpenClaw's config: %w", err)
	}
	agents, err := s.watched()
	if err != nil {
		return Snapshot{}, err
	}
	snap := Snapshot{At: time.Now().UTC(), Layout: openclaw.NoStore}
	for _, agent := range agents {
		data, err := s.read(ctx, agent, cfg)
		if ctx.Err() != nil {
			return Snapshot{}, fmt.Errorf("read the auth profiles of agent %s: %w", agent, ctx.Err())
		}
		if err != nil {
			snap.Problems = append(snap.Problems, problem(agent, err))
			continue
		}
		if snap.Layout == openclaw.NoStore {
			snap.Layout = data.layout
		}
		snap.Pools = append(snap.Pools, data.pools(snap.At)...)
	}
	return snap, nil
}

// watched are the agents to read.
func (s *Store) watched() ([]string, error) {
	if len(s.agents) > 0 {
		return s.agents, nil
	}
	agents, err := s.install.Agents()
	if err != nil {
		return nil, fmt.Errorf("list OpenClaw's agents: %w", err)
	}
	return agents, nil
}

// read reads one agent's store now, and leaves it for the token sources.
func (s *Store) read(ctx context.Context, agent string, cfg openclaw.Config) (content, error) {
	c := s.entry(agent)
	c.mu.Lock()
	defer c.mu.Unlock()
	return s.fill(ctx, c, agent, cfg)
}

// recent reads one agent's store unless that was done within the last second.
func (s *Store) recent(ctx context.Context, agent string) (content, error) {
	c := s.entry(agent)
	c.mu.Lock()
	defer c.mu.Unlock()
	if !c.at.IsZero() && time.Since(c.at) < freshFor {
		return c.data, c.err
	}
	return s.fresh(ctx, c, agent)
}

// now is recent without the second's grace.
func (s *Store) now(ctx context.Context, agent string) (content, error) {
	c := s.entry(agent)
	c.mu.Lock()
	defer c.mu.Unlock()
	return s.fresh(ctx, c, agent)
}

func (s *Store) fresh(ctx context.Context, c *cached, agent string) (content, error) {
	cfg, err := s.install.Config()
	if err != nil {
		return content{}, fmt.Errorf("read OpenClaw's config: %w", err)
	}
	return s.fill(ctx, c, agent, cfg)
}

// fill reads into c, whose lock is held. A read that was given up is not kept.
func (s *Store) fill(ctx context.Context, c *cached, agent string, cfg openclaw.Config) (content, error) {
	data, err := s.decode(ctx, agent, cfg)
	if ctx.Err() == nil {
		c.at, c.data, c.err = time.Now(), data, err
	}
	return data, err
}

func (s *Store) decode(ctx context.Context, agent string, cfg openclaw.Config) (content, error) {
	docs, err := s.install.Documents(ctx, agent)
	if err != nil {
		return content{}, err
	}
	docs.Agent = agent
	return decode(docs, cfg)
}

func (s *Store) entry(agent string) *cached {
	s.mu.Lock()
	defer s.mu.Unlock()
	c := s.cache[agent]
	if c == nil {
		c = &cached{}
		s.cache[agent] = c
	}
	return c
}
