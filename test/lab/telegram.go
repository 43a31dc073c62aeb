package lab

import (
	"maps"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"
)

// The stand-in's bot and the person it may write to.
const (
	TelegramToken = "123456789:lab-telegram-bot-token-invented-xxx"
	TelegramOwner = "424242"
)

// telegramPoll is the longest a getUpdates is kept open: the real one does so
// for as long as it is asked to.
const telegramPoll = 20 * time.Second

// TelegramMessage is a text that the bot was told to send.
type TelegramMessage struct {
	At     time.Time
	ChatID string
	Text   string // as it came; HTML where Mode says so
	Mode   string // parse_mode, "" for plain text
}

// Telegram plays the Bot API for one bot on loopback. It knows one chat, with
// TelegramOwner; every other is not found, as with the real one.
type Telegram struct {
	URL string // what channels.telegram.apiRoot is set to

	mu     sync.Mutex
	sent   []TelegramMessage
	calls  map[string]int
	refuse map[string]refusal
	drop   map[string]int
	hold   map[string]chan struct{} // open while calls must wait
	grown  chan struct{}            // closed and replaced at every call
}

// NewTelegram starts the stand-in.
func NewTelegram(t *testing.T) *Telegram {
	t.Helper()
	tg := &Telegram{
		calls: map[string]int{}, refuse: map[string]refusal{}, drop: map[string]int{},
		hold: map[string]chan struct{}{}, grown: make(chan struct{}),
	}
	srv := httptest.NewServer(tg)
	t.Cleanup(func() {
		srv.CloseClientConnections() // a long poll would keep Close waiting
		srv.Close()
	})
	tg.URL = srv.URL
	return tg
}

// config is channels.telegram of openclaw.json. Nobody may write to the bot:
// what arrives from it was sent on purpose.
func (tg *Telegram) config() map[string]any {
	return map[string]any{
		"enabled": true, "botToken": TelegramToken, "apiRoot": tg.URL,
		"dmPolicy": "allowlist", "allowFrom": []string{TelegramOwner},
	}
}

// Refuse answers method with status and description from now on; status 0 ends it.
func (tg *Telegram) Refuse(method string, status int, description string) {
	tg.mu.Lock()
	defer tg.mu.Unlock()
	tg.refuse[method] = refusal{status, description}
}

// Drop takes the next n calls of method and ends their connections without an answer.
func (tg *Telegram) Drop(method string, n int) {
	tg.mu.Lock()
	defer tg.mu.Unlock()
	tg.drop[method] = n
}

// Hold keeps calls of method waiting until the returned function is called.
func (tg *Telegram) Hold(method string) (release func()) {
	tg.mu.Lock()
	defer tg.mu.Unlock()
	hold := make(chan struct{})
	tg.hold[method] = hold
	return sync.OnceFunc(func() {
		tg.mu.Lock()
		defer tg.mu.Unlock()
		delete(tg.hold, method)
		close(hold)
	})
}

// Sent returns the messages from the n-th on.
func (tg *Telegram) Sent(n int) []TelegramMessage {
	tg.mu.Lock()
	defer tg.mu.Unlock()
	return slices.Clone(tg.sent[n:])
}

// Calls returns how often each method was called.
func (tg *Telegram) Calls() map[string]int {
	tg.mu.Lock()
	defer tg.mu.Unlock()
	return maps.Clone(tg.calls)
}

// AwaitSent returns the messages from the n-th on once there is one.
func (tg *Telegram) AwaitSent(t *testing.T, n int) []TelegramMessage {
	t.Helper()
	tg.until(t, func() bool { return len(tg.sent) > n })
	return tg.Sent(n)
}

// AwaitCalls returns once method was called n times.
func (tg *Telegram) AwaitCalls(t *testing.T, method string, n int) {
	t.Helper()
	tg.until(t, func() bool { return tg.calls[method] >= n })
}

// until waits for cond, which is called with the lock held.
func (tg *Telegram) until(t *testing.T, cond func() bool) {
	t.Helper()
	deadline := time.After(patience)
	for {
		tg.mu.Lock()
		done, grown := cond(), tg.grown
		tg.mu.Unlock()
		if done {
			return
		}
		select {
		case <-grown:
		case <-deadline:
			t.Fatalf("what Telegram was to see did not come within %v; came: %v", patience, tg.Calls())
		}
	}
}

// ServeHTTP answers /bot<token>/<method>.
func (tg *Telegram) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	token, method, _ := strings.Cut(strings.TrimPrefix(r.URL.Path, "/bot"), "/")
	params, err := botParams(r)
	if err != nil {
		botAnswer(w, http.StatusBadRequest, "Bad Request: "+err.Error())
		return
	}
	if token != TelegramToken {
		botAnswer(w, http.StatusUnauthorized, "Unauthorized")
		return
	}
	order := tg.note(method)
	if order.hold != nil {
		wait(r, order.hold, patience)
	}
	switch {
	case order.drop:
		panic(http.ErrAbortHandler)
	case order.refuse.status != 0:
		botAnswer(w, order.refuse.status, order.refuse.code)
	case method == "getUpdates":
		wait(r, nil, telegramPoll) // nobody ever writes to the bot
		botAnswer(w, http.StatusOK, []any{})
	case method == "sendMessage":
		status, result := tg.send(params)
		botAnswer(w, status, result)
	default:
		status, result := botMethod(method, params)
		botAnswer(w, status, result)
	}
}

// order is what was asked for the next call of a method.
type order struct {
	hold   chan struct{}
	drop   bool
	refuse refusal
}

// note counts a call and says what was ordered for it.
func (tg *Telegram) note(method string) order {
	tg.mu.Lock()
	defer tg.mu.Unlock()
	tg.calls[method]++
	tg.wake()
	o := order{hold: tg.hold[method], drop: tg.drop[method] > 0, refuse: tg.refuse[method]}
	if o.drop {
		tg.drop[method]--
	}
	return o
}

func (tg *Telegram) wake() {
	close(tg.grown)
	tg.grown = make(chan struct{})
}

// wait returns when done is closed, the caller is gone, or at the limit.
func wait(r *http.Request, done <-chan struct{}, limit time.Duration) {
	select {
	case <-done:
	case <-r.Context().Done():
	case <-time.After(limit):
	}
}

func (tg *Telegram) send(params map[string]string) (int, any) {
	m := TelegramMessage{At: time.Now(), ChatID: params["chat_id"], Text: params["text"], Mode: params["parse_mode"]}
	switch {
	case m.ChatID != TelegramOwner:
		return http.StatusBadRequest, "Bad Request: chat not found"
	case m.Text == "":
		return http.StatusBadRequest, "Bad Request: message text is empty"
	case len([]rune(m.Text)) > 4096:
		return http.StatusBadRequest, "Bad Request: message is too long"
	}
	tg.mu.Lock()
	defer tg.mu.Unlock()
	tg.sent = append(tg.sent, m)
	tg.wake()
	return http.StatusOK, map[string]any{
		"message_id": len(tg.sent), "date": m.At.Unix(), "chat": owner(), "from": bot(), "text": m.Text,
	}
}
