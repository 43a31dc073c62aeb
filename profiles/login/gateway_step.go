package login

import (
	"errors"
	"fmt"
	"net/url"
	"regexp"
	"slices"
	"strings"
	"time"
	"unicode"
)

// wizardState is the gateway's answer to wizard.next.
type wizardState struct {
	Done   bool       `json:"done"`
	Status string     `json:"status"` // running, done, cancelled, error
	Error  string     `json:"error"`
	Step   wizardStep `json:"step"`
}

// option is one choice of a select step.
type option struct {
	Value any `json:"value"`
}

// wizardStep is what the login shows or asks at the moment. The link and the
// code are repeated in every step after the first that has them.
type wizardStep struct {
	ID          string `json:"id"`
	Type        string `json:"type"`
	Message     string `json:"message"`
	ExternalURL string `json:"externalUrl"`
	DeviceCode  struct {
		Code             string  `json:"code"`
		ExpiresInMinutes float64 `json:"expiresInMinutes"`
	} `json:"deviceCode"`
	Options []option `json:"options"`
}

// answer goes with the next wizard.next.
type answer struct {
	StepID string `json:"stepId"`
	Value  any    `json:"value"`
}

// prompt is what the step gives a person to approve with, if it does.
func (s wizardStep) prompt(now time.Time) (Prompt, bool, error) {
	if s.DeviceCode.Code == "" {
		return Prompt{}, false, nil
	}
	u, err := url.Parse(s.ExternalURL)
	if err != nil || u.Scheme != "https" || u.Host == "" {
		return Prompt{}, false, errors.New("openclaw gave a code and no link to type it at")
	}
	p := Prompt{URL: u.String(), Code: s.DeviceCode.Code, Via: ViaGateway}
	if m := s.DeviceCode.ExpiresInMinutes; m > 0 {
		p.ExpiresAt = now.Add(time.Duration(m * float64(time.Minute)))
	}
	return p, true, nil
}

// keep is the option that leaves the owner's settings as they are.
const keep = "keep"

// reply is what the step is answered with, nil for nothing. What only a person
// can answer is an error: guessing could change settings.
func (s wizardStep) reply() (*answer, error) {
	switch s.Type {
	case "progress":
		return nil, nil //nolint:nilnil // nothing is asked, and that is no error
	case "note", "confirm":
		return &answer{s.ID, true}, nil
	case "select":
		if slices.ContainsFunc(s.Options, func(o option) bool { return o.Value == keep }) {
			return &answer{s.ID, keep}, nil
		}
	}
	return nil, fmt.Errorf("openclaw asks something that only a person at its screen can answer: %q", inWords(s.Message))
}

// ending is what an ended login means; nil where it succeeded. asked tells
// whether we cancelled it.
func (w wizardState) ending(asked bool) error {
	said := inWords(w.Error)
	switch {
	case w.Status == "done", w.Status == "error" && saved.MatchString(said):
		return nil
	case w.Status == "cancelled" && asked:
		return ErrCancelled
	case w.Status == "cancelled":
		return ErrExpired // nobody else can cancel it: its time was up
	default:
		return refusal(said)
	}
}

// saved matches OpenClaw's word that the credential is there and only the
// running gateway may not know it yet, which setting the order mends.
var saved = regexp.MustCompile(`(?i)\b(sign-in|auth profile|credentials)( and model access)?( was| were)? saved\b`)

// refusal turns OpenClaw's last words on a login into an error.
func refusal(said string) error {
	low := strings.ToLower(said)
	switch {
	case strings.Contains(low, "authorization timed out"), strings.Contains(low, "expired_token"):
		return ErrExpired
	case strings.Contains(low, "access_denied"):
		return &FailedError{What: "it was denied on the page", Fix: "start it again and approve it"}
	case strings.Contains(low, "not enabled"):
		return &FailedError{
			What: "the provider has no login by code for this account",
			Fix:  "allow device code login in the account's security settings, or log in by link with openclaw models auth login",
		}
	case said == "":
		return &FailedError{What: "openclaw gave no reason"}
	default:
		return &FailedError{What: said}
	}
}

const wordsCap = 300

// tokenLike matches what may be part of a credential. OpenClaw's errors may
// quote the provider's answer.
var tokenLike = regexp.MustCompile(`[A-Za-z0-9_+=.~-]{25,}`)

// inWords makes one line of what OpenClaw said, short, and without anything
// that could be a secret.
func inWords(s string) string {
	s = strings.Map(func(r rune) rune {
		if unicode.IsControl(r) {
			return ' '
		}
		return r
	}, s)
	s = tokenLike.ReplaceAllString(strings.Join(strings.Fields(s), " "), "…")
	if len(s) > wordsCap {
		s = strings.ToValidUTF8(s[:wordsCap], "") + "…"
	}
	return s
}
