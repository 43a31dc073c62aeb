package lab

import (
	"encoding/json"
	"io"
	"net/http"
	"strings"
	"testing"
)

// callBot calls a method of the stand-in as a bot does.
func callBot(t *testing.T, tg *Telegram, path, body string) (int, string, error) {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), http.MethodPost, tg.URL+path, strings.NewReader(body))
	must(t, err)
	req.Header.Set("Content-Type", "application/json")
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		return 0, "", err
	}
	defer func() { _ = resp.Body.Close() }() // read to its end
	b, err := io.ReadAll(resp.Body)
	return resp.StatusCode, string(b), err
}

// The answers are those of the Bot API: OpenClaw acts on their words.
func TestTelegramAnswers(t *testing.T) {
	const path = "/bot" + TelegramToken + "/"
	long, err := json.Marshal(map[string]any{"chat_id": TelegramOwner, "text": strings.Repeat("字", 4097)})
	must(t, err)
	for _, tc := range []struct {
		name, path, body string
		status           int
		answer           string
	}{
		{"the bot", path + "getMe", "", 200, `"username":"lab_bot"`},
		{"a text", path + "sendMessage", `{"chat_id":424242,"text":"hello"}`, 200, `"message_id":1`},
		{"a chat's id as text", path + "sendMessage", `{"chat_id":"424242","text":"hello"}`, 200, `"ok":true`},
		{"a chat nobody has", path + "sendMessage", `{"chat_id":999,"text":"hello"}`, 400, "Bad Request: chat not found"},
		{"no text", path + "sendMessage", `{"chat_id":424242}`, 400, "message text is empty"},
		{"a text beyond the limit", path + "sendMessage", string(long), 400, "message is too long"},
		{"what is no JSON", path + "sendMessage", `{`, 400, "Bad Request"},
		{"another token", "/bot1:x/getMe", "", 401, "Unauthorized"},
		{"no such method", path + "nothing", "", 404, "Not Found"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			status, answer, err := callBot(t, NewTelegram(t), tc.path, tc.body)
			must(t, err)
			if status != tc.status || !strings.Contains(answer, tc.answer) {
				t.Errorf("%d %s, want %d with %q", status, answer, tc.status, tc.answer)
			}
		})
	}
}

func TestTelegramFaults(t *testing.T) {
	tg := NewTelegram(t)
	const path, body = "/bot" + TelegramToken + "/sendMessage", `{"chat_id":424242,"text":"hello"}`
	tg.Drop("sendMessage", 1)
	if _, _, err := callBot(t, tg, path, body); err == nil {
		t.Error("a dropped call was answered")
	}
	tg.Refuse("sendMessage", http.StatusBadGateway, "Bad Gateway")
	if status, _, err := callBot(t, tg, path, body); err != nil || status != http.StatusBadGateway {
		t.Errorf("a refused call: %d %v", status, err)
	}
	tg.Refuse("sendMessage", 0, "")
	release := tg.Hold("sendMessage")
	done := make(chan error, 1)
	go func() {
		_, _, err := callBot(t, tg, path, body)
		done <- err
	}()
	tg.AwaitCalls(t, "sendMessage", 3)
	if n := len(tg.Sent(0)); n != 0 {
		t.Errorf("%d messages were taken by calls that were dropped, refused or held", n)
	}
	release()
	must(t, <-done)
	if got := tg.AwaitSent(t, 0); len(got) != 1 || got[0].Text != "hello" || got[0].ChatID != TelegramOwner {
		t.Errorf("sent %+v", got)
	}
}
