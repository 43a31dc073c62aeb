package web

import (
	"maps"
	"net/netip"
	"sync"
	"time"
)

const (
	// mostWrong is how many wrong tokens one address may send at once, and
	// wrongEvery how often one more from then on.
	mostWrong  = 10
	wrongEvery = 6 * time.Second
	// mostGuessers bounds the memory of who was wrong. When there are more, the
	// others count as one.
	mostGuessers = 4096
)

// guesses slows down whoever tries tokens: a person may have chosen a weak one.
type guesses struct {
	mu sync.Mutex
	// free is when everything that an address did wrong is forgotten.
	free   map[netip.Addr]time.Time
	pruned time.Time
}

func newGuesses() *guesses { return &guesses{free: map[netip.Addr]time.Time{}} }

// take counts a guess before it is looked at, since many may come at once. With
// wait it is one too many, and the time until the next one.
func (g *guesses) take(from netip.Addr, now time.Time) (wait time.Duration) {
	g.mu.Lock()
	defer g.mu.Unlock()
	key := g.key(from, now)
	free := g.free[key]
	if free.Before(now) {
		free = now
	}
	if wait = free.Add(wrongEvery).Sub(now) - mostWrong*wrongEvery; wait > 0 {
		return wait
	}
	g.free[key] = free.Add(wrongEvery)
	return 0
}

// right takes back a guess that was none.
func (g *guesses) right(from netip.Addr, now time.Time) {
	g.mu.Lock()
	defer g.mu.Unlock()
	key := g.key(from, now)
	if free := g.free[key].Add(-wrongEvery); free.After(now) {
		g.free[key] = free
	} else {
		delete(g.free, key)
	}
}

// key is whom from counts as. An IPv6 host has a whole network of addresses.
func (g *guesses) key(from netip.Addr, now time.Time) netip.Addr {
	from = from.Unmap().WithZone("")
	if from.Is6() {
		net, _ := from.Prefix(64) // every IPv6 address has one
		from = net.Addr()
	}
	if _, known := g.free[from]; known || len(g.free) < mostGuessers {
		return from
	}
	if now.Sub(g.pruned).Abs() < wrongEvery {
		return netip.Addr{} // nobody new has been forgiven much since
	}
	g.pruned = now
	maps.DeleteFunc(g.free, func(_ netip.Addr, free time.Time) bool { return !free.After(now) })
	if len(g.free) < mostGuessers {
		return from
	}
	return netip.Addr{}
}
