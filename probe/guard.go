package probe

import (
	"bytes"
	"context"
	"errors"
	"io"
	"net"
	"net/http"
	"time"
)

// guard stands between every Func and the network, so that no Func can get the
// rules wrong: tokens go only over https or loopback, answers are capped and
// read whole, the User-Agent is ours, and a failing endpoint is left alone.
type guard struct {
	base      http.RoundTripper
	userAgent string
	breakers  *breakers
}

// newTransport is the transport of a Prober: as many idle connections as a
// round has requests under way, since all go to one or two hosts.
func newTransport() *http.Transport {
	return &http.Transport{
		Proxy:                  http.ProxyFromEnvironment,
		DialContext:            (&net.Dialer{Timeout: 5 * time.Second, KeepAlive: 30 * time.Second}).DialContext,
		TLSHandshakeTimeout:    5 * time.Second,
		ForceAttemptHTTP2:      true,
		MaxIdleConns:           4 * defaultLimit,
		MaxIdleConnsPerHost:    2 * defaultLimit,
		IdleConnTimeout:        90 * time.Second,
		MaxResponseHeaderBytes: 64 << 10,
	}
}

// client returns a client that follows no redirect: a token must not reach a
// second host, and no usage endpoint has a reason to send us to one.
func (g *guard) client() *http.Client {
	return &http.Client{
		Transport:     g,
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}
}

// RoundTrip implements http.RoundTripper. The answer's body is in memory.
func (g *guard) RoundTrip(req *http.Request) (*http.Response, error) {
	if err := validateURL(req.URL); err != nil {
		return nil, err
	}
	done, err := g.breakers.of(req.URL.Host).allow()
	if err != nil {
		return nil, err
	}
	o := failed // what a panic below leaves behind
	defer func() { done(o) }()

	req = req.Clone(req.Context())
	req.Header.Set("User-Agent", g.userAgent)
	resp, err := g.roundTrip(req)
	o = judgeEndpoint(resp, err)
	return resp, err
}

// CloseIdleConnections serves http.Client's method of that name.
func (g *guard) CloseIdleConnections() {
	if t, ok := g.base.(interface{ CloseIdleConnections() }); ok {
		t.CloseIdleConnections()
	}
}

func (g *guard) roundTrip(req *http.Request) (*http.Response, error) {
	resp, err := g.base.RoundTrip(req)
	if err != nil {
		return nil, err
	}
	defer func() { _ = resp.Body.Close() }() // read to its end: nothing is left to lose
	body, err := readCapped(resp.Body)
	if err != nil {
		return nil, err
	}
	resp.Body = io.NopCloser(bytes.NewReader(body))
	resp.ContentLength = int64(len(body))
	return resp, nil
}

// judgeEndpoint says what a request tells of the endpoint, whoever asked.
func judgeEndpoint(resp *http.Response, err error) outcome {
	switch {
	case errors.Is(err, context.Canceled):
		return inconclusive
	case errors.Is(err, errTooLarge):
		return answered
	case err != nil, resp.StatusCode >= http.StatusInternalServerError:
		return failed
	}
	return answered
}
