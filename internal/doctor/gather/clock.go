// Package gather looks at the machine for package doctor. It changes nothing,
// except for Mend, and no credential leaves with anything that it asks.
package gather

import (
	"context"
	"errors"
	"net/http"
	"net/url"
	"sync"
	"time"

	"github.com/ocwatch/ocwatch/internal/doctor"
	"github.com/ocwatch/ocwatch/notify"
)

// within bounds each single question.
const within = 10 * time.Second

// Site is where a provider is asked.
type Site struct {
	Provider string
	URL      string // its path is not used
}

// Clocks asks each site for its Date with a HEAD request without a credential.
// A nil client is one of its own.
func Clocks(ctx context.Context, client *http.Client, userAgent string, sites []Site) []doctor.Clock {
	client = notify.NewClient(client) // follows no redirect
	defer client.CloseIdleConnections()
	list := make([]doctor.Clock, len(sites))
	var asking sync.WaitGroup
	for i, s := range sites {
		asking.Go(func() { list[i] = clockOf(ctx, client, userAgent, s) })
	}
	asking.Wait()
	return list
}

func clockOf(ctx context.Context, client *http.Client, userAgent string, s Site) doctor.Clock {
	c := doctor.Clock{Provider: s.Provider}
	u, err := url.Parse(s.URL)
	if err != nil || u.Host == "" {
		c.Err = errors.New("its address is no url")
		return c
	}
	c.URL = u.Scheme + "://" + u.Host
	ctx, cancel := context.WithTimeout(ctx, within)
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, http.MethodHead, c.URL+"/", http.NoBody)
	if err != nil {
		c.Err = errors.New("its address is no url")
		return c
	}
	req.Header.Set("User-Agent", userAgent)
	resp, err := client.Do(req)
	if err != nil {
		c.Err = errors.New(notify.Describe(err))
		return c
	}
	_ = resp.Body.Close()
	c.Ahead, c.Said = ahead(time.Now(), resp.Header)
	return c
}

// ahead is how far now is ahead of the answer's Date, which is older by Age
// where a cache kept the answer.
func ahead(now time.Time, h http.Header) (time.Duration, bool) {
	theirs, err := http.ParseTime(h.Get("Date"))
	if err != nil {
		return 0, false
	}
	if age, err := time.ParseDuration(h.Get("Age") + "s"); err == nil && age > 0 {
		theirs = theirs.Add(age)
	}
	return now.Sub(theirs).Truncate(time.Second), true
}
