package openclaw

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"mime"
	"net/http"
	"net/url"
	"syscall"
	"time"
)

const (
	// healthLimit bounds one health request: the endpoints answer in
	// milliseconds, so a slow one is news by itself.
	healthLimit = 3 * time.Second
	healthCap   = 64 << 10
)

// Health is what the gateway's health endpoints said.
type Health struct {
	Live   bool
	Ready  bool
	Detail string // why it is not live or not ready, in words; "" when it is
	// Barred: it is live, and asked whether it is ready it answered with an error
	// of HTTP's, as current gateways do to what comes through a reverse proxy.
	Barred bool
	// Answers: something listens there, whatever it says. The oldest releases
	// are never Live, since they answer every path with a page of HTML.
	Answers bool
	// Down: nobody listens there, for certain. A gateway that merely takes too
	// long is neither Live nor Down.
	Down bool
	// Uptime is how long ago this start of the gateway was, also where it
	// restarted within its process. 0: it did not say.
	Uptime time.Duration
}

// Health asks the gateway's /healthz and /readyz, 3 s each at most. Only JSON of
// the expected form is health: old releases, and whatever else may listen on
// the port, answer any path with a page of HTML and status 200.
func (i *Install) Health(ctx context.Context) Health {
	e := i.endpoint()
	if e.err != nil {
		return Health{Detail: e.err.Error()}
	}
	client := e.httpClient()
	defer client.CloseIdleConnections()
	live, err := askHealth(ctx, client, e.http("/healthz"))
	if err != nil {
		return Health{Answers: live.answered, Down: errors.Is(err, syscall.ECONNREFUSED), Detail: "healthz: " + err.Error()}
	}
	if !live.OK {
		return Health{Answers: true, Detail: "healthz: the gateway says that it is not live"}
	}
	ready, err := askHealth(ctx, client, e.http("/readyz"))
	if err != nil {
		return Health{Live: true, Barred: ready.barred, Answers: true, Detail: "readyz: " + err.Error()}
	}
	if !ready.Ready {
		return Health{Live: true, Answers: true, Uptime: ready.uptime(), Detail: fmt.Sprintf("not ready: %v", ready.failing())}
	}
	return Health{Live: true, Answers: true, Ready: true, Uptime: ready.uptime()}
}

type healthAnswer struct {
	OK      bool     `json:"ok"`
	Ready   bool     `json:"ready"`
	Failing []string `json:"failing"`
	Uptime  float64  `json:"uptimeMs"`

	answered bool // with anything at all
	barred   bool // with a status that is no gateway's word
}

// uptimeCap is beyond any real run: where the machine's clock is set meanwhile,
// the gateway claims decades.
const uptimeCap = 10 * 365 * 24 * time.Hour

func (a healthAnswer) uptime() time.Duration {
	if a.Uptime <= 0 || a.Uptime > float64(uptimeCap/time.Millisecond) {
		return 0
	}
	return time.Duration(a.Uptime * float64(time.Millisecond))
}

func (a healthAnswer) failing() []string { return a.Failing[:min(len(a.Failing), 8)] }

func askHealth(ctx context.Context, client *http.Client, address string) (healthAnswer, error) {
	ctx, cancel := context.WithTimeout(ctx, healthLimit)
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, address, http.NoBody)
	if err != nil {
		return healthAnswer{}, err
	}
	req.Header.Set("Accept", "application/json")
	resp, err := client.Do(req)
	if err != nil {
		return healthAnswer{}, withoutURL(err)
	}
	defer func() { _ = resp.Body.Close() }()
	return readHealth(resp)
}

func readHealth(resp *http.Response) (healthAnswer, error) {
	a := healthAnswer{answered: true}
	if resp.StatusCode != http.StatusOK && resp.StatusCode != http.StatusServiceUnavailable {
		a.barred = true
		return a, fmt.Errorf("status %d", resp.StatusCode)
	}
	if kind, _, err := mime.ParseMediaType(resp.Header.Get("Content-Type")); err != nil || kind != "application/json" {
		return a, fmt.Errorf("the answer is %q, not JSON: an OpenClaw before 2026.3.7, or another program on this port", resp.Header.Get("Content-Type"))
	}
	if err := json.NewDecoder(io.LimitReader(resp.Body, healthCap)).Decode(&a); err != nil {
		return healthAnswer{answered: true}, fmt.Errorf("the answer cannot be read: %w", err)
	}
	return a, nil
}

// withoutURL drops the address that net/http puts before every error.
func withoutURL(err error) error {
	if u, ok := errors.AsType[*url.Error](err); ok {
		return u.Err
	}
	return err
}
