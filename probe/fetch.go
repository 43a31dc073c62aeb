package probe

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"mime"
	"net/http"
	"strings"
	"time"

	"github.com/ocwatch/ocwatch/internal/quota"
	"github.com/ocwatch/ocwatch/internal/secret"
)

// answer is one HTTP answer, read to its end.
type answer struct {
	status int
	header http.Header
	body   []byte
	now    time.Time // our clock, when it had come
}

// fetch sends q with the account's token. The error is a refusal, or what the
// transport said.
func fetch(ctx context.Context, a Account, c *http.Client, q question) (answer, error) {
	token, err := accessToken(a)
	if err != nil {
		return answer{}, err
	}
	req, err := q.request(ctx)
	if err != nil {
		return answer{}, refuse(quota.Unknown, "the configured endpoint is not a url")
	}
	if err := validateURL(req.URL); err != nil {
		return answer{}, refuse(quota.Unknown, err.Error())
	}
	req.Header.Set("Accept", "application/json")
	q.set(req.Header, token)
	resp, err := c.Do(req)
	if err != nil {
		return answer{}, fmt.Errorf("ask the usage endpoint: %w", err)
	}
	defer func() { _ = resp.Body.Close() }() // read to its end: nothing is left to lose
	body, err := readCapped(resp.Body)
	if err != nil {
		return answer{}, fmt.Errorf("read the usage answer: %w", err)
	}
	return answer{
		status: resp.StatusCode,
		header: resp.Header,
		body:   scrub(body, token),
		now:    time.Now().UTC().Round(0),
	}, nil
}

func (q question) request(ctx context.Context) (*http.Request, error) {
	if q.body == nil {
		return http.NewRequestWithContext(ctx, http.MethodGet, q.url, nil)
	}
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, q.url, bytes.NewReader(q.body))
	if err == nil {
		req.Header.Set("Content-Type", "application/json")
	}
	return req, err
}

// maxBody is the largest answer that is read, in bytes. Usage answers have some
// kilobytes, a list of models some tens.
const maxBody = 1 << 20

var errTooLarge = errors.New("answer larger than 1 MiB")

func readCapped(r io.Reader) ([]byte, error) {
	body, err := io.ReadAll(io.LimitReader(r, maxBody+1))
	if err != nil {
		return nil, err
	}
	if len(body) > maxBody {
		return nil, errTooLarge
	}
	return body, nil
}

// scrub takes the token out of an answer that echoes it, before anything of
// the answer is kept. Shorter than 8 bytes is no credential but would tear
// ordinary JSON.
func scrub(body []byte, token secret.Value) []byte {
	if len(token.Reveal()) < 8 {
		return body
	}
	return bytes.ReplaceAll(body, []byte(token.Reveal()), []byte(secret.Redacted))
}

// accessToken re-reads the account's token and refuses what must not be sent.
func accessToken(a Account) (secret.Value, error) {
	if a.Token == nil {
		return secret.Value{}, refuse(quota.Unknown, "the profile has no readable credential")
	}
	t, err := a.Token.Token()
	switch {
	case err != nil:
		return secret.Value{}, tokenRefusal(err)
	case t == nil || t.AccessToken == "":
		return secret.Value{}, refuse(quota.Unknown, "the profile has no readable credential")
	case !headerSafe(t.AccessToken) || !headerSafe(a.ID):
		// net/http would refuse it too, as if the network had failed.
		return secret.Value{}, refuse(quota.Unknown, "the stored credential is not a token")
	case !t.Expiry.IsZero() && t.Expiry.Before(time.Now()):
		return secret.Value{}, refuse(quota.Stale, "access token expired; OpenClaw refreshes it when it next needs it")
	}
	return secret.New(t.AccessToken), nil
}

func headerSafe(s string) bool {
	return !strings.ContainsFunc(s, func(r rune) bool { return r <= ' ' || r >= 0x7f })
}

// clock compares the provider's time with ours.
func (a answer) clock() clock { return readClock(a.now, a.header) }

// object returns the answer as JSON, and false where it is anything else. An
// absent content type is forgiven, a wrong one is not: a portal's page must
// not pass for quota.
func (a answer) object() (object, bool) {
	if !a.isJSON() {
		return nil, false
	}
	return parseObject(a.body)
}

func (a answer) isJSON() bool {
	t, _, err := mime.ParseMediaType(a.header.Get("Content-Type"))
	if a.header.Get("Content-Type") == "" {
		return !a.isHTML()
	}
	return err == nil && (t == "application/json" || strings.HasSuffix(t, "+json"))
}

func (a answer) isHTML() bool {
	return strings.Contains(strings.ToLower(a.header.Get("Content-Type")), "html") ||
		bytes.HasPrefix(bytes.TrimSpace(a.body), []byte("<"))
}
