package profiles

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/ocwatch/ocwatch/internal/openclaw"
)

const (
	methodOrderSet = "models.authOrderSet"

	// rpcLimit bounds one call: 140 ms on an idle machine, seconds while the
	// gateway starts.
	rpcLimit = 15 * time.Second
)

// OrderError says that an order makes no sense for its pool. Nothing was set.
type OrderError struct {
	Agent, Provider string
	What            string
}

// Error names the pool and what is wrong.
func (e *OrderError) Error() string {
	return fmt.Sprintf("order for %s of agent %s: %s", e.Provider, e.Agent, e.What)
}

// Orderer sets the order of a pool through OpenClaw's own interfaces, and sees
// for itself that it is in force. It writes nothing else.
type Orderer struct {
	gateway Gateway
	cli     CLI
	store   *Store

	// One at a time: the command takes half a gigabyte and OpenClaw's lock.
	mu sync.Mutex
}

// NewOrderer returns an Orderer.
func NewOrderer(gateway Gateway, cli CLI, store *Store) *Orderer {
	return &Orderer{gateway: gateway, cli: cli, store: store}
}

// Set puts ids in force as the order of agent's profiles of provider. OpenClaw
// never tries a profile that ids leave out. It goes through the gateway (a
// sixth of a second), and through the command (seconds) where the gateway is
// down, too old, or refuses: it refuses an order that leaves profiles out, and
// one where auth.order in openclaw.json rules. An order set by the command goes
// before auth.order, and the gateway then accepts orders too.
//
// Then it reads back. An error means that the store does not have the order, or
// that this could not be seen; Applied tells how far it came. What the running
// gateway makes of it is no error: see Applied.Gateway. Setting the same order
// again is safe at any time, and writes nothing.
func (o *Orderer) Set(ctx context.Context, agent, provider string, ids []string) (Applied, error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	var a Applied
	s := setting{Orderer: o, Applied: &a, agent: agent, provider: normalProvider(provider)}
	err := s.run(ctx, ids)
	if err != nil {
		if _, own := errors.AsType[*OrderError](err); !own {
			err = fmt.Errorf("set the order for %s of agent %s: %w", provider, agent, err)
		}
	}
	return a, err
}

// setting is one call of Set.
type setting struct {
	*Orderer
	*Applied
	agent, provider string
	ids             []string
	partial         bool // ids leave profiles out
}

func (s *setting) run(ctx context.Context, ids []string) error {
	var stored bool
	var err error
	s.timed("read store", func() { stored, err = s.prepare(ctx, ids) })
	if err != nil {
		return err
	}
	if stored {
		s.Via = ViaStore
	} else if err := s.write(ctx); err != nil {
		return err
	}
	s.Stored = true
	s.lookAtGateway(ctx)
	return nil
}

// prepare holds ids against the store, and reports whether it has this order.
// That there is something to write may be seen in a read of the last second,
// such as the caller decided by. Whatever keeps us from writing is looked at
// anew.
func (s *setting) prepare(ctx context.Context, ids []string) (bool, error) {
	data, err := s.store.recent(ctx, s.agent)
	if err == nil {
		if stored, err := s.compare(data, ids); err == nil && !stored {
			return false, nil
		}
	}
	if data, err = s.store.now(ctx, s.agent); err != nil {
		return false, err
	}
	return s.compare(data, ids)
}

// compare fills in what is to be set.
func (s *setting) compare(data content, ids []string) (bool, error) {
	s.ids = nil
	known := map[string]bool{} // to OpenClaw too
	orderable := 0
	for _, c := range data.credentials {
		if c.provider == s.provider {
			known[c.id] = c.ignored == ""
			if known[c.id] {
				orderable++
			}
		}
	}
	for i, id := range ids {
		visible, here := known[id]
		switch {
		case !here:
			return false, s.refuse("profile " + id + " is not in OpenClaw's store")
		case slices.Contains(ids[:i], id):
			return false, s.refuse("profile " + id + " is in it twice")
		case visible:
			s.ids = append(s.ids, id)
		}
	}
	if len(s.ids) == 0 {
		return false, s.refuse("it names no profile that OpenClaw can use")
	}
	s.partial = len(s.ids) < orderable
	return slices.Equal(data.state.order[s.provider], s.ids), nil
}

func (s *setting) refuse(what string) error {
	return &OrderError{Agent: s.agent, Provider: s.provider, What: what}
}

// write sets the order one way or the other, and reads the store back. A way
// that failed may have worked all the same (a lost connection, a command that
// was killed late), so the store has the last word.
func (s *setting) write(ctx context.Context) error {
	var refusal error
	if !s.partial {
		var tried bool
		s.timed("rpc", func() { tried, refusal = s.byRPC(ctx) })
		if tried {
			s.Via = ViaRPC
			if refusal = s.readBack(ctx, refusal); refusal == nil || ctx.Err() != nil {
				return refusal
			}
		}
		s.note(refusal)
	}
	s.Via = ViaCLI
	var err error
	s.timed("cli", func() { err = s.byCLI(ctx) })
	if err = s.readBack(ctx, err); err != nil && refusal != nil {
		return fmt.Errorf("%w (before that: %v)", err, refusal) //nolint:errorlint // the command's error is the one to act on
	}
	return err
}

// byRPC reports whether the gateway was asked at all.
func (s *setting) byRPC(ctx context.Context) (tried bool, err error) {
	ctx, cancel := context.WithTimeout(ctx, rpcLimit)
	defer cancel()
	has, err := s.gateway.Has(ctx, methodOrderSet)
	if err != nil || !has {
		return false, err
	}
	params := struct {
		Provider   string   `json:"provider"`
		AgentID    string   `json:"agentId"`
		ProfileIDs []string `json:"profileIds"`
	}{s.provider, s.agent, s.ids}
	var result struct {
		Warning string `json:"warning"`
	}
	if err := s.gateway.Call(ctx, methodOrderSet, params, &result); err != nil {
		return !errors.Is(err, openclaw.ErrMethodUnavailable), err
	}
	if result.Warning != "" {
		s.note(errors.New(result.Warning))
	}
	return true, nil
}

// byCLI passes ids behind "--", so that none can be taken for an option.
func (s *setting) byCLI(ctx context.Context) error {
	args := append([]string{"models", "auth", "order", "set", "--provider", s.provider, "--agent", s.agent, "--"}, s.ids...)
	_, err := s.cli.Run(ctx, nil, args...)
	return err
}

// readBack lets the store decide whether a write worked; failed is what the
// write itself said.
func (s *setting) readBack(ctx context.Context, failed error) error {
	var data content
	var err error
	s.timed("read back", func() { data, err = s.store.now(ctx, s.agent) })
	switch {
	case err == nil && slices.Equal(data.state.order[s.provider], s.ids):
		s.note(failed)
		return nil
	case failed != nil:
		return failed
	case err != nil:
		return fmt.Errorf("read the order back: %w", err)
	default:
		return fmt.Errorf("OpenClaw accepted the order, and its store has another: %s",
			strings.Join(data.state.order[s.provider], ", "))
	}
}
