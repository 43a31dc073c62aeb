package shout

import (
	"bytes"
	"context"
	"encoding/json"
	"io"
	"maps"
	"net/http"
	"time"

	"github.com/ocwatch/ocwatch/notify"
)

// web hands requests to a service's API.
type web struct{ client *http.Client }

func (w web) close() { w.client.CloseIdleConnections() }

// reply is what a service answered. Its body is read, since several services
// say no in the body of a 200.
type reply struct {
	status int
	header http.Header
	body   []byte
}

// post sends payload as JSON. Where there is no reply, the answer says why.
func (w web) post(ctx context.Context, address string, header http.Header, payload any) (reply, notify.Answer) {
	var body bytes.Buffer
	enc := json.NewEncoder(&body)
	enc.SetEscapeHTML(false) // the same to every parser, and half as long
	if err := enc.Encode(payload); err != nil {
		return reply{}, notify.Answer{Kind: notify.Refused, Text: "the text cannot be put into a request"}
	}
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, address, &body)
	if err != nil {
		return reply{}, notify.Answer{Kind: notify.Refused, Text: "no request can be made of the url"}
	}
	maps.Copy(req.Header, header)
	req.Header.Set("Content-Type", "application/json; charset=utf-8")
	req.Header.Set("User-Agent", "ocwatch")
	resp, err := w.client.Do(req)
	if err != nil {
		return reply{}, notify.Answer{Text: notify.Describe(err)}
	}
	defer resp.Body.Close() //nolint:errcheck // it was read, or the error is told
	data, err := io.ReadAll(io.LimitReader(resp.Body, notify.MaxAnswer))
	if err != nil {
		return reply{}, notify.Answer{Text: notify.Describe(err)}
	}
	return reply{status: resp.StatusCode, header: resp.Header, body: data}, notify.Answer{}
}

// decode reads the body into v and reports whether that could be done.
func (r reply) decode(v any) bool { return json.Unmarshal(r.body, v) == nil }

// answer goes by the status alone.
func (r reply) answer() notify.Answer { return notify.HTTPAnswer(r.status, r.header, time.Now()) }

// saying adds words for a person.
func saying(a notify.Answer, words string) notify.Answer {
	a.Text += ": " + words
	return a
}
