package sandbox

import (
	"context"
	"errors"
	"sync"
)

// wizard is one guided conversation of the gateway, here always a login. What
// it shows and asks is fetched step by step; a step that only shows something
// needs no answer.
type wizard struct {
	id    string
	owner *conn // only the connection that began it may go on with it

	mu      sync.Mutex
	status  string // running, done, cancelled, error
	failure string
	queue   []wizardStep  // not fetched yet
	fetched chan struct{} // closed and replaced when one is
	asked   *wizardStep   // waits for its answer
	answers chan any
	device  wizardStep              // code and link, which later steps repeat
	waiting *wizardFetch            // shared by all who wait for the next step
	end     context.CancelCauseFunc // of the context that the script runs in
}

// wizardStep is a step as the gateway sends it.
type wizardStep struct {
	ID           string         `json:"id"`
	Type         string         `json:"type"`
	Title        string         `json:"title,omitempty"`
	Message      string         `json:"message"`
	Options      []wizardOption `json:"options,omitempty"`
	InitialValue string         `json:"initialValue,omitempty"`
	Executor     string         `json:"executor"`
	DeviceCode   *deviceCode    `json:"deviceCode,omitempty"`
	ExternalURL  string         `json:"externalUrl,omitempty"`
}

type wizardOption struct {
	Value string `json:"value"`
	Label string `json:"label"`
}

type deviceCode struct {
	Code             string `json:"code"`
	ExpiresInMinutes int    `json:"expiresInMinutes"`
	Message          string `json:"message"`
}

// wizardState is the answer to wizard.next.
type wizardState struct {
	Done   bool        `json:"done"`
	Step   *wizardStep `json:"step,omitempty"`
	Status string      `json:"status"`
	Error  string      `json:"error,omitempty"`
}

type wizardFetch struct {
	ready chan struct{} // closed once step is set, or the wizard has ended
	step  *wizardStep
}

var (
	errWizardCancelled = errors.New("cancelled")
	errOwnerGone       = errors.New("Login connection closed.") //nolint:revive,staticcheck // the real gateway's words
)

// run carries the wizard out.
func (z *wizard) run(script func() error) {
	defer z.end(nil)
	err := script()
	z.mu.Lock()
	defer z.mu.Unlock()
	if z.status != "running" { // cancelled
		return
	}
	z.status = "done"
	if err != nil {
		z.status, z.failure = "error", err.Error()
	}
	z.wake(nil)
}

// show puts a progress step in the queue, which holds two: while nobody
// fetches them, the last one is replaced.
func (z *wizard) show(message string) {
	z.mu.Lock()
	defer z.mu.Unlock()
	step := z.device
	step.ID, step.Type, step.Executor = newUUID(), "progress", "gateway"
	if z.device.Message != "" {
		message = z.device.Message + "\n\n" + message
	}
	step.Message = message
	z.push(step)
}

// present shows a code along with its link, and has later steps repeat them.
func (z *wizard) present(device wizardStep) {
	z.mu.Lock()
	defer z.mu.Unlock()
	z.queue, z.device = nil, device
	device.ID, device.Type, device.Executor = newUUID(), "progress", "gateway"
	z.push(device)
}

// seen returns once the client has fetched all there is. The real gateway
// waits for the provider meanwhile, which takes longer.
func (z *wizard) seen(ctx context.Context) error {
	for {
		z.mu.Lock()
		left, fetched := len(z.queue), z.fetched
		z.mu.Unlock()
		if left == 0 {
			return nil
		}
		select {
		case <-fetched:
		case <-ctx.Done():
			return context.Cause(ctx)
		}
	}
}

func (z *wizard) push(step wizardStep) {
	switch {
	case z.waiting != nil:
		z.wake(&step)
	case len(z.queue) >= 2:
		z.queue[1] = step
	default:
		z.queue = append(z.queue, step)
	}
}

// ask shows a step and waits for its answer. The code is not repeated there,
// the link is.
func (z *wizard) ask(ctx context.Context, step wizardStep) (any, error) {
	z.mu.Lock()
	step.ID, step.Executor, step.ExternalURL = newUUID(), "client", z.device.ExternalURL
	z.asked = &step
	z.wake(&step)
	z.mu.Unlock()
	select {
	case v := <-z.answers:
		return v, nil
	case <-ctx.Done():
		return nil, context.Cause(ctx)
	}
}

// wake gives step to all who wait; nil where the wizard has ended.
func (z *wizard) wake(step *wizardStep) {
	if z.waiting != nil {
		z.waiting.step = step
		close(z.waiting.ready)
		z.waiting = nil
	}
}

// answer takes the answer to the step that waits for one.
func (z *wizard) answer(stepID string, value any) bool {
	z.mu.Lock()
	defer z.mu.Unlock()
	if z.asked == nil || z.asked.ID != stepID {
		return false
	}
	z.asked = nil
	z.answers <- value // it holds one, and one is asked at a time
	return true
}

// next gives the next step, or the end. All who wait get the same step: a
// client that gave up waiting does not take it from one that still does.
func (z *wizard) next(ctx context.Context) wizardState {
	z.mu.Lock()
	defer z.mu.Unlock()
	switch {
	case z.status != "running":
		return wizardState{Done: true, Status: z.status, Error: z.failure}
	case len(z.queue) > 0:
		step := z.queue[0]
		z.queue = z.queue[1:]
		close(z.fetched)
		z.fetched = make(chan struct{})
		return wizardState{Step: &step, Status: "running"}
	case z.asked != nil:
		return wizardState{Step: z.asked, Status: "running"}
	}
	if z.waiting == nil {
		z.waiting = &wizardFetch{ready: make(chan struct{})}
	}
	fetch := z.waiting
	z.mu.Unlock()
	select {
	case <-fetch.ready:
	case <-ctx.Done(): // the connection is gone: nobody reads the answer
	}
	z.mu.Lock()
	if fetch.step != nil && z.status == "running" {
		return wizardState{Step: fetch.step, Status: "running"}
	}
	return wizardState{Done: true, Status: z.status, Error: z.failure}
}

// cancel ends the wizard unless it has ended.
func (z *wizard) cancel() {
	z.mu.Lock()
	defer z.mu.Unlock()
	if z.status != "running" {
		return
	}
	z.status, z.failure, z.queue, z.asked = "cancelled", errWizardCancelled.Error(), nil, nil
	z.end(errWizardCancelled)
	z.wake(nil)
}

func (z *wizard) running() bool {
	z.mu.Lock()
	defer z.mu.Unlock()
	return z.status == "running"
}
