package sandbox

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/ocwatch/ocwatch/internal/quota"
)

// Script is demand: turns at a steady pace.
type Script struct {
	For   time.Duration // how long, in all
	Every time.Duration // one turn each
	Cost  float64       // percent of every window of whoever serves it
	Phone *Phone        // nil: nobody answers a login
}

// Phone is a person with a phone, who signs in as Account some time after
// OpenClaw was first given a code.
type Phone struct {
	Account Account
	After   time.Duration
	// Tell is called when that is done; nil: nobody is told.
	Tell func(account string)
}

// Demo is the world and the demand of `ocwatch demo`: three accounts whose
// 5-hour windows are nearly used up. Demand drains each within a few seconds,
// at 5 percent a second, so that a watchdog that looks every 300 to 500 ms
// sees one pass 95 percent before it is empty. After 16 seconds all are spent,
// and the message finds a person, who signs in as a fourth account.
func Demo() ([]Account, Script) {
	account := func(name string, used float64, resets time.Duration) Account {
		return Account{
			Profile: "openai:" + name + "@example.com",
			Windows: []Window{
				{Name: quota.FiveHour, UsedPercent: used, ResetsAfter: resets},
				{Name: quota.Weekly, UsedPercent: used / 8, ResetsAfter: 3 * 24 * time.Hour, Rate: 0.1},
			},
		}
	}
	accounts := []Account{
		account("alice", 74, 5*time.Hour),
		account("bob", 72, 2*time.Hour),
		account("carol", 75, 4*time.Hour),
	}
	return accounts, Script{
		For: 25 * time.Second, Every: 150 * time.Millisecond, Cost: 0.75,
		Phone: &Phone{Account: account("dave", 12, 5*time.Hour), After: 3 * time.Second},
	}
}

// Play makes the demand until it is over or ctx ends. Turns that nobody serves
// are part of the play and given to observe (which may be nil) like the rest.
func (s Script) Play(ctx context.Context, w *World, observe func(Turn)) error {
	ctx, cancel := context.WithTimeoutCause(ctx, s.For, errPlayed)
	defer cancel()
	if s.Phone != nil {
		var phone sync.WaitGroup
		phone.Go(func() { s.Phone.answer(ctx, w) })
		defer phone.Wait()
		defer cancel()
	}
	ticker := time.NewTicker(s.Every)
	defer ticker.Stop()
	for n := 0; ; n++ {
		select {
		case <-ctx.Done():
			if errors.Is(context.Cause(ctx), errPlayed) {
				return nil
			}
			return ctx.Err()
		case <-ticker.C:
		}
		turn, err := w.play(context.WithoutCancel(ctx), fmt.Sprintf("demo-%d", n), s.Cost)
		if err != nil && !errors.Is(err, ErrTurnFailed) {
			return err
		}
		if observe != nil {
			observe(turn)
		}
	}
}

// answer approves the first login, unless the play is over before.
func (p *Phone) answer(ctx context.Context, w *World) {
	code, err := w.AwaitLogin(ctx, 0)
	if err != nil {
		return
	}
	think := time.NewTimer(p.After)
	defer think.Stop()
	select {
	case <-ctx.Done():
		return
	case <-think.C:
	}
	if w.Approve(code, p.Account) == nil && p.Tell != nil {
		p.Tell(p.Account.Profile)
	}
}

var errPlayed = errors.New("the script is over")
